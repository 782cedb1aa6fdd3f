package smt

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestParsePath(t *testing.T) {
	for text, want := range map[string]path{
		"a.b": {"a", "b"}, "`a.b`.c": {"a.b", "c"}, "a.": {"a", ""}, "": {""}, "a`b.c": {"a`b", "c"}, "`a`b`.c": {"a`b", "c"}, "`a\\`.b`": {"a`.b"},
	} {
		got, err := parsePath(text, true)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, d)
		}
	}
	for _, text := range []string{"`a.b", "`a\\`"} {
		if _, err := parsePath(text, true); err == nil {
			t.Errorf("%s is a path", text)
		}
	}
	if got, err := parsePath("`a.b", false); err != nil || len(got) != 1 {
		t.Errorf("V1: %v %v", got, err)
	}
}

// TestNestedFields changes fields of fields, with a schema and without.
//
// Clauses: D5.
func TestNestedFields(t *testing.T) {
	inner := connector.StructOf("in", connector.F("n", connector.Int32Schema), connector.F("at", connector.StringSchema))
	outer := connector.StructOf("out", connector.F("in", inner.AsOptional()), connector.F("k.x", connector.StringSchema))
	for name, c := range map[string]struct {
		transform connector.Transform
		props     connector.Props
		fields    map[string]any
		key       any
	}{
		"Cast":         {transform: new(Cast), props: connector.Props{"spec": "in.n:string,`k.x`:boolean"}, fields: map[string]any{"in": map[string]any{"n": "300", "at": "2017-01-03"}, "k.x": true}},
		"MaskField":    {transform: new(MaskField), props: connector.Props{"fields": "in.at"}, fields: map[string]any{"in": map[string]any{"n": int32(300), "at": ""}, "k.x": "true"}},
		"ReplaceField": {transform: new(ReplaceField), props: connector.Props{"include": "in", "exclude": "in.at", "renames": "in.n:m"}, fields: map[string]any{"in": map[string]any{"m": int32(300)}}},
		"include":      {transform: new(ReplaceField), props: connector.Props{"include": "in.n"}, fields: map[string]any{"in": map[string]any{"n": int32(300)}}},
		"InsertField":  {transform: new(InsertField), props: connector.Props{"topic.field": "in.topic"}, fields: map[string]any{"in": map[string]any{"n": int32(300), "at": "2017-01-03", "topic": "t"}, "k.x": "true"}},
		"HeaderFrom":   {transform: new(HeaderFrom), props: connector.Props{"fields": "in.n", "headers": "h", "operation": "move"}, fields: map[string]any{"in": map[string]any{"at": "2017-01-03"}, "k.x": "true"}},
		"TimestampConverter": {transform: new(TimestampConverter), props: connector.Props{"field": "in.at", "target.type": "unix", "format": "yyyy-MM-dd"},
			fields: map[string]any{"in": map[string]any{"n": int32(300), "at": int64(1483401600000)}, "k.x": "true"}},
		"ValueToKey": {transform: new(ValueToKey), props: connector.Props{"fields": "in.n"}, key: map[string]any{"n": int32(300)},
			fields: map[string]any{"in": map[string]any{"n": int32(300), "at": "2017-01-03"}, "k.x": "true"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.props["field.syntax.version"] = "V2"
			if err := c.transform.Configure(connector.Context{}, connectortest.Configure(t, c.transform, c.props)); err != nil {
				t.Fatal(err)
			}
			plain := map[string]any{"in": map[string]any{"n": int32(300), "at": "2017-01-03"}, "k.x": "true"}
			structured := connector.NewStruct(outer).Set("in", connector.NewStruct(inner).Set("n", int32(300)).Set("at", "2017-01-03")).Set("k.x", "true")
			for _, r := range []connector.Record{connector.NewRecord("t", nil, nil, nil, plain), connector.NewRecord("t", nil, nil, outer, structured)} {
				out, keep, err := c.transform.Apply(context.Background(), r)
				if err != nil || !keep {
					t.Fatal(keep, err)
				}
				if d := cmp.Diff(c.fields, asMap(out.Value)); d != "" {
					t.Errorf("value: %s", d)
				}
				if d := cmp.Diff(c.key, asMap(out.Key)); d != "" {
					t.Errorf("key: %s", d)
				}
				if s, ok := out.Value.(*connector.Struct); ok {
					if err := connector.Validate(out.ValueSchema, s); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// asMap gives the fields of a struct as a map, the way they are without a schema.
func asMap(v any) any {
	s, ok := v.(*connector.Struct)
	if !ok {
		return v
	}
	m := map[string]any{}
	for i, f := range s.Schema().Fields() {
		m[f.Name] = asMap(s.At(i))
	}
	return m
}

func TestBadPathIsReported(t *testing.T) {
	for _, tr := range []connector.Transform{new(ExtractField), new(TimestampConverter), new(MaskField), new(ValueToKey)} {
		props := connector.Props{"field": "`a", "fields": "`a", "target.type": "unix", "field.syntax.version": "V2"}
		if _, err := connector.ParsePlugin(tr, props); err == nil {
			t.Errorf("%s takes half a pair of backticks", tr.Info().Name)
		}
	}
}
