// Package projector gives values of one schema as values of another one that
// is compatible: Kafka Connect's SchemaProjector. Numbers widen, fields are
// added by their defaults or as null, others are left out.
package projector

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/values"
)

// Project gives a value of the schema from as one of the schema to. Its errors
// are data and have Kafka's words.
func Project(from *connector.Schema, v any, to *connector.Schema) (any, error) {
	if err := compatible(from, to); err != nil {
		return nil, err
	}
	if from.Optional() && !to.Optional() {
		def, ok := to.Default()
		if !ok {
			return nil, connector.Data(errors.New("Writer schema is optional, however, target schema does not provide a default value."))
		}
		if v == nil {
			return def, nil
		}
	}
	if v == nil {
		return nil, nil
	}
	switch to.Type() {
	case connector.Object:
		return projectStruct(from, v, to)
	case connector.Array:
		return projectArray(from, v, to)
	case connector.Map:
		return projectMap(from, v, to)
	}
	if from.Type() != to.Type() {
		return values.Number(to.Type(), from, v)
	}
	return v, nil
}

func compatible(from, to *connector.Schema) error {
	a, b := from.Type(), to.Type()
	widens := a >= connector.Int8 && a <= b && b <= connector.Float64
	switch {
	case a != b && !widens:
		return dataf("Schema type mismatch. source type: %s and target type: %s", upper(from), upper(to))
	case from.Name() != to.Name():
		return dataf("Schema name mismatch. source name: %s and target name: %s", orNull(from.Name()), orNull(to.Name()))
	case !maps.Equal(from.Parameters(), to.Parameters()):
		return dataf("Schema parameters not equal. source parameters: %s and target parameters: %s", parameters(from), parameters(to))
	}
	return nil
}

func dataf(format string, args ...any) error { return connector.Data(fmt.Errorf(format, args...)) }

func upper(s *connector.Schema) string { return strings.ToUpper(s.Type().String()) }

func orNull(name string) string {
	if name == "" {
		return "null"
	}
	return name
}

func parameters(s *connector.Schema) string {
	all := s.Parameters()
	if len(all) == 0 {
		return "null"
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, k+"="+all[k])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func misfit(v any, to *connector.Schema) error {
	return dataf("a value of the type %T is no %s", v, to.Type())
}

func projectStruct(from *connector.Schema, v any, to *connector.Schema) (any, error) {
	s, ok := v.(*connector.Struct)
	if !ok {
		return nil, misfit(v, to)
	}
	out := connector.NewStruct(to)
	for _, f := range to.Fields() {
		old, ok := from.Field(f.Name)
		if ok {
			value, _ := s.Get(f.Name)
			projected, err := Project(old.Schema, value, f.Schema)
			if err != nil {
				return nil, fmt.Errorf("Error projecting %s: %w", f.Name, err)
			}
			if err := out.Put(f.Name, projected); err != nil {
				return nil, err
			}
			continue
		}
		if def, ok := f.Schema.Default(); ok && !f.Schema.Optional() {
			if err := out.Put(f.Name, def); err != nil {
				return nil, err
			}
		} else if !f.Schema.Optional() {
			return nil, dataf("Required field `%s` is missing from source schema: %s", f.Name, values.SchemaText(from))
		}
	}
	return out, nil
}

func projectArray(from *connector.Schema, v any, to *connector.Schema) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, misfit(v, to)
	}
	out := make([]any, len(list))
	for i, e := range list {
		var err error
		if out[i], err = Project(from.Elem(), e, to.Elem()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func projectMap(from *connector.Schema, v any, to *connector.Schema) (any, error) {
	switch m := v.(type) {
	case map[string]any:
		if _, err := Project(from.Key(), "", to.Key()); err != nil {
			return nil, err
		}
		out := make(map[string]any, len(m))
		for k, e := range m {
			var err error
			if out[k], err = Project(from.Elem(), e, to.Elem()); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[any]any:
		out := make(map[any]any, len(m))
		for k, e := range m {
			key, err := Project(from.Key(), k, to.Key())
			if err != nil {
				return nil, err
			}
			if out[key], err = Project(from.Elem(), e, to.Elem()); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, misfit(v, to)
}
