package smt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

var _ connector.Transform = (*Flatten)(nil)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &Flatten{part: p} })
	}
}

// Flatten puts the fields of nested structs or maps into one, by the names of
// all that they are in.
type Flatten struct {
	part      part
	delimiter string
	plans     fields.Cache[*connector.Schema, *flatPlan]
}

// flatPlan is where each field of the flat schema comes from.
type flatPlan struct {
	schema *connector.Schema
	leaves [][]int // the index of the field on each level
}

const flattening = "flattening"

// Info describes the plugin.
func (t *Flatten) Info() connector.Info {
	return t.part.info("Flatten", "flatten", "Puts the fields of nested structs or maps into one.")
}

// ConfigDef gives Kafka's key.
func (*Flatten) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "delimiter", Type: connector.StringKey, Default: ".",
		Doc: "Delimiter to insert between field names from the input record when generating field names for the output record"})
}

// Configure notes the delimiter.
func (t *Flatten) Configure(_ connector.Context, conf connector.Config) error {
	t.delimiter = tostring.String(conf.Value("delimiter"))
	return nil
}

// Apply flattens one record's key or value; null stays null.
func (t *Flatten) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	if value == nil {
		return r, true, nil
	}
	if schema == nil {
		out := map[string]any{}
		unsupported, err := t.flattenMap(value, "", out)
		if err != nil {
			return r, false, err
		}
		if len(unsupported) > 0 {
			return r, false, dataf("%s", strings.Join(unsupported, "; "))
		}
		return t.part.with(r, nil, out), true, nil
	}
	s, err := wantStruct(value, flattening)
	if err != nil {
		return r, false, err
	}
	plan, err := t.plans.Get(s.Schema(), func() (*flatPlan, error) { return t.plan(s.Schema()) })
	if err != nil {
		return r, false, err
	}
	out := plan.values(s)
	for i, v := range out {
		if err := filled(plan.schema, i, v); err != nil {
			return r, false, err
		}
	}
	return t.part.with(r, plan.schema, connector.StructFrom(plan.schema, out)), true, nil
}

func (t *Flatten) name(prefix, field string) string {
	if prefix == "" {
		return field
	}
	return prefix + t.delimiter + field
}

// flattenMap adds the fields of a map. Where names clash the last one wins, by
// their order, since a map has none. It says of each value of a type that Connect
// does not have that it is there.
func (t *Flatten) flattenMap(value any, prefix string, out map[string]any) (unsupported []string, err error) {
	m, err := keyTexts(value)
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		name, v := t.name(prefix, k), m[k]
		switch typ := typeOf(v); {
		case v == nil, typ != 0 && typ <= connector.Array:
			out[name] = v
		case typ == connector.Map:
			more, err := t.flattenMap(v, name, out)
			if err != nil {
				return nil, err
			}
			unsupported = append(unsupported, more...)
		case typ == 0:
			unsupported = append(unsupported, fmt.Sprintf("Flatten transformation was passed a value of type class %s which is not supported by Connect's data API (field %s)", tostring.Class(v), name))
		default:
			return nil, dataf("Flatten transformation does not support class %s for record without schemas (for field %s).", tostring.Class(v), name)
		}
	}
	return unsupported, nil
}

// keyTexts gives a map whose keys are names. That of null is null, as Java adds it to a text.
func keyTexts(value any) (map[string]any, error) {
	m, ok := value.(map[any]any)
	if !ok {
		return wantMap(value, flattening)
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		switch k := k.(type) {
		case string:
			out[k] = v
		case nil:
			out["null"] = v
		default:
			return nil, dataf("Flatten transformation does not support keys of class %s: they have to be texts", tostring.Class(k))
		}
	}
	return out, nil
}

// plan finds the leaves of a schema.
func (t *Flatten) plan(s *connector.Schema) (*flatPlan, error) {
	p := new(flatPlan)
	var flat []connector.Field
	var visit func(s *connector.Schema, prefix string, at []int, optional bool, def *connector.Struct) error
	visit = func(s *connector.Schema, prefix string, at []int, optional bool, def *connector.Struct) error {
		for i, f := range s.Fields() {
			name, at := t.name(prefix, f.Name), append(slices.Clone(at), i)
			optional := optional || f.Schema.Optional()
			own, _ := f.Schema.Default()
			if own == nil && def != nil {
				own, _ = def.Get(f.Name)
			}
			switch f.Schema.Type() {
			case connector.Object:
				if f.Schema.Cyclic() {
					return dataf("Flatten transformation does not support a struct that holds itself (for field %s): leave it out with the transform ReplaceField.", name)
				}
				inner, _ := own.(*connector.Struct)
				if err := visit(f.Schema, name, at, optional, inner); err != nil {
					return err
				}
			case connector.Map:
				return dataf("Flatten transformation does not support %s for record with schemas (for field %s).",
					strings.ToUpper(f.Schema.Type().String()), name)
			default:
				leaf, err := leafSchema(f.Schema, optional, own)
				if err != nil {
					return err
				}
				flat, p.leaves = append(flat, connector.F(name, leaf)), append(p.leaves, at)
			}
		}
		return nil
	}
	def, _ := s.Default()
	whole, _ := def.(*connector.Struct)
	if err := visit(s, "", nil, s.Optional(), whole); err != nil {
		return nil, err
	}
	var err error
	p.schema, err = structSchema(s, flat)
	return p, err
}

// leafSchema gives a field what the structs around it allow and have in place of null.
func leafSchema(s *connector.Schema, optional bool, def any) (*connector.Schema, error) {
	s = s.AsRequired().WithoutDefault()
	if optional {
		s = s.AsOptional()
	}
	if def == nil {
		return s, nil
	}
	return s.TryDefault(def)
}

// values reads the leaves of a struct. Those of a null one are null, even where
// it has a default, as in Java.
func (p *flatPlan) values(s *connector.Struct) []any {
	out := make([]any, len(p.leaves))
	for i, at := range p.leaves {
		current := s
		for _, n := range at[:len(at)-1] {
			current, _ = current.At(n).(*connector.Struct)
			if current == nil {
				break
			}
		}
		if current != nil {
			out[i] = fieldValue(current, at[len(at)-1], true)
		}
	}
	return out
}
