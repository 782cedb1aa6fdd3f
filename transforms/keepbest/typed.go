package keepbest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
)

// typed is a value with its type, so that it comes back from the store as it
// went in.
type typed struct {
	Type  string `json:"type"`
	Value string `json:"value,omitempty"`
}

func typedOf(v any) (typed, error) {
	switch x := v.(type) {
	case nil:
		return typed{Type: "null"}, nil
	case string:
		return typed{"string", x}, nil
	case bool:
		return typed{"boolean", strconv.FormatBool(x)}, nil
	case int8:
		return typed{"int8", strconv.FormatInt(int64(x), 10)}, nil
	case int16:
		return typed{"int16", strconv.FormatInt(int64(x), 10)}, nil
	case int32:
		return typed{"int32", strconv.FormatInt(int64(x), 10)}, nil
	case int64:
		return typed{"int64", strconv.FormatInt(x, 10)}, nil
	case float32:
		return typed{"float32", strconv.FormatFloat(float64(x), 'g', -1, 32)}, nil
	case float64:
		return typed{"float64", strconv.FormatFloat(x, 'g', -1, 64)}, nil
	case json.Number:
		return typed{"number", x.String()}, nil
	case []byte:
		return typed{"bytes", base64.StdEncoding.EncodeToString(x)}, nil
	}
	return typed{}, fmt.Errorf("a %T cannot be kept, only simple values", v)
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
	}
	return nil, fmt.Errorf("type %q is not known", t.Type)
}
