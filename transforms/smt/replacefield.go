package smt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

var _ connector.Transform = (*ReplaceField)(nil)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &ReplaceField{part: p} })
	}
}

// ReplaceField leaves fields out and renames them.
type ReplaceField struct {
	part             part
	exclude, include []string
	renames          map[string]string
	replaceNull      bool
	cache            schemas
}

const fieldReplacement = "field replacement"

// Info describes the plugin.
func (t *ReplaceField) Info() connector.Info {
	return t.part.info("ReplaceField", "replace-field", "Leaves out or renames fields.")
}

// ConfigDef gives Kafka's keys.
func (*ReplaceField) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "exclude", Type: connector.ListKey, Default: []string{}, Distinct: true, Check: connector.Distinct(true, false),
			Doc: "Fields to exclude. This takes precedence over the fields to include."},
		connector.Key{Name: "include", Type: connector.ListKey, Default: []string{}, Distinct: true, Check: connector.Distinct(true, false),
			Doc: "Fields to include. If specified, only these fields will be used."},
		connector.Key{Name: "renames", Type: connector.ListKey, Default: []string{}, Doc: "Field rename mappings.",
			Check: func(_ string, v any) error {
				_, err := parseRenames(v)
				return err
			}},
		replaceNullKey,
	)
}

// parseRenames reads old:new mappings. As in Java empty parts at the end count for nothing.
func parseRenames(v any) (map[string]string, error) {
	list, ok := v.([]string)
	if !ok {
		return nil, fmt.Errorf("value must be a list of old:new mappings, it is null")
	}
	m := map[string]string{}
	for _, mapping := range list {
		parts := strings.Split(mapping, ":")
		for len(parts) > 0 && parts[len(parts)-1] == "" {
			parts = parts[:len(parts)-1]
		}
		if len(parts) != 2 {
			return nil, fmt.Errorf("Invalid rename mapping: %s", mapping)
		}
		m[parts[0]] = parts[1]
	}
	return m, nil
}

// Configure reads the lists.
func (t *ReplaceField) Configure(_ connector.Context, conf connector.Config) error {
	t.exclude, t.include = conf.List("exclude"), conf.List("include")
	t.replaceNull = conf.Bool("replace.null.with.default")
	var err error
	t.renames, err = parseRenames(conf.List("renames"))
	return err
}

func (t *ReplaceField) keeps(field string) bool {
	return !slices.Contains(t.exclude, field) && (len(t.include) == 0 || slices.Contains(t.include, field))
}

func (t *ReplaceField) renamed(field string) string {
	if to, ok := t.renames[field]; ok {
		return to
	}
	return field
}

// Apply filters and renames one record's fields; a null key or value stays null.
func (t *ReplaceField) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	if value == nil {
		return r, true, nil
	}
	if schema == nil {
		m, err := wantMap(value, fieldReplacement)
		if err != nil {
			return r, false, err
		}
		out := make(map[string]any, len(m))
		for _, k := range slices.Sorted(maps.Keys(m)) { // sorted: where names clash the last one wins
			if t.keeps(k) {
				out[t.renamed(k)] = m[k]
			}
		}
		return t.part.with(r, nil, out), true, nil
	}
	s, err := wantStruct(value, fieldReplacement)
	if err != nil {
		return r, false, err
	}
	out, err := t.replace(s)
	if err != nil {
		return r, false, err
	}
	return t.part.with(r, out.Schema(), out), true, nil
}

func (t *ReplaceField) replace(s *connector.Struct) (*connector.Struct, error) {
	schema, err := t.cache.Get(s.Schema(), func() (*connector.Schema, error) {
		var fields []connector.Field
		for _, f := range s.Schema().Fields() {
			if t.keeps(f.Name) {
				fields = append(fields, connector.F(t.renamed(f.Name), f.Schema))
			}
		}
		return structSchema(s.Schema(), fields)
	})
	if err != nil {
		return nil, err
	}
	out := connector.NewStruct(schema)
	for i, f := range s.Schema().Fields() {
		if !t.keeps(f.Name) {
			continue
		}
		if err := out.Put(t.renamed(f.Name), fieldValue(s, i, t.replaceNull)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
