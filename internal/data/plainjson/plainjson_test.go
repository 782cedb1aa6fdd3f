package plainjson

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestAppend(t *testing.T) {
	when := time.Date(2019, 7, 28, 21, 26, 39, 5e6, time.FixedZone("", 3600))
	schema := connector.StructOf("s", connector.F("d", connector.DateSchema), connector.F("x", connector.Float32Schema.WithDefault(float32(0.1))))
	tests := []struct {
		name   string
		schema *connector.Schema
		value  any
		want   string
	}{
		{"null", nil, nil, `null`},
		{"long", nil, int64(math.MaxInt64), `9223372036854775807`},
		{"float32 has its own digits", nil, float32(0.1), `0.1`},
		{"a small double", nil, 1e-9, `1e-09`},
		{"NaN", nil, math.NaN(), `"NaN"`},
		{"infinity", nil, math.Inf(-1), `"-Infinity"`},
		{"text", nil, "a\"\n<é", `"a\"\n\u003cé"`},
		{"bytes", nil, []byte{0, 255}, `"AP8="`},
		{"decimal", nil, connector.NewDecimal(-105, 2), `-1.05`},
		{"date", connector.DateSchema, when, `"2019-07-28"`},
		{"time", connector.TimeSchema, when, `"20:26:39.005"`},
		{"timestamp", connector.TimestampSchema, when, `"2019-07-28T20:26:39.005Z"`},
		{"list", connector.ArrayOf(connector.DateSchema), []any{when, nil}, `["2019-07-28",null]`},
		{"map", nil, map[string]any{"b": true, "a": int8(1)}, `{"a":1,"b":true}`},
		{"map with other keys", nil, map[any]any{int32(2): "b", int32(1): "a"}, `[[1,"a"],[2,"b"]]`},
		{"struct with a default", nil, connector.NewStruct(schema).Set("d", when), `{"d":"2019-07-28","x":0.1}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Append(nil, test.schema, test.value)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
			if !json.Valid(got) {
				t.Errorf("%s is not JSON", got)
			}
		})
	}
	if _, err := Append(nil, nil, map[string]any{"a": []any{make(chan int)}}); connector.KindOf(err) != connector.KindData {
		t.Errorf("a channel: %v", err)
	}
}
