package primitive

import (
	"context"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestRoundTrip(t *testing.T) {
	for name, v := range map[string]any{
		"bytes": []byte{1, 2}, "boolean": true, "int16": int16(-2), "int32": int32(-66052), "int64": int64(1) << 40,
		"float32": float32(1.5), "float64": -0.25, "string": "é中😀",
	} {
		plugin, err := connector.Plugins.New(connector.ConverterType, name)
		if err != nil {
			t.Fatal(err)
		}
		c := plugin.(connector.Converter)
		conf, err := connector.ParsePlugin(c, connector.Props{"converter.type": "value"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Configure(connector.Context{}, conf, false); err != nil {
			t.Fatal(err)
		}
		data, err := c.FromConnect(context.Background(), "t", nil, v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		schema, back, err := c.ToConnect(context.Background(), "t", data)
		if err != nil || !connector.ValuesEqual(back, v) || !schema.Optional() {
			t.Errorf("%s: %v comes back as %v (%v)", name, v, back, err)
		}
		if data, err := c.FromConnect(context.Background(), "t", nil, nil); data != nil || err != nil {
			t.Errorf("%s: null is %v %v", name, data, err)
		}
	}
}

func TestMisfits(t *testing.T) {
	c := &Converter{codec: &codecs[4]} // int64
	_, err := c.FromConnect(context.Background(), "t", nil, "x")
	if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "Failed to serialize to long (was class java.lang.String)") {
		t.Errorf("text as int64: %v", err)
	}
	_, _, err = c.ToConnect(context.Background(), "t", []byte{1})
	if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "1 bytes are not a value of type int64") {
		t.Errorf("one byte as int64: %v", err)
	}
}

func TestPromises(t *testing.T) {
	for name, c := range map[string]connectortest.ConverterCase{
		"string":  {Values: []connectortest.Pair{{Schema: connector.StringSchema, Value: "x"}, {Value: ""}, {Value: "é中😀"}}, Untyped: true},
		"bytes":   {Values: []connectortest.Pair{{Schema: connector.BytesSchema, Value: []byte("x")}, {Value: []byte{0, 255}}}},
		"boolean": {Values: []connectortest.Pair{{Schema: connector.BooleanSchema, Value: true}, {Value: false}}, Bad: [][]byte{{}, {2}, {0, 1}}},
		"int16":   {Values: []connectortest.Pair{{Schema: connector.Int16Schema, Value: int16(-7)}}, Bad: [][]byte{{}, {1}, {1, 2, 3}}},
		"int32":   {Values: []connectortest.Pair{{Schema: connector.Int32Schema, Value: int32(-7)}}, Bad: [][]byte{{}, {1, 2}}},
		"int64":   {Values: []connectortest.Pair{{Schema: connector.Int64Schema, Value: int64(7)}}, Bad: [][]byte{{}, {1, 2}}},
		"float32": {Values: []connectortest.Pair{{Schema: connector.Float32Schema, Value: float32(1.5)}}, Bad: [][]byte{{}, {1, 2}}},
		"float64": {Values: []connectortest.Pair{{Schema: connector.Float64Schema, Value: -0.25}}, Bad: [][]byte{{}, {1, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.New = func() connector.Converter {
				plugin, err := connector.Plugins.New(connector.ConverterType, name)
				if err != nil {
					t.Fatal(err)
				}
				return plugin.(connector.Converter)
			}
			connectortest.Converter(t, c)
		})
	}
}
