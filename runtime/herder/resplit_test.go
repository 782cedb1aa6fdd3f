package herder

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// A connector that wants to be split again gets new tasks when it has others, and keeps them when it has not, when that
// cannot be told, and while it is paused.
//
// Clauses: A4.
func TestSplitAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var parts []string
		var broken error
		set := func(err error, now ...string) {
			mu.Lock()
			defer mu.Unlock()
			parts, broken = now, err
		}
		e := &fakeEngine{every: time.Minute, split: func(runtime.TaskSpec, int) ([]connector.Props, error) {
			mu.Lock()
			defer mu.Unlock()
			list := []connector.Props{}
			for _, p := range parts {
				list = append(list, connector.Props{"part": p})
			}
			return list, broken
		}}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		expect := func(when string, after time.Duration, want string, starts int) {
			t.Helper()
			time.Sleep(after)
			if got := states(t, h, "c"); got != want || e.count() != starts {
				t.Fatalf("%s: %s after %d starts, want %s after %d", when, got, e.count(), want, starts)
			}
		}
		target := func(to state.Target) {
			t.Helper()
			if err := h.SetTarget("c", to); err != nil {
				t.Fatal(err)
			}
		}
		set(nil, "a")
		if _, err := h.Create("c", source("tasks.max", "9"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		expect("at first", 0, "RUNNING RUNNING", 1)
		expect("the same", time.Hour, "RUNNING RUNNING", 1)
		set(nil, "a", "b")
		expect("a new part, early", 59*time.Second, "RUNNING RUNNING", 1)
		expect("a new part", time.Second, "RUNNING RUNNING RUNNING", 3)
		set(errors.New("the server is away"), "a", "b")
		expect("an error", 3*time.Minute, "RUNNING RUNNING RUNNING", 3)
		set(nil)
		expect("none at all", 3*time.Minute, "RUNNING RUNNING RUNNING", 3)
		set(nil, "b")
		expect("one is gone", time.Minute, "RUNNING RUNNING", 4)
		if got := e.last().spec.TaskProps["part"]; got != "b" {
			t.Errorf("the task is %v", got)
		}
		target(state.TargetPaused)
		set(nil, "b", "c")
		expect("paused", time.Hour, "PAUSED PAUSED", 4)
		target(state.TargetStarted)
		expect("resumed", 0, "RUNNING RUNNING RUNNING", 6)
		e.last().become(state.Failed, connector.Fatal(errors.New("no such part")))
		set(nil, "b", "d")
		expect("one has failed", time.Minute, "RUNNING RUNNING RUNNING", 9) // and was started again before
		target(state.TargetStopped)
		expect("stopped", time.Hour, "STOPPED", 9)
	})
}
