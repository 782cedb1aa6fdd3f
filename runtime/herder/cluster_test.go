package herder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// fakeCluster is a cluster as one worker sees it. It is guarded by mu.
type fakeCluster struct {
	mu        sync.Mutex
	runs      map[int]bool // tasks of every connector, with Whole
	unsettled bool
	leads     error
	refuses   error // of what is submitted
	submitted []string
	said      map[int]state.State
	told      map[int]Status
}

func (c *fakeCluster) Runs(id TaskID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.runs[id.Task]
}
func (c *fakeCluster) Settled(string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.unsettled
}
func (c *fakeCluster) Leads() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leads
}
func (c *fakeCluster) Owner(id TaskID) error {
	return &Elsewhere{URL: fmt.Sprint("http://owner-of-", id.Task)}
}
func (c *fakeCluster) Submit(_ context.Context, name string, tasks []connector.Props) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.submitted = append(c.submitted, fmt.Sprint(name, " ", len(tasks)))
	return c.refuses
}
func (c *fakeCluster) Say(id TaskID, s Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said[id.Task] = s.State
}
func (c *fakeCluster) Told(id TaskID) (Status, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.told[id.Task]
	return s, ok
}

// change changes what the cluster is and has the herder act on it.
func (c *fakeCluster) change(h *Herder, change func()) {
	c.mu.Lock()
	change()
	c.mu.Unlock()
	h.Reassign()
}

func newMember(t *testing.T, e Engine, c *fakeCluster) *Herder {
	t.Helper()
	kept, err := store.OpenFile("", nil)
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := config.NewResolver(connector.Props{})
	if err != nil {
		t.Fatal(err)
	}
	c.said = map[int]state.State{}
	return New(Options{Engine: e, Validator: &config.Validator{Plugins: fakePlugins(), Resolver: resolver}, Worker: connector.Props{}, WorkerID: "w:1",
		Store: kept, Assignment: c, Leader: c, Statuses: c}, nil)
}

func threeTasks() *fakeEngine {
	return &fakeEngine{split: func(runtime.TaskSpec, int) ([]connector.Props, error) {
		return []connector.Props{{"n": "0"}, {"n": "1"}, {"n": "2"}}, nil
	}}
}

func all(tasks ...int) map[int]bool {
	m := map[int]bool{}
	for _, n := range tasks {
		m[n] = true
	}
	return m
}

// A worker runs what it is assigned, and stops the rest before others are told; what
// stays runs on.
//
// Clauses: G3, K5.
func TestReassign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, c := threeTasks(), &fakeCluster{runs: all(Whole, 0, 1, 2)}
		h := newMember(t, e, c)
		if _, err := h.Create("c", source("tasks.max", "3"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		if got := states(t, h, "c"); got != "RUNNING RUNNING RUNNING RUNNING" || e.count() != 3 {
			t.Fatalf("%s, %d starts", got, e.count())
		}
		c.change(h, func() {
			c.runs, c.told = all(1), map[int]Status{Whole: {State: state.Running, WorkerID: "x"}, 0: {State: state.Paused, WorkerID: "y"}}
		})
		for _, task := range e.starts {
			if task.gone() == (task.spec.TaskProps["n"] == "1") {
				t.Errorf("task %v: gone %v", task.spec.TaskProps, task.gone())
			}
		}
		if d := cmp.Diff(map[int]state.State{Whole: state.Unassigned, 0: state.Unassigned, 1: state.Running, 2: state.Unassigned}, c.said); d != "" {
			t.Errorf("said: %s", d)
		}
		s, err := h.Status("c")
		if err != nil {
			t.Fatal(err)
		}
		want := []Status{{State: state.Paused, WorkerID: "y"}, {ID: 1, State: state.Running, WorkerID: "w:1", Version: "2", Here: true, Starts: 1}, {ID: 2, State: state.Unassigned}}
		if d := cmp.Diff(want, s.Tasks) + cmp.Diff(Status{ID: Whole, State: state.Running, WorkerID: "x"}, s.Connector); d != "" {
			t.Error(d)
		}
		if tasks, err := h.Tasks("c"); err != nil || len(tasks) != 3 || tasks[2].Config["n"] != "2" {
			t.Errorf("%v, %v", tasks, err)
		}
		c.change(h, func() { c.runs = all(Whole, 0, 1) })
		synctest.Wait()
		if e.count() != 4 || e.last().spec.TaskProps["n"] != "0" {
			t.Errorf("%d starts, the last one of %v", e.count(), e.last().spec.TaskProps)
		}
		if err := h.RestartTask("c", 1); err != nil {
			t.Error(err)
		}
		if err := h.RestartTask("c", 2); err == nil || err.Error() != (&Elsewhere{URL: "http://owner-of-2"}).Error() {
			t.Error(err)
		}
		closeIt(t, h)
	})
}

// While one task is being stopped, to go to another worker, those that stay are seen.
func TestTasksThatStayAreSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, c := threeTasks(), &fakeCluster{runs: all(Whole, 0, 1, 2)}
		h := newMember(t, e, c)
		if _, err := h.Create("c", source("tasks.max", "3"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var moves *fakeTask
		for _, task := range e.starts {
			if task.spec.TaskProps["n"] == "2" {
				task.stuck, moves = true, task
			}
		}
		go c.change(h, func() { c.runs = all(Whole, 0, 1) }) // returns when the task has stopped
		synctest.Wait()
		if got, n := states(t, h, "c"), len(h.Snapshots()); got != "RUNNING RUNNING RUNNING RUNNING" || n != 3 {
			t.Errorf("%s, %d snapshots", got, n)
		}
		time.Sleep(time.Minute) // beyond the patience
		closeIt(t, h)
		moves.become(state.Stopped, nil)
	})
}

// A worker that does not lead changes nothing itself. The tasks that it makes go to the
// leader, again and again until that takes them.
//
// Clauses: G7.
func TestFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, c := threeTasks(), &fakeCluster{runs: all(Whole, 0, 1, 2)}
		h := newMember(t, e, c)
		elsewhere := &Elsewhere{URL: "http://leader"}
		c.mu.Lock()
		c.leads, c.refuses = elsewhere, connector.Retriable(errors.New("a rebalance is on"))
		c.mu.Unlock()
		for what, err := range map[string]error{
			"create": second(h.Create("c", source(), state.TargetStarted)), "delete": h.Delete("c"), "pause": h.SetTarget("c", state.TargetPaused),
			"patch": second(h.Patch("c", nil)), "restart": second(h.Restart("c", true, false)), "tasks": h.PutTasks(t.Context(), "c", nil),
			"offsets": second(h.ResetOffsets(t.Context(), "c")),
		} {
			if !errors.Is(err, elsewhere) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := h.o.Store.Append(t.Context(), store.ConnectorConfig{Connector: "c", Config: source("name", "c", "tasks.max", "3")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.mu.Lock()
		tries := len(c.submitted)
		c.refuses = nil
		c.mu.Unlock()
		if tries < 3 {
			t.Errorf("the tasks were sent %d times", tries)
		}
		if got := states(t, h, "c"); got != "RUNNING" {
			t.Errorf("the connector is %s", got)
		}
		closeIt(t, h)
	})
}

func second[T any](_ T, err error) error { return err }

// Offsets of a stopped connector change once the other workers have stopped its tasks.
func TestOffsetsWaitForTheCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, c := threeTasks(), &fakeCluster{runs: all(Whole, 0, 1, 2)}
		h := newMember(t, e, c)
		if _, err := h.Create("c", source(), state.TargetStopped); err != nil {
			t.Fatal(err)
		}
		c.change(h, func() { c.unsettled = true })
		done := make(chan error, 1)
		go func() {
			_, err := h.ResetOffsets(t.Context(), "c")
			done <- err
		}()
		synctest.Wait()
		if len(done) > 0 {
			t.Fatalf("it did not wait: %v", <-done)
		}
		c.change(h, func() { c.unsettled = false })
		if err := <-done; err != nil {
			t.Error(err)
		}
		closeIt(t, h)
	})
}

// A connector may be resumed at any worker while the leader alters its offsets, Java's
// too, which write that themselves. Its tasks are taken once the offsets are altered,
// whoever has made them. Where another worker leads by then it is no success.
func TestOffsetsAreAlteredBeforeTasksOfTheCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, c := threeTasks(), &fakeCluster{runs: all(1)}
		h := newMember(t, e, c)
		if _, err := h.Create("c", source(), state.TargetStopped); err != nil {
			t.Fatal(err)
		}
		tasks := []connector.Props{{"n": "0"}, {"n": "1"}}
		elsewhere := func() { // another worker has it, and the target comes by the topic
			if err := h.o.Store.Append(t.Context(), store.TargetState{Connector: "c", Target: state.TargetStarted}); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			err := h.PutTasks(t.Context(), "c", tasks)
			if refused, is := errors.AsType[*Error](err); !is || refused.Reason != Conflict || connector.KindOf(err) != connector.KindRetriable {
				t.Errorf("tasks are taken while offsets are altered: %v", err)
			}
		}
		e.alter = func([]connector.SourceOffset) error { elsewhere(); return nil }
		if _, err := h.AlterOffsets(t.Context(), "c", someOffsets); err != nil {
			t.Error(err)
		}
		if err := h.PutTasks(t.Context(), "c", tasks); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if e.count() != 1 {
			t.Errorf("%d tasks have started, want that of this worker", e.count())
		}
		if err := h.SetTarget("c", state.TargetStopped); err != nil {
			t.Fatal(err)
		}
		e.alter = func([]connector.SourceOffset) error {
			c.change(h, func() { c.leads = &Elsewhere{URL: "http://another"} })
			return nil
		}
		if _, err := h.AlterOffsets(t.Context(), "c", someOffsets); err == nil || !strings.Contains(err.Error(), "the lead of the cluster went to another worker") {
			t.Errorf("the lead is lost: %v", err)
		}
		closeIt(t, h)
	})
}

// A connector that cannot be split again fails, and the tasks of its configuration go on:
// another worker may have just been given it while its system is away.
func TestTasksGoOnWhereTheSplitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := threeTasks()
		var away atomic.Bool
		well := e.split
		e.split = func(spec runtime.TaskSpec, n int) ([]connector.Props, error) {
			if away.Load() {
				return nil, errors.New("the system is away")
			}
			return well(spec, n)
		}
		h := newHerder(t, e, "")
		if _, err := h.Create("c", source("tasks.max", "3"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		away.Store(true)
		if _, err := h.Restart("c", false, false); err != nil {
			t.Fatal(err)
		}
		if got := states(t, h, "c"); got != "FAILED RUNNING RUNNING RUNNING" {
			t.Error(got)
		}
		away.Store(false)
		time.Sleep(time.Minute)
		if got := states(t, h, "c"); got != "RUNNING RUNNING RUNNING RUNNING" || e.count() != 3 {
			t.Errorf("%s, %d starts", got, e.count())
		}
		closeIt(t, h)
	})
}
