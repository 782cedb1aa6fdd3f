package herder

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

var someOffsets = []connector.SourceOffset{{Partition: map[string]any{"p": 1}, Offset: map[string]any{"o": 2}}}

// Clauses: K8.
func TestOffsetsOfAStoppedConnectorOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		altered := 0
		e := &fakeEngine{alter: func([]connector.SourceOffset) error { altered++; return nil }}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		alter := func(name, want string) {
			t.Helper()
			synctest.Wait()
			all, err := h.AlterOffsets(t.Context(), name, someOffsets)
			if want == "" && (err != nil || !all) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("all %v, error %v, want %q", all, err, want)
			}
		}
		alter("nope", "Connector nope not found")
		if _, err := h.Offsets(t.Context(), "nope"); err == nil {
			t.Error("a connector that is not there has offsets")
		}
		for _, target := range []state.Target{state.TargetStarted, state.TargetPaused} {
			if err := h.SetTarget("c", target); err != nil {
				t.Fatal(err)
			}
			alter("c", "Connectors must be in the STOPPED state")
		}
		if err := h.SetTarget("c", state.TargetStopped); err != nil {
			t.Fatal(err)
		}
		alter("c", "")
		if all, err := h.ResetOffsets(t.Context(), "c"); err != nil || all {
			t.Errorf("reset: all %v, error %v", all, err)
		}
		e.alter = func([]connector.SourceOffset) error { return connector.Data(errors.New("no such place")) }
		alter("c", "no such place")
		if altered != 1 {
			t.Errorf("offsets were altered %d times", altered)
		}
	})
}

// What a task commits at its end is not to overwrite what people set.
//
// Clauses: K8.
func TestOffsetsWaitForTasksThatStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		task := e.last()
		task.stuck = true // until the worker's patience ends
		e.alter = func([]connector.SourceOffset) error {
			if !task.gone() {
				t.Error("offsets are altered while a task is there")
			}
			return nil
		}
		if err := h.SetTarget("c", state.TargetStopped); err != nil {
			t.Fatal(err)
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.AlterOffsets(soon, "c", someOffsets); err == nil || !strings.Contains(err.Error(), "1 of its tasks have not stopped yet") {
			t.Errorf("with a task that does not stop: %v", err)
		}
		if _, err := h.AlterOffsets(t.Context(), "c", someOffsets); err != nil {
			t.Error(err)
		}
		task.become(state.Stopped, nil)
		closeIt(t, h)
	})
}

func TestNothingStartsWhileOffsetsAreAltered(t *testing.T) {
	altering, resume := make(chan struct{}), make(chan struct{})
	e, split := &fakeEngine{}, make(chan struct{}, 100)
	e.split = func(runtime.TaskSpec, int) ([]connector.Props, error) {
		split <- struct{}{}
		return []connector.Props{{}}, nil
	}
	e.alter = func([]connector.SourceOffset) error {
		close(altering)
		<-resume
		if n := e.count(); n != 0 {
			t.Errorf("%d tasks started meanwhile", n)
		}
		return nil
	}
	h := newHerder(t, e, "")
	defer closeIt(t, h)
	if _, err := h.Create("c", source(), state.TargetStopped); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := h.AlterOffsets(context.Background(), "c", someOffsets)
		done <- err
	}()
	wait.For(t, "the offsets to be altered", altering)
	if err := h.SetTarget("c", state.TargetStarted); err != nil {
		t.Fatal(err)
	}
	for range 2 { // its task is made, and made again since it is not taken
		wait.For(t, "the task to be made", split)
	}
	if s, err := h.Status("c"); err != nil || len(s.Tasks) != 0 {
		t.Errorf("there are tasks: %+v, %v", s, err)
	}
	close(resume)
	if err := <-done; err != nil {
		t.Error(err)
	}
	wait.Until(t, "the task to start", func() bool { return e.count() == 1 })
}

// A task that failed for good does not keep the others from being stopped.
func TestStopOfAConnectorWhoseTaskFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{split: twoTasks}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source("tasks.max", "2"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		failing, other := e.starts[0], e.starts[1]
		failing.become(state.Failed, connector.Data(errors.New("bad")))
		synctest.Wait()
		if s, err := h.Status("c"); err != nil || s.Worst() != state.Failed {
			t.Errorf("the worst is %s (%v)", s.Worst(), err)
		}
		if err := h.SetTarget("c", state.TargetStopped); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := states(t, h, "c"); got != "STOPPED" || !other.gone() {
			t.Errorf("%s, and the other task has stopped: %v", got, other.gone())
		}
	})
}

// Clauses: K5.
func TestWorst(t *testing.T) {
	tests := []struct {
		tasks []state.State
		want  state.State
	}{
		{nil, ""},
		{[]state.State{state.Running, state.Running}, state.Running},
		{[]state.State{state.Running, state.Done}, state.Running},
		{[]state.State{state.Done}, state.Done},
		{[]state.State{state.Running, state.Paused}, state.Paused},
		{[]state.State{state.Restarting, state.Failed, state.Unassigned}, state.Failed},
		{[]state.State{state.Unassigned, state.Restarting, state.Running}, state.Unassigned},
	}
	for _, tt := range tests {
		var s ConnectorStatus
		for _, of := range tt.tasks {
			s.Tasks = append(s.Tasks, Status{State: of})
		}
		if got := s.Worst(); got != tt.want {
			t.Errorf("of %v the worst is %s, want %s", tt.tasks, got, tt.want)
		}
	}
}
