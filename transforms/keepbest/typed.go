package keepbest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// typed is a value with its type, so that it comes back from the store as it
// went in.
type typed struct {
	Type  string `json:"type"`
	Value string `json:"value,omitempty"`
	// Map holds the entries of a map, such as the scores of all classes.
	Map map[string]typed `json:"map,omitempty"`
	// List holds a list, or the keys and values of a map by turns whose keys are
	// no texts: header values are guessed, and may be such.
	List []typed `json:"list,omitempty"`
	// Scale is a decimal's, whose value is the unscaled number.
	Scale int `json:"scale,omitempty"`
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
	case time.Time:
		return typed{Type: "time", Value: strconv.FormatInt(x.UnixMilli(), 10)}, nil
	case connector.Decimal:
		return typed{Type: "decimal", Value: x.Unscaled.String(), Scale: x.Scale}, nil
	case *big.Int:
		return typed{Type: "integer", Value: x.String()}, nil
	case []any:
		return listOf("list", x)
	case map[any]any:
		entries := make([]any, 0, 2*len(x))
		for k, v := range x {
			entries = append(entries, k, v)
		}
		return listOf("entries", entries)
	}
	return typed{}, fmt.Errorf("a %T cannot be kept, only simple values, lists and maps of them", v)
}

func listOf(name string, values []any) (typed, error) {
	t := typed{Type: name, List: make([]typed, len(values))}
	for i, v := range values {
		var err error
		if t.List[i], err = typedOf(v); err != nil {
			return typed{}, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return t, nil
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
	return t.guessed()
}

// guessed is value of the types that only header values have.
func (t typed) guessed() (any, error) {
	switch t.Type {
	case "time":
		ms, err := strconv.ParseInt(t.Value, 10, 64)
		return time.UnixMilli(ms).UTC(), err
	case "decimal", "integer":
		n, ok := new(big.Int).SetString(t.Value, 10)
		if !ok {
			return nil, fmt.Errorf("%q is no integer", t.Value)
		}
		if t.Type == "integer" {
			return n, nil
		}
		return connector.Decimal{Unscaled: n, Scale: t.Scale}, nil
	case "list", "entries":
		list := make([]any, len(t.List))
		for i, e := range t.List {
			var err error
			if list[i], err = e.value(); err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
		}
		if t.Type == "list" {
			return list, nil
		}
		m := make(map[any]any, len(list)/2)
		for i := 0; i+1 < len(list); i += 2 {
			if list[i] != nil && !reflect.TypeOf(list[i]).Comparable() {
				return nil, fmt.Errorf("element %d is a %T, which is no key of a map", i, list[i])
			}
			m[list[i]] = list[i+1]
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
