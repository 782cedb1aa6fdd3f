package smt

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Transform = (*ValueToKey)(nil)
	_ connector.Validator = (*ValueToKey)(nil)
)

func init() { connector.RegisterTransform(func() connector.Transform { return new(ValueToKey) }) }

// ValueToKey makes a key of fields of the value.
type ValueToKey struct {
	fields      []path
	replaceNull bool
	cache       schemas
}

const copyingFields = "copying fields from value to key"

// Info describes the plugin.
func (*ValueToKey) Info() connector.Info {
	return connector.Info{Name: "value-to-key", Version: Version, Class: javaPackage + "ValueToKey", Doc: "Makes a key of fields of the value."}
}

// ConfigDef gives Kafka's keys.
func (*ValueToKey) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "fields", Type: connector.ListKey, Required: true, Importance: connector.High, Distinct: true,
			Check: connector.Distinct(false, false), Doc: "Field names on the record value to extract as the record key."},
		replaceNullKey, ownSyntaxKey,
	)
}

// Validate reads the paths.
func (*ValueToKey) Validate(conf connector.Config, p *connector.Problems) {
	checkPaths(conf, p, "fields")
}

// Configure reads the paths.
func (t *ValueToKey) Configure(_ connector.Context, conf connector.Config) error {
	t.replaceNull = conf.Bool("replace.null.with.default")
	var err error
	t.fields, err = parsePaths(conf.List("fields"), nested(conf))
	return err
}

// Apply makes one record's key. A nested field has its own name there, without
// those of the structs around it.
func (t *ValueToKey) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if r.ValueSchema == nil {
		m, err := wantMap(r.Value, copyingFields)
		if err != nil {
			return r, false, err
		}
		key := make(map[string]any, len(t.fields))
		for _, p := range t.fields {
			if key[p.last()], err = p.entry(m); err != nil {
				return r, false, err
			}
		}
		return onKey.with(r, nil, key), true, nil
	}
	s, err := wantStruct(r.Value, copyingFields)
	if err != nil {
		return r, false, err
	}
	schema, err := t.cache.Get(s.Schema(), func() (*connector.Schema, error) { return t.keySchema(s.Schema()) })
	if err != nil {
		return r, false, err
	}
	values := make([]any, len(t.fields))
	for i, p := range t.fields {
		if values[i], err = p.value(s, t.replaceNull); err != nil {
			return r, false, err
		}
		if err := filled(schema, i, values[i]); err != nil {
			return r, false, err
		}
	}
	return onKey.with(r, schema, connector.StructFrom(schema, values)), true, nil
}

func (t *ValueToKey) keySchema(s *connector.Schema) (*connector.Schema, error) {
	fields := make([]connector.Field, len(t.fields))
	for i, p := range t.fields {
		f, ok, err := p.field(s)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, dataf("Field does not exist: %s", p)
		}
		fields[i] = connector.F(p.last(), f.Schema)
	}
	return connector.NewStructSchema("", fields)
}
