package smt

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Transform = (*InsertField)(nil)
	_ connector.Validator = (*InsertField)(nil)
)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &InsertField{part: p} })
	}
}

// InsertField adds fields of a record's metadata, or a constant, to a struct or map.
type InsertField struct {
	part        part
	insertions  []insertion
	replaceNull bool
	cache       schemas
}

// insertion is one field to add.
type insertion struct {
	field  string
	schema *connector.Schema
	// value gives the field's value; ok false adds nothing (a struct's field
	// stays null).
	value func(r connector.Record) (v any, ok bool, err error)
}

const fieldInsertion = "field insertion"

// Info describes the plugin.
func (t *InsertField) Info() connector.Info {
	return t.part.info("InsertField", "insert-field", "Adds topic, partition, offset, timestamp or a constant as fields.")
}

// ConfigDef gives Kafka's keys.
func (*InsertField) ConfigDef() *connector.ConfigDef {
	const suffix = "Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default)."
	key := func(name, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.StringKey, Doc: doc}
	}
	return connector.NewConfigDef(
		key("topic.field", "Field name for Kafka topic. "+suffix),
		key("partition.field", "Field name for Kafka partition. "+suffix),
		key("offset.field", "Field name for Kafka offset - only applicable to sink connectors.<br/>"+suffix),
		key("timestamp.field", "Field name for record timestamp. "+suffix),
		key("static.field", "Field name for static data field. "+suffix),
		key("static.value", "Static field value, if field name configured."),
		replaceNullKey,
	)
}

// Validate wants something to insert.
func (*InsertField) Validate(conf connector.Config, p *connector.Problems) {
	any := false
	for _, k := range []string{"topic.field", "partition.field", "offset.field", "timestamp.field", "static.field"} {
		any = any || conf.Has(k)
	}
	switch {
	case !any:
		p.Add("", "No field insertion configured")
	case conf.Has("static.field") && !conf.Has("static.value"):
		p.Add("static.value", "%s", connector.Invalid("static.value", nil,
			"No value specified for static field: org.apache.kafka.connect.transforms.InsertField$InsertionSpec@"+conf.String("static.field")))
	}
}

// Configure reads which fields to add, in Kafka's order.
func (t *InsertField) Configure(_ connector.Context, conf connector.Config) error {
	t.replaceNull = conf.Bool("replace.null.with.default")
	t.insertions = nil
	add := func(key string, s *connector.Schema, value func(connector.Record) (any, bool, error)) {
		if !conf.Has(key) {
			return
		}
		field, required := strings.CutSuffix(conf.String(key), "!")
		if !required {
			field = strings.TrimSuffix(field, "?")
			s = s.AsOptional()
		}
		t.insertions = append(t.insertions, insertion{field: field, schema: s, value: value})
	}
	add("topic.field", connector.StringSchema, func(r connector.Record) (any, bool, error) {
		if r.Topic == "" {
			return nil, true, nil
		}
		return r.Topic, true, nil
	})
	add("partition.field", connector.Int32Schema, func(r connector.Record) (any, bool, error) {
		return r.Partition, r.Partition != connector.AnyPartition, nil
	})
	add("offset.field", connector.Int64Schema, func(r connector.Record) (any, bool, error) {
		if r.Origin.IsZero() {
			return nil, false, dataf("Only SinkRecord supported for [%s], found: org.apache.kafka.connect.source.SourceRecord", fieldInsertion)
		}
		return r.Origin.Offset, true, nil
	})
	add("timestamp.field", connector.TimestampSchema, func(r connector.Record) (any, bool, error) {
		return time.UnixMilli(r.Timestamp).UTC(), r.Timestamp != connector.NoTimestamp, nil
	})
	static := conf.String("static.value")
	add("static.field", connector.StringSchema, func(connector.Record) (any, bool, error) { return static, true, nil })
	return nil
}

// Apply adds the fields to one record; a null key or value stays null.
func (t *InsertField) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	if value == nil {
		return r, true, nil
	}
	if schema == nil {
		out, err := t.intoMap(r, value)
		return out, err == nil, err
	}
	s, err := wantStruct(value, fieldInsertion)
	if err != nil {
		return r, false, err
	}
	out, err := t.intoStruct(r, s)
	return out, err == nil, err
}

func (t *InsertField) intoMap(r connector.Record, value any) (connector.Record, error) {
	m, err := wantMap(value, fieldInsertion)
	if err != nil {
		return r, err
	}
	m = maps.Clone(m)
	for _, in := range t.insertions {
		v, ok, err := in.value(r)
		if err != nil {
			return r, err
		}
		if !ok {
			continue
		}
		if at, ok := v.(time.Time); ok {
			v = at.UnixMilli() // without a schema nothing says that it is a time
		}
		m[in.field] = v
	}
	return t.part.with(r, nil, m), nil
}

func (t *InsertField) intoStruct(r connector.Record, s *connector.Struct) (connector.Record, error) {
	schema, err := t.cache.Get(s.Schema(), func() (*connector.Schema, error) {
		fields := append([]connector.Field(nil), s.Schema().Fields()...)
		for _, in := range t.insertions {
			fields = append(fields, connector.F(in.field, in.schema))
		}
		return structSchema(s.Schema(), fields)
	})
	if err != nil {
		return r, err
	}
	out := connector.NewStruct(schema)
	for i, f := range s.Schema().Fields() {
		if err := out.Put(f.Name, fieldValue(s, i, t.replaceNull)); err != nil {
			return r, err
		}
	}
	for _, in := range t.insertions {
		v, ok, err := in.value(r)
		if err != nil {
			return r, err
		}
		if !ok {
			continue
		}
		if err := out.Put(in.field, v); err != nil {
			return r, err
		}
	}
	return t.part.with(r, schema, out), nil
}
