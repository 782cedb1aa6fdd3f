package jsonschema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/jsonschema"
)

// derive gives the schema that a Connect schema maps to, as Confluent's converter does.
func derive(s *connector.Schema, o options) (string, error) {
	if s == nil {
		return "", errors.New("a value without a schema has no JSON Schema: set use.latest.version to write it with the subject's")
	}
	object, err := o.derive(s, -1, 0)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(object)
	return string(text), err
}

// keywords is a schema that is being made.
type keywords struct{ jsonschema.Object }

func (k *keywords) set(name string, v any) {
	if k.Values == nil {
		k.Values = map[string]any{}
	}
	if _, ok := k.Values[name]; !ok {
		k.Keys = append(k.Keys, name)
	}
	k.Values[name] = v
}

// maxNested bounds how deep schemas may be nested.
const maxNested = 1000

// derive makes the schema of a part; its index is that of a field, or negative.
func (o options) derive(s *connector.Schema, index, depth int) (*jsonschema.Object, error) {
	if s == nil {
		return nil, errors.New("a part of the value's schema has none")
	}
	if depth > maxNested {
		return nil, errors.New("the value's schema is nested too deep")
	}
	if s.Cyclic() {
		return nil, fmt.Errorf("struct %s holds itself: it is not written as JSON Schema: use Avro", s.Name())
	}
	k := new(keywords)
	if s.Optional() && !isUnion(s) {
		inner, err := o.derive(s.AsRequired(), -1, depth+1)
		if err != nil {
			return nil, err
		}
		k.set("oneOf", []any{null(), inner})
	} else {
		if err := o.typed(k, s, depth); err != nil {
			return nil, err
		}
		if err := o.attributes(k, s); err != nil {
			return nil, err
		}
	}
	if index >= 0 {
		k.set(propIndex, index)
	}
	return &k.Object, nil
}

func null() any {
	k := new(keywords)
	k.set("type", "null")
	return &k.Object
}

func (o options) typed(k *keywords, s *connector.Schema, depth int) error {
	switch typ := s.Type(); typ {
	case connector.Int8, connector.Int16, connector.Int32, connector.Int64:
		k.set("type", "integer")
		k.set(propType, typ.String())
	case connector.Float32, connector.Float64:
		k.set("type", "number")
		k.set(propType, typ.String())
	case connector.Boolean:
		k.set("type", "boolean")
	case connector.String:
		if _, ok := s.Parameter(o.enumParam()); ok {
			k.set("enum", o.constants(s))
			break
		}
		k.set("type", "string")
	case connector.Bytes:
		k.set("type", "string")
		if s.Name() == connector.DecimalName && o.numeric {
			k.set("type", "number")
		}
		k.set(propType, typeBytes)
	case connector.Array:
		items, err := o.derive(s.Elem(), -1, depth+1)
		if err != nil {
			return err
		}
		k.set("type", "array")
		k.set("items", items)
	case connector.Map:
		return o.mapped(k, s, depth)
	case connector.Object:
		return o.structured(k, s, depth)
	default:
		return fmt.Errorf("a schema of type %s has no JSON Schema", typ)
	}
	return nil
}

// constants gives the constants of an enum, in the order of their names.
func (o options) constants(s *connector.Schema) []any {
	list := []any{}
	params := s.Parameters()
	for _, key := range slices.Sorted(maps.Keys(params)) {
		switch symbol, ok := strings.CutPrefix(key, o.enumParam()+"."); {
		case !ok:
		case symbol == nullConstant:
			list = append(list, nil)
		default:
			list = append(list, symbol)
		}
	}
	return list
}

func (o options) mapped(k *keywords, s *connector.Schema, depth int) error {
	if s.Key() == nil {
		return errors.New("the keys of a map have no schema")
	}
	if s.Key().Type() == connector.String && !s.Key().Optional() {
		value, err := o.derive(s.Elem(), -1, depth+1)
		if err != nil {
			return err
		}
		k.set("type", "object")
		k.set(propType, typeMap)
		k.set("additionalProperties", value)
		return nil
	}
	properties, entry := new(keywords), new(keywords)
	for i, part := range []*connector.Schema{s.Key(), s.Elem()} {
		schema, err := o.derive(part, i, depth+1)
		if err != nil {
			return err
		}
		properties.set([]string{entryKey, entryValue}[i], schema)
	}
	entry.set("type", "object")
	entry.set("properties", &properties.Object)
	k.set("type", "array")
	k.set(propType, typeMap)
	k.set("items", &entry.Object)
	return nil
}

// structured makes the schema of a struct, or of the choices of a union.
func (o options) structured(k *keywords, s *connector.Schema, depth int) error {
	if isUnion(s) {
		choices := []any{}
		if s.Optional() {
			choices = append(choices, null())
		}
		for i, f := range s.Fields() {
			choice, err := o.derive(f.Schema.AsRequired(), i, depth+1)
			if err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
			choices = append(choices, choice)
		}
		k.set("oneOf", choices)
		return nil
	}
	properties := new(keywords)
	properties.Values = map[string]any{}
	for i, f := range s.Fields() {
		property, err := o.derive(f.Schema, i, depth+1)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		properties.set(f.Name, property)
	}
	k.set("type", "object")
	k.set("properties", &properties.Object)
	if o.closed {
		k.set("additionalProperties", false)
	}
	return nil
}

// attributes adds what Kafka Connect has beside the type.
func (o options) attributes(k *keywords, s *connector.Schema) error {
	if isUnion(s) {
		return nil
	}
	if s.Name() != "" {
		k.set("title", s.Name())
	}
	if s.Version() != 0 {
		k.set(propVersion, s.Version())
	}
	if s.Doc() != "" {
		k.set("description", s.Doc())
	}
	params := s.Parameters()
	maps.DeleteFunc(params, func(name, _ string) bool { return strings.HasPrefix(name, namespace) })
	if len(params) > 0 {
		k.set(propParams, params)
	}
	def, ok := s.Default()
	if !ok || def == nil {
		return nil
	}
	text, err := o.append(nil, s, def)
	if err != nil {
		return fmt.Errorf("default: %w", err)
	}
	k.set("default", json.RawMessage(text))
	return nil
}
