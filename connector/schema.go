package connector

import (
	"fmt"
	"maps"
	"reflect"
	"time"
)

// Type is the type of a schema, one of Kafka Connect's thirteen.
type Type int8

// The types, and the Go type of a value of each.
const (
	Int8    Type = iota + 1 // int8
	Int16                   // int16
	Int32                   // int32
	Int64                   // int64
	Float32                 // float32
	Float64                 // float64
	Boolean                 // bool
	String                  // string
	Bytes                   // []byte
	Array                   // []any
	Map                     // map[string]any when the keys are strings, else map[any]any
	Object                  // *Struct; Kafka Connect calls it STRUCT
)

var typeNames = [...]string{"", "int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "bytes", "array", "map", "struct"}

// String gives the type's name as Kafka Connect's JSON schemas spell it, except
// that float and double are float32 and float64.
func (t Type) String() string {
	if t < 0 || int(t) >= len(typeNames) {
		return fmt.Sprintf("Type(%d)", int8(t))
	}
	return typeNames[t]
}

// Primitive tells whether the type has no parts.
func (t Type) Primitive() bool { return t >= Int8 && t <= Bytes }

// Schema describes a value: Kafka Connect's data model. It is immutable: the
// methods that change something return a changed copy. Schemas compare by
// content with Equal; caches may key on the pointer, since every record of a
// batch usually shares one.
type Schema struct {
	typ        Type
	optional   bool
	hasDefault bool
	def        any
	name       string
	version    int // 0 is none
	doc        string
	params     map[string]string
	fields     []Field
	index      map[string]int
	key, elem  *Schema
	loop       *loop // of a reference, nil of others
}

// Field is one field of a struct schema.
type Field struct {
	Name   string
	Index  int
	Schema *Schema
}

// The schemas of the primitive types.
var (
	Int8Schema    = &Schema{typ: Int8}
	Int16Schema   = &Schema{typ: Int16}
	Int32Schema   = &Schema{typ: Int32}
	Int64Schema   = &Schema{typ: Int64}
	Float32Schema = &Schema{typ: Float32}
	Float64Schema = &Schema{typ: Float64}
	BooleanSchema = &Schema{typ: Boolean}
	StringSchema  = &Schema{typ: String}
	BytesSchema   = &Schema{typ: Bytes}

	OptionalInt8Schema    = Int8Schema.AsOptional()
	OptionalInt16Schema   = Int16Schema.AsOptional()
	OptionalInt32Schema   = Int32Schema.AsOptional()
	OptionalInt64Schema   = Int64Schema.AsOptional()
	OptionalFloat32Schema = Float32Schema.AsOptional()
	OptionalFloat64Schema = Float64Schema.AsOptional()
	OptionalBooleanSchema = BooleanSchema.AsOptional()
	OptionalStringSchema  = StringSchema.AsOptional()
	OptionalBytesSchema   = BytesSchema.AsOptional()
)

// PrimitiveSchema gives the required schema of a primitive type, nil for others.
func PrimitiveSchema(t Type) *Schema {
	if !t.Primitive() {
		return nil
	}
	return [...]*Schema{Int8Schema, Int16Schema, Int32Schema, Int64Schema, Float32Schema, Float64Schema, BooleanSchema, StringSchema, BytesSchema}[t-Int8]
}

// ArrayOf gives the schema of an array with this element schema. A nil elem is
// an array of whatever: Values.parseString of Kafka Connect makes such.
func ArrayOf(elem *Schema) *Schema { return &Schema{typ: Array, elem: elem} }

// MapOf gives the schema of a map.
func MapOf(key, value *Schema) *Schema { return &Schema{typ: Map, key: key, elem: value} }

// F is a field for [StructOf].
func F(name string, schema *Schema) Field { return Field{Name: name, Schema: schema} }

// StructOf gives the schema of a struct; name may be empty. It panics on a
// repeated field or one without a schema: use [NewStructSchema]
// where the fields come from data.
func StructOf(name string, fields ...Field) *Schema {
	s, err := NewStructSchema(name, fields)
	if err != nil {
		panic(err)
	}
	return s
}

// NewStructSchema is StructOf for fields that come from data.
func NewStructSchema(name string, fields []Field) (*Schema, error) {
	s := &Schema{typ: Object, name: name, fields: make([]Field, len(fields)), index: make(map[string]int, len(fields))}
	for i, f := range fields {
		if f.Schema == nil {
			return nil, fmt.Errorf("schema %s: field %s has no schema", name, f.Name)
		}
		if _, dup := s.index[f.Name]; dup {
			return nil, Data(fmt.Errorf("Cannot create field because of field name duplication %s", f.Name))
		}
		s.fields[i] = Field{Name: f.Name, Index: i, Schema: f.Schema}
		s.index[f.Name] = i
	}
	return s, nil
}

// Type gives the schema's type.
func (s *Schema) Type() Type { return s.typ }

// Optional tells whether null is a valid value.
func (s *Schema) Optional() bool { return s.optional }

// Default gives the default value and whether there is one.
func (s *Schema) Default() (any, bool) { return s.def, s.hasDefault }

// Name gives the schema's name, empty without one. Logical types have names.
func (s *Schema) Name() string { return s.whole().name }

// Version gives the schema's version, 0 without one.
func (s *Schema) Version() int { return s.whole().version }

// Doc gives the schema's documentation.
func (s *Schema) Doc() string { return s.whole().doc }

// Parameter gives one parameter and whether it is there.
func (s *Schema) Parameter(key string) (string, bool) { v, ok := s.whole().params[key]; return v, ok }

// Parameters gives all parameters; the map is the caller's.
func (s *Schema) Parameters() map[string]string { return maps.Clone(s.whole().params) }

// Fields gives a struct schema's fields in order. The slice is not to be changed.
func (s *Schema) Fields() []Field { return s.whole().fields }

// Field finds a struct schema's field by name.
func (s *Schema) Field(name string) (Field, bool) {
	s = s.whole()
	i, ok := s.index[name]
	if !ok {
		return Field{}, false
	}
	return s.fields[i], true
}

// Elem gives the schema of an array's elements or a map's values; nil of a nil
// schema, whose parts have none either.
func (s *Schema) Elem() *Schema {
	if s == nil {
		return nil
	}
	return s.elem
}

// Key gives the schema of a map's keys; nil of a nil schema.
func (s *Schema) Key() *Schema {
	if s == nil {
		return nil
	}
	return s.key
}

// place gives a copy with another default, or another word on null: a reference
// stays one.
func (s *Schema) place(change func(*Schema)) *Schema {
	c := *s
	change(&c)
	return &c
}

// with gives a changed copy.
func (s *Schema) with(change func(*Schema)) *Schema {
	return s.whole().place(func(c *Schema) {
		c.optional, c.def, c.hasDefault = s.optional, s.def, s.hasDefault
		change(c)
	})
}

// AsOptional gives the same schema with null allowed.
func (s *Schema) AsOptional() *Schema { return s.place(func(c *Schema) { c.optional = true }) }

// AsRequired gives the same schema with null refused.
func (s *Schema) AsRequired() *Schema { return s.place(func(c *Schema) { c.optional = false }) }

// WithDefault gives the same schema with a default. It panics when v is not a
// valid value of s: use [Schema.TryDefault] where it comes from data.
func (s *Schema) WithDefault(v any) *Schema {
	c, err := s.TryDefault(v)
	if err != nil {
		panic(err)
	}
	return c
}

// TryDefault is WithDefault for a value that comes from data.
func (s *Schema) TryDefault(v any) (*Schema, error) {
	if err := Validate(s, v); err != nil {
		return nil, fmt.Errorf("default: %w", err)
	}
	return s.place(func(c *Schema) { c.def, c.hasDefault = v, true }), nil
}

// WithoutDefault gives the same schema without a default.
func (s *Schema) WithoutDefault() *Schema {
	return s.place(func(c *Schema) { c.def, c.hasDefault = nil, false })
}

// WithName gives the same schema with a name.
func (s *Schema) WithName(name string) *Schema { return s.with(func(c *Schema) { c.name = name }) }

// WithVersion gives the same schema with a version.
func (s *Schema) WithVersion(v int) *Schema { return s.with(func(c *Schema) { c.version = v }) }

// WithDoc gives the same schema with documentation.
func (s *Schema) WithDoc(doc string) *Schema { return s.with(func(c *Schema) { c.doc = doc }) }

// WithParameter gives the same schema with one more parameter.
func (s *Schema) WithParameter(key, value string) *Schema {
	return s.with(func(c *Schema) {
		c.params = s.Parameters()
		if c.params == nil {
			c.params = map[string]string{}
		}
		c.params[key] = value
	})
}

// WithFields gives the same struct schema, name, version, doc, default and
// all, with other fields; an error as NewStructSchema. A default is dropped,
// since it is a value of the old fields.
func (s *Schema) WithFields(fields []Field) (*Schema, error) {
	n, err := NewStructSchema(s.Name(), fields)
	if err != nil {
		return nil, err
	}
	return s.with(func(c *Schema) {
		c.fields, c.index = n.fields, n.index
		c.def, c.hasDefault = nil, false
	}), nil
}

// Equal compares two schemas by content; nil equals nil.
func (s *Schema) Equal(o *Schema) bool { return s.equal(o, nil) }

// ValuesEqual compares two values of Kafka Connect's data model by content:
// structs field by field, decimals with their scale, times as instants, NaN
// equal to NaN.
func ValuesEqual(a, b any) bool {
	switch x := a.(type) {
	case *Struct:
		y, ok := b.(*Struct)
		return ok && x.Equal(y)
	case Decimal:
		y, ok := b.(Decimal)
		return ok && x.Equal(y)
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !ValuesEqual(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, ValuesEqual)
	case map[any]any:
		y, ok := b.(map[any]any)
		return ok && maps.EqualFunc(x, y, ValuesEqual)
	case float64:
		y, ok := b.(float64)
		return ok && (x == y || x != x && y != y)
	case float32:
		y, ok := b.(float32)
		return ok && (x == y || x != x && y != y)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	return reflect.DeepEqual(a, b)
}
