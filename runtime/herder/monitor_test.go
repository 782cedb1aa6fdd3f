package herder

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// watching is an engine whose connector watches its system, and the test's hand on
// that.
type watching struct {
	*fakeEngine
	parts       atomic.Pointer[[]string]
	broken      atomic.Pointer[error] // of TaskConfigs
	began, on   atomic.Int32
	reconfigure atomic.Pointer[func()]
	fails       chan error
}

func newWatching() *watching {
	w := &watching{fakeEngine: new(fakeEngine), fails: make(chan error)}
	w.set("a")
	w.split = func(runtime.TaskSpec, int) ([]connector.Props, error) {
		if err := w.broken.Load(); err != nil {
			return nil, *err
		}
		var list []connector.Props
		for _, p := range *w.parts.Load() {
			list = append(list, connector.Props{"part": p})
		}
		return list, nil
	}
	w.watch = func(ctx context.Context, _ runtime.TaskSpec, reconfigure func()) error {
		w.began.Add(1)
		w.on.Add(1)
		defer w.on.Add(-1)
		w.reconfigure.Store(&reconfigure)
		select {
		case err := <-w.fails:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return w
}

func (w *watching) set(parts ...string) { w.parts.Store(&parts) }

// play gives functions for a test of connector c.
func (w *watching) play(t *testing.T, h *Herder) (expect func(when, want string, starts, monitors int), target func(state.Target)) {
	return func(when, want string, starts, monitors int) {
			t.Helper()
			got := states(t, h, "c")
			if got != want || w.count() != starts || int(w.began.Load()) != monitors {
				t.Fatalf("%s: %s after %d starts and %d monitors, want %s after %d and %d", when, got, w.count(), w.began.Load(), want, starts, monitors)
			}
			on := int32(0)
			if want != "STOPPED" && !strings.HasPrefix(want, "PAUSED") && !strings.HasPrefix(want, "FAILED") {
				on = 1
			}
			if n := w.on.Load(); n != on {
				t.Fatalf("%s: %d monitors are at work, want %d", when, n, on)
			}
		}, func(to state.Target) {
			t.Helper()
			if err := h.SetTarget("c", to); err != nil {
				t.Fatal(err)
			}
		}
}

// A connector that watches its system has its tasks made anew when it asks for it
// and they are others; where that cannot be told it is asked again soon. It watches
// while it runs, one at a time.
//
// Clauses: A1, A4.
func TestMonitorAsksForOtherTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatching()
		h := newHerder(t, w, "")
		expect, target := w.play(t, h)
		if _, err := h.Create("c", source("tasks.max", "9"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		expect("at first", "RUNNING RUNNING", 1, 1)
		again := *w.reconfigure.Load()
		again()
		expect("the same", "RUNNING RUNNING", 1, 1)
		w.set("a", "b")
		time.Sleep(time.Hour)
		expect("nobody asked", "RUNNING RUNNING", 1, 1)
		again()
		expect("another part", "RUNNING RUNNING RUNNING", 3, 1)
		away := errors.New("the server is away")
		w.broken.Store(&away)
		w.set("c")
		again()
		expect("an error", "RUNNING RUNNING RUNNING", 3, 1)
		time.Sleep(time.Hour)
		expect("an error for long", "RUNNING RUNNING RUNNING", 3, 1)
		w.broken.Store(nil)
		time.Sleep(lastAgain)
		expect("the error is over", "RUNNING RUNNING", 4, 1)
		target(state.TargetPaused)
		w.set("d")
		again()
		expect("paused", "PAUSED PAUSED", 4, 1)
		target(state.TargetStarted)
		expect("resumed", "RUNNING RUNNING", 4, 2)
		again()
		expect("the monitor before asks", "RUNNING RUNNING", 4, 2)
		(*w.reconfigure.Load())()
		expect("the new one asks", "RUNNING RUNNING", 5, 2)
		if _, _, err := h.Put("c", source("tasks.max", "9", "speed", "2")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		expect("another configuration", "RUNNING RUNNING", 6, 3)
		target(state.TargetStopped)
		expect("stopped", "STOPPED", 6, 3)
		target(state.TargetStarted)
		expect("started", "RUNNING RUNNING", 7, 4)
		closeIt(t, h)
		if n := w.on.Load(); n != 0 {
			t.Errorf("%d monitors are at work behind the end", n)
		}
	})
}

// A connector fails itself with a reason: its tasks go on, and it starts again by
// policy or request.
//
// Clauses: A5.
func TestMonitorFailsItsConnector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatching()
		h := newHerder(t, w, "")
		defer closeIt(t, h)
		expect, _ := w.play(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		expect("at first", "RUNNING RUNNING", 1, 1)
		w.fails <- connector.Data(errors.New("the dashboard has no such dataset"))
		expect("a fault of the configuration", "FAILED RUNNING", 1, 1)
		s, err := h.Status("c")
		if err != nil || !strings.Contains(s.Connector.Trace, "the dashboard has no such dataset") {
			t.Errorf("the status is %+v, %v", s.Connector, err)
		}
		time.Sleep(time.Hour)
		expect("no restart cures it", "FAILED RUNNING", 1, 1)
		if _, err := h.Restart("c", false, false); err != nil {
			t.Fatal(err)
		}
		expect("started again", "RUNNING RUNNING", 1, 2)
		w.fails <- connector.Retriable(errors.New("the dashboard is away"))
		expect("a fault of the environment", "FAILED RUNNING", 1, 2)
		time.Sleep(time.Hour)
		expect("the policy's time has come", "RUNNING RUNNING", 1, 3)
		w.fails <- nil
		synctest.Wait()
		if got := states(t, h, "c"); got != "RUNNING RUNNING" || w.began.Load() != 3 {
			t.Errorf("when there is nothing to watch any more: %s after %d monitors", got, w.began.Load())
		}
	})
}

// A monitor that does not return holds up nobody but the next one.
func TestMonitorThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatching()
		hangs := make(chan struct{})
		watch := w.watch
		w.watch = func(ctx context.Context, spec runtime.TaskSpec, reconfigure func()) error {
			err := watch(ctx, spec, reconfigure)
			<-hangs
			return err
		}
		h := newHerder(t, w, "")
		_, target := w.play(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			to   state.Target
			want string
		}{{state.TargetPaused, "PAUSED PAUSED"}, {state.TargetStarted, "RUNNING RUNNING"}} {
			synctest.Wait()
			target(step.to)
			time.Sleep(time.Minute) // beyond the patience
			if got := states(t, h, "c"); got != step.want || w.began.Load() != 1 {
				t.Errorf("%s after %d monitors, want %s after one", got, w.began.Load(), step.want)
			}
		}
		close(hangs)
		synctest.Wait()
		if n := w.began.Load(); n != 2 {
			t.Errorf("%d monitors began, want the second one", n)
		}
		closeIt(t, h)
	})
}
