package example

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// The suite holds the source to what a worker relies on: it stops while it polls, and
// resumes behind every offset.
func TestSource(t *testing.T) {
	connectortest.Source(t, connectortest.SourceCase{
		New:   func() connector.Source { return new(Source) },
		Props: connector.Props{"topic": "readings", "readings": "250"},
		Want:  250,
	})
}
