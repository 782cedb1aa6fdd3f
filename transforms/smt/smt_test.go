package smt

import (
	"context"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestTransforms(t *testing.T) {
	schema := connector.StructOf("s", connector.F("a", connector.Int32Schema), connector.F("b", connector.OptionalStringSchema.WithDefault("d")))
	records := []connector.Record{
		connector.NewRecord("t", schema, connector.NewStruct(schema).Set("a", int32(2)), schema, connector.NewStruct(schema).Set("a", int32(1))),
		connector.NewRecord("t", nil, map[string]any{"a": int64(2)}, nil, map[string]any{"a": int64(1), "b": "x"}),
	}
	for name, c := range map[string]struct {
		new   func() connector.Transform
		props connector.Props
	}{
		"InsertField value": {func() connector.Transform { return new(InsertField) }, connector.Props{"topic.field": "t!", "static.field": "s", "static.value": "v"}},
		"InsertField key":   {func() connector.Transform { return &InsertField{part: onKey} }, connector.Props{"offset.field": "o"}},
		"ReplaceField":      {func() connector.Transform { return &ReplaceField{} }, connector.Props{"exclude": "b", "renames": "a:z"}},
		"HoistField":        {func() connector.Transform { return &HoistField{} }, connector.Props{"field": "all"}},
		"Filter":            {func() connector.Transform { return &Filter{} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Transform(t, connectortest.TransformCase{New: c.new, Props: c.props, Records: records})
		})
	}
}

func TestInsertFieldKeepsOrderAndDefaults(t *testing.T) {
	schema := connector.StructOf("s", connector.F("b", connector.OptionalStringSchema.WithDefault("d"))).AsOptional()
	tr := new(InsertField)
	conf := connectortest.Configure(t, tr, connector.Props{"timestamp.field": "at!", "topic.field": "topic"})
	if err := tr.Configure(connector.Context{}, conf); err != nil {
		t.Fatal(err)
	}
	r := connector.NewRecord("images", nil, nil, schema, connector.NewStruct(schema))
	r.Timestamp = 1564349199000
	out, keep, err := tr.Apply(context.Background(), r)
	if err != nil || !keep {
		t.Fatalf("%v %v", keep, err)
	}
	s := out.Value.(*connector.Struct)
	var names []string
	for _, f := range s.Schema().Fields() {
		names = append(names, f.Name)
	}
	at, _ := s.Schema().Field("at")
	if len(names) != 3 || names[0] != "b" || names[1] != "topic" || s.At(0) != "d" || at.Schema.Optional() || s.Schema().Optional() {
		t.Errorf("fields %v of %+v", names, s)
	}
}

// TestRenameOfNoName has a mapping of the empty name, which is one as in Java;
// what is empty behind the colon is none.
func TestRenameOfNoName(t *testing.T) {
	for text, want := range map[string]bool{":z": true, "a:b,:z": true, "a:": false, ":": false, "": true, "a": false, "a:b:c": false, ":a:b": false} {
		if _, err := new(ReplaceField).ConfigDef().Parse(connector.Props{"renames": text}); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	c := new(ReplaceField)
	if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, connector.Props{"renames": ":z"})); err != nil {
		t.Fatal(err)
	}
	r, _, err := c.Apply(t.Context(), connector.NewRecord("t", nil, nil, nil, map[string]any{"": 1, "a": 2}))
	if m, _ := r.Value.(map[string]any); err != nil || m["z"] != 1 || m["a"] != 2 || len(m) != 2 {
		t.Errorf("%v, %v", r.Value, err)
	}
}
