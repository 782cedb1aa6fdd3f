package json

import (
	"reflect"
	"strings"
	"testing"

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
		New: func() connector.Converter { return new(Converter) }, Values: values,
		Bad: [][]byte{[]byte(`{`), []byte(`{"a":1}`), []byte(`{"schema":{"type":"int8"},"payload":128}`), []byte(`{"schema":{"type":"int32"},"payload":"5"}`),
			[]byte(`{"schema":{"type":"int32"},"payload":5}}`), []byte(`{"schema":{"type":"int32"},"payload":5} 6`)},
	})
	connectortest.Converter(t, connectortest.ConverterCase{
		New: func() connector.Converter { return new(Converter) }, Props: connector.Props{"schemas.enable": "false"},
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
