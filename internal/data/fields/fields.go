// Package fields adds fields to structs and maps, for transforms that compute something of a record.
package fields

import (
	"fmt"
	"maps"

	"github.com/axiom-data-science/hydraulics/connector"
)

// maxSchemas bounds the cache of extended schemas: a source may make a schema per record.
const maxSchemas = 64

// Fields are the fields that are added, in order. The zero value adds none. It is for one goroutine at a time.
type Fields struct {
	fields  []connector.Field
	schemas map[*connector.Schema]*connector.Schema // extended ones, by identity of the one they extend
}

// New gives the fields to add.
func New(fields ...connector.Field) *Fields {
	return &Fields{fields: fields, schemas: map[*connector.Schema]*connector.Schema{}}
}

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
	_, err := Get(r, "")
	return r, err
}

// Get gives a field of a record's value, a struct or a map with text keys; nil for one that is not there. A value of
// another kind is an error.
func Get(r connector.Record, field string) (any, error) {
	switch v := r.Value.(type) {
	case *connector.Struct:
		x, _ := v.Get(field)
		return x, nil
	case map[string]any:
		return v[field], nil
	case nil:
		return nil, fmt.Errorf("value is null, expected a struct or map")
	}
	return nil, fmt.Errorf("value is a %T, expected a struct or map", r.Value)
}

// schema gives the extended form of a schema, made once.
func (f *Fields) schema(s *connector.Schema) (*connector.Schema, error) {
	if made, ok := f.schemas[s]; ok {
		return made, nil
	}
	n := len(s.Fields())
	made, err := s.WithFields(append(s.Fields()[:n:n], f.fields...))
	if err != nil {
		return nil, err
	}
	if len(f.schemas) >= maxSchemas {
		clear(f.schemas)
	}
	f.schemas[s] = made
	return made, nil
}
