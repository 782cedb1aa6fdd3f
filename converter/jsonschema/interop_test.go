package jsonschema

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

// checkForeign reads what testdata/interop.py writes.
func checkForeign(t *testing.T, conv *Converter, lines string) {
	t.Helper()
	want := []any{
		map[string]any{"name": "é", "count": int64(3), "prob": 0.25, "tags": []any{"a", ""}, "part": map[string]any{"size": 0.5}, "kind": "diatom", "note": nil},
		map[string]any{"name": "", "count": int64(-1), "prob": float64(1), "tags": []any{}, "part": map[string]any{"size": float64(2)}, "kind": "unknown", "note": "n"},
	}
	list := strings.Fields(lines)
	if len(list) != len(want) {
		t.Fatalf("%d values, want %d", len(list), len(want))
	}
	for i, line := range list {
		data, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		_, v, err := conv.ToConnect(t.Context(), "foreign", data)
		if err != nil {
			t.Errorf("value %d: %v", i, err)
		} else if diff := cmp.Diff(want[i], plain(v)); diff != "" {
			t.Errorf("value %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestRecorded reads what Confluent's client for Python has written; how to
// record it anew is said in testdata/README.md.
func TestRecorded(t *testing.T) {
	text, err := os.ReadFile("testdata/foreign.json")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile("testdata/foreign.hex")
	if err != nil {
		t.Fatal(err)
	}
	url := registrytest.URL(t)
	if id := registered(t, url, "foreign-value", string(text)); id != 1 {
		t.Fatalf("the schema has id %d, the values 1", id)
	}
	checkForeign(t, configured(t, url, connector.Props{"json.fail.invalid.schema": "true"}), string(lines))
}
