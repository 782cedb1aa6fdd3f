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
		conf, err := connector.ParsePlugin(c, nil)
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

func TestConverters(t *testing.T) {
	for _, c := range []connectortest.ConverterCase{
		{New: func() connector.Converter { return new(String) }, Values: []connectortest.Pair{{Schema: connector.StringSchema, Value: "x"}, {Value: ""}}},
		{New: func() connector.Converter { return &Converter{codec: &codecs[4]} }, Values: []connectortest.Pair{{Schema: connector.Int64Schema, Value: int64(7)}}, Bad: [][]byte{{}, {1, 2}}},
		{New: func() connector.Converter { return &Converter{codec: &codecs[0]} }, Values: []connectortest.Pair{{Schema: connector.BytesSchema, Value: []byte("x")}}},
	} {
		t.Run(c.New().Info().Name, func(t *testing.T) { connectortest.Converter(t, c) })
	}
}
