package smt

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
)

var _ connector.Transform = (*HoistField)(nil)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &HoistField{part: p} })
	}
}

// HoistField wraps the whole key or value into a struct or map of one field.
type HoistField struct {
	part  part
	field string
	cache schemas
}

// Info describes the plugin.
func (t *HoistField) Info() connector.Info {
	return t.part.info("HoistField", "hoist-field", "Wraps the key or value into a struct or map of one field.")
}

// ConfigDef gives Kafka's keys.
func (*HoistField) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "field", Type: connector.StringKey, Required: true,
		Doc: "Field name for the single field that will be created in the resulting Struct or Map."})
}

// Configure notes the field.
func (t *HoistField) Configure(_ connector.Context, conf connector.Config) error {
	t.field = conf.String("field")
	return nil
}

// Apply wraps one record's key or value, a null one too.
func (t *HoistField) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	if schema == nil {
		return t.part.with(r, nil, map[string]any{t.field: value}), true, nil
	}
	hoisted, err := t.cache.Get(schema, func() (*connector.Schema, error) {
		return structSchema(connector.StructOf(""), []connector.Field{connector.F(t.field, schema)})
	})
	if err != nil {
		return r, false, err
	}
	s := connector.NewStruct(hoisted)
	if err := s.Put(t.field, value); err != nil {
		return r, false, err
	}
	return t.part.with(r, hoisted, s), true, nil
}
