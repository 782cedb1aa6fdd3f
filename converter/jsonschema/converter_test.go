package jsonschema

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/jsonschema"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

func configured(t testing.TB, url string, props connector.Props) *Converter {
	t.Helper()
	return registrytest.Configure(t, new(Converter), url, props)
}

func registered(t testing.TB, url, subject, text string) int {
	t.Helper()
	return registrytest.Register(t, url, subject, registry.JSON, text)
}

func wireOf(id int, value string) []byte { return append([]byte{0, 0, 0, 0, byte(id)}, value...) }

var (
	inner = connector.StructOf("ns.Inner", connector.F("x", connector.Int64Schema))
	every = connector.StructOf("ns.Every", connector.F("i8", connector.Int8Schema), connector.F("i16", connector.Int16Schema), connector.F("i32", connector.Int32Schema.WithDoc("a number").WithVersion(3)),
		connector.F("i64", connector.Int64Schema), connector.F("f32", connector.Float32Schema), connector.F("f64", connector.Float64Schema), connector.F("b", connector.BooleanSchema),
		connector.F("s", connector.StringSchema.WithParameter("p", "q")), connector.F("raw", connector.BytesSchema), connector.F("list", connector.ArrayOf(connector.OptionalInt32Schema)),
		connector.F("structs", connector.ArrayOf(inner)), connector.F("in", inner.AsOptional()), connector.F("m", connector.MapOf(connector.StringSchema, inner)),
		connector.F("n", connector.MapOf(connector.Int32Schema, connector.StringSchema)), connector.F("dec", connector.DecimalSchema(2)), connector.F("date", connector.DateSchema),
		connector.F("time", connector.TimeSchema), connector.F("stamp", connector.TimestampSchema.AsOptional()), connector.F("opt", connector.OptionalInt32Schema), connector.F("def", connector.Int32Schema.WithDefault(int32(5))),
		connector.F("e", connector.StringSchema.WithParameter(enumParam, "").WithParameter(enumParam+".RED", "RED")))
)

func everyValue() *connector.Struct {
	in := func(n int64) *connector.Struct { return connector.NewStruct(inner).Set("x", n) }
	return connector.NewStruct(every).Set("i8", int8(-8)).Set("i16", int16(-16)).Set("i32", int32(-32)).Set("i64", int64(1)<<60).Set("f32", float32(0.1)).Set("f64", -0.25).
		Set("b", true).Set("s", "é\"<").Set("raw", []byte{1, 2}).Set("list", []any{int32(1), nil}).Set("structs", []any{in(1)}).Set("in", in(7)).
		Set("m", map[string]any{"k": in(3)}).Set("n", map[any]any{int32(5): "five"}).Set("dec", connector.NewDecimal(-12345, 2)).
		Set("date", time.Date(2019, 7, 28, 0, 0, 0, 0, time.UTC)).Set("time", time.UnixMilli(76_599_123).UTC()).Set("stamp", time.UnixMilli(-1).UTC()).Set("def", int32(6)).Set("e", "RED")
}

func TestConverter(t *testing.T) {
	url := registrytest.URL(t)
	for name, values := range map[string][]connectortest.Pair{
		"struct": {{Schema: every, Value: everyValue()}}, "string": {{Schema: connector.StringSchema, Value: "é"}},
		"int64": {{Schema: connector.Int64Schema, Value: int64(1) << 60}}, "array": {{Schema: connector.ArrayOf(connector.BooleanSchema), Value: []any{true}}},
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Converter(t, connectortest.ConverterCase{
				New:   func() connector.Converter { return new(Converter) },
				Props: connector.Props{"schema.registry.url": url, "subject": "suite-" + name}, Values: values,
				Bad: [][]byte{{}, []byte(`{"a":1}`), {0, 0, 0}, {1, 0, 0, 0, 1, 2}, {0, 0x3f, 0xff, 0xff, 0xff, '1'}, {0, 0, 0, 0, 1}, {0, 0, 0, 0, 1, '{'}, {0, 0, 0, 0, 1, 'n', 'u', 'l', 'l'}},
			})
		})
	}
}

// TestSchemasComeBack wants the Connect schema back that was written, in both formats of decimals.
func TestSchemasComeBack(t *testing.T) {
	for _, format := range []string{"BASE64", "numeric"} {
		t.Run(format, func(t *testing.T) {
			conv := configured(t, registrytest.URL(t), connector.Props{"decimal.format": format, "json.fail.invalid.schema": "true"})
			data, err := conv.FromConnect(t.Context(), "topic", every, everyValue())
			if err != nil {
				t.Fatal(err)
			}
			schema, got, err := conv.ToConnect(t.Context(), "topic", data)
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range every.Fields() {
				if !schema.Fields()[i].Schema.Equal(f.Schema) {
					t.Errorf("field %s: %+v, want %+v", f.Name, schema.Fields()[i].Schema, f.Schema)
				}
			}
			if diff := cmp.Diff(registrytest.Plain(everyValue()), registrytest.Plain(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", data, diff)
			}
		})
	}
}

func TestDerived(t *testing.T) {
	union := connector.StructOf(unionName, connector.F(unionName+".field.0", connector.OptionalInt32Schema), connector.F(unionName+".field.1", connector.OptionalStringSchema)).AsOptional()
	for name, c := range map[string]struct {
		schema *connector.Schema
		o      options
		want   string
	}{
		"int8":      {connector.Int8Schema, options{}, `{"type":"integer","connect.type":"int8"}`},
		"float":     {connector.Float32Schema.WithDefault(float32(0.5)), options{}, `{"type":"number","connect.type":"float32","default":0.5}`},
		"bytes":     {connector.BytesSchema, options{}, `{"type":"string","connect.type":"bytes"}`},
		"optional":  {connector.OptionalStringSchema, options{}, `{"oneOf":[{"type":"null"},{"type":"string"}]}`},
		"struct":    {connector.StructOf("S", connector.F("a", connector.OptionalBooleanSchema)), options{}, `{"type":"object","properties":{"a":{"oneOf":[{"type":"null"},{"type":"boolean"}],"connect.index":0}},"title":"S"}`},
		"closed":    {connector.StructOf("S"), options{closed: true}, `{"type":"object","properties":{},"additionalProperties":false,"title":"S"}`},
		"map":       {connector.MapOf(connector.StringSchema, connector.BooleanSchema), options{}, `{"type":"object","connect.type":"map","additionalProperties":{"type":"boolean"}}`},
		"other map": {connector.MapOf(connector.Int32Schema, connector.BooleanSchema), options{}, `{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer","connect.type":"int32","connect.index":0},"value":{"type":"boolean","connect.index":1}}}}`},
		"decimal":   {connector.DecimalSchema(2), options{numeric: true}, `{"type":"number","connect.type":"bytes","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.parameters":{"scale":"2"}}`},
		"enum":      {connector.StringSchema.WithParameter(enumParam, "").WithParameter(enumParam+".B", "B").WithParameter(enumParam+".A", "A"), options{}, `{"enum":["A","B"]}`},
		"union":     {union, options{}, `{"oneOf":[{"type":"null"},{"type":"integer","connect.type":"int32","connect.index":0},{"type":"string","connect.index":1}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := derive(c.schema, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestForeign reads what others write, with schemas that others wrote.
func TestForeign(t *testing.T) {
	unionOf := func(i int, v any) any {
		m := map[string]any{unionName + ".field.0": nil, unionName + ".field.1": nil, unionName + ".field.2": nil}
		m[unionName+".field."+string(rune('0'+i))] = v
		return m
	}
	const choice = `{"oneOf":[{"type":"integer"},{"type":"object","title":"A","properties":{"a":{"type":"string"}}},{"type":"object","title":"B","properties":{"a":{"type":"string"},"b":{"type":"string"}}}]}`
	for name, c := range map[string]struct {
		props        connector.Props
		schema, data string
		want         any // an error's part begins with !
	}{
		"integer":            {nil, `{"type":"integer"}`, `5`, int64(5)},
		"whole number":       {nil, `{"type":"integer"}`, `1e3`, int64(1000)},
		"no whole number":    {nil, `{"type":"integer"}`, `1.5`, "!expected an integer"},
		"number":             {nil, `{"type":"number"}`, `5`, float64(5)},
		"several types":      {nil, `{"type":["string","null"]}`, `"x"`, "x"},
		"order of document":  {nil, `{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}}}`, `{"a":"1","z":"2","more":3}`, map[string]any{"z": "2", "a": "1"}},
		"not there":          {nil, `{"type":"object","properties":{"a":{"type":"string"}}}`, `{}`, "!field a: it is not there, and not optional (use.optional.for.nonrequired=true"},
		"not required":       {connector.Props{"use.optional.for.nonrequired": "true"}, `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["b"]}`, `{"b":"x"}`, map[string]any{"a": nil, "b": "x"}},
		"default":            {nil, `{"type":"object","properties":{"a":{"type":"string","default":"d"}}}`, `{}`, map[string]any{"a": "d"}},
		"reference":          {nil, `{"type":"object","properties":{"a":{"$ref":"#/definitions/D"}},"definitions":{"D":{"type":"object","title":"D","properties":{"x":{"type":"boolean"}}}}}`, `{"a":{"x":true}}`, map[string]any{"a": map[string]any{"x": true}}},
		"all of":             {nil, `{"allOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"b":{"type":"string"}}}]}`, `{"a":"1","b":"2"}`, map[string]any{"a": "1", "b": "2"}},
		"text with an enum":  {nil, `{"type":"string","enum":["A","B"]}`, `"A"`, "A"},
		"choice of integer":  {nil, choice, `7`, unionOf(0, int64(7))},
		"choice of A":        {connector.Props{"use.optional.for.nonrequired": "true"}, choice, `{"a":"x"}`, unionOf(1, map[string]any{"a": "x"})},
		"choice of B":        {nil, choice, `{"a":"x","b":"y"}`, unionOf(2, map[string]any{"a": "x", "b": "y"})},
		"no choice":          {nil, choice, `true`, "!expected one of the choices, got a boolean"},
		"null":               {nil, `{"type":"object","properties":{"a":{"type":"string"}}}`, `{"a":null}`, "!field a: null where the schema wants string"},
		"wrong type":         {nil, `{"type":"object","properties":{"a":{"type":"string"}}}`, `{"a":1}`, "!field a: expected a text, got a number"},
		"in an array":        {nil, `{"type":"array","items":{"type":"boolean"}}`, `[true,1]`, "![1]: expected a boolean"},
		"damaged":            {nil, `{"type":"string"}`, `"x`, "!the value is not JSON"},
		"two values":         {nil, `{"type":"string"}`, `"x" 1`, "!something follows it"},
		"contains itself":    {nil, `{"type":"object","title":"T","properties":{"t":{"$ref":"#"}}}`, `{}`, `!schema "T" contains itself`},
		"anything":           {nil, `{}`, `{}`, "!allows anything"},
		"limits are not met": {connector.Props{"json.fail.invalid.schema": "true"}, `{"type":"string","maxLength":2}`, `"xyz"`, "!topic topic: schema 1: the value does not fit its JSON Schema at '': maxLength"},
		"limits are no type": {nil, `{"type":"string","maxLength":2}`, `"xyz"`, "xyz"},
		"decimal":            {nil, `{"type":"number","connect.type":"bytes","title":"org.apache.kafka.connect.data.Decimal","connect.parameters":{"scale":"2"}}`, `1.5`, "1.50"},
		"decimal, too fine":  {nil, `{"type":"number","connect.type":"bytes","title":"org.apache.kafka.connect.data.Decimal","connect.parameters":{"scale":"2"}}`, `1.555`, "!more than 2 digits"},
		"decimal, too long":  {nil, `{"type":"number","connect.type":"bytes","title":"org.apache.kafka.connect.data.Decimal","connect.parameters":{"scale":"2"}}`, `1e999999999`, "!too many digits"},
		"no date":            {nil, `{"type":"integer","connect.type":"int32","title":"org.apache.kafka.connect.data.Date"}`, `99999999999`, "!days since 1970"},
	} {
		t.Run(name, func(t *testing.T) {
			url := registrytest.URL(t)
			id := registered(t, url, "topic-value", c.schema)
			schema, got, err := configured(t, url, c.props).ToConnect(t.Context(), "topic", wireOf(id, c.data))
			if text, ok := c.want.(string); ok && strings.HasPrefix(text, "!") {
				if err == nil || connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), text[1:]) {
					t.Errorf("got %v, %v, want data with %s", got, err, text[1:])
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := connector.Validate(schema, got); err != nil {
				t.Errorf("it does not fit its schema: %v", err)
			}
			if diff := cmp.Diff(c.want, registrytest.Plain(got)); diff != "" {
				t.Error(diff)
			}
			conv := configured(t, url, connector.Props{"auto.register.schemas": "true"})
			data, err := conv.FromConnect(t.Context(), "again", schema, got)
			if err != nil {
				t.Fatalf("what was read is not written: %v", err)
			}
			if _, back, err := conv.ToConnect(t.Context(), "again", data); err != nil || cmp.Diff(registrytest.Plain(got), registrytest.Plain(back)) != "" {
				t.Errorf("written again: %v %s", err, cmp.Diff(registrytest.Plain(got), registrytest.Plain(back)))
			}
		})
	}
}

func TestUseLatestVersion(t *testing.T) {
	url := registrytest.URL(t)
	registered(t, url, "topic-value", `{"type":"object","additionalProperties":false,"properties":{"a":{"type":"integer"},"more":{"type":"string"}}}`)
	s := connector.StructOf("", connector.F("a", connector.Int64Schema))
	value := connector.NewStruct(s).Set("a", int64(1))
	strict := configured(t, url, connector.Props{"use.latest.version": "true"})
	if _, err := strict.FromConnect(t.Context(), "topic", s, value); err == nil || !strings.Contains(err.Error(), "ADDITIONAL_PROPERTIES_REMOVED") || !strings.Contains(err.Error(), "latest.compatibility.strict=false") {
		t.Errorf("strict: %v", err)
	}
	for name, props := range map[string]connector.Props{
		"loose":  {"use.latest.version": "true", "latest.compatibility.strict": "false"},
		"closed": {"use.latest.version": "true", "object.additional.properties": "false"},
		"by id":  {"use.schema.id": "1", "id.compatibility.strict": "false"},
	} {
		data, err := configured(t, url, props).FromConnect(t.Context(), "topic", s, value)
		if diff := cmp.Diff(wireOf(1, `{"a":1}`), data); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	valid := configured(t, url, connector.Props{"use.latest.version": "true", "json.fail.invalid.schema": "true"})
	if data, err := valid.FromConnect(t.Context(), "topic", nil, map[string]any{"a": int64(1)}); err != nil || string(data[5:]) != `{"a":1}` {
		t.Errorf("without a schema: %s, %v", data, err)
	}
	if _, err := valid.FromConnect(t.Context(), "topic", nil, map[string]any{"a": "x"}); err == nil || !strings.Contains(err.Error(), "at '/a': got string, want integer") {
		t.Errorf("that does not fit: %v", err)
	}
}

func TestRegistered(t *testing.T) {
	for _, name := range []string{"json-schema", "io.confluent.connect.json.JsonSchemaConverter", "JsonSchemaConverter"} {
		if _, err := connector.Plugins.New(connector.ConverterType, name); err != nil {
			t.Error(err)
		}
	}
}

// FuzzRead reads any value with any schema without a panic, and what it reads fits.
func FuzzRead(f *testing.F) {
	for _, seed := range [][2]string{{`{"type":"string"}`, `"x"`}, {`{"oneOf":[{"type":"null"},{"type":"array","items":{"type":"number"}}]}`, `[1]`}, {`{"properties":{"a":{"$ref":"#/b"}},"b":{"enum":[null,1]}}`, `{"a":1}`}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, schema, value string) {
		s, err := jsonschema.Parse(schema)
		if err != nil {
			return
		}
		p, err := compile(s, options{flatten: true, nonRequired: true})
		if err != nil {
			return
		}
		v, err := (&reader{plan: p}).read([]byte(value))
		if err == nil {
			err = connector.Validate(p.schema, v)
			if err != nil {
				t.Errorf("%s %s: %v", schema, value, err)
			}
		}
	})
}
