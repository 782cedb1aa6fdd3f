package debezium

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

var (
	row1   = connector.StructOf("s.t.Value", connector.F("id", connector.Int32Schema), connector.F("name", connector.OptionalStringSchema.WithDefault("none"))).AsOptional()
	source = connector.StructOf("src", connector.F("table", connector.StringSchema), connector.F("lsn", connector.OptionalInt64Schema))
	key    = connector.StructOf("s.t.Key", connector.F("id", connector.Int32Schema))
	change = connector.StructOf("s.t.Envelope", connector.F("before", row1), connector.F("after", row1),
		connector.F("source", source), connector.F("op", connector.StringSchema), connector.F("ts_ms", connector.OptionalInt64Schema))
)

func rowOf(id int32, name any) *connector.Struct {
	return connector.NewStruct(row1).Set("id", id).Set("name", name)
}

// event gives a change event; nil rows are not there.
func event(op string, before, after any) connector.Record {
	v := connector.NewStruct(change).Set("before", before).Set("after", after).Set("op", op).Set("ts_ms", int64(5)).
		Set("source", connector.NewStruct(source).Set("table", "t").Set("lsn", int64(9)))
	return connector.NewRecord("s.t", key, connector.NewStruct(key).Set("id", int32(1)), change, v)
}

// result is what becomes of a record: its topic, fields and headers.
type result struct {
	Topic   string
	Fields  map[string]any // nil for a tombstone
	Schema  bool           // whether the value has a schema
	Headers map[string]any
}

func TestExtractNewRecordState(t *testing.T) {
	create, update := event("c", nil, rowOf(1, "a")), event("u", rowOf(1, "a"), rowOf(1, nil))
	remove, gone := event("d", rowOf(1, "a"), nil), connector.NewRecord("s.t", key, connector.NewStruct(key).Set("id", int32(1)), nil, nil)
	plain := func(id int32, name any) map[string]any { return map[string]any{"id": id, "name": name} }
	with := func(m map[string]any, k string, v any) map[string]any { m[k] = v; return m }
	mode := func(m string) connector.Props { return connector.Props{"delete.tombstone.handling.mode": m} }
	adds := connector.Props{"add.fields": "op,table,source.lsn,ts_ms:AT,missing", "add.headers": "op,source.table:t", "add.headers.prefix": "h."}
	for name, c := range map[string]struct {
		props connector.Props
		in    connector.Record
		want  *result // nil for dropped
	}{
		"create":                        {nil, create, &result{Topic: "s.t", Fields: plain(1, "a"), Schema: true}},
		"update keeps null":             {nil, update, &result{Topic: "s.t", Fields: plain(1, nil), Schema: true}},
		"delete":                        {nil, remove, &result{Topic: "s.t", Schema: true}},
		"tombstone":                     {nil, gone, nil},
		"truncate":                      {nil, event("t", nil, nil), nil},
		"drop delete":                   {mode("drop"), remove, nil},
		"rewrite delete":                {mode("rewrite"), remove, &result{Topic: "s.t", Fields: with(plain(1, "a"), "__deleted", "true"), Schema: true}},
		"rewrite update fills defaults": {mode("Rewrite"), update, &result{Topic: "s.t", Fields: with(plain(1, "none"), "__deleted", "false"), Schema: true}},
		"rewrite tombstone":             {mode("rewrite"), gone, nil},
		"rewrite with tombstone":        {mode("rewrite-with-tombstone"), gone, &result{Topic: "s.t"}},
		"delete to tombstone":           {mode("delete-to-tombstone"), remove, &result{Topic: "s.t"}},
		"route":                         {connector.Props{"route.by.field": "name"}, create, &result{Topic: "a", Fields: plain(1, "a"), Schema: true}},
		"route delete":                  {connector.Props{"route.by.field": "name"}, remove, &result{Topic: "a", Schema: true}},
		"add": {adds, create, &result{Topic: "s.t", Schema: true, Headers: map[string]any{"h.op": "c", "h.t": "t"},
			Fields: map[string]any{"id": int32(1), "name": "a", "__op": "c", "__table": "t", "__source_lsn": int64(9), "__AT": int64(5)}}},
		"add to tombstone": {connector.Props{"add.headers": "op,table", "delete.tombstone.handling.mode": "rewrite-with-tombstone"}, gone,
			&result{Topic: "s.t", Headers: map[string]any{"__op": "d"}}},
		"no envelope": {nil, connector.NewRecord("x", nil, nil, nil, map[string]any{"a": 1}), &result{Topic: "x", Fields: map[string]any{"a": 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := new(ExtractNewRecordState)
			if err := tr.Configure(connector.Context{}, connectortest.Configure(t, tr, c.props)); err != nil {
				t.Fatal(err)
			}
			out, keep, err := tr.Apply(context.Background(), c.in)
			if err != nil {
				t.Fatal(err)
			}
			if !keep {
				if c.want != nil {
					t.Fatal("it was dropped")
				}
				return
			}
			if err := connector.Validate(out.ValueSchema, out.Value); err != nil {
				t.Error(err)
			}
			got := &result{Topic: out.Topic, Schema: out.ValueSchema != nil}
			switch v := out.Value.(type) {
			case *connector.Struct:
				got.Fields = map[string]any{}
				for i, f := range v.Schema().Fields() {
					got.Fields[f.Name] = v.At(i)
				}
			case map[string]any:
				got.Fields = v
			}
			for _, h := range out.Headers {
				if got.Headers == nil {
					got.Headers = map[string]any{}
				}
				got.Headers[h.Key] = h.Value
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDropFields(t *testing.T) {
	r := event("c", nil, rowOf(1, "a"))
	r.Headers = r.Headers.With("drop", connector.ArrayOf(connector.StringSchema), []any{"id", "name"})
	for compatible, want := range map[string]int{"true": 1, "false": 0} {
		tr := new(ExtractNewRecordState)
		props := connector.Props{"drop.fields.header.name": "drop", "drop.fields.from.key": "true", "drop.fields.keep.schema.compatible": compatible}
		if err := tr.Configure(connector.Context{}, connectortest.Configure(t, tr, props)); err != nil {
			t.Fatal(err)
		}
		out, _, err := tr.Apply(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := tr.Apply(context.Background(), r)
		if err != nil || again.ValueSchema != out.ValueSchema {
			t.Errorf("the schema was made twice, %v", err)
		}
		if n := len(out.Value.(*connector.Struct).Values()); n != want {
			t.Errorf("compatible=%s: %d fields, want %d", compatible, n, want)
		}
		if n := len(out.Key.(*connector.Struct).Values()); n != want {
			t.Errorf("compatible=%s: %d fields of the key, want %d", compatible, n, want)
		}
	}
}

func TestConfiguration(t *testing.T) {
	for name, props := range map[string]connector.Props{
		"a key of Debezium 2": {"drop.tombstones": "false"}, "a mode": {"delete.tombstone.handling.mode": "none"}, "a field": {"add.fields": "a:b:c"},
	} {
		if _, err := connector.ParsePlugin(new(ExtractNewRecordState), props); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestPromises(t *testing.T) {
	records := []connector.Record{event("c", nil, rowOf(1, "a")), event("u", rowOf(1, "a"), rowOf(1, nil)), event("d", rowOf(1, "a"), nil), event("t", nil, nil)}
	for _, mode := range []string{tombstone, rewrite, deleteToTombstone} {
		t.Run(mode, func(t *testing.T) {
			connectortest.Transform(t, connectortest.TransformCase{New: func() connector.Transform { return new(ExtractNewRecordState) },
				Props: connector.Props{"delete.tombstone.handling.mode": mode, "add.fields": "op,source.lsn", "add.headers": "op"}, Records: records})
		})
	}
}
