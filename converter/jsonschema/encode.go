package jsonschema

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// append writes a value as JSON. A nil schema takes every value.
func (o options) append(out []byte, s *connector.Schema, v any) ([]byte, error) {
	if v == nil {
		return o.null(out, s)
	}
	if s != nil {
		switch s.Name() {
		case connector.DecimalName:
			return o.decimal(out, s, v)
		case connector.DateName, connector.TimeName, connector.TimestampName:
			return appendTime(out, s.Name(), v)
		}
		if err := fits(s, v); err != nil {
			return nil, err
		}
	}
	switch x := v.(type) {
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
	case float32:
		return appendFloat(out, float64(x), tostring.String(x))
	case float64:
		return appendFloat(out, x, tostring.String(x))
	case string:
		return appendText(out, x)
	case []byte:
		out = base64.StdEncoding.AppendEncode(append(out, '"'), x)
		return append(out, '"'), nil
	case []any:
		return o.array(out, s.Elem(), x)
	case map[string]any:
		return o.object(out, s, x)
	case map[any]any:
		return o.pairs(out, s, x)
	case *connector.Struct:
		return o.structOf(out, x)
	case connector.Decimal:
		return append(out, tostring.String(x)...), nil
	}
	return nil, fmt.Errorf("a value of type %T cannot be written as JSON", v)
}

func (o options) null(out []byte, s *connector.Schema) ([]byte, error) {
	if s == nil {
		return append(out, "null"...), nil
	}
	if def, ok := s.Default(); ok && def != nil && !o.ignoreDefault {
		return o.append(out, s, def)
	}
	if s.Optional() {
		return append(out, "null"...), nil
	}
	return nil, fmt.Errorf("expected %s, got null", s.Type())
}

// fits tells whether a value is of its schema's type; its parts are looked at in
// their turn.
func fits(s *connector.Schema, v any) error {
	ok := false
	switch x := v.(type) {
	case []any:
		ok = s.Type() == connector.Array
	case map[string]any, map[any]any:
		ok = s.Type() == connector.Map
	case *connector.Struct:
		ok = s.Type() == connector.Object && (x.Schema() == s || x.Schema().AsOptional().WithoutDefault().Equal(s.AsOptional().WithoutDefault()))
	default:
		ok = s.Type().Primitive() && connector.Validate(connector.PrimitiveSchema(s.Type()), v) == nil
	}
	if !ok {
		return misfit(s.Type().String(), v)
	}
	return nil
}

// appendFloat writes a number with Java's digits, and what JSON has no number
// for as a text.
func appendFloat(out []byte, f float64, text string) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendText(out, text)
	}
	return append(out, text...), nil
}

func appendText(out []byte, s string) ([]byte, error) {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(out, '"'), s...), '"'), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})...), err
}

func (o options) decimal(out []byte, s *connector.Schema, v any) ([]byte, error) {
	d, ok := v.(connector.Decimal)
	if !ok || d.Unscaled == nil {
		return nil, misfit("a decimal", v)
	}
	scale, err := connector.DecimalScale(s)
	if err != nil {
		return nil, err
	}
	if d.Scale != scale {
		return nil, fmt.Errorf("a decimal of scale %d, expected %d as the schema says", d.Scale, scale)
	}
	if o.numeric {
		return append(out, d.String()...), nil
	}
	out = base64.StdEncoding.AppendEncode(append(out, '"'), d.Bytes())
	return append(out, '"'), nil
}

func appendTime(out []byte, name string, v any) ([]byte, error) {
	t, ok := v.(time.Time)
	if !ok {
		return nil, misfit("a time", v)
	}
	n := t.UnixMilli()
	switch {
	case name == connector.DateName && n%dayMillis != 0:
		return nil, fmt.Errorf("a date must have no time of day")
	case name == connector.DateName:
		n /= dayMillis
	case name == connector.TimeName && (n < 0 || n >= dayMillis):
		return nil, fmt.Errorf("a time of day must be on 1970-01-01")
	}
	return strconv.AppendInt(out, n, 10), nil
}

func (o options) array(out []byte, elem *connector.Schema, list []any) (_ []byte, err error) {
	out = append(out, '[')
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = o.append(out, elem, v); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return append(out, ']'), nil
}

// object writes a map with texts for keys, sorted so that equal maps are equal
// bytes: keys of compacted topics depend on it.
func (o options) object(out []byte, s *connector.Schema, m map[string]any) (_ []byte, err error) {
	if key := s.Key(); key != nil && (key.Type() != connector.String || key.Optional()) {
		pairs := make(map[any]any, len(m))
		for k, v := range m {
			pairs[k] = v
		}
		return o.pairs(out, s, pairs)
	}
	out = append(out, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendText(out, k); err != nil {
			return nil, err
		}
		if out, err = o.append(append(out, ':'), s.Elem(), m[k]); err != nil {
			return nil, fmt.Errorf("[%q]: %w", k, err)
		}
	}
	return append(out, '}'), nil
}

// pairs writes a map with other keys as an array of keys and values.
func (o options) pairs(out []byte, s *connector.Schema, m map[any]any) ([]byte, error) {
	list := make([]string, 0, len(m))
	for k, v := range m {
		pair, err := o.append([]byte(`{"key":`), s.Key(), k)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		if pair, err = o.append(append(pair, `,"value":`...), s.Elem(), v); err != nil {
			return nil, fmt.Errorf("[%v]: %w", k, err)
		}
		list = append(list, string(pair)+"}")
	}
	slices.Sort(list)
	out = append(out, '[')
	for i, pair := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, pair...)
	}
	return append(out, ']'), nil
}

// structOf writes a struct, or the one field that is set of a union.
func (o options) structOf(out []byte, s *connector.Struct) (_ []byte, err error) {
	fields := s.Schema().Fields()
	if isUnion(s.Schema()) {
		for i, f := range fields {
			if v := s.At(i); v != nil {
				if out, err = o.append(out, f.Schema, v); err != nil {
					return nil, fmt.Errorf("field %s: %w", f.Name, err)
				}
				return out, nil
			}
		}
		return append(out, "null"...), nil
	}
	out = append(out, '{')
	for i, f := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendText(out, f.Name); err != nil {
			return nil, err
		}
		if out, err = o.append(append(out, ':'), f.Schema, s.At(i)); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return append(out, '}'), nil
}
