package jsonschema

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/jsonschema"
)

// isUnion tells whether a struct schema stands for a choice.
func isUnion(s *connector.Schema) bool {
	_, general := s.Parameter(generalUnion)
	return s.Type() == connector.Object && (general || s.Name() == unionName)
}

// combined compiles a combination: a choice with null is the other one, and
// optional; a choice of several is a union; all at once are their properties.
func (c *compiler) combined(s *jsonschema.Schema, optional bool) (*plan, error) {
	var parts []*jsonschema.Schema
	null := false
	for _, part := range s.Parts {
		if r := part.Resolve(); r != nil && r.Kind == jsonschema.Null {
			null = true
			continue
		}
		parts = append(parts, part)
	}
	switch {
	case len(s.Parts) == 1 && c.options.flatten && len(parts) == 1:
		return c.compiled(parts[0], optional)
	case s.Criterion == jsonschema.AllOf:
		return c.all(s, optional)
	case null && len(parts) == 1:
		return c.compiled(parts[0], true)
	}
	return c.union(parts, null)
}

// compiled gives a copy of a part's plan, whose attributes are its own.
func (c *compiler) compiled(s *jsonschema.Schema, optional bool) (*plan, error) {
	p, err := c.compile(s, optional)
	if err != nil {
		return nil, err
	}
	own := *p
	return &own, nil
}

func (c *compiler) union(parts []*jsonschema.Schema, null bool) (*plan, error) {
	name, prefix := unionName, unionName+".field."
	if c.options.generalized {
		name, prefix = generalName+strconv.Itoa(c.unions), generalName+"field_"
		c.unions++
	}
	members := make([]*plan, len(parts))
	fields := make([]connector.Field, len(parts))
	for i, part := range parts {
		var err error
		if members[i], err = c.compile(part, true); err != nil {
			return nil, fmt.Errorf("choice %d: %w", i, err)
		}
		fields[i] = connector.F(prefix+strconv.Itoa(i), members[i].schema)
	}
	s, err := connector.NewStructSchema(name, fields)
	if err != nil {
		return nil, err
	}
	if c.options.generalized {
		s = s.WithParameter(generalUnion, name)
	}
	if null {
		s = s.AsOptional()
	}
	p := &plan{schema: s}
	p.read = func(v any) (any, error) {
		best := choose(members, v)
		if best < 0 {
			return nil, misfit("one of the choices", v)
		}
		values := make([]any, len(members))
		if values[best], err = members[best].value(v); err != nil {
			return nil, fmt.Errorf("choice %d: %w", best, err)
		}
		return connector.StructFrom(p.schema, values), nil
	}
	return p, nil
}

// choose finds the choice that a value is: the first of its type, or the struct
// that has the most of its properties; -1 is none.
func choose(members []*plan, v any) int {
	best, most := -1, 0
	for i, m := range members {
		if simple(m.schema, v) {
			return i
		}
		if n := common(m.schema, v); n > most {
			best, most = i, n
		}
	}
	if _, ok := v.(map[string]any); ok && best < 0 { // an object without properties
		for i, m := range members {
			if m.schema.Type() == connector.Object && !isUnion(m.schema) {
				return i
			}
		}
	}
	return best
}

// simple tells whether a value is of a type that is no struct.
func simple(s *connector.Schema, v any) bool {
	switch x := v.(type) {
	case bool:
		return s.Type() == connector.Boolean
	case string:
		return s.Type() == connector.String || s.Type() == connector.Bytes
	case json.Number:
		_, err := strconv.ParseInt(string(x), 10, 64)
		integer := s.Type() >= connector.Int8 && s.Type() <= connector.Int64
		return integer && err == nil || s.Type() == connector.Float32 || s.Type() == connector.Float64 || s.Name() == connector.DecimalName
	case []any:
		return s.Type() == connector.Array || s.Type() == connector.Map && s.Key().Type() != connector.String
	case map[string]any:
		return s.Type() == connector.Map && s.Key().Type() == connector.String
	}
	return false
}

// common counts the properties that a struct schema and an object have in common.
func common(s *connector.Schema, v any) int {
	object, ok := v.(map[string]any)
	if !ok || s.Type() != connector.Object {
		return 0
	}
	n := 0
	for _, f := range s.Fields() {
		if e, there := object[f.Name]; there {
			n += 1 + common(f.Schema, e)
		}
	}
	return n
}

// all compiles what must be everything at once: the properties of all, or the
// one part that says the type.
func (c *compiler) all(s *jsonschema.Schema, optional bool) (*plan, error) {
	var properties []jsonschema.Property
	required := map[string]bool{}
	collect(s, &properties, required, map[*jsonschema.Schema]bool{})
	if len(properties) > 0 {
		p, err := c.structOf(properties, required)
		if err == nil {
			err = attributes(p, s.Keywords, false)
		}
		return p, err
	}
	found := map[jsonschema.Kind]*jsonschema.Schema{}
	for _, part := range s.Parts {
		if r := part.Resolve(); r != nil {
			found[r.Kind] = r
		}
	}
	first := func(kinds ...jsonschema.Kind) *jsonschema.Schema {
		for _, k := range kinds {
			if found[k] != nil {
				return found[k]
			}
		}
		return nil
	}
	one := first(jsonschema.Combined)
	switch {
	case one != nil:
	case found[jsonschema.Enum] != nil && found[jsonschema.String] != nil:
		one = found[jsonschema.Enum]
	default: // a number beside a format, a text beside a constant
		one = first(jsonschema.Number, jsonschema.String, jsonschema.Boolean, jsonschema.Map, jsonschema.Array, jsonschema.Enum, jsonschema.Const)
	}
	if one == nil {
		return nil, fmt.Errorf("allOf has no part with a type")
	}
	return c.compiled(one, optional)
}

// collect gathers the properties of everything that must be fulfilled, the last
// of each name.
func collect(s *jsonschema.Schema, properties *[]jsonschema.Property, required map[string]bool, seen map[*jsonschema.Schema]bool) {
	s = s.Resolve()
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	switch {
	case s.Kind == jsonschema.Combined && s.Criterion == jsonschema.AllOf:
		for _, part := range s.Parts {
			collect(part, properties, required, seen)
		}
	case s.Kind == jsonschema.Map:
	next:
		for _, p := range s.Properties {
			required[p.Name] = s.Required[p.Name]
			for i := range *properties {
				if (*properties)[i].Name == p.Name {
					(*properties)[i] = p
					continue next
				}
			}
			*properties = append(*properties, p)
		}
	}
}
