package keepbest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
)

// typed is a value with its type, so that it comes back from the store as it
// went in.
type typed struct {
	Type  string `json:"type"`
	Value string `json:"value,omitempty"`
	// Map holds the entries of a map, such as the scores of all classes.
	Map map[string]typed `json:"map,omitempty"`
}

func typedOf(v any) (typed, error) {
	switch x := v.(type) {
	case nil:
		return typed{Type: "null"}, nil
	case string:
		return typed{Type: "string", Value: x}, nil
	case bool:
		return typed{Type: "boolean", Value: strconv.FormatBool(x)}, nil
	case int8:
		return typed{Type: "int8", Value: strconv.FormatInt(int64(x), 10)}, nil
	case int16:
		return typed{Type: "int16", Value: strconv.FormatInt(int64(x), 10)}, nil
	case int32:
		return typed{Type: "int32", Value: strconv.FormatInt(int64(x), 10)}, nil
	case int64:
		return typed{Type: "int64", Value: strconv.FormatInt(x, 10)}, nil
	case float32:
		return typed{Type: "float32", Value: strconv.FormatFloat(float64(x), 'g', -1, 32)}, nil
	case float64:
		return typed{Type: "float64", Value: strconv.FormatFloat(x, 'g', -1, 64)}, nil
	case json.Number:
		return typed{Type: "number", Value: x.String()}, nil
	case []byte:
		return typed{Type: "bytes", Value: base64.StdEncoding.EncodeToString(x)}, nil
	case map[string]any:
		m := make(map[string]typed, len(x))
		for k, v := range x {
			var err error
			if m[k], err = typedOf(v); err != nil {
				return typed{}, fmt.Errorf("entry %s: %w", k, err)
			}
		}
		return typed{Type: "map", Map: m}, nil
	}
	return typed{}, fmt.Errorf("a %T cannot be kept, only simple values and maps of them", v)
}

func (t typed) value() (any, error) {
	switch t.Type {
	case "null":
		return nil, nil
	case "string":
		return t.Value, nil
	case "boolean":
		return strconv.ParseBool(t.Value)
	case "int8":
		n, err := strconv.ParseInt(t.Value, 10, 8)
		return int8(n), err
	case "int16":
		n, err := strconv.ParseInt(t.Value, 10, 16)
		return int16(n), err
	case "int32":
		n, err := strconv.ParseInt(t.Value, 10, 32)
		return int32(n), err
	case "int64":
		return strconv.ParseInt(t.Value, 10, 64)
	case "float32":
		f, err := strconv.ParseFloat(t.Value, 32)
		return float32(f), err
	case "float64":
		return strconv.ParseFloat(t.Value, 64)
	case "number":
		return json.Number(t.Value), nil
	case "bytes":
		return base64.StdEncoding.DecodeString(t.Value)
	case "map":
		m := make(map[string]any, len(t.Map))
		for k, v := range t.Map {
			var err error
			if m[k], err = v.value(); err != nil {
				return nil, fmt.Errorf("entry %s: %w", k, err)
			}
		}
		return m, nil
	}
	return nil, fmt.Errorf("type %q is not known", t.Type)
}

// schema gives the schema of a simple value, nil for others.
func (t typed) schema() *connector.Schema {
	for kind := connector.Int8; kind.Primitive(); kind++ {
		if kind.String() == t.Type {
			return connector.PrimitiveSchema(kind)
		}
	}
	return nil
}
