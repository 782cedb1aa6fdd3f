package json

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

const dayMillis = 86400000

func (c *Converter) appendValue(out []byte, schema *connector.Schema, v any) ([]byte, error) {
	if v == nil {
		if schema == nil {
			return append(out, "null"...), nil
		}
		if def, ok := schema.Default(); ok && def != nil && c.replaceNull {
			return c.appendValue(out, schema, def)
		}
		if schema.Optional() {
			return append(out, "null"...), nil
		}
		return nil, dataf("Conversion error: null value for field that is required and has no default value")
	}
	if schema != nil {
		switch schema.Name() {
		case connector.DecimalName:
			return c.appendDecimal(out, schema, v)
		case connector.DateName, connector.TimeName, connector.TimestampName:
			return appendTime(out, schema, v)
		}
	}
	var want connector.Type
	if schema != nil {
		want = schema.Type()
	}
	is := func(t connector.Type) bool { return want == 0 || want == t }
	switch x := v.(type) {
	case bool:
		if is(connector.Boolean) {
			return strconv.AppendBool(out, x), nil
		}
	case int8:
		if is(connector.Int8) {
			return strconv.AppendInt(out, int64(x), 10), nil
		}
	case int16:
		if is(connector.Int16) {
			return strconv.AppendInt(out, int64(x), 10), nil
		}
	case int32:
		if is(connector.Int32) {
			return strconv.AppendInt(out, int64(x), 10), nil
		}
	case int64:
		if is(connector.Int64) {
			return strconv.AppendInt(out, x, 10), nil
		}
	case float32:
		if is(connector.Float32) {
			return appendFloat(out, float64(x), tostring.String(x)), nil
		}
	case float64:
		if is(connector.Float64) {
			return appendFloat(out, x, tostring.String(x)), nil
		}
	case string:
		if is(connector.String) {
			return appendString(out, x), nil
		}
	case []byte:
		if is(connector.Bytes) {
			return appendBase64(out, x), nil
		}
	case []any:
		if is(connector.Array) {
			return c.appendArray(out, schema.Elem(), x)
		}
	case map[string]any:
		if is(connector.Map) {
			return c.appendObject(out, schema, x)
		}
	case map[any]any:
		if is(connector.Map) {
			return c.appendPairs(out, schema, x)
		}
	case *connector.Struct:
		if is(connector.Object) {
			return c.appendStruct(out, schema, x)
		}
	}
	switch want {
	case 0:
		return nil, dataf("Java class class %s does not have corresponding schema type.", tostring.Class(v))
	case connector.Bytes:
		return nil, dataf("Invalid type for bytes type: class %s", tostring.Class(v))
	}
	return nil, dataf("Invalid type for %s: class %s", strings.ToUpper(want.String()), tostring.Class(v))
}

// appendFloat writes a number with Java's digits, and what JSON has no number
// for as a string.
func appendFloat(out []byte, f float64, text string) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendString(out, text)
	}
	return append(out, text...)
}

func appendString(out []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= 0x20 && s[i] < 0x7F && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(out, '"'), s...), '"')
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return append(out, strings.TrimSuffix(b.String(), "\n")...)
}

func appendBase64(out, b []byte) []byte {
	out = append(out, '"')
	out = base64.StdEncoding.AppendEncode(out, b)
	return append(out, '"')
}

func (c *Converter) appendDecimal(out []byte, schema *connector.Schema, v any) ([]byte, error) {
	d, ok := v.(connector.Decimal)
	if !ok {
		return nil, dataf("Invalid type for Decimal, expected BigDecimal but was class %s", tostring.Class(v))
	}
	if c.numeric {
		return append(out, tostring.String(d)...), nil
	}
	scale, err := connector.DecimalScale(schema)
	if err != nil {
		return nil, connector.Data(err)
	}
	if scale != d.Scale {
		return nil, dataf("Decimal value has mismatching scale for given Decimal schema. Schema has scale %d, value has scale %d.", scale, d.Scale)
	}
	return appendBase64(out, d.Bytes()), nil
}

func appendTime(out []byte, schema *connector.Schema, v any) ([]byte, error) {
	kind := schema.Name()[strings.LastIndexByte(schema.Name(), '.')+1:]
	t, ok := v.(time.Time)
	if !ok {
		return nil, dataf("Invalid type for %s, expected Date but was class %s", kind, tostring.Class(v))
	}
	ms := t.UnixMilli()
	switch kind {
	case "Date":
		if ms%dayMillis != 0 {
			return nil, dataf("Kafka Connect Date type should not have any time fields set to non-zero values.")
		}
		ms /= dayMillis
	case "Time":
		if ms < 0 || ms > dayMillis {
			return nil, dataf("Kafka Connect Time type should not have any date fields set to non-zero values.")
		}
	}
	return strconv.AppendInt(out, ms, 10), nil
}

func (c *Converter) appendArray(out []byte, elem *connector.Schema, list []any) ([]byte, error) {
	out = append(out, '[')
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = c.appendValue(out, elem, v); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// appendObject writes a map with string keys, sorted so that equal maps are
// equal bytes: keys of compacted topics depend on it.
func (c *Converter) appendObject(out []byte, schema *connector.Schema, m map[string]any) ([]byte, error) {
	out = append(out, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, k), ':')
		var err error
		if out, err = c.appendValue(out, schema.Elem(), m[k]); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// appendPairs writes a map with other keys as an array of pairs.
func (c *Converter) appendPairs(out []byte, schema *connector.Schema, m map[any]any) ([]byte, error) {
	keySchema := schema.Key()
	if keySchema != nil && keySchema.Type() == connector.String { // one of them is null
		object := make(map[string]any, len(m))
		for k, v := range m {
			object[tostring.String(k)] = v
		}
		return c.appendObject(out, schema, object)
	}
	pairs := make([]string, 0, len(m))
	for k, v := range m {
		pair, err := c.appendValue([]byte{'['}, keySchema, k)
		if err != nil {
			return nil, err
		}
		if pair, err = c.appendValue(append(pair, ','), schema.Elem(), v); err != nil {
			return nil, err
		}
		pairs = append(pairs, string(pair)+"]")
	}
	slices.Sort(pairs)
	out = append(out, '[')
	out = append(out, strings.Join(pairs, ",")...)
	return append(out, ']'), nil
}

func (c *Converter) appendStruct(out []byte, schema *connector.Schema, s *connector.Struct) ([]byte, error) {
	if s.Schema() != schema && !s.Schema().Equal(schema) {
		return nil, dataf("Mismatching schema.")
	}
	out = append(out, '{')
	for i, f := range s.Schema().Fields() {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, f.Name), ':')
		var err error
		if out, err = c.appendValue(out, f.Schema, s.At(i)); err != nil {
			return nil, connector.Data(fieldError(f.Name, err))
		}
	}
	return append(out, '}'), nil
}
