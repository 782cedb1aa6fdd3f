package smt

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Transform = (*ExtractField)(nil)
	_ connector.Validator = (*ExtractField)(nil)
)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &ExtractField{part: p} })
	}
}

// ExtractField puts one field in place of the whole key or value.
type ExtractField struct {
	part        part
	text        string
	path        path
	replaceNull bool
}

const fieldExtraction = "field extraction"

// Info describes the plugin.
func (t *ExtractField) Info() connector.Info {
	return t.part.info("ExtractField", "extract-field", "Puts one field in place of the key or value.")
}

// ConfigDef gives Kafka's keys.
func (*ExtractField) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "field", Type: connector.StringKey, Required: true, Doc: "Field name to extract."},
		replaceNullKey, syntaxKey,
	)
}

// Validate reads the path.
func (*ExtractField) Validate(conf connector.Config, p *connector.Problems) {
	checkPaths(conf, p, "field")
}

// Configure reads the path.
func (t *ExtractField) Configure(_ connector.Context, conf connector.Config) error {
	t.text, t.replaceNull = conf.String("field"), conf.Bool("replace.null.with.default")
	var err error
	t.path, err = parsePath(t.text, nested(conf))
	return err
}

// Apply extracts from one record. Null stays null; its schema becomes the field's.
func (t *ExtractField) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	var v any
	if schema == nil {
		if value != nil {
			m, err := wantMap(value, fieldExtraction)
			if err != nil {
				return r, false, err
			}
			if v, err = t.path.entry(m); err != nil {
				return r, false, err
			}
		}
		return t.part.with(r, nil, v), true, nil
	}
	var s *connector.Struct
	if value != nil {
		var err error
		if s, err = wantStruct(value, fieldExtraction); err != nil {
			return r, false, err
		}
	}
	field, ok, err := t.path.field(schema)
	switch {
	case err != nil:
		return r, false, err
	case !ok:
		return r, false, dataf("Unknown field: %s", t.text)
	case s != nil:
		if v, err = t.path.value(s, t.replaceNull); err != nil {
			return r, false, err
		}
	}
	return t.part.with(r, field.Schema, v), true, nil
}
