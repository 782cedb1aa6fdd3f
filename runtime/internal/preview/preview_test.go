package preview

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestDiff(t *testing.T) {
	schema := connector.StructOf("point", connector.F("x", connector.Int32Schema), connector.F("inner", connector.StructOf("", connector.F("y", connector.OptionalStringSchema))))
	value := func(x int32, y any) *connector.Struct {
		inner, _ := schema.Field("inner")
		return connector.StructFrom(schema, []any{x, connector.StructFrom(inner.Schema, []any{y})})
	}
	record := func(change func(*connector.Record)) connector.Record {
		r := connector.NewRecord("t", connector.StringSchema, "k", schema, value(1, "a"))
		change(&r)
		return r
	}
	cast := connector.StructOf("point", connector.F("x", connector.StringSchema))
	tests := []struct {
		name   string
		change func(*connector.Record)
		want   []string
	}{
		{"nothing", func(*connector.Record) {}, []string{}},
		{"topic", func(r *connector.Record) { r.Topic = "u" }, []string{`~ topic: "t" -> "u"`}},
		{"partition and time", func(r *connector.Record) { r.Partition, r.Timestamp = 2, 1000 }, []string{`+ partition = 2`, `+ timestamp = "1970-01-01T00:00:01.000Z"`}},
		{"nested field", func(r *connector.Record) { r.Value = value(1, "b") }, []string{`~ value.inner.y: "a" -> "b"`}},
		{"null", func(r *connector.Record) { r.Value = value(1, nil) }, []string{`~ value.inner.y: "a" -> null`}},
		{"type and fields", func(r *connector.Record) { r.ValueSchema, r.Value = cast, connector.StructFrom(cast, []any{"1"}) },
			[]string{`~ value.x: 1 (int32) -> "1" (string)`, `- value.inner.y (was "a")`}},
		{"name of the schema", func(r *connector.Record) {
			s := schema.WithName("place")
			r.ValueSchema, r.Value = s, connector.StructFrom(s, r.Value.(*connector.Struct).Values())
		}, []string{`~ value schema: "point" -> "place"`}},
		{"no key", func(r *connector.Record) { r.KeySchema, r.Key = nil, nil }, []string{`- key (was "k")`}},
		{"headers", func(r *connector.Record) { r.Headers = r.Headers.With("h", nil, "1").With("h", nil, "2") }, []string{`+ header.h = "1"`, `+ header.h#2 = "2"`}},
		{"no schema", func(r *connector.Record) { r.ValueSchema, r.Value = nil, map[string]any{"x": int64(1)} },
			[]string{`- value schema (was "point")`, `~ value.x: 1 (int32) -> 1 (int64)`, `- value.inner.y (was "a")`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := []string{}
			for _, c := range Diff(record(func(*connector.Record) {}), record(tt.change)) {
				got = append(got, c.String())
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestBrief(t *testing.T) {
	png := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x60\x00\x00\x00\x34"), make([]byte, 100)...)
	picture, err := json.Marshal(png)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, in, want string }{
		{"number", "1.5", "1.5"},
		{"text", `"a"`, `"a"`},
		{"signs", `"\u003ca\u003e"`, `"<a>"`},
		{"picture", string(picture), "PNG 96 x 52, 124 bytes"},
		{"beginning of a picture", `"` + base64.StdEncoding.EncodeToString(png[:12]) + `"`, `"iVBORw0KGgoAAAAN"`},
		{"long", `"` + strings.Repeat("x", 200) + `"`, `"` + strings.Repeat("x", longestValue-1) + "..."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Brief(json.RawMessage(tt.in)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWrite(t *testing.T) {
	r := &Result{Connector: "k", Kind: "sink", From: "2 records given", Notes: []string{"state begins empty"}, Stopped: "k/0: broken",
		Effects: []connector.Effect{{Does: "append 1 lines to f", Text: "a\nb", Records: []int{0}, Warnings: []string{"it is full"}}},
		Records: []Record{
			{Record: "in[0]@0", Fate: Delivered, Steps: []Step{
				{Stage: "transform a (x)"},
				{Stage: "transform b (y)", Changes: []Change{{Field: "value.a", Before: json.RawMessage("1")}, {Field: "value.b", Before: json.RawMessage("1")},
					{Field: "value.c", Before: json.RawMessage("1")}, {Field: "value.d", Before: json.RawMessage("1")}, {Field: "value.e", After: json.RawMessage("2")}}},
			}},
			{Record: "in[0]@1", Fate: Stops, Stage: "sink (file)", Reason: "no"},
		}}
	const want = `k (sink): 2 records given

in[0]@0
  transform a (x): unchanged
  transform b (y)
    + value.e = 2
    - value.a, value.b, value.c, value.d
  => delivered to the sink

in[0]@1
  => ends the task: sink (file): no

would append 1 lines to f [in[0]@0]
    a
    b
    warning: it is full

note: state begins empty
the task would end: k/0: broken
2 records: 1 delivered, 1 stops; nothing was written
`
	var b strings.Builder
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	if r.Arrive() {
		t.Error("all arrive")
	}
}

// Secrets are hidden in lists and maps too, and numbers stay what they were.
func TestMaskedInside(t *testing.T) {
	got := Masked([]Change{{Field: "value.users", After: json.RawMessage(`[{"id":12345678901234567890,"password":"hunter2"}]`)}, {Field: "value.list", After: json.RawMessage(`[1.0]`)}})
	if d := cmp.Diff([]string{`[{"id":12345678901234567890,"password":"[hidden]"}]`, `[1.0]`}, []string{string(got[0].After), string(got[1].After)}); d != "" {
		t.Error(d)
	}
}
