//go:build integration

package avro

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

var update = flag.Bool("update", false, "record what Python writes anew")

// TestPython exchanges records with fastavro, by Confluent's client, and with
// Apache's avro over the embedded registry.
func TestPython(t *testing.T) {
	url := foreign.Written(t, new(Converter), *update)
	f := connector.F
	in := connector.StructOf("ns.In", f("x", connector.Int64Schema))
	every := connector.StructOf("ns.Every", f("i8", connector.Int8Schema), f("i16", connector.Int16Schema), f("i32", connector.Int32Schema), f("i64", connector.Int64Schema),
		f("f32", connector.Float32Schema), f("f64", connector.Float64Schema), f("b", connector.BooleanSchema), f("s", connector.StringSchema), f("raw", connector.BytesSchema),
		f("none", connector.OptionalStringSchema), f("some", connector.OptionalInt32Schema), f("list", connector.ArrayOf(connector.Int32Schema)),
		f("structs", connector.ArrayOf(in)), f("in", in.AsOptional()), f("m", connector.MapOf(connector.StringSchema, in)), f("n", connector.MapOf(connector.Int32Schema, connector.StringSchema)),
		f("dec", connector.DecimalSchema(2)), f("date", connector.DateSchema), f("time", connector.TimeSchema), f("stamp", connector.TimestampSchema))
	x := func(n int64) *connector.Struct { return connector.NewStruct(in).Set("x", n) }
	value := connector.NewStruct(every).Set("i8", int8(-8)).Set("i16", int16(-16)).Set("i32", int32(-32)).Set("i64", int64(1)<<52).Set("f32", float32(0.5)).Set("f64", -0.25).
		Set("b", true).Set("s", "é").Set("raw", []byte{1, 2}).Set("some", int32(0)).Set("list", []any{int32(1), int32(0), int32(-1)}).Set("structs", []any{x(1), x(0)}).
		Set("in", connector.NewStruct(in.AsOptional()).Set("x", int64(7))).Set("m", map[string]any{"k": x(3)}).Set("n", map[any]any{int32(5): "five"}).
		Set("dec", connector.NewDecimal(-12345, 2)).Set("date", time.Date(2019, 7, 28, 0, 0, 0, 0, time.UTC)).Set("time", time.Date(1970, 1, 1, 21, 16, 39, 123e6, time.UTC)).
		Set("stamp", time.Date(1969, 12, 31, 23, 59, 59, 999e6, time.UTC))
	data, err := configured(t, false, connector.Props{"schema.registry.url": url}).FromConnect(t.Context(), "ours", every, value)
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal([]byte(registrytest.Python(t, hex.EncodeToString(data)+"\n", "read", url, "ours-value")), &got); err != nil {
		t.Fatal(err)
	}
	object := func(n float64) any { return map[string]any{"x": n} }
	want := map[string]any{"i8": -8.0, "i16": -16.0, "i32": -32.0, "i64": float64(int64(1) << 52), "f32": 0.5, "f64": -0.25, "b": true, "s": "é", "raw": "0102", "none": nil, "some": 0.0,
		"list": []any{1.0, 0.0, -1.0}, "structs": []any{object(1), object(0)}, "in": object(7), "m": map[string]any{"k": object(3)},
		"n": []any{map[string]any{"key": 5.0, "value": "five"}}, "dec": "-123.45", "date": "2019-07-28", "time": "21:16:39.123000", "stamp": "1969-12-31T23:59:59.999000+00:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Python reads (-want +got):\n%s", diff)
	}
}
