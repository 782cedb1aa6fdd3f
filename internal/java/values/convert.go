package values

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/number"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

const dayMillis = 24 * 60 * 60 * 1000

// errNull is Kafka's, for a null that has no place.
var errNull = connector.Data(errors.New("Unable to convert a null value to a schema that requires a value"))

// unable is the error for a value that cannot become what is wanted.
func unable(v any, to string) error {
	return connector.Data(fmt.Errorf("Unable to convert %s (class %s) to %s", shown(v), tostring.Class(v), to))
}

// shown writes a value for an error. Bytes stay unseen, as in Java.
func shown(v any) string {
	switch x := v.(type) {
	case []byte:
		return "[B"
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = shown(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return tostring.String(v)
}

// SchemaText is Schema.toString.
func SchemaText(s *connector.Schema) string {
	t := strings.ToUpper(s.Type().String())
	if s.Name() != "" {
		return "Schema{" + s.Name() + ":" + t + "}"
	}
	return "Schema{" + t + "}"
}

// Convert gives a value as one of another schema: Values.convertTo. from is the
// value's own schema, nil where that is not known. Numbers are narrowed as in Java.
func Convert(to, from *connector.Schema, v any) (any, error) {
	if v == nil {
		if to.Optional() {
			return nil, nil
		}
		return nil, errNull
	}
	switch to.Name() {
	case connector.DecimalName:
		if to.Type() == connector.Bytes {
			return Decimal(to, v)
		}
	case connector.DateName, connector.TimeName, connector.TimestampName:
		return Time(to, from, v)
	}
	switch to.Type() {
	case connector.String:
		return Format(v)
	case connector.Boolean:
		return Bool(from, v)
	case connector.Int8, connector.Int16, connector.Int32, connector.Int64, connector.Float32, connector.Float64:
		return Number(to.Type(), from, v)
	case connector.Bytes:
		if b, ok := v.([]byte); ok {
			return b, nil
		}
		return nil, unable(v, SchemaText(to))
	}
	return Collection(to, v)
}

func convertTo(to *connector.Schema, v any) (any, error) { return Convert(to, nil, v) }

// Bool converts to a boolean: a text that says so, or a number that is not 0.
func Bool(from *connector.Schema, v any) (bool, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case string:
		if b, ok := Parse(x).Value.(bool); ok {
			return b, nil
		}
	}
	n, err := integer(from, v)
	return n != 0, err
}

// Number converts to a number of one of the types: int8 to int64 by the lower
// bits, from a text too.
func Number(to connector.Type, from *connector.Schema, v any) (any, error) {
	if to == connector.Float32 || to == connector.Float64 {
		f, err := float(from, v)
		if err != nil {
			return nil, err
		}
		if to == connector.Float32 {
			if x, ok := v.(float32); ok {
				return x, nil
			}
			return float32(f), nil
		}
		return f, nil
	}
	n, err := integer(from, v)
	if err != nil {
		return nil, err
	}
	switch to {
	case connector.Int8:
		return int8(n), nil
	case connector.Int16:
		return int16(n), nil
	case connector.Int32:
		return int32(n), nil
	}
	return n, nil
}

// integer is Values.asLong.
func integer(from *connector.Schema, v any) (int64, error) {
	if n, ok := number.Int64(v); ok {
		return n, nil
	}
	if text, ok := v.(string); ok {
		if d, ok := number.ParseDecimal(text); ok {
			n, _ := number.Int64(d)
			return n, nil
		}
	}
	if from == nil {
		return 0, unable(v, "a number")
	}
	if t, ok := v.(time.Time); ok {
		if n, ok, err := encoded(from, t); ok {
			return n, err
		}
	}
	return 0, unable(v, SchemaText(from))
}

func float(from *connector.Schema, v any) (float64, error) {
	if f, ok := number.Float64(v); ok {
		return f, nil
	}
	if text, ok := v.(string); ok {
		if d, ok := number.ParseDecimal(text); ok {
			f, _ := number.Float64(d)
			return f, nil
		}
	}
	n, err := integer(from, v)
	return float64(n), err
}

// encoded gives the number that stands for a time of a logical type; ok is
// false for other types.
func encoded(s *connector.Schema, t time.Time) (n int64, ok bool, err error) {
	switch s.Name() {
	case connector.DateName, connector.TimeName, connector.TimestampName:
		n, err = Encode(s, t)
		return n, true, err
	}
	return 0, false, nil
}

// Encode gives the number that stands for a time of one of the logical types.
func Encode(s *connector.Schema, t time.Time) (int64, error) {
	ms := t.UnixMilli()
	switch s.Name() {
	case connector.DateName:
		if ms%dayMillis != 0 {
			return 0, connector.Data(errors.New("Kafka Connect Date type should not have any time fields set to non-zero values."))
		}
		return ms / dayMillis, nil
	case connector.TimeName:
		if ms < 0 || ms > dayMillis {
			return 0, connector.Data(errors.New("Kafka Connect Time type should not have any date fields set to non-zero values."))
		}
	}
	return ms, nil
}

// Time converts to a Date, Time or Timestamp, whichever to is.
func Time(to, from *connector.Schema, v any) (time.Time, error) {
	if text, ok := v.(string); ok {
		v = Parse(text).Value
		if v == nil {
			return time.Time{}, errNull
		}
	}
	if t, ok := v.(time.Time); ok {
		if from == nil {
			return t, nil
		}
		if out, ok, err := between(to, from, t); ok {
			return out, err
		}
	}
	n, err := integer(from, v)
	if err != nil {
		return time.Time{}, err
	}
	switch to.Name() {
	case connector.DateName:
		n = int64(int32(n)) * dayMillis
	case connector.TimeName:
		n = int64(int32(n))
		if n < 0 || n > dayMillis {
			return time.Time{}, connector.Data(errors.New("Time values must use number of milliseconds greater than 0 and less than 86400000"))
		}
	}
	return time.UnixMilli(n).UTC(), nil
}

// between converts a time of one logical type into another; ok is false where
// only its number counts.
func between(to, from *connector.Schema, t time.Time) (out time.Time, ok bool, err error) {
	ms := t.UnixMilli()
	switch {
	case from.Name() == to.Name():
		return t, true, nil
	case to.Name() == connector.DateName && from.Name() == connector.TimestampName:
		ms = ms / dayMillis * dayMillis
	case to.Name() == connector.TimeName && from.Name() == connector.TimestampName:
		ms = (ms%dayMillis + dayMillis) % dayMillis
	case to.Name() == connector.TimestampName && (from.Name() == connector.DateName || from.Name() == connector.TimeName):
		_, err = Encode(from, t)
	default:
		return t, false, nil
	}
	return time.UnixMilli(ms).UTC(), true, err
}

// Decimal converts to a decimal: bytes have the scale of the schema, others
// their own.
func Decimal(to *connector.Schema, v any) (connector.Decimal, error) {
	switch x := v.(type) {
	case nil:
		return connector.Decimal{}, errNull
	case connector.Decimal:
		return x, nil
	case []byte:
		scale, err := connector.DecimalScale(to)
		return connector.DecimalFromBytes(x, scale), connector.Data(err)
	case string:
		if d, ok := number.ParseDecimal(x); ok {
			return d, nil
		}
		return connector.Decimal{}, connector.Data(fmt.Errorf("%q is no decimal number", x))
	}
	f, ok := number.Float64(v)
	if !ok {
		return connector.Decimal{}, unable(v, SchemaText(to))
	}
	d, err := number.DecimalOf(f)
	return d, connector.Data(err)
}

// Collection gives an array, map or struct as it is, or a text of one.
func Collection(to *connector.Schema, v any) (any, error) {
	if v == nil {
		return nil, errNull
	}
	if text, ok := v.(string); ok && to.Type() != connector.Object {
		if v = Parse(text).Value; v == nil {
			return nil, errNull
		}
	}
	fits := false
	switch v.(type) {
	case []any:
		fits = to.Type() == connector.Array
	case map[string]any, map[any]any:
		fits = to.Type() == connector.Map
	case *connector.Struct:
		fits = to.Type() == connector.Object
	}
	if !fits {
		return nil, unable(v, SchemaText(to))
	}
	return v, nil
}
