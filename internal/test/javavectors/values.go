package javavectors

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

type schemaJSON struct {
	Type       string            `json:"type"`
	Optional   bool              `json:"optional"`
	Default    json.RawMessage   `json:"default"`
	Name       string            `json:"name"`
	Version    int               `json:"version"`
	Doc        string            `json:"doc"`
	Parameters map[string]string `json:"parameters"`
	Fields     []fieldJSON       `json:"fields"`
	Keys       json.RawMessage   `json:"keys"`
	Values     json.RawMessage   `json:"values"`
}

type fieldJSON struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
}

var primitives = map[string]*connector.Schema{
	"int8": connector.Int8Schema, "int16": connector.Int16Schema, "int32": connector.Int32Schema, "int64": connector.Int64Schema,
	"float32": connector.Float32Schema, "float64": connector.Float64Schema, "boolean": connector.BooleanSchema,
	"string": connector.StringSchema, "bytes": connector.BytesSchema,
}

// Schema decodes a schema; null is nil.
func Schema(raw json.RawMessage) (*connector.Schema, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var in schemaJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	s, err := in.base()
	if err != nil {
		return nil, err
	}
	s = s.WithName(in.Name).WithVersion(in.Version).WithDoc(in.Doc)
	for k, v := range in.Parameters {
		s = s.WithParameter(k, v)
	}
	if in.Optional {
		s = s.AsOptional()
	}
	if len(in.Default) > 0 && string(in.Default) != "null" {
		v, err := Value(s, in.Default)
		if err != nil {
			return nil, err
		}
		return s.TryDefault(v)
	}
	return s, nil
}

func (in schemaJSON) base() (*connector.Schema, error) {
	if s := primitives[in.Type]; s != nil {
		return s, nil
	}
	elem, err := Schema(in.Values)
	if err != nil {
		return nil, err
	}
	switch in.Type {
	case "array":
		return connector.ArrayOf(elem), nil
	case "map":
		key, err := Schema(in.Keys)
		return connector.MapOf(key, elem), err
	case "struct":
		fields := make([]connector.Field, len(in.Fields))
		for i, f := range in.Fields {
			fs, err := Schema(f.Schema)
			if err != nil {
				return nil, err
			}
			fields[i] = connector.F(f.Name, fs)
		}
		return connector.NewStructSchema("", fields)
	}
	return nil, fmt.Errorf("unknown schema type %q", in.Type)
}

// Value decodes a tagged value; s is the schema of its place, nil without one.
func Value(s *connector.Schema, raw json.RawMessage) (any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var tags map[string]json.RawMessage
	if err := json.Unmarshal(raw, &tags); err != nil {
		return nil, err
	}
	if body, ok := tags["struct"]; ok {
		if own, ok := tags["schema"]; ok {
			var err error
			if s, err = Schema(own); err != nil {
				return nil, err
			}
		}
		return structValue(s, body)
	}
	for tag, body := range tags {
		switch tag {
		case "array":
			return arrayValue(s, body)
		case "map":
			return mapValue(s, body)
		}
		return scalar(tag, body)
	}
	return nil, fmt.Errorf("value %s has no tag", raw)
}

func arrayValue(s *connector.Schema, body json.RawMessage) (any, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil {
		return nil, err
	}
	list := make([]any, len(parts))
	for i, p := range parts {
		v, err := Value(s.Elem(), p)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

func mapValue(s *connector.Schema, body json.RawMessage) (any, error) {
	var pairs [][2]json.RawMessage
	if err := json.Unmarshal(body, &pairs); err != nil {
		return nil, err
	}
	keySchema := s.Key()
	texts, all := map[string]any{}, map[any]any{}
	for _, p := range pairs {
		k, err := Value(keySchema, p[0])
		if err != nil {
			return nil, err
		}
		v, err := Value(s.Elem(), p[1])
		if err != nil {
			return nil, err
		}
		switch key := k.(type) {
		case string:
			texts[key] = v
		case []any, []byte, map[string]any, map[any]any:
			return nil, errors.New("a map whose keys have parts cannot be held")
		}
		all[k] = v
	}
	if len(texts) < len(all) || keySchema != nil && keySchema.Type() != connector.String {
		return all, nil
	}
	return texts, nil
}

func structValue(s *connector.Schema, body json.RawMessage) (any, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, err
	}
	if s == nil || s.Type() != connector.Object {
		return nil, fmt.Errorf("struct value without struct schema")
	}
	values := make([]any, len(s.Fields()))
	for i, f := range s.Fields() {
		v, err := Value(f.Schema, fields[f.Name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		values[i] = v
	}
	return connector.StructFrom(s, values), nil
}

func scalar(tag string, body json.RawMessage) (any, error) {
	if tag == "decimal" {
		var d struct {
			Unscaled string `json:"unscaled"`
			Scale    int    `json:"scale"`
		}
		if err := json.Unmarshal(body, &d); err != nil {
			return nil, err
		}
		n, ok := new(big.Int).SetString(d.Unscaled, 10)
		if !ok {
			return nil, fmt.Errorf("unscaled %q", d.Unscaled)
		}
		return connector.Decimal{Unscaled: n, Scale: d.Scale}, nil
	}
	if tag == "boolean" {
		return string(body) == "true", nil
	}
	text := strings.Trim(string(body), `"`)
	switch tag {
	case "int8", "int16", "int32", "int64", "date":
		n, err := strconv.ParseInt(text, 10, 64)
		return map[string]any{"int8": int8(n), "int16": int16(n), "int32": int32(n), "int64": n, "date": time.UnixMilli(n).UTC()}[tag], err
	case "float32":
		return float32(float(text, 32)), nil
	case "float64":
		return float(text, 64), nil
	case "bytes", "bytebuffer":
		return base64.StdEncoding.DecodeString(text)
	}
	var s string
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, err
	}
	switch tag {
	case "string", "class":
		return s, nil
	case "password":
		return connector.Password(s), nil
	case "bigint":
		n, ok := new(big.Int).SetString(s, 10)
		if !ok {
			return nil, fmt.Errorf("bigint %q", s)
		}
		return n, nil
	}
	return nil, fmt.Errorf("unknown tag %q", tag)
}

func float(text string, bits int) float64 {
	switch text {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	f, err := strconv.ParseFloat(text, bits)
	if err != nil && !math.IsInf(f, 0) {
		panic(fmt.Sprintf("javavectors: float %q", text))
	}
	return f
}
