// Package plainjson writes values of Kafka Connect's data model as JSON that a
// web service or a jsonb column understands, without a schema: what the JSON
// converter writes is for Kafka Connect itself.
package plainjson

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Append adds the JSON of a value to out. The schema may be nil. Numbers keep
// all their digits; NaN and the infinities are strings; bytes are base64;
// decimals are numbers; a date is "2006-01-02", a time of day "15:04:05.000", a
// timestamp "2006-01-02T15:04:05.000Z"; maps are sorted by key, and one whose
// keys are no strings is a list of pairs. A value that is none of the data
// model's is a data error.
func Append(out []byte, schema *connector.Schema, v any) ([]byte, error) {
	return (*Writer)(nil).Append(out, schema, v)
}

// Writer writes many values, one after the other, and keeps how the names of their
// structs' fields are written. A nil one keeps nothing.
type Writer struct {
	names map[*connector.Schema][]string
}

// mostKept is of how many schemas names are kept.
const mostKept = 100

// Append does what the function of that name does.
func (w *Writer) Append(out []byte, schema *connector.Schema, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(out, "null"...), nil
	case bool:
		return strconv.AppendBool(out, x), nil
	case int8:
		return strconv.AppendInt(out, int64(x), 10), nil
	case int16:
		return strconv.AppendInt(out, int64(x), 10), nil
	case int32:
		return strconv.AppendInt(out, int64(x), 10), nil
	case int64:
		return strconv.AppendInt(out, x, 10), nil
	case int:
		return strconv.AppendInt(out, int64(x), 10), nil
	case float32:
		return appendFloat(out, float64(x), 32), nil
	case float64:
		return appendFloat(out, x, 64), nil
	case json.Number:
		return append(out, x...), nil
	case string:
		return appendString(out, x), nil
	case []byte:
		out = base64.StdEncoding.AppendEncode(append(out, '"'), x)
		return append(out, '"'), nil
	case connector.Decimal:
		return append(out, x.String()...), nil
	case time.Time:
		return appendTime(out, schema, x), nil
	case []any:
		return w.appendList(out, schema, x)
	case map[string]any:
		return w.appendMap(out, schema, x)
	case map[any]any:
		return w.appendPairs(out, schema, x)
	case *connector.Struct:
		return w.appendStruct(out, x)
	}
	return nil, connector.Data(fmt.Errorf("a %T has no JSON form", v))
}

func appendFloat(out []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(out, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(out, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(out, `"-Infinity"`...)
	}
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(out, f, format, -1, bits)
}

// plain tells of each byte whether it stands in a text as it is.
var plain = func() (is [256]bool) {
	for c := byte(0x20); c < 0x7F; c++ {
		is[c] = !strings.ContainsRune(`"\<>&`, rune(c))
	}
	return is
}()

func appendString(out []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always has a JSON form
			}
			return append(out, quoted...)
		}
	}
	out = slices.Grow(out, len(s)+2)
	return append(append(append(out, '"'), s...), '"')
}

func appendTime(out []byte, schema *connector.Schema, t time.Time) []byte {
	layout := "2006-01-02T15:04:05.000Z07:00"
	if schema != nil {
		switch schema.Name() {
		case connector.DateName:
			layout = time.DateOnly
		case connector.TimeName:
			layout = "15:04:05.000"
		}
	}
	return append(t.UTC().AppendFormat(append(out, '"'), layout), '"')
}

func (w *Writer) appendList(out []byte, schema *connector.Schema, list []any) ([]byte, error) {
	out = append(out, '[')
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = w.Append(out, schema.Elem(), v); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return append(out, ']'), nil
}

func (w *Writer) appendMap(out []byte, schema *connector.Schema, m map[string]any) ([]byte, error) {
	out = append(out, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = w.Append(append(appendString(out, k), ':'), schema.Elem(), m[k]); err != nil {
			return nil, fmt.Errorf("field %s: %w", k, err)
		}
	}
	return append(out, '}'), nil
}

func (w *Writer) appendPairs(out []byte, schema *connector.Schema, m map[any]any) ([]byte, error) {
	keySchema := schema.Key()
	pairs := make([][]byte, 0, len(m))
	for k, v := range m {
		pair, err := w.Append([]byte{'['}, keySchema, k)
		if err != nil {
			return nil, err
		}
		if pair, err = w.Append(append(pair, ','), schema.Elem(), v); err != nil {
			return nil, err
		}
		pairs = append(pairs, append(pair, ']'))
	}
	slices.SortFunc(pairs, slices.Compare)
	out = append(out, '[')
	for i, p := range pairs {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, p...)
	}
	return append(out, ']'), nil
}

func (w *Writer) appendStruct(out []byte, s *connector.Struct) ([]byte, error) {
	out = append(out, '{')
	kept := w.kept(s.Schema())
	for i, f := range s.Schema().Fields() {
		if kept != nil {
			out = append(out, kept[i]...)
		} else {
			out = appendName(out, i, f.Name)
		}
		v := s.At(i)
		if v == nil {
			v, _ = f.Schema.Default()
		}
		var err error
		if out, err = w.Append(out, f.Schema, v); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return append(out, '}'), nil
}

// kept gives the names of a struct's fields as they are written, nil where the writer
// keeps none.
func (w *Writer) kept(schema *connector.Schema) []string {
	if w == nil {
		return nil
	}
	if names, ok := w.names[schema]; ok {
		return names
	}
	if w.names == nil || len(w.names) == mostKept {
		w.names = map[*connector.Schema][]string{}
	}
	var names []string
	for i, f := range schema.Fields() {
		names = append(names, string(appendName(nil, i, f.Name)))
	}
	w.names[schema] = names
	return names
}

// appendName adds the name of a struct's i-th field, with what stands around it.
func appendName(out []byte, i int, name string) []byte {
	if i > 0 {
		out = append(out, ',')
	}
	return append(appendString(out, name), ':')
}
