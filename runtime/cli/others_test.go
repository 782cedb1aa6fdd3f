package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

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

// The newest records of a source are shown by whichever worker is asked, as its converters
// have written them, and also where these are so large that few can be read.
func TestRecordsOfASource(t *testing.T) {
	leader, other := startTwo(t, kafkatest.Start(t))
	for name, more := range map[string]string{"small": `"payload.bytes": "10", "records": "100", "rate": "100"`, "large": `"payload.bytes": "600000", "records": "90", "rate": "50"`} {
		do(t, leader, http.StatusCreated, "POST", "/connectors", fmt.Sprintf(`{"name": %q, "config": {"connector.class": "datagen", "topic": %[1]q, "tasks.max": "1", "page.fields": "task", %s}}`, name, more))
	}
	for _, w := range []*Worker{leader, other} {
		for name, newest := range map[string]string{"small": "99", "large": "89"} {
			wait.Until(t, "the newest records of "+name, func() bool {
				type record struct {
					Time   time.Time
					Fields []struct{ Name, Text string }
				}
				var list []record
				if err := json.Unmarshal([]byte(get(t, w.PageURL()+"/records/"+name)), &list); err != nil {
					return false // a slow machine, which has given up
				}
				if !slices.IsSortedFunc(list, func(a, b record) int { return b.Time.Compare(a.Time) }) {
					t.Fatalf("the newest are not first: %v", list)
				}
				return slices.ContainsFunc(list, func(r record) bool { return r.Fields[0].Name == "task" && r.Fields[1].Text == newest })
			})
		}
	}
	if state := get(t, other.PageURL()+"/state"); strings.Count(state, `"records":true`) != 2 {
		t.Error(state)
	}
}
