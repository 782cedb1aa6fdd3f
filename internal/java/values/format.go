package values

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// Format writes a value: Values.convertToString. Texts are quoted only inside
// of arrays, maps and structs; a map's entries are sorted by key.
func Format(v any) (string, error) {
	var out strings.Builder
	err := write(&out, v, false)
	return out.String(), err
}

// FormatTime writes a time: as a time of day before 1970-01-02, as a date at
// midnight, else with both.
func FormatTime(t time.Time) string {
	const day = 24 * 60 * 60 * 1000
	switch ms := t.UnixMilli(); {
	case ms < day:
		return timeOnly.Format(t)
	case ms%day == 0:
		return dateOnly.Format(t)
	}
	return timestamp.Format(t)
}

func write(out *strings.Builder, v any, embedded bool) error {
	text := func(s string) {
		if embedded {
			s = `"` + s + `"`
		}
		out.WriteString(s)
	}
	switch x := v.(type) {
	case nil, bool, int8, int16, int32, int64, float32, float64, connector.Decimal, *big.Int:
		out.WriteString(tostring.String(x))
	case string:
		if embedded {
			x = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(x)
		}
		text(x)
	case []byte:
		text(base64.StdEncoding.EncodeToString(x))
	case time.Time:
		out.WriteString(FormatTime(x))
	case []any:
		return writeAll(out, "[", "]", len(x), func(i int) error { return write(out, x[i], true) })
	case map[string]any:
		keys := slices.Sorted(maps.Keys(x))
		return writeAll(out, "{", "}", len(x), func(i int) error { return writeEntry(out, keys[i], x[keys[i]]) })
	case map[any]any:
		keys := slices.SortedFunc(maps.Keys(x), func(a, b any) int { return strings.Compare(tostring.String(a), tostring.String(b)) })
		return writeAll(out, "{", "}", len(x), func(i int) error { return writeEntry(out, keys[i], x[keys[i]]) })
	case *connector.Struct:
		fields := x.Schema().Fields()
		return writeAll(out, "{", "}", len(fields), func(i int) error {
			v, _ := x.Get(fields[i].Name)
			return writeEntry(out, fields[i].Name, v)
		})
	default:
		return connector.Data(fmt.Errorf("Failed to serialize unexpected value type %s: %v", tostring.Class(v), v))
	}
	return nil
}

func writeAll(out *strings.Builder, open, end string, n int, one func(i int) error) error {
	out.WriteString(open)
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := one(i); err != nil {
			return err
		}
	}
	out.WriteString(end)
	return nil
}

func writeEntry(out *strings.Builder, key, value any) error {
	if err := write(out, key, true); err != nil {
		return err
	}
	out.WriteByte(':')
	return write(out, value, true)
}
