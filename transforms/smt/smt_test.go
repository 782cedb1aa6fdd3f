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
	inner := connector.StructOf("in", connector.F("at", connector.OptionalStringSchema), connector.F("n", connector.Int32Schema))
	outer := connector.StructOf("out", connector.F("a", inner.AsOptional()), connector.F("b", connector.OptionalInt64Schema))
	for _, in := range []any{nil, connector.NewStruct(inner).Set("n", int32(1)), connector.NewStruct(inner).Set("at", "2017-01-03").Set("n", int32(300))} {
		records = append(records, connector.NewRecord("t", outer, connector.NewStruct(outer).Set("a", in), outer, connector.NewStruct(outer).Set("a", in)))
	}
	records = append(records, connector.NewRecord("t-1", nil, nil, nil, map[string]any{"a": map[string]any{"at": "2017-01-03", "n": int32(7)}, "b": nil}))
	for i := range records {
		records[i].Timestamp = 1564349199000
		records[i].Headers = connector.Headers{{Key: "h", Schema: connector.StringSchema, Value: "x"}, {Key: "h", Value: int8(1)}}
	}
	v2 := func(props connector.Props) connector.Props {
		props["field.syntax.version"] = "v2"
		return props
	}
	for name, c := range map[string]struct {
		new   func() connector.Transform
		props connector.Props
	}{
		"InsertField value":        {func() connector.Transform { return new(InsertField) }, connector.Props{"topic.field": "t!", "static.field": "s", "static.value": "v"}},
		"InsertField key":          {func() connector.Transform { return &InsertField{part: onKey} }, connector.Props{"offset.field": "o"}},
		"InsertField nested":       {func() connector.Transform { return new(InsertField) }, v2(connector.Props{"topic.field": "a.t", "partition.field": "p"})},
		"ReplaceField":             {func() connector.Transform { return new(ReplaceField) }, connector.Props{"exclude": "b", "renames": "a:z"}},
		"ReplaceField nested":      {func() connector.Transform { return new(ReplaceField) }, v2(connector.Props{"include": "a.n,b", "renames": "a.n:m"})},
		"HoistField":               {func() connector.Transform { return new(HoistField) }, connector.Props{"field": "all"}},
		"Filter":                   {func() connector.Transform { return new(Filter) }, nil},
		"Cast":                     {func() connector.Transform { return new(Cast) }, connector.Props{"spec": "a:int8,b:string"}},
		"Cast whole":               {func() connector.Transform { return &Cast{part: onKey} }, connector.Props{"spec": "string"}},
		"Cast nested":              {func() connector.Transform { return new(Cast) }, v2(connector.Props{"spec": "a.n:int8"})},
		"DropHeaders":              {func() connector.Transform { return new(DropHeaders) }, connector.Props{"headers": "h"}},
		"ExtractField":             {func() connector.Transform { return new(ExtractField) }, connector.Props{"field": "a"}},
		"ExtractField nested":      {func() connector.Transform { return new(ExtractField) }, v2(connector.Props{"field": "a.at"})},
		"Flatten":                  {func() connector.Transform { return new(Flatten) }, connector.Props{"delimiter": "_"}},
		"HeaderFrom copy":          {func() connector.Transform { return new(HeaderFrom) }, connector.Props{"fields": "a,b", "headers": "x,y", "operation": "copy"}},
		"HeaderFrom move":          {func() connector.Transform { return new(HeaderFrom) }, v2(connector.Props{"fields": "a.n", "headers": "x", "operation": "move"})},
		"InsertHeader":             {func() connector.Transform { return new(InsertHeader) }, connector.Props{"header": "h", "value.literal": "[1,2]"}},
		"MaskField":                {func() connector.Transform { return new(MaskField) }, connector.Props{"fields": "a,b"}},
		"MaskField nested":         {func() connector.Transform { return new(MaskField) }, v2(connector.Props{"fields": "a.n", "replacement": "7"})},
		"RegexRouter":              {func() connector.Transform { return new(RegexRouter) }, connector.Props{"regex": "(t)(-.)?", "replacement": "$1_$2"}},
		"SetSchemaMetadata":        {func() connector.Transform { return new(SetSchemaMetadata) }, connector.Props{"schema.name": "n", "schema.version": "2"}},
		"TimestampConverter":       {func() connector.Transform { return new(TimestampConverter) }, connector.Props{"field": "b", "target.type": "Timestamp"}},
		"TimestampConverter whole": {func() connector.Transform { return new(TimestampConverter) }, connector.Props{"target.type": "string", "format": "yyyy"}},
		"TimestampConverter nested": {func() connector.Transform { return new(TimestampConverter) },
			v2(connector.Props{"field": "a.at", "target.type": "Date", "format": "yyyy-MM-dd"})},
		"TimestampRouter": {func() connector.Transform { return new(TimestampRouter) }, nil},
		"ValueToKey":      {func() connector.Transform { return new(ValueToKey) }, connector.Props{"fields": "a,b"}},
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Transform(t, connectortest.TransformCase{New: c.new, Props: c.props, Records: records})
		})
	}
}

// Clauses: D9.
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
