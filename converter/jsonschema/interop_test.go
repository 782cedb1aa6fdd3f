package jsonschema

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

var foreign = registrytest.Foreign{Type: registry.JSON, Schema: "testdata/foreign.json", Want: []any{
	map[string]any{"name": "é", "count": int64(3), "prob": 0.25, "tags": []any{"a", ""}, "part": map[string]any{"size": 0.5}, "kind": "diatom", "note": nil},
	map[string]any{"name": "", "count": int64(-1), "prob": float64(1), "tags": []any{}, "part": map[string]any{"size": float64(2)}, "kind": "unknown", "note": "n"},
}}

// TestRecorded reads what Confluent's client for Python has written.
//
// Clauses: C8.
func TestRecorded(t *testing.T) {
	foreign.Recorded(t, new(Converter), connector.Props{"json.fail.invalid.schema": "true"})
}
