package smt

import (
	"context"
	"slices"
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
	part     part
	rewriter rewriter
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
		replaceNullKey, ownSyntaxKey,
	)
}

// Validate wants something to insert.
func (*InsertField) Validate(conf connector.Config, p *connector.Problems) {
	switch {
	case !slices.ContainsFunc(insertionKeys, conf.Has):
		p.Add("", "No field insertion configured")
	case conf.Has("static.field") && !conf.Has("static.value"):
		p.Add("static.value", "%s", connector.Invalid("static.value", nil,
			"No value specified for static field: org.apache.kafka.connect.transforms.InsertField$InsertionSpec@"+conf.String("static.field")))
	}
	checkPaths(conf, p, insertionKeys...)
}

var insertionKeys = []string{"topic.field", "partition.field", "offset.field", "timestamp.field", "static.field"}

// Configure reads which fields to add, in Kafka's order.
func (t *InsertField) Configure(_ connector.Context, conf connector.Config) error {
	t.rewriter = rewriter{purpose: fieldInsertion, replaceNull: conf.Bool("replace.null.with.default")}
	var problem error
	add := func(key string, s *connector.Schema, value func(connector.Record) (any, bool, error)) {
		if !conf.Has(key) {
			return
		}
		field, required := strings.CutSuffix(conf.String(key), "!")
		if !required {
			field = strings.TrimSuffix(field, "?")
			s = s.AsOptional()
		}
		p, err := parsePath(field, nested(conf))
		if err != nil {
			problem = err
			return
		}
		n := t.rewriter.root.at(p[:len(p)-1])
		n.added = append(n.added, insertion{field: p.last(), schema: s, value: value})
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
	var static any = conf.String("static.value") // made into an interface once
	add("static.field", connector.StringSchema, func(connector.Record) (any, bool, error) { return static, true, nil })
	return problem
}

// Apply adds the fields to one record; a null key or value stays null.
func (t *InsertField) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if _, value := t.part.get(r); value == nil {
		return r, true, nil
	}
	out, err := t.rewriter.rewrite(t.part, r)
	return out, err == nil, err
}

// plainTime gives a time as milliseconds, since without a schema nothing says
// that it is a time.
func plainTime(v any) any {
	if at, ok := v.(time.Time); ok {
		return at.UnixMilli()
	}
	return v
}
