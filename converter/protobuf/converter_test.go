package protobuf

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

func configured(t testing.TB, url string, props connector.Props) *Converter {
	t.Helper()
	return registrytest.Configure(t, new(Converter), url, props)
}

func registered(t testing.TB, url, subject, text string) int {
	t.Helper()
	return registrytest.Register(t, url, subject, registry.Protobuf, text)
}

// wireOf gives a value as it is in Kafka.
func wireOf(id int, value ...byte) []byte {
	return append([]byte{0, 0, 0, 0, byte(id), 0}, value...)
}

func TestConverter(t *testing.T) {
	url := registrytest.URL(t)
	s := connector.StructOf("suite.S", connector.F("a", connector.Int32Schema), connector.F("b", connector.OptionalBytesSchema),
		connector.F("c", connector.ArrayOf(connector.Float32Schema)), connector.F("d", connector.DecimalSchema(2)),
		connector.F("m", connector.MapOf(connector.StringSchema, connector.Int64Schema)), connector.F("t", connector.TimestampSchema))
	value := connector.NewStruct(s).Set("a", int32(1)).Set("c", []any{float32(0.5)}).Set("d", connector.NewDecimal(-12345, 2)).
		Set("m", map[string]any{"x": int64(1), "y": int64(2)}).Set("t", time.UnixMilli(1564349199123).UTC())
	for name, values := range map[string][]connectortest.Pair{
		"struct": {{Schema: s, Value: value}}, "string": {{Schema: connector.StringSchema, Value: "é"}}, "int64": {{Schema: connector.Int64Schema, Value: int64(1) << 60}},
		"bytes": {{Schema: connector.BytesSchema, Value: []byte{1, 2}}}, "float64": {{Schema: connector.Float64Schema, Value: -0.5}},
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Converter(t, connectortest.ConverterCase{
				New:   func() connector.Converter { return new(Converter) },
				Props: connector.Props{"schema.registry.url": url, "subject": "suite-" + name, "optional.for.nullables": "true"}, Values: values,
				Bad: [][]byte{{}, []byte(`{"a":1}`), {0, 0, 0}, {1, 0, 0, 0, 1, 2}, {0, 0x3f, 0xff, 0xff, 0xff, 0}, {0, 0, 0, 0, 1}, {0, 0, 0, 0, 1, 0x80}, {0, 0, 0, 0, 1, 2, 0x7e}},
			})
		})
	}
}

var inner = connector.StructOf("ns.Inner", connector.F("x", connector.Int64Schema))

var every = connector.StructOf("ns.Every", connector.F("i8", connector.Int8Schema), connector.F("i16", connector.Int16Schema), connector.F("i32", connector.Int32Schema),
	connector.F("i64", connector.Int64Schema), connector.F("f32", connector.Float32Schema), connector.F("f64", connector.Float64Schema), connector.F("b", connector.BooleanSchema),
	connector.F("s", connector.StringSchema), connector.F("raw", connector.BytesSchema), connector.F("list", connector.ArrayOf(connector.Int32Schema)),
	connector.F("texts", connector.ArrayOf(connector.StringSchema)), connector.F("structs", connector.ArrayOf(inner)), connector.F("in", inner),
	connector.F("m", connector.MapOf(connector.StringSchema, inner)), connector.F("n", connector.MapOf(connector.Int32Schema, connector.StringSchema)),
	connector.F("dec", connector.DecimalSchema(2)), connector.F("date", connector.DateSchema), connector.F("time", connector.TimeSchema), connector.F("stamp", connector.TimestampSchema),
	connector.F("opt", connector.OptionalInt32Schema), connector.F("e", connector.StringSchema.WithName("Color").WithParameter(enumParam, "Color").WithParameter(enumParam+".RED", "0").WithParameter(enumParam+".BLUE", "2")))

func everyValue() *connector.Struct {
	in := func(n int64) *connector.Struct { return connector.NewStruct(inner).Set("x", n) }
	return connector.NewStruct(every).Set("i8", int8(-8)).Set("i16", int16(-16)).Set("i32", int32(-32)).Set("i64", int64(1)<<60).Set("f32", float32(0.5)).Set("f64", -0.25).
		Set("b", true).Set("s", "é").Set("raw", []byte{1, 2}).Set("list", []any{int32(1), int32(0), int32(-1)}).Set("texts", []any{"", "x"}).
		Set("structs", []any{in(1), in(0)}).Set("in", in(7)).Set("m", map[string]any{"k": in(3)}).Set("n", map[any]any{int32(5): "five"}).Set("dec", connector.NewDecimal(-12345, 2)).
		Set("date", time.Date(2019, 7, 28, 0, 0, 0, 0, time.UTC)).Set("time", time.UnixMilli(76_599_123).UTC()).Set("stamp", time.UnixMilli(-1).UTC()).Set("e", "BLUE")
}

func TestRoundTrip(t *testing.T) {
	for name, c := range map[string]struct {
		props connector.Props
		opt   any
	}{
		"as it is": {nil, int32(0)}, // proto3 has no null
		"optional": {connector.Props{"optional.for.nullables": "true"}, nil},
		"wrappers": {connector.Props{"wrapper.for.nullables": "true"}, nil},
		"enhanced": {connector.Props{"enhanced.protobuf.schema.support": "true", "normalize.schemas": "true"}, int32(0)},
	} {
		t.Run(name, func(t *testing.T) {
			url := registrytest.URL(t)
			conv := configured(t, url, c.props)
			data, err := conv.FromConnect(t.Context(), "topic", every, everyValue())
			if err != nil {
				t.Fatal(err)
			}
			schema, got, err := conv.ToConnect(t.Context(), "topic", data)
			if err != nil {
				t.Fatal(err)
			}
			if err := connector.Validate(schema, got); err != nil {
				t.Errorf("it does not fit its schema: %v", err)
			}
			want := registrytest.Plain(everyValue()).(map[string]any)
			want["opt"] = c.opt
			if diff := cmp.Diff(want, registrytest.Plain(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := conv.FromConnect(t.Context(), "topic", schema, got)
			if err != nil {
				t.Fatalf("what was read is not written: %v", err)
			}
			if _, back, err := conv.ToConnect(t.Context(), "topic", again); err != nil || cmp.Diff(registrytest.Plain(got), registrytest.Plain(back)) != "" {
				t.Errorf("the second time: %v\n%s", err, cmp.Diff(registrytest.Plain(got), registrytest.Plain(back)))
			}
		})
	}
}

const unions = `syntax = "proto3";
package p;
import "google/protobuf/wrappers.proto";
message M {
  string name = 1;
  oneof choice {
    int32 number = 2;
    string text = 3;
    N inner = 4;
  }
  optional int32 maybe = 5;
  google.protobuf.StringValue wrapped = 6;
  uint32 unsigned = 7;
  fixed64 fixed = 8;
  sint32 zigzag = 9;
  repeated N list = 10;
  map<int32, N> map = 11;
  Status status = 12;
  Two pieces = 13;
  message N {
    bool b = 1;
  }
  enum Status {
    UNKNOWN = 0;
    GOOD = 1;
  }
}
message Two {
  int32 a = 1;
  int32 b = 2;
}
message Other {
  int32 a = 1;
}
`

func TestUnions(t *testing.T) {
	for name, c := range map[string]struct {
		props connector.Props
		data  []byte
		want  map[string]any // of the fields that differ
	}{
		"nothing": {nil, nil, nil},
		"number":  {nil, []byte{0x10, 7}, map[string]any{"choice_0": map[string]any{"number": int32(7), "text": nil, "inner": nil}}},
		"last":    {nil, []byte{0x10, 7, 0x1a, 1, 'x'}, map[string]any{"choice_0": map[string]any{"number": nil, "text": "x", "inner": nil}}},
		"message": {nil, []byte{0x22, 2, 8, 1}, map[string]any{"choice_0": map[string]any{"number": nil, "text": nil, "inner": map[string]any{"b": true}}}},
		"maybe":   {nil, []byte{0x28, 0}, map[string]any{"maybe": int32(0)}},
		"wrapped": {nil, []byte{0x32, 3, 0x0a, 1, 'x'}, map[string]any{"wrapped": map[string]any{"value": "x"}}},
		"numbers": {nil, []byte{0x38, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x41, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x48, 1},
			map[string]any{"unsigned": int64(1<<32 - 1), "fixed": int64(-1), "zigzag": int32(-1)}},
		"in pieces":      {nil, []byte{0x6a, 2, 8, 1, 0x6a, 2, 0x10, 2, 0x6a, 0}, map[string]any{"pieces": map[string]any{"a": int32(1), "b": int32(2)}}},
		"list":           {nil, []byte{0x52, 0, 0x52, 2, 8, 1}, map[string]any{"list": []any{map[string]any{"b": false}, map[string]any{"b": true}}}},
		"enum":           {nil, []byte{0x60, 1}, map[string]any{"status": "GOOD"}},
		"other enum":     {nil, []byte{0x60, 9}, map[string]any{"status": "UNKNOWN_ENUM_VALUE_Status_9"}},
		"enum as number": {connector.Props{"int.for.enums": "true"}, []byte{0x60, 1}, map[string]any{"status": int32(1)}},
		"no index":       {connector.Props{"generate.index.for.unions": "false"}, nil, map[string]any{"choice": nil, "choice_0": "-"}},
		"flat":           {connector.Props{"flatten.unions": "true"}, []byte{0x10, 7}, map[string]any{"choice_0": "-", "number": int32(7), "text": nil, "inner": nil}},
		"unwrapped":      {connector.Props{"wrapper.for.nullables": "true"}, []byte{0x32, 3, 0x0a, 1, 'x'}, map[string]any{"wrapped": "x", "maybe": int32(0)}},
		"unknown fields": {nil, []byte{0xa0, 6, 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			url := registrytest.URL(t)
			id := registered(t, url, "topic-value", unions)
			conv := configured(t, url, c.props)
			schema, got, err := conv.ToConnect(t.Context(), "topic", wireOf(id, c.data...))
			if err != nil {
				t.Fatal(err)
			}
			if err := connector.Validate(schema, got); err != nil {
				t.Errorf("it does not fit its schema: %v", err)
			}
			want := map[string]any{"name": "", "choice_0": nil, "maybe": nil, "wrapped": nil, "unsigned": int64(0), "fixed": int64(0), "zigzag": int32(0),
				"list": []any{}, "map": map[any]any{}, "status": "UNKNOWN", "pieces": nil}
			if name == "enum as number" {
				want["status"] = int32(0)
			}
			for k, v := range c.want {
				if want[k] = v; v == "-" {
					delete(want, k)
				}
			}
			if diff := cmp.Diff(want, registrytest.Plain(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.HasPrefix(name, "other") || name == "flat" || name == "unknown fields" {
				return // which cannot be written so again
			}
			back := configured(t, url, connector.Props{"use.schema.id": fmt.Sprint(id)})
			data, err := back.FromConnect(t.Context(), "topic", schema, got)
			if err != nil {
				t.Fatal(err)
			}
			if _, v, err := conv.ToConnect(t.Context(), "topic", data); err != nil || cmp.Diff(registrytest.Plain(got), registrytest.Plain(v)) != "" {
				t.Errorf("written again: %v, %s", err, cmp.Diff(registrytest.Plain(got), registrytest.Plain(v)))
			}
		})
	}
}

// Clauses: C8.
func TestMessageIndexes(t *testing.T) {
	url := registrytest.URL(t)
	id := byte(registered(t, url, "topic-value", unions))
	conv := configured(t, url, nil)
	for name, c := range map[string]struct {
		data []byte
		want any // an error's part is a text
	}{
		"the third":       {[]byte{0, 0, 0, 0, id, 2, 4, 8, 5}, map[string]any{"a": int32(5)}},
		"nested":          {[]byte{0, 0, 0, 0, id, 4, 0, 0, 8, 1}, map[string]any{"b": true}},
		"none there":      {[]byte{0, 0, 0, 0, id, 2, 6}, "there are 3 messages, not one of index 3"},
		"too many":        {[]byte{0, 0, 0, 0, id, 0xfe, 0x7f}, "message indexes"},
		"cut":             {[]byte{0, 0, 0, 0, id, 4, 0}, "end early"},
		"a cut message":   {[]byte{0, 0, 0, 0, id, 0, 0x0a, 9, 'x'}, "topic topic: schema 1: field name: unexpected EOF"},
		"a wrong type":    {[]byte{0, 0, 0, 0, id, 0, 0x08, 1}, "field name: it has wire type 0, expected a text"},
		"no UTF-8":        {[]byte{0, 0, 0, 0, id, 0, 0x0a, 1, 0xff}, "field name: the text is not UTF-8"},
		"in a message":    {[]byte{0, 0, 0, 0, id, 0, 0x22, 1, 0x0a}, "field inner: "},
		"a damaged field": {[]byte{0, 0, 0, 0, id, 0, 0xff}, "the message is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			_, v, err := conv.ToConnect(t.Context(), "topic", c.data)
			if part, fails := c.want.(string); fails {
				if err == nil || connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, %v, want data with %s", v, err, part)
				}
			} else if diff := cmp.Diff(c.want, registrytest.Plain(v)); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestDerived compares the schemas that Connect schemas map to.
func TestDerived(t *testing.T) {
	union := connector.StructOf(unionPrefix+"choice", connector.F("a", connector.OptionalInt32Schema.WithParameter(tagParam, "4")), connector.F("b", connector.OptionalStringSchema.WithParameter(tagParam, "5"))).AsOptional()
	for name, c := range map[string]struct {
		schema *connector.Schema
		o      options
		want   string // of it; an error's part begins with !
	}{
		"package":       {connector.StructOf("a.b.C", connector.F("x", connector.Int32Schema)), options{}, "syntax = \"proto3\";\npackage a.b;\n\nmessage C {\n  int32 x = 1;\n}\n"},
		"no name":       {connector.StructOf("", connector.F("x", connector.StructOf("", connector.F("y", connector.Int32Schema)))), options{}, "message ConnectDefault1 {\n  ConnectDefault2 x = 1;\n\n  message ConnectDefault2 {\n    int32 y = 1;\n  }\n}\n"},
		"tags":          {connector.StructOf("C", connector.F("x", connector.Int32Schema.WithParameter(tagParam, "1")), connector.F("y", connector.Int32Schema)), options{}, "  int32 x = 1;\n  int32 y = 2;\n"},
		"union":         {connector.StructOf("C", connector.F("choice_0", union)), options{}, "  oneof choice {\n    int32 a = 4;\n    string b = 5;\n  }\n"},
		"optional":      {connector.StructOf("C", connector.F("x", connector.OptionalInt32Schema)), options{optional: true}, "  optional int32 x = 1;\n"},
		"wrapper":       {connector.StructOf("C", connector.F("x", connector.OptionalInt32Schema)), options{wrapper: true}, "  .google.protobuf.Int32Value x = 1;\n"},
		"small":         {connector.StructOf("C", connector.F("x", connector.Int8Schema)), options{}, `  int32 x = 1 [(confluent.field_meta) = { params: [{ key: "connect.type", value: "int8" }] }];`},
		"map":           {connector.StructOf("C", connector.F("x", connector.MapOf(connector.StringSchema, connector.Int64Schema))), options{}, "  repeated ConnectDefault1Entry x = 1;\n\n  message ConnectDefault1Entry {\n    string key = 1;\n    int64 value = 2;\n  }\n"},
		"scrubbed":      {connector.StructOf("C", connector.F("9 x-y", connector.Int32Schema)), options{scrub: true}, "  int32 x9_x_y = 1;\n"},
		"same names":    {connector.StructOf("C", connector.F("x", connector.StructOf("N")), connector.F("y", connector.StructOf("N", connector.F("z", connector.Int32Schema)))), options{}, "!two schemas of the name N differ"},
		"array of them": {connector.StructOf("C", connector.F("x", connector.ArrayOf(connector.ArrayOf(connector.Int32Schema)))), options{}, "!field x: an array of arrays"},
		"array":         {connector.ArrayOf(connector.Int32Schema), options{}, "!an array cannot be a value of its own"},
		"decimal":       {connector.DecimalSchema(2), options{}, "!cannot be a value of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := derive(c.schema, c.o)
			if part, fails := strings.CutPrefix(c.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want %s", err, part)
				}
			} else if err != nil || !strings.Contains(got, c.want) {
				t.Errorf("%v\n%s\nwant\n%s", err, got, c.want)
			}
		})
	}
}

func TestUseLatestVersion(t *testing.T) {
	url := registrytest.URL(t)
	registered(t, url, "topic-value", "syntax = \"proto3\";\npackage n;\nmessage V { string extra = 9; int64 a = 5; }\n")
	conv := configured(t, url, connector.Props{"use.latest.version": "true"})
	s := connector.StructOf("n.V", connector.F("a", connector.Int32Schema), connector.F("lost", connector.StringSchema))
	data, err := conv.FromConnect(t.Context(), "topic", s, connector.NewStruct(s).Set("a", int32(7)).Set("lost", "x"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wireOf(1, 0x28, 7), data); diff != "" {
		t.Errorf("by name, not by number: %s", diff)
	}
	odd := connector.StructOf("n.V", connector.F("a", connector.StringSchema))
	if _, err := conv.FromConnect(t.Context(), "topic", odd, connector.NewStruct(odd).Set("a", "x")); err == nil || !strings.Contains(err.Error(), "field a: expected int64, the value's schema says string (latest.compatibility.strict=false") {
		t.Errorf("strict: %v", err)
	}
}

func TestRecursion(t *testing.T) {
	url := registrytest.URL(t)
	id := registered(t, url, "topic-value", "syntax = \"proto3\";\nmessage V { V v = 1; }\n")
	_, _, err := configured(t, url, nil).ToConnect(t.Context(), "topic", wireOf(id))
	if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "message V contains itself") {
		t.Errorf("got %v", err)
	}
}

func TestRegistered(t *testing.T) {
	for _, name := range []string{"protobuf", "io.confluent.connect.protobuf.ProtobufConverter", "ProtobufConverter"} {
		if _, err := connector.Plugins.New(connector.ConverterType, name); err != nil {
			t.Error(err)
		}
	}
}

// FuzzToConnect reads whatever comes without a panic, and what it reads fits its schema.
func FuzzToConnect(f *testing.F) {
	url := registrytest.URL(f)
	id := registered(f, url, "topic-value", unions)
	conv := configured(f, url, nil)
	for _, data := range [][]byte{nil, {0x10, 7}, {0x22, 2, 8, 1}, {0x52, 0, 0x52, 2, 8, 1}, {0x5a, 4, 8, 1, 0x12, 0}, {0x0a, 9, 'x'}} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		schema, v, err := conv.ToConnect(t.Context(), "topic", wireOf(id, data...))
		if err == nil {
			err = connector.Validate(schema, v)
		} else if connector.KindOf(err) == connector.KindData {
			return
		}
		if err != nil {
			t.Error(err)
		}
	})
}
