package avro

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TestFromConnect holds the schemas that Confluent's AvroData is documented to
// make of each part of Connect's data model.
func TestFromConnect(t *testing.T) {
	inner := connector.StructOf("a.Inner", connector.F("n", connector.Int32Schema))
	for name, c := range map[string]struct {
		schema *connector.Schema
		want   string
	}{
		"int8":              {connector.Int8Schema, `{"type":"int","connect.type":"int8"}`},
		"string":            {connector.StringSchema, `"string"`},
		"optional":          {connector.OptionalFloat64Schema, `["null","double"]`},
		"optional, default": {connector.OptionalInt64Schema.WithDefault(int64(5)), `[{"type":"long","connect.default":5},"null"]`},
		"doc, version":      {connector.StringSchema.WithDoc("words").WithVersion(3), `{"type":"string","connect.doc":"words","connect.version":3}`},
		"decimal":           {connector.DecimalSchema(2), `{"type":"bytes","connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal","precision":64,"scale":2}`},
		"timestamp":         {connector.TimestampSchema, `{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}`},
		"date":              {connector.DateSchema, `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}`},
		"time":              {connector.TimeSchema, `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"}`},
		"array":             {connector.ArrayOf(connector.OptionalStringSchema), `{"type":"array","items":["null","string"]}`},
		"map":               {connector.MapOf(connector.StringSchema, connector.Int32Schema), `{"type":"map","values":"int"}`},
		"map of ints":       {connector.MapOf(connector.Int32Schema, connector.Int32Schema), `{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"int"}],"connect.name":"io.confluent.connect.avro.MapEntry"}}`},
		"struct":            {inner, `{"type":"record","name":"Inner","namespace":"a","fields":[{"name":"n","type":"int"}],"connect.name":"a.Inner"}`},
		"unnamed":           {connector.StructOf("", connector.F("n", connector.OptionalInt32Schema)), `{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"n","type":["null","int"],"default":null}]}`},
		"twice":             {connector.StructOf("b.O", connector.F("x", inner), connector.F("y", inner.AsOptional())), `{"type":"record","name":"O","namespace":"b","fields":[{"name":"x","type":{"type":"record","name":"Inner","namespace":"a","fields":[{"name":"n","type":"int"}],"connect.name":"a.Inner"}},{"name":"y","type":["null","a.Inner"],"default":null}],"connect.name":"b.O"}`},
		"field default":     {connector.StructOf("b.O", connector.F("x", connector.BytesSchema.WithDefault([]byte{0, 255}))), `{"type":"record","name":"O","namespace":"b","fields":[{"name":"x","type":{"type":"bytes","connect.default":"\u0000ÿ"},"default":"\u0000ÿ"}],"connect.name":"b.O"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := FromConnect(c.schema, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			back := parse(t, got).Connect()
			if !strings.Contains(name, "unnamed") && name != "decimal" && !back.Equal(c.schema) {
				again, _ := FromConnect(back, Options{})
				t.Errorf("the schema comes back as %s", again)
			}
		})
	}
}

func TestFromConnectRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		schema *connector.Schema
		want   string
	}{
		"no schema":  {nil, "the value has no schema and Avro needs one"},
		"field name": {connector.StructOf("s", connector.F("my-field", connector.Int32Schema)), "field my-field: not a name in Avro"},
		"name":       {connector.StructOf("a.my-topic", connector.F("x", connector.Int32Schema)), `"a.my-topic" is not a name in Avro`},
		"two of a name": {connector.StructOf("o", connector.F("x", connector.StructOf("i", connector.F("a", connector.Int32Schema))),
			connector.F("y", connector.StructOf("i", connector.F("b", connector.Int32Schema)))), "two different structs are both called i"},
		"element": {connector.ArrayOf(nil), "a part has no schema"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := FromConnect(c.schema, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %v; want an error with %q", got, err, c.want)
			}
			if connector.KindOf(err) != connector.KindData {
				t.Errorf("the error is %s, want data", connector.KindOf(err))
			}
		})
	}
}

func TestToConnect(t *testing.T) {
	fields := parse(t, `{"type":"record","name":"R","namespace":"n","doc":"a record","connect.version":4,"connect.parameters":{"p":"q"},"fields":[
		{"name":"plain","type":"int","doc":"of the field"},
		{"name":"opt","type":["null","string"],"default":null},
		{"name":"enum","type":{"type":"enum","name":"E","symbols":["A","B"]},"default":"B"},
		{"name":"fixed","type":{"type":"fixed","name":"F","size":2}},
		{"name":"union","type":["null","int",{"type":"record","name":"U","fields":[]}]},
		{"name":"entries","type":{"type":"array","items":{"type":"record","name":"M","connect.internal.type":"MapEntry","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}},
		{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2},"default":"\u0001"},
		{"name":"day","type":{"type":"int","logicalType":"date"},"default":1},
		{"name":"micros","type":{"type":"long","logicalType":"timestamp-micros"}},
		{"name":"rec","type":{"type":"record","name":"N","fields":[{"name":"q","type":["string","int"],"default":"z"},{"name":"w","type":"float","default":1}]},"default":{"q":"y"}},
		{"name":"list","type":{"type":"array","items":"long"},"default":[1,2]}
	]}`).Connect()
	enum := connector.StringSchema.WithParameter("io.confluent.connect.avro.Enum", "n.E").WithParameter("io.confluent.connect.avro.Enum.A", "A").
		WithParameter("io.confluent.connect.avro.Enum.B", "B").WithName("n.E").WithDefault("B")
	qUnion := connector.StructOf("io.confluent.connect.avro.Union", connector.F("string", connector.OptionalStringSchema), connector.F("int", connector.OptionalInt32Schema))
	nested := connector.StructOf("n.N", connector.F("q", qUnion.WithDefault(connector.NewStruct(qUnion).Set("string", "z"))), connector.F("w", connector.Float32Schema.WithDefault(float32(1))))
	nestedDefault := connector.NewStruct(nested).Set("q", connector.NewStruct(qUnion).Set("string", "y")).Set("w", float32(1))
	want := connector.StructOf("n.R",
		connector.F("plain", connector.Int32Schema.WithDoc("of the field")),
		connector.F("opt", connector.OptionalStringSchema),
		connector.F("enum", enum),
		connector.F("fixed", connector.BytesSchema.WithParameter("connect.fixed.size", "2").WithName("n.F")),
		connector.F("union", connector.StructOf("io.confluent.connect.avro.Union", connector.F("int", connector.OptionalInt32Schema), connector.F("U", connector.StructOf("n.U").AsOptional())).AsOptional()),
		connector.F("entries", connector.MapOf(connector.Int32Schema, connector.StringSchema)),
		connector.F("price", connector.DecimalSchema(2).WithParameter("connect.decimal.precision", "4").WithDefault(connector.NewDecimal(1, 2))),
		connector.F("day", connector.DateSchema.WithDefault(time.Unix(86400, 0).UTC())),
		connector.F("micros", connector.Int64Schema),
		connector.F("rec", nested.WithDefault(nestedDefault)),
		connector.F("list", connector.ArrayOf(connector.Int64Schema).WithDefault([]any{int64(1), int64(2)})),
	).WithDoc("a record").WithVersion(4).WithParameter("p", "q")
	if fields.Equal(want) {
		return
	}
	for i, f := range want.Fields() {
		if got := fields.Fields()[i]; !got.Schema.Equal(f.Schema) {
			a, _ := FromConnect(f.Schema, Options{})
			b, _ := FromConnect(got.Schema, Options{})
			t.Errorf("field %s is\n%s, want\n%s", f.Name, b, a)
		}
	}
	t.Error("the schemas differ")
}

// TestEnhanced keeps enums and fixed what they were.
//
// Clauses: C7.
func TestEnhanced(t *testing.T) {
	text := `{"type":"record","name":"R","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"f","type":{"type":"fixed","name":"F","size":2}},{"name":"again","type":["null","E"],"default":null}]}`
	first := parse(t, text).Connect()
	got, err := FromConnect(first, Options{Enhanced: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"type":"enum"`, `"symbols":["A","B"]`, `"type":"fixed"`, `["null","E"]`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	if !parse(t, got).Connect().Equal(first) {
		t.Errorf("the schema comes back otherwise from %s", got)
	}
	plain, err := FromConnect(first, Options{NoMetadata: true})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"record","name":"R","fields":[{"name":"e","type":"string"},{"name":"f","type":"bytes"},{"name":"again","type":["null","string"],"default":null}]}`
	if diff := cmp.Diff(want, plain); diff != "" {
		t.Error(diff)
	}
}
