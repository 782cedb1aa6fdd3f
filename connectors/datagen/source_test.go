package datagen

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestSource(t *testing.T) {
	connectortest.Source(t, connectortest.SourceCase{
		New:   func() connector.Source { return new(Source) },
		Props: connector.Props{"topic": "t", "records": "25", "batch.size": "10", "payload.bytes": "20", "once": "true"},
		Want:  25,
	})
}

func TestTasksHaveTheirOwnSequence(t *testing.T) {
	s := new(Source)
	tasks, err := s.TaskConfigs(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"topic": "t"}), 3)
	if err != nil || len(tasks) != 3 || tasks[2]["task"] != "2" {
		t.Errorf("tasks %v (%v)", tasks, err)
	}
}
