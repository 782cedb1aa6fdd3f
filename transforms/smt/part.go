package smt

import (
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// Version is what the transforms report.
const Version = "1.0.0"

const javaPackage = "org.apache.kafka.connect.transforms."

// part says which part of a record a transform works on.
type part bool

const (
	onValue part = false
	onKey   part = true
)

func (p part) get(r connector.Record) (*connector.Schema, any) {
	if p == onKey {
		return r.KeySchema, r.Key
	}
	return r.ValueSchema, r.Value
}

func (p part) with(r connector.Record, s *connector.Schema, v any) connector.Record {
	if p == onKey {
		r.KeySchema, r.Key = s, v
	} else {
		r.ValueSchema, r.Value = s, v
	}
	return r
}

// info describes the variant of a transform: HoistField$Value is hoist-field.
func (p part) info(class, name, doc string) connector.Info {
	if p == onKey {
		return connector.Info{Name: name + ".key", Version: Version, Class: javaPackage + class + "$Key", Doc: doc}
	}
	return connector.Info{Name: name, Version: Version, Class: javaPackage + class + "$Value", Aliases: []string{name + ".value"}, Doc: doc}
}

// replaceNullKey is the key of every transform that copies fields.
var replaceNullKey = connector.Key{Name: "replace.null.with.default", Type: connector.BooleanKey, Default: true,
	Doc: "Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used."}

// wantMap gives the fields of a schemaless value: not what has another key than a
// text, which no field can name.
func wantMap(v any, purpose string) (map[string]any, error) {
	switch m := v.(type) {
	case map[string]any:
		return m, nil
	case map[any]any:
		fields := make(map[string]any, len(m))
		for k, e := range m {
			if name, ok := k.(string); ok {
				fields[name] = e
			}
		}
		return fields, nil
	}
	return nil, dataf("Only Map objects supported in absence of schema for [%s], found: %s", purpose, tostring.Class(v))
}

// withUnnamed adds to rewritten fields what of the value has another key than a text.
func withUnnamed(fields map[string]any, value any) any {
	from, ok := value.(map[any]any)
	if !ok {
		return fields
	}
	all := make(map[any]any, len(from))
	for k, v := range from {
		if _, named := k.(string); !named {
			all[k] = v
		}
	}
	for k, v := range fields {
		all[k] = v
	}
	return all
}

// wantStruct gives the value as a struct.
func wantStruct(v any, purpose string) (*connector.Struct, error) {
	if s, ok := v.(*connector.Struct); ok {
		return s, nil
	}
	return nil, dataf("Only Struct objects supported for [%s], found: %s", purpose, tostring.Class(v))
}

// dataf makes an error of a record in Kafka's words, which users search for.
func dataf(format string, args ...any) error { return connector.Data(fmt.Errorf(format, args...)) }

// fieldValue gives a field, filling in its default where that is asked for.
func fieldValue(s *connector.Struct, i int, replaceNull bool) any {
	v := s.At(i)
	if v == nil && replaceNull {
		v, _ = s.Schema().Fields()[i].Schema.Default()
	}
	return v
}

// structSchema gives a schema of fields with what transforms copy from the old
// one: name, version, doc and parameters, neither optionality nor default.
func structSchema(s *connector.Schema, fields []connector.Field) (*connector.Schema, error) {
	names := make(map[string]bool, len(fields))
	for _, f := range fields {
		if f.Name == "" {
			return nil, dataf("fieldName cannot be null.")
		}
		if names[f.Name] {
			break // what is wrong first is said
		}
		names[f.Name] = true
	}
	return s.AsRequired().WithoutDefault().WithFields(fields)
}

// schemas keeps what a transform made of a schema, by that one's identity.
type schemas = fields.Cache[*connector.Schema, *connector.Schema]
