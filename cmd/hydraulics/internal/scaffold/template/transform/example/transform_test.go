package example

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// The suite holds the transform to what a worker relies on: it leaves records as they
// are, and a record has the same result whatever came before.
func TestTransform(t *testing.T) {
	record := func(value any) connector.Record { return connector.NewRecord("t", nil, "key", nil, value) }
	connectortest.Transform(t, connectortest.TransformCase{
		New:   func() connector.Transform { return new(Transform) },
		Props: connector.Props{"field": "temperature", "limit": "20"},
		Records: []connector.Record{
			record(map[string]any{"temperature": 21.5}), record(map[string]any{"temperature": int64(3)}),
			record(map[string]any{"temperature": "warm"}), record("no object"),
		},
	})
}

func TestResult(t *testing.T) {
	transform := new(Transform)
	conf := connectortest.Configure(t, transform, connector.Props{"field": "temperature", "limit": "20"})
	if err := transform.Configure(connectortest.Context(t), conf); err != nil {
		t.Fatal(err)
	}
	r, keep, err := transform.Apply(t.Context(), connector.NewRecord("t", nil, nil, nil, map[string]any{"temperature": 21.5}))
	if err != nil || !keep || r.Value.(map[string]any)["above"] != true {
		t.Errorf("%v, %v, %v", r.Value, keep, err)
	}
}
