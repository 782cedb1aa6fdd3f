package jsonschema

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Kind is what a schema is.
type Kind int

// The kinds.
const (
	Any Kind = iota // allows everything
	Nothing
	Boolean
	Null
	Number
	String
	Const
	Enum
	Combined
	Not
	Map // an object: its properties may be named or not
	Array
	Ref // another schema, in Referred
)

// The criteria of combined schemas: how many of their parts a value must fit.
const (
	AllOf = "allOf"
	AnyOf = "anyOf"
	OneOf = "oneOf"
)

// Schema is a schema. It is not to be changed.
type Schema struct {
	Kind       Kind
	Keywords   *Object // all of them, with those that only others know
	HasDefault bool

	Integer    bool       // of a Number
	Constants  []any      // of a Const and an Enum
	Criterion  string     // of a Combined schema
	Parts      []*Schema  // of a Combined schema; the one of a Not
	Properties []Property // of a Map, in order
	Required   map[string]bool
	Patterns   []Property // of a Map: by a regular expression
	Extra      Extra      // of a Map: what other properties may be; of an Array: other items
	Items      *Schema    // of an Array: what each item must be
	Tuple      []*Schema  // of an Array: what the items must be, one by one
	Referred   *Schema    // of a Ref; nil only while references are read
}

// Extra says what may be where nothing is named.
type Extra struct {
	Forbidden bool
	Schema    *Schema // nil is anything
}

// Property is a named part.
type Property struct {
	Name   string
	Schema *Schema
}

// Resolve follows references.
func (s *Schema) Resolve() *Schema {
	for range maxDepth {
		if s == nil || s.Kind != Ref {
			return s
		}
		s = s.Referred
	}
	return s
}

// Reference is a schema that another refers to.
type Reference struct {
	Name string // as $ref has it
	Text string
}

// Parse reads a schema and what it refers to.
func Parse(schema string, references ...Reference) (*Schema, error) {
	p := &parser{documents: map[string]any{}, done: map[*Object]*Schema{}}
	root, err := Decode([]byte(schema))
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	p.documents[""] = root
	for _, r := range references {
		if p.documents[r.Name], err = Decode([]byte(r.Text)); err != nil {
			return nil, fmt.Errorf("reference %s is not JSON: %w", r.Name, err)
		}
	}
	return p.parse(root, "", 0)
}

type parser struct {
	documents map[string]any // by name; "" is the schema itself
	done      map[*Object]*Schema
}

func (p *parser) parse(v any, document string, depth int) (*Schema, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	switch x := v.(type) {
	case bool:
		if x {
			return &Schema{Kind: Any}, nil
		}
		return &Schema{Kind: Nothing}, nil
	case *Object:
		if s, ok := p.done[x]; ok {
			return s, nil
		}
		s := &Schema{Keywords: x}
		p.done[x] = s
		_, s.HasDefault = x.Values["default"]
		if ref, ok := x.Get("$ref").(string); ok {
			s.Kind = Ref
			target, where, err := p.find(ref, document)
			if err != nil {
				return nil, err
			}
			s.Referred, err = p.parse(target, where, depth+1)
			return s, err
		}
		return s, p.keywords(s, document, depth)
	}
	return nil, fmt.Errorf("a schema must be an object or a boolean, not %s", text(v))
}

// keywords reads everything that a schema says; what says several things is all of them.
func (p *parser) keywords(s *Schema, document string, depth int) error {
	parts, err := p.combinations(s, document, depth)
	if err != nil {
		return err
	}
	o := s.Keywords
	if list, ok := o.Get("enum").([]any); ok {
		parts = append(parts, &Schema{Kind: Enum, Keywords: o, Constants: list})
	}
	if v, ok := o.Values["const"]; ok {
		parts = append(parts, &Schema{Kind: Const, Keywords: o, Constants: []any{v}})
	}
	if v, ok := o.Values["not"]; ok {
		not, err := p.parse(v, document, depth+1)
		if err != nil {
			return fmt.Errorf("not: %w", err)
		}
		parts = append(parts, &Schema{Kind: Not, Keywords: o, Parts: []*Schema{not}})
	}
	typed, err := p.typed(s, document, depth)
	if err != nil {
		return err
	}
	if typed != nil {
		parts = append(parts, typed)
	}
	keywords, hasDefault := s.Keywords, s.HasDefault
	switch len(parts) {
	case 0:
		s.Kind = Any
		return nil
	case 1:
		*s = *parts[0]
	default:
		*s = Schema{Kind: Combined, Criterion: AllOf, Parts: parts}
	}
	s.Keywords, s.HasDefault = keywords, hasDefault
	return nil
}

func (p *parser) combinations(s *Schema, document string, depth int) ([]*Schema, error) {
	var parts []*Schema
	for _, criterion := range []string{AllOf, AnyOf, OneOf} {
		list, ok := s.Keywords.Get(criterion).([]any)
		if !ok {
			continue
		}
		c := &Schema{Kind: Combined, Keywords: s.Keywords, Criterion: criterion}
		for i, v := range list {
			part, err := p.parse(v, document, depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s/%d: %w", criterion, i, err)
			}
			c.Parts = append(c.Parts, part)
		}
		parts = append(parts, c)
	}
	return parts, nil
}

// impliedBy are the keywords that say a type where none is named.
var impliedBy = []struct {
	kind     string
	keywords []string
}{
	{"array", []string{"items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "prefixItems", "unevaluatedItems"}},
	{"object", []string{"properties", "required", "minProperties", "maxProperties", "dependencies", "patternProperties", "additionalProperties", "propertyNames", "unevaluatedProperties"}},
	{"number", []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
	{"string", []string{"minLength", "maxLength", "pattern", "format"}},
}

// typed gives the schema of a type or of several; nil where none is named or follows.
func (p *parser) typed(s *Schema, document string, depth int) (*Schema, error) {
	switch t := s.Keywords.Get("type").(type) {
	case string:
		return p.ofType(t, s, document, depth)
	case []any:
		several := &Schema{Kind: Combined, Keywords: s.Keywords, Criterion: AnyOf}
		for _, v := range t {
			name, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("type: %s is none", text(v))
			}
			one, err := p.ofType(name, s, document, depth)
			if err != nil {
				return nil, err
			}
			several.Parts = append(several.Parts, one)
		}
		if len(several.Parts) == 1 {
			return several.Parts[0], nil
		}
		return several, nil
	case nil:
	default:
		return nil, fmt.Errorf("type: %s is none", text(t))
	}
	for _, implied := range impliedBy {
		if slices.ContainsFunc(implied.keywords, func(k string) bool { _, ok := s.Keywords.Values[k]; return ok }) {
			return p.ofType(implied.kind, s, document, depth)
		}
	}
	return nil, nil
}

func (p *parser) ofType(name string, s *Schema, document string, depth int) (*Schema, error) {
	t := &Schema{Keywords: s.Keywords}
	switch name {
	case "boolean":
		t.Kind = Boolean
	case "null":
		t.Kind = Null
	case "integer":
		t.Kind, t.Integer = Number, true
	case "number":
		t.Kind = Number
	case "string":
		t.Kind = String
	case "array":
		t.Kind = Array
		return t, p.array(t, document, depth)
	case "object":
		t.Kind = Map
		return t, p.object(t, document, depth)
	default:
		return nil, fmt.Errorf("type: %q is none", name)
	}
	return t, nil
}

func (p *parser) object(s *Schema, document string, depth int) error {
	var err error
	if s.Properties, err = p.properties(s.Keywords, "properties", document, depth); err != nil {
		return err
	}
	if s.Patterns, err = p.properties(s.Keywords, "patternProperties", document, depth); err != nil {
		return err
	}
	s.Required = map[string]bool{}
	required, _ := s.Keywords.Get("required").([]any)
	for _, v := range required {
		if name, ok := v.(string); ok {
			s.Required[name] = true
		}
	}
	return p.extra(s, "additionalProperties", document, depth)
}

func (p *parser) properties(o *Object, keyword, document string, depth int) ([]Property, error) {
	named, _ := o.Get(keyword).(*Object)
	if named == nil {
		return nil, nil
	}
	var list []Property
	for _, name := range named.Keys {
		s, err := p.parse(named.Values[name], document, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", keyword, name, err)
		}
		list = append(list, Property{name, s})
	}
	return list, nil
}

func (p *parser) array(s *Schema, document string, depth int) error {
	items, extra := s.Keywords.Get("items"), "additionalItems"
	if list, ok := s.Keywords.Get("prefixItems").([]any); ok { // as since draft 2020-12
		items, extra = list, "items"
	}
	switch x := items.(type) {
	case nil:
	case []any:
		for i, v := range x {
			item, err := p.parse(v, document, depth+1)
			if err != nil {
				return fmt.Errorf("items/%d: %w", i, err)
			}
			s.Tuple = append(s.Tuple, item)
		}
	default:
		var err error
		if s.Items, err = p.parse(x, document, depth+1); err != nil {
			return fmt.Errorf("items: %w", err)
		}
	}
	return p.extra(s, extra, document, depth)
}

func (p *parser) extra(s *Schema, keyword, document string, depth int) error {
	switch x := s.Keywords.Get(keyword).(type) {
	case nil:
	case bool:
		s.Extra.Forbidden = !x
	default:
		var err error
		if s.Extra.Schema, err = p.parse(x, document, depth+1); err != nil {
			return fmt.Errorf("%s: %w", keyword, err)
		}
	}
	return nil
}

// Limit gives a keyword's number and whether there is one.
func (s *Schema) Limit(keyword string) (json.Number, bool) {
	n, ok := s.Keywords.Get(keyword).(json.Number)
	return n, ok
}
