package json

import (
	"bytes"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors/convertertest"
)

func TestConverter(t *testing.T) {
	schema := connector.StructOf("s", connector.F("a", connector.Int32Schema), connector.F("b", connector.OptionalBytesSchema),
		connector.F("c", connector.ArrayOf(connector.Float64Schema)), connector.F("d", connector.DecimalSchema(2)),
		connector.F("m", connector.MapOf(connector.Int32Schema, connector.StringSchema)))
	value := connector.NewStruct(schema).Set("a", int32(1)).Set("b", []byte{1}).Set("c", []any{0.5, 1e9}).Set("d", connector.NewDecimal(-12345, 2)).
		Set("m", map[any]any{int32(1): "x", int32(2): "y"})
	values := []connectortest.Pair{{Schema: connector.Int64Schema, Value: int64(1) << 60}, {Schema: connector.StringSchema, Value: "é\"\n"}, {Schema: schema, Value: value}}
	connectortest.Converter(t, connectortest.ConverterCase{
		New: func() connector.Converter { return new(Converter) }, Props: connector.Props{"strict": "true"}, Values: values,
		Bad: [][]byte{[]byte(`{`), []byte(`{"a":1}`), []byte(`{"schema":{"type":"int8"},"payload":128}`), []byte(`{"schema":{"type":"int32"},"payload":"5"}`),
			[]byte(`{"schema":{"type":"int32"},"payload":5}}`), []byte(`{"schema":{"type":"int32"},"payload":5} 6`)},
	})
	connectortest.Converter(t, connectortest.ConverterCase{
		New: func() connector.Converter { return new(Converter) }, Props: connector.Props{"schemas.enable": "false", "strict": "true"},
		Values: []connectortest.Pair{{Value: map[string]any{"a": int64(1), "b": []any{1.5, nil, true}}}, {Value: "x"}},
		Bad: [][]byte{[]byte(`{"a":`), []byte(`123456789012345678901234567890`), []byte(`4,5`), []byte(`4.5;`), []byte(`4:5`), []byte(`4}`),
			[]byte(`4 5`), []byte(`{"a":4} {"b":5}`), []byte(`"a""b"`), []byte("[4]\x00"), []byte(`null null`)},
	})
}

// TestNullDefault has a default of null, which a required type does not have.
func TestNullDefault(t *testing.T) {
	c := new(Converter)
	if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, connector.Props{}), false); err != nil {
		t.Fatal(err)
	}
	for typ, payload := range map[string]string{`"type":"int64"`: "7", `"type":"array","items":{"type":"int8","default":null}`: "[7]", `"type":"struct","fields":[]`: "{}"} {
		_, _, err := c.ToConnect(t.Context(), "t", []byte(`{"schema":{`+typ+`,"default":null},"payload":`+payload+`}`))
		if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "Invalid null value for required") {
			t.Errorf("%s: %v", typ, err)
		}
	}
	schema, v, err := c.ToConnect(t.Context(), "t", []byte(`{"schema":{"type":"int64","optional":true,"default":null},"payload":null}`))
	if def, has := schema.Default(); err != nil || has || v != nil {
		t.Errorf("%v (%v), default %v", v, err, def)
	}
}

// TestMisfits has values of another type than that of the schema, which is an
// error, however near the value is.
//
// Clauses: C5.
func TestMisfits(t *testing.T) {
	c := new(Converter)
	if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, connector.Props{}), false); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{true, int8(1), int16(1), int64(1), float32(1), 1.0, "1", []byte("1"), []any{}, map[string]any{}} {
		if data, err := c.FromConnect(t.Context(), "t", connector.Int32Schema, v); connector.KindOf(err) != connector.KindData {
			t.Errorf("a %T is the int32 %s, %v", v, data, err)
		}
	}
	if _, err := c.FromConnect(t.Context(), "t", connector.Int32Schema, int32(1)); err != nil {
		t.Error(err)
	}
}

// TestReadAsAnother has JSON that does not fit its schema: it is read as Kafka
// Connect reads it, with one warning, or refused where the user wants that.
//
// Clauses: C5.
func TestReadAsAnother(t *testing.T) {
	strict := new(Converter)
	if err := strict.Configure(connectortest.Context(t), connectortest.Configure(t, strict, connector.Props{"strict": "true"}), false); err != nil {
		t.Fatal(err)
	}
	inStruct := func(field string) string { return `"type":"struct","fields":[{"field":"a",` + field + `}]` }
	tests := []struct {
		name, schema, payload string
		want                  any
		err                   string
	}{
		{"an object for an array", `"type":"array","items":{"type":"int8"}`, `{"b":2,"a":1}`, []any{int8(1), int8(2)}, ""},
		{"a fraction", `"type":"int64"`, `-1.9`, int64(-1), ""},
		{"beyond 64 bits", `"type":"int64"`, `1e20`, int64(7766279631452241920), ""},
		{"a huge number", `"type":"int64"`, `1e100000`, int64(0), ""},
		{"a tiny number", `"type":"int32"`, `7e-100000`, int32(0), ""},
		{"a moment beyond 64 bits", `"type":"int64","name":"org.apache.kafka.connect.data.Timestamp"`, `18446744073709551617`, time.UnixMilli(1).UTC(), ""},
		{"no text in an array", `"type":"array","items":{"type":"string"}`, `[5]`, []any{nil}, ""},
		{"no text in a struct", inStruct(`"type":"string"`), `{"a":5}`, nil, `null used for required field: "a", schema type: STRING`},
		{"no text in a list of a struct", inStruct(`"type":"array","items":{"type":"string"}`), `{"a":[5]}`, nil, "null used for required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			c, ctx := new(Converter), connectortest.Context(t)
			ctx.Log = slog.New(slog.NewTextHandler(&log, nil))
			if err := c.Configure(ctx, connectortest.Configure(t, c, connector.Props{}), false); err != nil {
				t.Fatal(err)
			}
			data := []byte(`{"schema":{` + tt.schema + `},"payload":` + tt.payload + `}`)
			for range 2 {
				_, v, err := c.ToConnect(t.Context(), "t", data)
				if tt.err == "" && (err != nil || !connector.ValuesEqual(v, tt.want)) || tt.err != "" && (connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), tt.err)) {
					t.Errorf("%v, %v, want %v, %s", v, err, tt.want, tt.err)
				}
			}
			if n := strings.Count(log.String(), "strict=true"); tt.err == "" && n != 1 {
				t.Errorf("said %d times: %s", n, log.String())
			}
			if _, v, err := strict.ToConnect(t.Context(), "t", data); connector.KindOf(err) != connector.KindData {
				t.Errorf("strict: %v, %v", v, err)
			}
		})
	}
}

// TestStrictReadsMore has what Kafka Connect cannot read back: only with strict it
// is read as what it was before it was written.
//
// Clauses: C5.
func TestStrictReadsMore(t *testing.T) {
	values := []connectortest.Pair{{Schema: connector.Float64Schema, Value: math.NaN()}, {Schema: connector.Float32Schema, Value: float32(math.Inf(-1))}}
	structDefault := []byte(`{"schema":{"type":"struct","default":{"a":7},"fields":[{"field":"a","type":"int32"}]},"payload":null}`)
	for _, strict := range []string{"true", "false"} {
		c := new(Converter)
		if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, connector.Props{"strict": strict}), false); err != nil {
			t.Fatal(err)
		}
		for _, p := range values {
			data, err := c.FromConnect(t.Context(), "t", p.Schema, p.Value)
			if err != nil {
				t.Fatal(err)
			}
			s, v, err := c.ToConnect(t.Context(), "t", data)
			if same := err == nil && s.Equal(p.Schema) && connector.ValuesEqual(v, p.Value); same != (strict == "true") {
				t.Errorf("strict=%s: %s is read as %v, %v", strict, data, v, err)
			}
		}
		if _, v, err := c.ToConnect(t.Context(), "t", structDefault); (err == nil) != (strict == "true") {
			t.Errorf("strict=%s: the default of a struct is %v, %v", strict, v, err)
		}
	}
}

// TestRecordedAnswers compares with what Kafka Connect 4.3.1 answered.
//
// Clauses: C5.
func TestRecordedAnswers(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		return convertertest.Replay(c, new(Converter), sameJSON)
	}, "converter.Json")
}

func sameJSON(got, want []byte) bool {
	a, err := decode(got)
	b, err2 := decode(want)
	return err == nil && err2 == nil && reflect.DeepEqual(a, b)
}
