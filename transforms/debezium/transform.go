package debezium

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
)

// Version is what the transform reports.
const Version = "1.0.0"

var (
	_ connector.Transform = (*ExtractNewRecordState)(nil)
	_ connector.Validator = (*ExtractNewRecordState)(nil)
)

func init() {
	connector.RegisterTransform(func() connector.Transform { return new(ExtractNewRecordState) })
}

// ExtractNewRecordState puts a row's state after a change in place of
// Debezium's envelope.
type ExtractNewRecordState struct {
	mode              string
	routeBy           string
	adds, addHeaders  []reference
	dropHeader        string
	dropKey           bool
	dropOptionalAlone bool
	replaceNull       bool
	plans             fields.Cache[planKey, *plan]
	dropped           fields.Cache[dropKey, *connector.Schema]
}

// dropKey is what a schema without some fields depends on.
type dropKey struct {
	schema *connector.Schema
	names  string
}

// planKey is what the schema of a result depends on.
type planKey struct {
	envelope *connector.Schema
	row      *connector.Schema
}

// plan is how the row of an envelope becomes a value.
type plan struct {
	schema *connector.Schema
	row    int         // the number of the row's fields
	adds   []reference // those that the envelope has
}

const deletedField = "__deleted"

// Info describes the plugin.
func (*ExtractNewRecordState) Info() connector.Info {
	return connector.Info{Name: "extract-new-record-state", Version: Version, Class: "io.debezium.transforms.ExtractNewRecordState",
		Doc: "Takes the row out of a change event of Debezium."}
}

// Configure reads what to add and what to drop.
func (t *ExtractNewRecordState) Configure(_ connector.Context, conf connector.Config) error {
	t.mode, t.routeBy = strings.ToLower(conf.String("delete.tombstone.handling.mode")), conf.String("route.by.field")
	t.dropHeader, t.dropKey = conf.String("drop.fields.header.name"), conf.Bool("drop.fields.from.key")
	t.dropOptionalAlone = conf.Bool("drop.fields.keep.schema.compatible")
	t.replaceNull = conf.Bool("replace.null.with.default")
	var err error
	if t.adds, err = parseReferences(conf.String("add.fields.prefix"), conf.List("add.fields")); err != nil {
		return err
	}
	t.addHeaders, err = parseReferences(conf.String("add.headers.prefix"), conf.List("add.headers"))
	return err
}

// rewrites tells whether deletes stay as rows with the field __deleted.
func (t *ExtractNewRecordState) rewrites() bool {
	return t.mode == rewrite || t.mode == rewriteWithTombstone
}

// Apply unwraps one record. What is no envelope of Debezium's passes as it is.
func (t *ExtractNewRecordState) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if r.Value == nil {
		for _, h := range t.addHeaders {
			if h.field == "op" {
				r.Headers = r.Headers.With(h.name, connector.StringSchema, "d")
			}
		}
		return r, t.mode == rewriteWithTombstone, nil
	}
	envelope, ok := r.Value.(*connector.Struct)
	if !ok || r.ValueSchema == nil || !strings.HasSuffix(r.ValueSchema.Name(), ".Envelope") {
		return r, true, nil
	}
	for _, h := range t.addHeaders {
		if s := h.schema(envelope.Schema()); s != nil {
			r.Headers = r.Headers.With(h.name, s, h.value(envelope))
		}
	}
	after, err := row(envelope, "after")
	if err != nil {
		return r, false, err
	}
	if after != nil {
		return t.upsert(r, envelope, after)
	}
	before, err := row(envelope, "before")
	if err != nil || before == nil {
		return r, false, err // without any row it is a truncate, which is dropped
	}
	return t.delete(r, envelope, before)
}

// row gives the row before or after a change; nil where there is none.
func row(envelope *connector.Struct, name string) (*connector.Struct, error) {
	v, ok := envelope.Get(name)
	if s, is := v.(*connector.Struct); is || v == nil && ok {
		return s, nil
	}
	if !ok && name == "before" {
		return nil, nil
	}
	return nil, dataf("envelope %s has no struct %s", envelope.Schema().Name(), name)
}

func dataf(format string, args ...any) error { return connector.Data(fmt.Errorf(format, args...)) }

func (t *ExtractNewRecordState) upsert(r connector.Record, envelope, after *connector.Struct) (connector.Record, bool, error) {
	var err error
	if r, err = t.route(r, after); err != nil {
		return r, false, err
	}
	if r, err = t.unwrap(r, envelope, after, "false"); err != nil {
		return r, false, err
	}
	r, err = t.dropFields(r)
	return r, err == nil, err
}

func (t *ExtractNewRecordState) delete(r connector.Record, envelope, before *connector.Struct) (connector.Record, bool, error) {
	if t.mode == drop {
		return r, false, nil
	}
	r, err := t.route(r, before)
	if err != nil {
		return r, false, err
	}
	if t.rewrites() {
		if r, err = t.unwrap(r, envelope, before, "true"); err != nil {
			return r, false, err
		}
	} else {
		after, _ := envelope.Schema().Field("after")
		if r.ValueSchema, r.Value = after.Schema, nil; t.mode == deleteToTombstone {
			r.ValueSchema = nil
		}
	}
	r, err = t.dropFields(r)
	return r, err == nil, err
}

// route gives the record the topic that a field of the row names.
func (t *ExtractNewRecordState) route(r connector.Record, row *connector.Struct) (connector.Record, error) {
	if t.routeBy == "" {
		return r, nil
	}
	v, ok := row.Get(t.routeBy)
	topic, isText := v.(string)
	if !ok || v != nil && !isText {
		return r, dataf("route.by.field: the row has no text field %s", t.routeBy)
	}
	if strings.TrimSpace(topic) != "" {
		r.Topic = topic
	}
	return r, nil
}

// unwrap puts the row with what is added to it in place of the envelope.
func (t *ExtractNewRecordState) unwrap(r connector.Record, envelope, row *connector.Struct, deleted string) (connector.Record, error) {
	p, err := t.plans.Get(planKey{envelope.Schema(), row.Schema()}, func() (*plan, error) { return t.plan(envelope.Schema(), row.Schema()) })
	if err != nil {
		return r, err
	}
	values := make([]any, p.row, len(p.schema.Fields()))
	copy(values, row.Values())
	if t.rewrites() {
		for i, f := range row.Schema().Fields() {
			if values[i] == nil && t.replaceNull {
				values[i], _ = f.Schema.Default()
			}
		}
		values = append(values, deleted)
	}
	for _, a := range p.adds {
		values = append(values, a.value(envelope))
	}
	r.ValueSchema, r.Value = p.schema, connector.StructFrom(p.schema, values)
	return r, nil
}

func (t *ExtractNewRecordState) plan(envelope, row *connector.Schema) (*plan, error) {
	p := &plan{row: len(row.Fields())}
	all := slices.Clone(row.Fields())
	if t.rewrites() {
		all = append(all, connector.F(deletedField, connector.OptionalStringSchema))
	}
	for _, a := range t.adds {
		if s := a.schema(envelope); s != nil {
			p.adds, all = append(p.adds, a), append(all, connector.F(a.name, s))
		}
	}
	var err error
	p.schema, err = row.AsRequired().WithoutDefault().WithFields(all)
	return p, err
}

// dropFields leaves out the fields that a header of the record names.
func (t *ExtractNewRecordState) dropFields(r connector.Record) (connector.Record, error) {
	if strings.TrimSpace(t.dropHeader) == "" {
		return r, nil
	}
	i := slices.IndexFunc(r.Headers, func(h connector.Header) bool { return h.Key == t.dropHeader })
	if i < 0 || r.Headers[i].Value == nil {
		return r, nil
	}
	list, ok := r.Headers[i].Value.([]any)
	if !ok {
		return r, dataf("header %s: expected a list of fields, got %T", t.dropHeader, r.Headers[i].Value)
	}
	var err error
	if t.dropKey {
		if r.KeySchema, r.Key, err = t.without(r.KeySchema, r.Key, list); err != nil {
			return r, err
		}
	}
	r.ValueSchema, r.Value, err = t.without(r.ValueSchema, r.Value, list)
	return r, err
}

func (t *ExtractNewRecordState) without(schema *connector.Schema, v any, names []any) (*connector.Schema, any, error) {
	s, ok := v.(*connector.Struct)
	if !ok {
		return schema, v, nil
	}
	var kept []connector.Field
	var values []any
	for i, f := range s.Schema().Fields() {
		if slices.Contains(names, any(f.Name)) && (f.Schema.Optional() || !t.dropOptionalAlone) {
			continue
		}
		kept, values = append(kept, f), append(values, s.At(i))
	}
	if len(kept) == len(s.Schema().Fields()) {
		return schema, v, nil
	}
	schema, err := t.dropped.Get(dropKey{s.Schema(), fmt.Sprintf("%q", names)}, func() (*connector.Schema, error) {
		return s.Schema().AsRequired().WithoutDefault().WithFields(kept)
	})
	if err != nil {
		return nil, nil, err
	}
	return schema, connector.StructFrom(schema, values), nil
}
