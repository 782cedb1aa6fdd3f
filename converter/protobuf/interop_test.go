package protobuf

import (
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

var foreign = registrytest.Foreign{Type: registry.Protobuf, Schema: "testdata/foreign.proto", Want: foreignValues()}

// foreignValues gives the values that testdata/interop.py writes.
func foreignValues() []any {
	sample := map[string]any{"name": "", "zigzag": int64(0), "unsigned": int64(0), "fixed": int64(0), "prob": float64(0), "raw": []byte{}, "numbers": []any{},
		"parts": map[string]any{}, "maybe": nil, "kind": "UNKNOWN", "at": nil, "day": nil, "time": nil, "wrapped": nil, "choice_0": nil}
	with := func(changes map[string]any) map[string]any {
		m := map[string]any{}
		for k, v := range sample {
			m[k] = v
		}
		for k, v := range changes {
			m[k] = v
		}
		return m
	}
	return []any{
		with(map[string]any{"name": "é", "zigzag": int64(-5), "unsigned": int64(1<<32 - 1), "fixed": int64(7), "prob": 0.25, "raw": []byte{0, 1},
			"numbers": []any{int32(1), int32(-1), int32(0)}, "parts": map[string]any{"x": map[string]any{"size": float32(0.5), "tags": []any{"", "t"}}},
			"maybe": int32(0), "kind": "DIATOM", "at": time.Date(2019, 7, 28, 21, 26, 39, 123e6, time.UTC), "day": time.Date(2019, 7, 28, 0, 0, 0, 0, time.UTC),
			"time": time.Date(1970, 1, 1, 21, 0, 39, 0, time.UTC), "wrapped": map[string]any{"value": ""}, "choice_0": map[string]any{"number": int64(9), "part": nil}}),
		sample,
		with(map[string]any{"choice_0": map[string]any{"number": nil, "part": map[string]any{"size": float32(2), "tags": []any{}}}}),
		map[string]any{"size": float32(0), "tags": []any{"a"}},
	}
}

// TestRecorded reads what Confluent's client for Python has written.
//
// Clauses: C8.
func TestRecorded(t *testing.T) { foreign.Recorded(t, new(Converter), nil) }
