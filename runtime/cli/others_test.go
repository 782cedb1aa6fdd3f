package cli

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// Each worker's page shows what tasks at the other one do: this worker does not know, and
// asks that one.
func TestRatesOfACluster(t *testing.T) {
	leader, other := startTwo(t, kafkatest.Start(t))
	do(t, leader, http.StatusCreated, "POST", "/connectors", `{"name": "ticks", "config": {"connector.class": "datagen", "topic": "ticks", "rate": "200", "tasks.max": "2"}}`)
	expect(t, "ticks", "RUNNING", 2, leader, other)
	type task struct {
		ID     int
		Worker string
		In     *int64
		Rate   *float64
	}
	for w, there := range map[*Worker]*Worker{leader: other, other: leader} {
		var state struct {
			Connectors []struct {
				Hour  *float64
				Tasks []task
			}
		}
		if err := json.Unmarshal([]byte(get(t, w.PageURL()+"/state")), &state); err != nil {
			t.Fatal(err)
		}
		away := -1
		for _, one := range state.Connectors[0].Tasks {
			if one.Worker == "" {
				continue
			}
			if away = one.ID; one.Worker != there.id() || one.In != nil || one.Rate != nil {
				t.Errorf("of a task elsewhere %s says %+v", w.id(), one)
			}
		}
		if away < 0 || state.Connectors[0].Hour != nil {
			t.Fatalf("%+v", state)
		}
		var chart struct{ Notes []string }
		if err := json.Unmarshal([]byte(get(t, w.PageURL()+"/rates.json/ticks")), &chart); err != nil || len(chart.Notes) > 0 {
			t.Errorf("%s: %v, %s", w.id(), err, chart.Notes)
		}
		wait.Until(t, "the rate of the other's task", func() bool {
			var told struct {
				Connectors map[string]struct{ Tasks []task }
				Notes      []string
			}
			if err := json.Unmarshal([]byte(get(t, w.PageURL()+"/others")), &told); err != nil {
				t.Fatal(err)
			}
			list := told.Connectors["ticks"].Tasks
			if len(told.Notes) > 0 || len(list) != 1 || list[0].ID != away || list[0].Worker != there.id() {
				t.Fatalf("%s is told %+v", w.id(), told)
			}
			return *list[0].In > 0 && *list[0].Rate > 0
		})
	}
}
