// Package fields reads fields of structs and maps and adds some, for transforms that compute something of a record.
package fields

import (
	"fmt"
	"maps"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Reader reads the fields of a value: a struct, or a map with text keys.
type Reader struct {
	structure *connector.Struct
	entries   map[string]any
}

// Of gives access to a value's fields. A value of another kind is an error.
func Of(value any) (Reader, error) {
	switch v := value.(type) {
	case *connector.Struct:
		return Reader{structure: v}, nil
	case map[string]any:
		return Reader{entries: v}, nil
	case nil:
		return Reader{}, fmt.Errorf("value is null, expected a struct or map")
	}
	return Reader{}, fmt.Errorf("value is a %T, expected a struct or map", value)
}

// Lookup gives a field, and whether it is there.
func (r Reader) Lookup(name string) (any, bool) {
	if r.structure != nil {
		return r.structure.Get(name)
	}
	v, ok := r.entries[name]
	return v, ok
}

// Get gives a field; nil for one that is not there.
func (r Reader) Get(name string) any {
	v, _ := r.Lookup(name)
	return v
}

// Get gives one field of a value; nil for one that is not there. A value that has no fields is an error.
func Get(value any, name string) (any, error) {
	r, err := Of(value)
	return r.Get(name), err
}

// Fields are the fields that are added, in order. The zero value adds none. It is for one goroutine at a time.
type Fields struct {
	fields  []connector.Field
	schemas Cache[*connector.Schema, *connector.Schema] // extended ones, by identity of the one they extend
}

// New gives the fields to add.
func New(fields ...connector.Field) *Fields { return &Fields{fields: fields} }

// Record gives r with one value for each field put behind those of its value, a struct or a map with text keys; r's own
// value stays as it is. In a map, as in Kafka Connect's InsertField, a value that is there is replaced; a struct that
// has such a field is an error, as is a value of another kind.
func (f *Fields) Record(r connector.Record, values []any) (connector.Record, error) {
	switch v := r.Value.(type) {
	case *connector.Struct:
		schema, err := f.schema(v.Schema())
		if err != nil {
			return r, err
		}
		n := len(v.Values())
		r.ValueSchema, r.Value = schema, connector.StructFrom(schema, append(v.Values()[:n:n], values...))
		return r, nil
	case map[string]any:
		m := maps.Clone(v)
		if m == nil {
			m = map[string]any{}
		}
		for i, field := range f.fields {
			m[field.Name] = values[i]
		}
		r.Value = m
		return r, nil
	}
	_, err := Of(r.Value)
	return r, err
}

// schema gives the extended form of a schema, made once.
func (f *Fields) schema(s *connector.Schema) (*connector.Schema, error) {
	return f.schemas.Get(s, func() (*connector.Schema, error) {
		n := len(s.Fields())
		return s.WithFields(append(s.Fields()[:n:n], f.fields...))
	})
}
