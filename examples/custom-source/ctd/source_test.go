package ctd

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestSource(t *testing.T) {
	connectortest.Source(t, connectortest.SourceCase{
		New:   func() connector.Source { return new(Source) },
		Props: connector.Props{"topic": "ctd", "scans": "250"},
		Want:  250,
	})
}
