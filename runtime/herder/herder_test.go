package herder

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

func newHerder(t *testing.T, e Engine, file string, files ...config.Connector) *Herder {
	t.Helper()
	kept, err := store.OpenFile(file, files)
	if err != nil {
		t.Fatal(err)
	}
	return newHerderOn(t, e, kept, files...)
}

func newHerderOn(t *testing.T, e Engine, kept store.Store, files ...config.Connector) *Herder {
	t.Helper()
	resolver, err := config.NewResolver(connector.Props{"config.providers": "env"})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Engine: e, Validator: &config.Validator{Plugins: fakePlugins(), Resolver: resolver},
		Worker: connector.Props{}, WorkerID: "w:1", Store: kept}, files)
}

// states gives a connector's state and those of its tasks: "RUNNING RUNNING".
func states(t *testing.T, h *Herder, name string) string {
	t.Helper()
	synctest.Wait()
	s, err := h.Status(name)
	if err != nil {
		t.Fatal(err)
	}
	return words(s)
}

// words gives the states of a status.
func words(s ConnectorStatus) string {
	list := []string{string(s.Connector.State)}
	for _, task := range s.Tasks {
		list = append(list, string(task.State))
	}
	return strings.Join(list, " ")
}

func source(extra ...string) connector.Props {
	p := connector.Props{"connector.class": "fake-source"}
	for i := 0; i < len(extra); i += 2 {
		p[extra[i]] = extra[i+1]
	}
	return p
}

func closeIt(t *testing.T, h *Herder) {
	t.Helper()
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Clauses: A1, A2, F3, K6, K7.
func TestLifeOfAConnector(t *testing.T) {
	overStores(t, func(t *testing.T, open func() (store.Store, func())) {
		e := &fakeEngine{split: func(spec runtime.TaskSpec, n int) ([]connector.Props, error) {
			return []connector.Props{{"part": "a"}, {"part": "b"}}[:n], nil
		}}
		kept, closed := open()
		h := newHerderOn(t, e, kept)
		expect := func(want string) {
			t.Helper()
			if got := states(t, h, "c"); got != want {
				t.Fatalf("%s, want %s", got, want)
			}
		}
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		info, err := h.Create("c", source("tasks.max", "2"), state.TargetStarted)
		do(err)
		if len(info.Tasks) != 0 || info.Config["name"] != "c" || info.Kind != "source" {
			t.Errorf("made %+v", info)
		}
		expect("RUNNING RUNNING RUNNING")
		do(h.SetTarget("c", state.TargetPaused))
		expect("PAUSED PAUSED PAUSED")
		do(h.SetTarget("c", state.TargetStarted))
		expect("RUNNING RUNNING RUNNING")
		n := e.count()
		s, err := h.Restart("c", true, false)
		do(err)
		if s.Connector.State != state.Restarting || s.Tasks[0].State != state.Restarting {
			t.Errorf("while it restarts: %+v", s)
		}
		expect("RUNNING RUNNING RUNNING")
		if e.count() != n+2 {
			t.Errorf("%d starts, want %d", e.count(), n+2)
		}
		do(h.RestartTask("c", 1))
		expect("RUNNING RUNNING RUNNING")
		if e.count() != n+3 {
			t.Errorf("%d starts, want %d", e.count(), n+3)
		}
		_, err = h.Patch("c", connector.Props{"tasks.max": "1", "speed": "3"})
		do(err)
		expect("RUNNING RUNNING")
		do(h.SetTarget("c", state.TargetStopped))
		expect("STOPPED")
		closeIt(t, h)
		closed()

		kept, closed = open()
		defer closed()
		h = newHerderOn(t, e, kept)
		expect("STOPPED")
		do(h.SetTarget("c", state.TargetStarted))
		expect("RUNNING RUNNING")
		if got, _ := h.Info("c"); got.Config["speed"] != "3" {
			t.Errorf("after a restart of the worker: %+v", got.Config)
		}
		do(h.Delete("c"))
		synctest.Wait()
		if len(h.Connectors()) != 0 || len(e.forgot) == 0 {
			t.Error("the connector is still there")
		}
		closeIt(t, h)
	})
}

// Of a connector and its tasks what failed starts again, where that is asked for.
//
// Clauses: K6.
func TestRestartOfWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{split: twoTasks}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source("tasks.max", "2"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, one := range e.starts { // in either order
			if one.spec.Task == 1 {
				one.become(state.Failed, connector.Data(errors.New("bad")))
			}
		}
		for _, tt := range []struct {
			tasks, failed bool
			said, after   string
			starts        int // of tasks, all in all
		}{
			{false, true, "RUNNING RUNNING FAILED", "RUNNING RUNNING FAILED", 2},
			{false, false, "RESTARTING RUNNING FAILED", "RUNNING RUNNING FAILED", 2},
			{true, true, "RUNNING RUNNING RESTARTING", "RUNNING RUNNING RUNNING", 3},
			{true, true, "RUNNING RUNNING RUNNING", "RUNNING RUNNING RUNNING", 3},
			{true, false, "RESTARTING RESTARTING RESTARTING", "RUNNING RUNNING RUNNING", 5},
		} {
			synctest.Wait()
			s, err := h.Restart("c", tt.tasks, tt.failed)
			if err != nil {
				t.Fatal(err)
			}
			said, after := words(s), states(t, h, "c")
			if said != tt.said || after != tt.after || e.count() != tt.starts {
				t.Errorf("tasks %v, failed %v: said %s, then %s, %d starts, want %+v", tt.tasks, tt.failed, said, after, e.count(), tt)
			}
		}
	})
}

// Clauses: K3.
func TestPausedFromTheStartHasNoTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetPaused); err != nil {
			t.Fatal(err)
		}
		if got := states(t, h, "c"); got != "PAUSED" || e.count() != 0 {
			t.Errorf("%s and %d starts", got, e.count())
		}
	})
}

func TestFailedTasksStartAgain(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		config []string
		starts []int // after 0.9, 1.1, 3.2 and 600 seconds
		state  string
	}{
		{"fatal errors with growing delays", connector.Fatal(errors.New("gone")), []string{"restart.attempts.max", "2"}, []int{1, 2, 3, 3}, "FAILED"},
		{"an unmarked error", errors.New("gone"), []string{"restart.attempts.max", "1", "restart.delay.ms", "1000"}, []int{1, 2, 2, 2}, "FAILED"},
		{"a bad record does not", connector.Data(errors.New("bad")), nil, []int{1, 1, 1, 1}, "FAILED"},
		{"never", connector.Fatal(errors.New("gone")), []string{"restart.policy", "never"}, []int{1, 1, 1, 1}, "FAILED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &fakeEngine{fail: func(int) error { return tt.err }}
				h := newHerder(t, e, "")
				defer closeIt(t, h)
				if _, err := h.Create("c", source(tt.config...), state.TargetStarted); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				at := time.Duration(0)
				for i, until := range []time.Duration{900 * time.Millisecond, 1100 * time.Millisecond, 3200 * time.Millisecond, 600 * time.Second} {
					time.Sleep(until - at) // synctest's time
					at = until
					synctest.Wait()
					if e.count() != tt.starts[i] {
						t.Errorf("after %s: %d starts, want %d", until, e.count(), tt.starts[i])
					}
				}
				s, _ := h.TaskStatus("c", 0)
				if string(s.State) != tt.state || s.Trace != tt.err.Error() {
					t.Errorf("status %+v", s)
				}
				if err := h.Wait(t.Context(), "c"); err == nil {
					t.Error("waiting for a failed connector gives no error")
				}
			})
		})
	}
}

func TestStartByThePolicyKnowsWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := connector.Fatal(errors.New("gone"))
		e := &fakeEngine{fail: func(n int) error {
			if n == 1 {
				return gone
			}
			return nil
		}}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := e.last().spec.Failed; got != nil {
			t.Errorf("the first start knows of %v", got)
		}
		time.Sleep(2 * time.Second) // synctest's time
		synctest.Wait()
		if got := e.last().spec.Failed; e.count() != 2 || !errors.Is(got, gone) {
			t.Errorf("start %d knows of %v", e.count(), got)
		}
		if err := h.RestartTask("c", 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := e.last().spec.Failed; e.count() != 3 || got != nil {
			t.Errorf("start %d, which was asked for, knows of %v", e.count(), got)
		}
	})
}

func TestRestartCountStartsOverAfterALongRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{1, 2, 3, 1} {
			synctest.Wait()
			if want == 1 {
				time.Sleep(2 * time.Minute) // synctest's time
			}
			e.last().become(state.Failed, connector.Fatal(errors.New("x")))
			synctest.Wait()
			s, _ := h.TaskStatus("c", 0)
			if s.Restarts == nil || s.Restarts.Failures != want {
				t.Fatalf("%+v, want %d failures", s.Restarts, want)
			}
			time.Sleep(time.Until(s.Restarts.Next) + time.Millisecond) // synctest's time
		}
	})
}

// Clauses: A4.
func TestSplitThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		e := &fakeEngine{}
		e.split = func(spec runtime.TaskSpec, _ int) ([]connector.Props, error) {
			if calls++; calls < 3 {
				return nil, connector.Retriable(errors.New("not there yet"))
			}
			return []connector.Props{spec.Props}, nil
		}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		if got := states(t, h, "c"); got != "FAILED" {
			t.Errorf("%s, want FAILED", got)
		}
		time.Sleep(time.Hour) // synctest's time
		if got := states(t, h, "c"); got != "RUNNING RUNNING" {
			t.Errorf("%s, want RUNNING RUNNING", got)
		}
	})
}

// Clauses: A5.
func TestSplitThatFailsWaitsWhateverWakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		e := &fakeEngine{split: func(runtime.TaskSpec, int) ([]connector.Props, error) {
			calls++
			return nil, connector.Data(errors.New("no such dashboard"))
		}}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		h.mu.Lock()
		h.connectors["c"].poke()
		h.mu.Unlock()
		if got := states(t, h, "c"); got != "FAILED" || calls != 1 {
			t.Errorf("%s after %d calls, want FAILED after one", got, calls)
		}
		if _, err := h.Restart("c", false, false); err != nil {
			t.Fatal(err)
		}
		if got := states(t, h, "c"); got != "FAILED" || calls != 2 {
			t.Errorf("%s after %d calls, want FAILED after the restart's", got, calls)
		}
	})
}

func TestWaitForAOneShotSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := h.Wait(ctx, "c"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a running connector is over: %v", err)
		}
		e.last().become(state.Done, nil)
		if err := h.Wait(t.Context(), "c"); err != nil {
			t.Error(err)
		}
	})
}

// Clauses: K5.
func TestStatusSaysWhatIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		e.last().errors = runtime.Errors{Retrying: true, Last: "no route"}
		if s, _ := h.TaskStatus("c", 0); s.Trace != "retrying: no route" || s.State != state.Running {
			t.Errorf("%+v", s)
		}
		e.last().errors, e.last().waits = runtime.Errors{}, &runtime.Waits{Why: "sink (a) has not returned", Stalled: true}
		if s, _ := h.TaskStatus("c", 0); s.Trace != "stalled: sink (a) has not returned" || s.Waits == nil {
			t.Errorf("%+v", s)
		}
		if len(h.Snapshots()) != 1 {
			t.Error("no snapshot of the task")
		}
	})
}

// Clauses: B8, K12.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHerder(t, new(fakeEngine), "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		_, again := h.Create("c", source(), state.TargetStarted)
		_, mismatch := h.Create("d", source("name", "e"), state.TargetStarted)
		_, invalid := h.Create("d", source("speed", "x"), state.TargetStarted)
		_, unknown := h.Info("nope")
		_, restart := h.Restart("nope", false, false)
		tests := []struct {
			err  error
			text string
		}{
			{again, "Connector c already exists"},
			{mismatch, "Connector name configuration (e) doesn't match connector name in the URL (d)"},
			{invalid, "Connector configuration is invalid and contains the following 1 error(s):\nInvalid value x for configuration speed: Not a number of type INT\n"},
			{unknown, "Connector nope not found"},
			{restart, "Unknown connector: nope"},
			{h.SetTarget("nope", state.TargetPaused), "Unknown connector nope"},
			{h.RestartTask("c", 7), "Unknown task: c-7"},
			{h.Delete("nope"), "Connector nope not found"},
		}
		for _, tt := range tests {
			if tt.err == nil || !strings.HasPrefix(tt.err.Error(), tt.text) {
				t.Errorf("%v, want %s", tt.err, tt.text)
			}
		}
	})
}

func TestCloseBreaksOffWhatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		e.last().stuck = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Close(ctx); err == nil {
			t.Error("no error says that a task was broken off")
		}
		e.last().become(state.Stopped, nil)
	})
}
