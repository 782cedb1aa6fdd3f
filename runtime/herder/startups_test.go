package herder

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// refusing is an engine that cannot start its first task.
type refusing struct {
	*fakeEngine
	asked int
}

func (e *refusing) StartTask(spec runtime.TaskSpec, notify func(runtime.Event)) (Task, error) {
	if e.asked++; e.asked == 1 {
		return nil, errors.New("not today")
	}
	return e.fakeEngine.StartTask(spec, notify)
}

// TestStartups counts starts of a connector and its task that fail, those that
// succeed, and not what becomes of them later.
//
// Clauses: L1.
func TestStartups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		e := &fakeEngine{split: func(spec runtime.TaskSpec, _ int) ([]connector.Props, error) {
			if calls++; calls == 1 {
				return nil, connector.Retriable(errors.New("not there yet"))
			}
			return []connector.Props{spec.Props}, nil
		}}
		h := newHerder(t, &refusing{fakeEngine: e}, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // synctest's time: both are tried again
		if got := states(t, h, "c"); got != "RUNNING RUNNING" {
			t.Fatalf("%s, want RUNNING RUNNING", got)
		}
		e.last().become(state.Failed, errors.New("later"))
		synctest.Wait()
		connectors, tasks := h.Startups()
		if d := cmp.Diff([]Startups{{1, 1}, {1, 1}}, []Startups{connectors, tasks}); d != "" {
			t.Error(d)
		}
	})
}
