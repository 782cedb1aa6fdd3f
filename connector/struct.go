package connector

import (
	"fmt"
	"slices"
)

// Struct is a value of a struct schema: one value per field, by position. Like
// a Record it is not changed once it was handed over.
type Struct struct {
	schema *Schema
	values []any
}

// NewStruct makes a struct with all fields null, of the whole schema where s is a
// reference to one. It panics when s is not a struct schema.
func NewStruct(s *Schema) *Struct {
	if s == nil || s.typ != Object {
		panic("connector: NewStruct wants a struct schema")
	}
	return &Struct{schema: s.whole(), values: make([]any, len(s.Fields()))}
}

// StructFrom makes a struct of values in the order of the schema's fields. It
// takes the slice over and does not check the values: see [Struct.Validate].
func StructFrom(s *Schema, values []any) *Struct {
	if s == nil || s.typ != Object || len(values) != len(s.Fields()) {
		panic("connector: StructFrom wants a struct schema and a value for each of its fields")
	}
	return &Struct{schema: s.whole(), values: values}
}

// Schema gives the struct's schema.
func (s *Struct) Schema() *Schema { return s.schema }

// At gives the value of the field at index i as it is, null even where the
// schema has a default.
func (s *Struct) At(i int) any { return s.values[i] }

// Values gives all values by position. The slice is not to be changed.
func (s *Struct) Values() []any { return s.values }

// Get gives a field's value and whether the schema has that field; where the
// value is null and the schema has a default, the default.
func (s *Struct) Get(name string) (any, bool) {
	i, ok := s.schema.index[name]
	if !ok {
		return nil, false
	}
	v := s.values[i]
	if v == nil {
		v, _ = s.schema.fields[i].Schema.Default()
	}
	return v, true
}

// Put sets a field of a struct that was not handed over yet. It fails on an
// unknown field and on a value that does not fit the field's schema.
func (s *Struct) Put(name string, v any) error {
	i, ok := s.schema.index[name]
	if !ok {
		return fmt.Errorf("%s is not a valid field name", name)
	}
	f := s.schema.fields[i]
	if err := validateNamed(f.Name, f.Schema, v); err != nil {
		return err
	}
	s.values[i] = v
	return nil
}

// Set is Put for a name and value that the code itself chose: it panics where
// Put fails, and gives the struct for chaining.
func (s *Struct) Set(name string, v any) *Struct {
	if err := s.Put(name, v); err != nil {
		panic(err)
	}
	return s
}

// Clone gives a copy whose fields can be set without changing s. Values that
// have parts are shared.
func (s *Struct) Clone() *Struct {
	return &Struct{schema: s.schema, values: slices.Clone(s.values)}
}

// Validate checks every value against its schema, nested ones too. An unset
// field that has a default is fine.
func (s *Struct) Validate() error { return validateFields("", s) }

// Equal compares schema and values by content.
func (s *Struct) Equal(o *Struct) bool {
	if s == nil || o == nil {
		return s == o
	}
	if !s.schema.Equal(o.schema) {
		return false
	}
	for i := range s.values {
		if !ValuesEqual(s.values[i], o.values[i]) {
			return false
		}
	}
	return true
}
