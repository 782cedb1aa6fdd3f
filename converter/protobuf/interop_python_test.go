//go:build integration

package protobuf

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

var update = flag.Bool("update", false, "record what Python writes anew")

// TestPython exchanges messages with Confluent's client over the embedded registry.
func TestPython(t *testing.T) {
	url := foreign.Written(t, new(Converter), *update)
	data, err := configured(t, url, nil).FromConnect(t.Context(), "ours", every, everyValue())
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal([]byte(registrytest.Python(t, hex.EncodeToString(data)+"\n", "read", url, "ours-value", "ns.Every")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"i8": -8.0, "i16": -16.0, "i32": -32.0, "i64": "1152921504606846976", "f32": 0.5, "f64": -0.25, "b": true, "s": "é", "raw": "AQI=",
		"list": []any{1.0, 0.0, -1.0}, "texts": []any{"", "x"}, "structs": []any{map[string]any{"x": "1"}, map[string]any{}}, "in": map[string]any{"x": "7"},
		"m": []any{map[string]any{"key": "k", "value": map[string]any{"x": "3"}}}, "n": []any{map[string]any{"key": 5.0, "value": "five"}},
		"dec": map[string]any{"value": "z8c=", "precision": 5.0, "scale": 2.0}, "date": map[string]any{"year": 2019.0, "month": 7.0, "day": 28.0},
		"time": map[string]any{"hours": 21.0, "minutes": 16.0, "seconds": 39.0, "nanos": 123000000.0}, "stamp": "1969-12-31T23:59:59.999Z", "e": "BLUE"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Python reads (-want +got):\n%s", diff)
	}
}
