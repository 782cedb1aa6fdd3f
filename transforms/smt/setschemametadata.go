package smt

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Transform = (*SetSchemaMetadata)(nil)
	_ connector.Validator = (*SetSchemaMetadata)(nil)
)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &SetSchemaMetadata{part: p} })
	}
}

// SetSchemaMetadata sets the name or version of a struct's schema.
type SetSchemaMetadata struct {
	part     part
	conf     connector.Config
	rewriter rewriter
	cache    schemas
}

// Info describes the plugin.
func (t *SetSchemaMetadata) Info() connector.Info {
	return t.part.info("SetSchemaMetadata", "set-schema-metadata", "Sets name and version of the key's or value's schema.")
}

// ConfigDef gives Kafka's keys.
func (*SetSchemaMetadata) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "schema.name", Type: connector.StringKey, Importance: connector.High, Doc: "Schema name to set."},
		connector.Key{Name: "schema.version", Type: connector.IntKey, Importance: connector.High, Doc: "Schema version to set."},
		replaceNullKey,
	)
}

// Validate wants something to set.
func (*SetSchemaMetadata) Validate(conf connector.Config, p *connector.Problems) {
	if !conf.Has("schema.name") && !conf.Has("schema.version") {
		p.Add("", "Neither schema name nor version configured")
	}
}

// Configure notes what to set.
func (t *SetSchemaMetadata) Configure(_ connector.Context, conf connector.Config) error {
	t.conf = conf
	t.rewriter = rewriter{replaceNull: conf.Bool("replace.null.with.default"), sameSchema: true}
	return nil
}

// Apply changes one record's schema. Null without a schema stays as it is.
func (t *SetSchemaMetadata) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	switch {
	case schema == nil && value == nil:
		return r, true, nil
	case schema == nil:
		return r, false, dataf("Schema required for [updating schema metadata]")
	case schema.Type() != connector.Object:
		return r, false, dataf("Cannot list fields on non-struct type")
	}
	updated, err := t.cache.Get(schema, func() (*connector.Schema, error) { return t.updated(schema) })
	if err != nil {
		return r, false, err
	}
	s, ok := value.(*connector.Struct)
	if !ok {
		return t.part.with(r, updated, value), true, nil
	}
	plan, err := t.rewriter.plan(s.Schema())
	if err != nil {
		return r, false, err
	}
	if s, err = t.rewriter.structOf(plan, s, r); err != nil {
		return r, false, err
	}
	return t.part.with(r, updated, connector.StructFrom(updated, s.Values())), true, nil
}

func (t *SetSchemaMetadata) updated(s *connector.Schema) (*connector.Schema, error) {
	if t.conf.Has("schema.name") {
		s = s.WithName(t.conf.String("schema.name"))
	}
	if t.conf.Has("schema.version") {
		s = s.WithVersion(t.conf.Int("schema.version"))
	}
	if def, ok := s.Default(); ok {
		if old, ok := def.(*connector.Struct); ok { // it has the schema's name, too
			bare := s.WithoutDefault()
			return bare.TryDefault(connector.StructFrom(bare, old.Values()))
		}
	}
	return s, nil
}
