package avro

import (
	"fmt"
	"math"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// defaultValue turns a default, of Avro's own Go types or of JSON's, into a
// value of the Connect schema.
func defaultValue(n *node, s *connector.Schema, def any) (any, error) {
	switch n.kind {
	case kindUnion:
		return unionDefault(n, s, def)
	case kindBoolean, kindString, kindEnum:
		return def, nil
	case kindInt, kindLong:
		i, ok := integerOf(def)
		if !ok {
			return nil, fmt.Errorf("expected %s, got %v", n.describe(), def)
		}
		return integerValue(n, s, i), nil
	case kindFloat, kindDouble:
		f, ok := floatOf(def)
		if !ok {
			return nil, fmt.Errorf("expected %s, got %v", n.describe(), def)
		}
		if n.kind == kindFloat {
			return float32(f), nil
		}
		return f, nil
	case kindBytes, kindFixed:
		raw, ok := def.([]byte)
		if text, isText := def.(string); isText {
			raw, ok = latin1(text)
		}
		if !ok {
			return nil, fmt.Errorf("expected %s, got %v", n.describe(), def)
		}
		if n.logical == decimal {
			return connector.DecimalFromBytes(raw, n.scale), nil
		}
		return raw, nil
	}
	return partsDefault(n, s, def)
}

// partsDefault is defaultValue of arrays, maps and records.
func partsDefault(n *node, s *connector.Schema, def any) (any, error) {
	switch x := def.(type) {
	case []any:
		if s.Type() == connector.Map {
			return nil, fmt.Errorf("the default of a map whose keys are not strings is not supported")
		}
		list := make([]any, len(x))
		for i, e := range x {
			v, err := defaultValue(n.elem, s.Elem(), e)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case map[string]any:
		if n.kind == kindMap {
			m := make(map[string]any, len(x))
			for k, e := range x {
				v, err := defaultValue(n.elem, s.Elem(), e)
				if err != nil {
					return nil, err
				}
				m[k] = v
			}
			return m, nil
		}
		values := make([]any, len(n.fields))
		for i, f := range n.fields {
			fs := s.Fields()[i].Schema
			e, ok := x[f.name]
			if !ok {
				values[i], _ = fs.Default()
				continue
			}
			v, err := defaultValue(f.node, fs, e)
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", f.name, err)
			}
			values[i] = v
		}
		return connector.StructFrom(s.WithoutDefault(), values), nil
	}
	return nil, fmt.Errorf("expected %s, got %v", n.describe(), def)
}

func unionDefault(n *node, s *connector.Schema, def any) (any, error) {
	if def == nil {
		return nil, nil
	}
	if other, _ := n.optional(); other != nil {
		return defaultValue(other, s, def)
	}
	if n.single {
		return defaultValue(n.branches[0], s, def)
	}
	i := -1
	for _, b := range n.branches {
		if b.kind == kindNull {
			continue
		}
		i++
		f := s.Fields()[i]
		if v, err := defaultValue(b, f.Schema, def); err == nil && connector.Validate(f.Schema, v) == nil {
			u := connector.NewStruct(s.WithoutDefault())
			return u, u.Put(f.Name, v)
		}
	}
	return nil, fmt.Errorf("%v fits no branch of the union", def)
}

// defaultJSON gives a default as Avro's JSON writes it.
func defaultJSON(s *connector.Schema, v any) (any, error) {
	switch x := v.(type) {
	case nil, bool, string, int8, int16, int32, int64:
		return x, nil
	case float32:
		return x, finite(float64(x))
	case float64:
		return x, finite(x)
	case []byte:
		return codePoints(x), nil
	case connector.Decimal:
		return codePoints(x.Bytes()), nil
	case time.Time:
		if s.Name() == connector.DateName {
			return x.Unix() / secondsPerDay, nil
		}
		return x.UnixMilli(), nil
	case []any:
		list := make([]any, len(x))
		for i, e := range x {
			var err error
			if list[i], err = defaultJSON(s.Elem(), e); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, e := range x {
			var err error
			if m[k], err = defaultJSON(s.Elem(), e); err != nil {
				return nil, err
			}
		}
		return m, nil
	case *connector.Struct:
		if isUnion(s) {
			return unionDefaultJSON(x)
		}
		var o object
		for i, f := range x.Schema().Fields() {
			e, err := defaultJSON(f.Schema, x.At(i))
			if err != nil {
				return nil, err
			}
			o.put(f.Name, e)
		}
		return o.json()
	}
	return nil, fmt.Errorf("Avro cannot write a default that is a %s", typeName(v))
}

// unionDefaultJSON gives the value of the branch that is set.
func unionDefaultJSON(u *connector.Struct) (any, error) {
	for i, f := range u.Schema().Fields() {
		if v := u.At(i); v != nil {
			return defaultJSON(f.Schema, v)
		}
	}
	return nil, nil
}

func finite(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("Avro's JSON cannot write %g", f)
	}
	return nil
}

// codePoints writes bytes as Avro's JSON does: one code point each.
func codePoints(b []byte) string {
	runes := make([]rune, len(b))
	for i, x := range b {
		runes[i] = rune(x)
	}
	return string(runes)
}

// latin1 gives the bytes that Avro's JSON writes as code points.
func latin1(text string) ([]byte, bool) {
	raw := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return nil, false
		}
		raw = append(raw, byte(r))
	}
	return raw, true
}
