package avro

import (
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

var foreign = registrytest.Foreign{Type: registry.Avro, Schema: "testdata/foreign.avsc", Want: []any{
	map[string]any{"name": "é", "count": int32(-3), "total": int64(1) << 60, "prob": float32(0.25), "mean": 0.1, "flag": true, "raw": []byte{0, 255}, "note": "n",
		"kind": "DIATOM", "hash": []byte{1, 2, 3, 4}, "tags": []any{"a", ""}, "parts": map[string]any{"x": map[string]any{"size": float32(0.5)}},
		"choice": map[string]any{"long": nil, "Part": map[string]any{"size": float32(2)}}, "carbon": "-123.45",
		"day": time.Date(2019, 7, 28, 0, 0, 0, 0, time.UTC), "time": time.Date(1970, 1, 1, 21, 26, 39, 123e6, time.UTC),
		"at": time.Date(2019, 7, 28, 21, 26, 39, 123e6, time.UTC), "exactly": int64(1564349199123456), "here": int64(1564349199123),
		"id": "6fa459ea-ee8a-3ca4-894e-db77e160355e"},
	map[string]any{"name": "", "count": int32(0), "total": int64(-1), "prob": float32(0), "mean": float64(0), "flag": false, "raw": []byte{}, "note": nil,
		"kind": "UNKNOWN", "hash": []byte{0, 0, 0, 0}, "tags": []any{}, "parts": map[string]any{}, "choice": map[string]any{"long": int64(7), "Part": nil}, "carbon": "0.00",
		"day": time.Unix(0, 0).UTC(), "time": time.Unix(0, 0).UTC(), "at": time.Date(1969, 12, 31, 23, 59, 59, 999e6, time.UTC), "exactly": int64(0), "here": int64(0),
		"id": "00000000-0000-0000-0000-000000000000"},
}}

// TestRecorded reads what fastavro has written by Confluent's client for Python.
func TestRecorded(t *testing.T) { foreign.Recorded(t, new(Converter), nil) }
