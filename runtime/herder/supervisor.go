package herder

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/failures"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// supervisor runs one task: its goroutine alone starts and stops it. Every
// start looks up anew what the references in its configuration stand for. The
// fields in the second part are guarded by the herder's lock.
type supervisor struct {
	loop
	c       *hosted
	id      int
	config  connector.Props // with references
	applied connector.Props // the connector's that it was made of, too
	kind    runtime.Kind
	version string           // of the connector's plugin
	spec    runtime.TaskSpec // of the last start
	done    chan struct{}    // closed after the goroutine

	restart  bool // the task is to be started, again or for the first time
	compare  bool // it is to be, if references stand for something else by now
	state    state.State
	err      error
	run      int  // counts the starts: events of older runs do not count
	starting bool // and this one has not come to anything yet
	restarts restarts
	endCtx   context.Context // of the worker's end; nil where the task is not wanted any more

	mu     sync.Mutex // after the herder's
	handle Task
}

func newSupervisor(c *hosted, id int, props, applied connector.Props) *supervisor {
	kind, info := c.h.describe(applied)
	return &supervisor{loop: newLoop(), c: c, id: id, config: props, applied: applied, kind: runtime.Kind(kind), version: info.Version,
		done: make(chan struct{}), restart: true, state: state.Unassigned}
}

// main is the supervisor's goroutine, which end ends. It begins when the
// earlier ones are through.
func (s *supervisor) main(earlier []*supervisor) {
	s.c.waitBefore()
	for _, e := range earlier {
		<-e.done
	}
	s.loop.run(s.step)
	s.stopLast()
	s.c.h.mu.Lock()
	s.c.leaving = slices.DeleteFunc(s.c.leaving, func(l *supervisor) bool { return l == s })
	if s.id < len(s.c.wanted().Tasks) {
		s.c.h.o.Statuses.Say(TaskID{s.c.name, s.id}, Status{ID: s.id, State: state.Unassigned})
	}
	s.c.h.note()
	s.c.h.mu.Unlock()
	close(s.done)
}

// end makes the goroutine stop the task, for as long as ctx lasts, and return.
// After a cancel alone it does so with the usual patience. The caller holds the
// herder's lock.
func (s *supervisor) end(ctx context.Context) {
	s.endCtx = ctx
	s.cancel()
}

// step starts, pauses or resumes the task, as is wanted. It gives the time of
// the next restart, zero for none.
func (s *supervisor) step() time.Time {
	h := s.c.h
	want, there := h.o.Store.Connector(s.c.name)
	if !there || want.Target == state.TargetStopped {
		return time.Time{} // it will be ended
	}
	h.mu.Lock()
	start := s.restart || want.Target == state.TargetStarted && s.dueLocked()
	compare := s.compare
	s.compare = false
	h.mu.Unlock()
	if !start && compare && s.outdated() {
		h.o.Log.Info("task starts again: its references stand for something else by now", "connector", s.c.name, "task", s.id)
		start = true
	}
	if start {
		s.start()
	} else if t := s.get(); t != nil {
		if want.Target == state.TargetPaused {
			t.Pause()
		} else {
			t.Resume()
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if want.Target != state.TargetStarted || s.state != state.Failed {
		return time.Time{}
	}
	return s.restarts.next
}

// dueLocked tells whether the restart policy's time has come.
func (s *supervisor) dueLocked() bool {
	next := s.restarts.next
	return s.state == state.Failed && !next.IsZero() && !time.Now().Before(next)
}

// resolve gives what the task is to do, with what its references stand for now.
func (s *supervisor) resolve() (runtime.TaskSpec, error) {
	spec := runtime.TaskSpec{Connector: s.c.name, Task: s.id, Kind: s.kind, Worker: s.c.h.o.Worker}
	report, err := s.c.validate(s.applied)
	if err != nil {
		return spec, err
	}
	if spec.Props, err = s.c.h.o.Validator.Resolve(report); err != nil {
		return spec, err
	}
	if spec.TaskProps, err = s.c.h.o.Validator.ResolveTask(report, s.config); err != nil {
		return spec, err
	}
	delete(spec.TaskProps, taskClass)
	return spec, nil
}

// outdated tells whether the task's references stand for something else than
// when it was started.
func (s *supervisor) outdated() bool {
	spec, err := s.resolve()
	return err == nil && !(reflect.DeepEqual(spec.Props, s.spec.Props) && reflect.DeepEqual(spec.TaskProps, s.spec.TaskProps))
}

// start starts the task, after the one that is running has stopped.
func (s *supervisor) start() {
	h := s.c.h
	s.stopFirst()
	if s.quit.Err() != nil {
		return
	}
	s.c.altering.RLock()
	defer s.c.altering.RUnlock()
	want, there := h.o.Store.Connector(s.c.name)
	if !there || want.Target == state.TargetStopped {
		return // it will be ended
	}
	paused := want.Target == state.TargetPaused
	h.mu.Lock()
	s.run++
	run := s.run
	s.starting = true
	var failed error // what the policy starts it after
	if !s.restart && s.state == state.Failed {
		failed = s.err
	}
	s.restart, s.restarts.next = false, time.Time{} // a request from now on is for the next start
	h.mu.Unlock()
	spec, err := s.resolve()
	spec.Paused, spec.Failed = paused, failed
	spec.Latest = func() (connector.Props, error) {
		now, err := s.resolve()
		return now.TaskProps, err
	}
	s.spec = spec
	h.mu.Lock()
	s.restarts.since = time.Now()
	s.restarts.policy = policyOf(string(s.kind), s.applied)
	if err == nil {
		s.restarts.policy = policyOf(string(s.kind), spec.Props)
	}
	h.mu.Unlock()
	if err == nil {
		err = s.launch(run)
	}
	if err != nil {
		s.heard(run, runtime.Event{State: state.Failed, Err: err})
	}
}

// stopFirst stops the task that is running, if one is, before another one starts:
// with the usual patience, or for as long as the worker's end lasts.
func (s *supervisor) stopFirst() {
	ctx, cancel := context.WithTimeout(context.Background(), s.c.h.patience)
	defer cancel()
	defer context.AfterFunc(s.quit, func() {
		s.c.h.mu.Lock()
		end := s.endCtx
		s.c.h.mu.Unlock()
		if end == nil {
			return
		}
		select {
		case <-end.Done():
			cancel()
		case <-ctx.Done():
		}
	})()
	s.broken(s.stop(ctx), "restart")
}

// launch hands the task to the engine.
func (s *supervisor) launch(run int) error {
	handle, err := s.c.h.o.Engine.StartTask(s.spec, func(e runtime.Event) { s.heard(run, e) })
	if err != nil {
		return connector.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handle = handle
	return nil
}

// heard notes what the task has become. It is called from the task's goroutine.
func (s *supervisor) heard(run int, e runtime.Event) {
	h := s.c.h
	h.mu.Lock()
	defer h.mu.Unlock()
	if run != s.run || s.restart && e.State.Ended() {
		return // an older run, or one that ends because it is started again
	}
	now := time.Now()
	if s.starting && (e.State == state.Running || e.State == state.Failed) {
		s.starting = false
		h.started.tasks.count(e.State == state.Running)
	}
	if e.State == state.Failed {
		s.restarts.failed(e.Err, now)
		log := h.o.Log.With("connector", s.c.name, "task", s.id)
		if s.restarts.next.IsZero() {
			log.Error("task failed: " + failures.Text(e.Err))
		} else {
			log.Error("task failed: "+failures.Text(e.Err), "restart_in", s.restarts.delay.Round(time.Millisecond))
			s.c.splitter.suspect = true
			s.c.splitter.poke()
		}
	}
	if e.State == state.Running && s.state != state.Paused {
		s.restarts.since = now
	}
	s.state, s.err = e.State, e.Err
	s.say()
	s.poke()
	h.note()
}

// again has the task started again. The caller holds the herder's lock.
func (s *supervisor) again() {
	s.restart, s.state = true, state.Restarting
	s.say()
}

// say tells the other workers what the task is doing. The caller holds the herder's
// lock.
func (s *supervisor) say() {
	if s.quit.Err() == nil {
		s.c.h.o.Statuses.Say(TaskID{s.c.name, s.id}, s.status())
	}
}

// status gives what the task is doing. The caller holds the herder's lock.
func (s *supervisor) status() Status {
	out := Status{ID: s.id, State: s.state, WorkerID: s.c.h.o.WorkerID, Version: s.version, Here: true}
	if s.err != nil && (s.state == state.Failed || s.state == state.Restarting) {
		out.Trace = runtime.Trace(s.err)
	}
	return out
}

// stopLast stops the task at the end.
func (s *supervisor) stopLast() {
	h := s.c.h
	h.mu.Lock()
	ctx := s.endCtx
	h.mu.Unlock()
	if ctx == nil {
		limited, cancel := context.WithTimeout(context.Background(), h.patience)
		defer cancel()
		ctx = limited
	}
	s.broken(s.stop(ctx), "stop")
}

// broken notes that a task did not stop in time; err is nil where it did.
func (s *supervisor) broken(err error, when string) {
	if err == nil {
		return
	}
	h := s.c.h
	h.o.Log.Warn(when+": "+failures.Text(err), "connector", s.c.name, "task", s.id)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		s.c.stopErr = errors.Join(s.c.stopErr, err)
	}
}

func (s *supervisor) get() Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handle
}

func (s *supervisor) stop(ctx context.Context) error {
	if t := s.get(); t != nil {
		return t.Stop(ctx)
	}
	return nil
}

func (s *supervisor) snapshot() runtime.Stats { return s.stats(Task.Snapshot) }

// stats gives what the task has done, as far as of says.
func (s *supervisor) stats(of func(Task) runtime.Stats) runtime.Stats {
	if t := s.get(); t != nil {
		return of(t)
	}
	return runtime.Stats{Connector: s.c.name, Task: s.id, Kind: s.kind, State: state.Unassigned}
}
