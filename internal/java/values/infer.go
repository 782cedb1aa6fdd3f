package values

import (
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Infer gives the schema of a value that has none: Values.inferSchema. It is
// nil where that cannot be said.
func Infer(v any) (*connector.Schema, error) {
	switch x := v.(type) {
	case string:
		return connector.StringSchema, nil
	case bool:
		return connector.BooleanSchema, nil
	case int8:
		return connector.Int8Schema, nil
	case int16:
		return connector.Int16Schema, nil
	case int32:
		return connector.Int32Schema, nil
	case int64:
		return connector.Int64Schema, nil
	case float32:
		return connector.Float32Schema, nil
	case float64:
		return connector.Float64Schema, nil
	case []byte:
		return connector.BytesSchema, nil
	case *connector.Struct:
		return x.Schema(), nil
	case []any:
		elem, err := inferAll(len(x), slices.Values(x))
		if elem == nil {
			return nil, err
		}
		return connector.ArrayOf(elem), nil
	case map[string]any:
		elem, err := inferAll(len(x), maps.Values(x))
		if elem == nil {
			return nil, err
		}
		return connector.MapOf(connector.StringSchema, elem), nil
	case map[any]any:
		key, err := inferAll(len(x), maps.Keys(x))
		if key == nil {
			return nil, err
		}
		elem, err := inferAll(len(x), maps.Values(x))
		if elem == nil {
			return nil, err
		}
		return connector.MapOf(key, elem), nil
	}
	return nil, nil
}

// inferAll gives the one schema of all elements, nil where they have none in
// common; as in Java of the elements' type alone, optional where one is null.
func inferAll(n int, elements iter.Seq[any]) (*connector.Schema, error) {
	var typ connector.Type
	optional := false
	for e := range elements {
		if e == nil {
			optional = true
			continue
		}
		s, err := Infer(e)
		if err != nil || s == nil || typ != 0 && typ != s.Type() {
			return nil, err
		}
		typ = s.Type()
	}
	var s *connector.Schema
	switch {
	case n == 0:
		return nil, nil
	case typ == 0:
		return nil, connector.Data(errors.New("type cannot be null"))
	case typ.Primitive():
		s = connector.PrimitiveSchema(typ)
	case typ == connector.Array:
		s = connector.ArrayOf(nil)
	case typ == connector.Map:
		s = connector.MapOf(nil, nil)
	default:
		s = connector.StructOf("")
	}
	if optional {
		s = s.AsOptional()
	}
	return s, nil
}
