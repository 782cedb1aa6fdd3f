package jsonschema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/jsonschema"
)

// The names by which Confluent's JsonSchemaData keeps in a JSON Schema what only
// Kafka Connect's model has, and the other way round.
const (
	namespace    = "io.confluent.connect.json"
	enumParam    = namespace + ".Enum"
	unionName    = namespace + ".OneOf"
	nullConstant = "<NULL>"

	generalEnum  = "org.apache.kafka.connect.data.Enum"
	generalUnion = "org.apache.kafka.connect.data.Union"
	generalName  = "connect_union_"

	propType    = "connect.type"
	propVersion = "connect.version"
	propParams  = "connect.parameters"
	propIndex   = "connect.index"
	typeMap     = "map"
	typeBytes   = "bytes"
	entryKey    = "key"
	entryValue  = "value"
)

// plan reads values of a schema.
type plan struct {
	schema *connector.Schema
	read   func(v any) (any, error) // of what is not null
}

// compiler compiles the parts of one schema.
type compiler struct {
	options options
	open    map[*jsonschema.Schema]bool
	done    map[place]*plan
	unions  int
}

type place struct {
	schema   *jsonschema.Schema
	optional bool
}

func compile(s *jsonschema.Schema, o options) (*plan, error) {
	c := &compiler{options: o, open: map[*jsonschema.Schema]bool{}, done: map[place]*plan{}}
	return c.compile(s, false)
}

func (c *compiler) compile(s *jsonschema.Schema, optional bool) (*plan, error) {
	s = s.Resolve()
	if s == nil || s.Kind == jsonschema.Ref {
		return nil, fmt.Errorf("a schema that only refers to itself has no values")
	}
	at := place{s, optional}
	if p := c.done[at]; p != nil {
		return p, nil
	}
	if c.open[s] {
		return nil, fmt.Errorf("schema %q contains itself, which is read from Avro alone: take the converter bytes, or write it as Avro", s.Keywords.Text("title"))
	}
	c.open[s] = true
	defer delete(c.open, s)
	p, err := c.kind(s, optional)
	if err != nil {
		return nil, err
	}
	if s.Kind != jsonschema.Combined || isUnion(p.schema) && s.Criterion != jsonschema.AllOf {
		if err := attributes(p, s.Keywords, s.HasDefault); err != nil {
			return nil, err
		}
	}
	if optional {
		p.schema = p.schema.AsOptional()
	}
	c.done[at] = p
	return p, nil
}

func (c *compiler) kind(s *jsonschema.Schema, optional bool) (*plan, error) {
	switch s.Kind {
	case jsonschema.Boolean:
		return &plan{connector.BooleanSchema, readBoolean}, nil
	case jsonschema.Number:
		return number(s)
	case jsonschema.String:
		if s.Keywords.Text(propType) == typeBytes {
			return &plan{connector.BytesSchema, readBytes}, nil
		}
		return &plan{connector.StringSchema, readString}, nil
	case jsonschema.Enum, jsonschema.Const:
		return c.enum(s.Constants), nil
	case jsonschema.Combined:
		return c.combined(s, optional)
	case jsonschema.Array:
		return c.array(s)
	case jsonschema.Map:
		return c.object(s)
	case jsonschema.Any:
		return nil, fmt.Errorf("a schema that allows anything has no type in Kafka Connect: name one")
	}
	return nil, fmt.Errorf("a schema of nothing but null, not or false has no type in Kafka Connect")
}

// number compiles a number, whose size is in a keyword of its own.
func number(s *jsonschema.Schema) (*plan, error) {
	switch size := s.Keywords.Text(propType); size {
	case "":
		if s.Integer {
			return &plan{connector.Int64Schema, readInteger(connector.Int64)}, nil
		}
		return &plan{connector.Float64Schema, readFloat64}, nil
	case "int8", "int16", "int32", "int64":
		typ := map[string]connector.Type{"int8": connector.Int8, "int16": connector.Int16, "int32": connector.Int32, "int64": connector.Int64}[size]
		return &plan{connector.PrimitiveSchema(typ), readInteger(typ)}, nil
	case "float32":
		return &plan{connector.Float32Schema, readFloat32}, nil
	case "float64":
		return &plan{connector.Float64Schema, readFloat64}, nil
	case typeBytes:
		return &plan{connector.BytesSchema, readBytes}, nil
	default:
		return nil, fmt.Errorf("%s %q is no type of a number", propType, size)
	}
}

func (o options) enumParam() string {
	if o.generalized {
		return generalEnum
	}
	return enumParam
}

// enum compiles a choice of constants, which are texts in Kafka Connect.
func (c *compiler) enum(constants []any) *plan {
	param := c.options.enumParam()
	s := connector.StringSchema.WithParameter(param, "")
	for i, v := range constants {
		symbol := constant(v)
		if v == nil {
			symbol, s = nullConstant, s.AsOptional()
		}
		value := symbol
		if c.options.generalized {
			value = strconv.Itoa(i)
		}
		s = s.WithParameter(param+"."+symbol, value)
	}
	return &plan{s, func(v any) (any, error) {
		switch v.(type) {
		case string, bool, json.Number:
			return constant(v), nil
		}
		return nil, misfit("one of the constants", v)
	}}
}

// constant gives a constant as a text.
func constant(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(v)
}

func (c *compiler) array(s *jsonschema.Schema) (*plan, error) {
	if s.Items == nil {
		return nil, fmt.Errorf("the array's schema does not say what its items are")
	}
	if items := s.Items.Resolve(); s.Keywords.Text(propType) == typeMap && items != nil && items.Kind == jsonschema.Map {
		return c.pairs(items)
	}
	elem, err := c.compile(s.Items, false)
	if err != nil {
		return nil, fmt.Errorf("items: %w", err)
	}
	return &plan{connector.ArrayOf(elem.schema), func(v any) (any, error) {
		list, ok := v.([]any)
		if !ok {
			return nil, misfit("an array", v)
		}
		out := make([]any, len(list))
		for i, e := range list {
			var err error
			if out[i], err = elem.value(e); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return out, nil
	}}, nil
}

// pairs compiles a map whose keys are no texts: an array of keys and values.
func (c *compiler) pairs(entry *jsonschema.Schema) (*plan, error) {
	var parts [2]*plan
	for i, name := range []string{entryKey, entryValue} {
		for _, p := range entry.Properties {
			if p.Name != name {
				continue
			}
			var err error
			if parts[i], err = c.compile(p.Schema, false); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if parts[i] == nil {
			return nil, fmt.Errorf("the entries of a map have no %s", name)
		}
	}
	key, value := parts[0], parts[1]
	if !key.schema.Type().Primitive() || key.schema.Type() == connector.Bytes {
		return nil, fmt.Errorf("the keys of a map are of type %s", key.schema.Type())
	}
	return &plan{connector.MapOf(key.schema, value.schema), func(v any) (any, error) {
		list, ok := v.([]any)
		if !ok {
			return nil, misfit("an array of keys and values", v)
		}
		out := make(map[any]any, len(list))
		for i, e := range list {
			pair, ok := e.(map[string]any)
			if !ok || len(pair) != 2 {
				return nil, fmt.Errorf("[%d]: %w", i, misfit("a key and a value", e))
			}
			k, err := key.value(pair[entryKey])
			if err != nil {
				return nil, fmt.Errorf("[%d]: key: %w", i, err)
			}
			if out[k], err = value.value(pair[entryValue]); err != nil {
				return nil, fmt.Errorf("[%d]: value: %w", i, err)
			}
		}
		return out, nil
	}}, nil
}

// object compiles an object: a map, or a struct of its properties.
func (c *compiler) object(s *jsonschema.Schema) (*plan, error) {
	if s.Keywords.Text(propType) != typeMap {
		return c.structOf(s.Properties, s.Required)
	}
	if s.Extra.Schema == nil {
		return nil, fmt.Errorf("the map's schema does not say what its values are")
	}
	elem, err := c.compile(s.Extra.Schema, false)
	if err != nil {
		return nil, fmt.Errorf("additionalProperties: %w", err)
	}
	return &plan{connector.MapOf(connector.StringSchema, elem.schema), func(v any) (any, error) {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, misfit("an object", v)
		}
		out := make(map[string]any, len(object))
		for k, e := range object {
			var err error
			if out[k], err = elem.value(e); err != nil {
				return nil, fmt.Errorf("[%q]: %w", k, err)
			}
		}
		return out, nil
	}}, nil
}

// structOf compiles properties in the order of their indexes, where they have them.
func (c *compiler) structOf(properties []jsonschema.Property, required map[string]bool) (*plan, error) {
	type indexed struct {
		jsonschema.Property
		index int
	}
	list := make([]indexed, len(properties))
	for i, p := range properties {
		list[i] = indexed{p, i}
		if n, ok := p.Schema.Limit(propIndex); ok {
			if at, err := n.Int64(); err == nil {
				list[i].index = int(at)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b indexed) int { return cmp.Compare(a.index, b.index) })
	fields := make([]connector.Field, len(list))
	plans := make([]*plan, len(list))
	for i, p := range list {
		var err error
		if plans[i], err = c.compile(p.Schema, c.options.nonRequired && !required[p.Name]); err != nil {
			return nil, fmt.Errorf("property %s: %w", p.Name, err)
		}
		fields[i] = connector.F(p.Name, plans[i].schema)
	}
	s, err := connector.NewStructSchema("", fields)
	if err != nil {
		return nil, err
	}
	p := &plan{schema: s}
	p.read = func(v any) (any, error) {
		object, ok := v.(map[string]any)
		if !ok {
			return nil, misfit("an object", v)
		}
		values := make([]any, len(plans))
		for i, f := range fields {
			e, there := object[f.Name]
			if !there && !f.Schema.Optional() {
				if _, ok := f.Schema.Default(); !ok {
					return nil, fmt.Errorf("field %s: it is not there, and not optional (%s=true makes it so)", f.Name, keyNonRequired)
				}
			}
			var err error
			if values[i], err = plans[i].value(e); err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
		return connector.StructFrom(p.schema, values), nil
	}
	return p, nil
}

// value reads a value; null is the default where there is one.
func (p *plan) value(v any) (any, error) {
	if v != nil {
		return p.read(v)
	}
	if def, ok := p.schema.Default(); ok {
		return def, nil
	}
	if p.schema.Optional() {
		return nil, nil
	}
	return nil, fmt.Errorf("null where the schema wants %s", p.schema.Type())
}

// attributes gives a schema what Kafka Connect has beside the type, and reads
// logical types as what they are.
func attributes(p *plan, o *jsonschema.Object, hasDefault bool) error {
	s := p.schema
	if title := o.Text("title"); title != "" && s.Name() == "" {
		s = s.WithName(title)
	}
	if version, ok := o.Get(propVersion).(json.Number); ok {
		n, err := version.Int64()
		if err != nil {
			return fmt.Errorf("%s %s is no integer", propVersion, version)
		}
		s = s.WithVersion(int(n))
	}
	if doc := o.Text("description"); doc != "" {
		s = s.WithDoc(doc)
	}
	if params, ok := o.Get(propParams).(*jsonschema.Object); ok {
		for _, k := range params.Keys {
			s = s.WithParameter(k, constant(params.Values[k]))
		}
	}
	p.schema = s
	if err := logical(p); err != nil {
		return err
	}
	if !hasDefault || o.Get("default") == nil {
		return nil
	}
	def, err := p.read(jsonschema.Plain(o.Get("default")))
	if err != nil {
		return fmt.Errorf("default: %w", err)
	}
	p.schema, err = s.TryDefault(def)
	return err
}
