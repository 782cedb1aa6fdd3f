package plainjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
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

// A writer that keeps names writes what one does that keeps none, of the first value
// of a schema and of later ones, however many schemas there are.
func TestWriter(t *testing.T) {
	const name = "a \"quoted\"\n name"
	w := new(Writer)
	for i := range mostKept + 20 {
		inner := connector.StructOf("inner", connector.F("<é>", connector.Int32Schema))
		empty := connector.StructOf("empty")
		outer := connector.StructOf("outer", connector.F(strconv.Itoa(i), inner), connector.F(name, connector.ArrayOf(inner)), connector.F("e", empty))
		in := connector.NewStruct(inner).Set("<é>", int32(i))
		v := connector.NewStruct(outer).Set(strconv.Itoa(i), in).Set(name, []any{in, in}).Set("e", connector.NewStruct(empty))
		want := fmt.Sprintf(`{"%d":{"\u003cé\u003e":%[1]d},"a \"quoted\"\n name":[{"\u003cé\u003e":%[1]d},{"\u003cé\u003e":%[1]d}],"e":{}}`, i)
		for _, write := range []func([]byte, *connector.Schema, any) ([]byte, error){w.Append, w.Append, Append} {
			if got, err := write(nil, outer, v); err != nil || string(got) != want {
				t.Fatalf("got %s (%v), want %s", got, err, want)
			}
		}
		if len(w.names) > mostKept {
			t.Fatalf("the names of %d schemas are kept", len(w.names))
		}
	}
}

// Every character is written as encoding/json does.
func TestCharacters(t *testing.T) {
	for c := range 0x3000 {
		text := "a" + string(rune(c)) + "b"
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendString(nil, text); !bytes.Equal(got, want) {
			t.Errorf("%U: got %s, want %s", c, got, want)
		}
	}
	if got := string(appendString(nil, "\xff\xc3")); got != `"\ufffd\ufffd"` {
		t.Errorf("bytes that are no text: %s", got)
	}
}
