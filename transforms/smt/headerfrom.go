package smt

import (
	"context"
	"errors"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Transform = (*HeaderFrom)(nil)
	_ connector.Validator = (*HeaderFrom)(nil)
)

func init() {
	for _, p := range []part{onKey, onValue} {
		connector.RegisterTransform(func() connector.Transform { return &HeaderFrom{part: p} })
	}
}

// HeaderFrom copies or moves fields into headers.
type HeaderFrom struct {
	part        part
	fields      []path
	headers     []string
	purpose     string
	move        bool
	replaceNull bool
	rewriter    rewriter // of a move
}

// Info describes the plugin.
func (t *HeaderFrom) Info() connector.Info {
	return t.part.info("HeaderFrom", "header-from", "Copies or moves fields of the key or value into headers.")
}

// ConfigDef gives Kafka's keys.
func (*HeaderFrom) ConfigDef() *connector.ConfigDef {
	list := func(name, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.ListKey, Required: true, Importance: connector.High, Check: notEmptyList, Doc: doc}
	}
	return connector.NewConfigDef(
		list("fields", "Field names in the record whose values are to be copied or moved to headers."),
		list("headers", "Header names, in the same order as the field names listed in the fields configuration property."),
		connector.Key{Name: "operation", Type: connector.StringKey, Required: true, Importance: connector.High, Check: connector.OneOf("move", "copy"),
			Doc: "Either <code>move</code> if the fields are to be moved to the headers (removed from the key/value), or <code>copy</code> if the fields are to be copied to the headers (retained in the key/value)."},
		replaceNullKey, ownSyntaxKey,
	)
}

func notEmptyList(_ string, v any) error {
	if list, _ := v.([]string); len(list) == 0 {
		return errors.New("Empty list")
	}
	return nil
}

// Validate wants a header for each field.
func (*HeaderFrom) Validate(conf connector.Config, p *connector.Problems) {
	if len(conf.List("fields")) != len(conf.List("headers")) {
		p.Add("headers", "'fields' config must have the same number of elements as 'headers' config.")
	}
	checkPaths(conf, p, "fields")
}

// Configure reads the paths.
func (t *HeaderFrom) Configure(_ connector.Context, conf connector.Config) error {
	t.headers, t.move = conf.List("headers"), conf.String("operation") == "move"
	t.purpose, t.replaceNull = "header "+conf.String("operation"), conf.Bool("replace.null.with.default")
	var err error
	if t.fields, err = parsePaths(conf.List("fields"), nested(conf)); err != nil {
		return err
	}
	t.rewriter = rewriter{purpose: t.purpose, replaceNull: t.replaceNull}
	for _, p := range t.fields {
		t.rewriter.root.at(p).change.drop = true
	}
	return nil
}

// Apply adds the headers to one record. A field that is not there is an error
// with a schema and null without one.
func (t *HeaderFrom) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	schema, value := t.part.get(r)
	out := r
	out.Headers = slices.Grow(slices.Clone(r.Headers), len(t.fields))
	for i, p := range t.fields {
		h, err := t.header(schema, value, p)
		if err != nil {
			return r, false, err
		}
		h.Key = t.headers[i]
		out.Headers = append(out.Headers, h)
	}
	if !t.move {
		return out, true, nil
	}
	out, err := t.rewriter.rewrite(t.part, out)
	return out, err == nil, err
}

func (t *HeaderFrom) header(schema *connector.Schema, value any, p path) (h connector.Header, err error) {
	if schema == nil {
		m, err := wantMap(value, t.purpose)
		if err != nil {
			return h, err
		}
		h.Value, err = p.entry(m)
		return h, err
	}
	s, err := wantStruct(value, t.purpose)
	if err != nil {
		return h, err
	}
	field, ok, err := p.field(s.Schema())
	if err != nil {
		return h, err
	}
	if !ok {
		return h, dataf("Field does not exist: %s", p)
	}
	h.Schema = field.Schema
	h.Value, err = p.value(s, t.replaceNull)
	return h, err
}
