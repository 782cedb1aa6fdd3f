package herder

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/failures"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// taskClass is a key of tasks that Java's clients look for. Plugins do not get it.
const taskClass = "task.class"

// firstAgain and lastAgain bound how long a connector whose tasks run waits until
// it is split again after that has failed: Kafka Connect's values.
const firstAgain, lastAgain = 250 * time.Millisecond, time.Minute

// splitter splits one connector into tasks, and writes these to the store. The
// fields in the second part are its goroutine's own, those in the third are
// guarded by the herder's lock.
type splitter struct {
	loop
	c    *hosted
	done chan struct{} // closed when it does not work, or does not any more

	tried    connector.Props // the configuration that was split last, nil for none
	resolved connector.Props // that configuration as of when it went well
	policy   policy
	spec     runtime.TaskSpec // as it was split, for its monitor
	last     <-chan struct{}  // closed when the last monitor has returned; nil without one
	tries    int              // in a row to split it again

	works    bool   // the worker runs the connector
	version  string // of its plugin, as it was split last
	restart  bool   // it is to be split again
	suspect  bool   // a task failed, which may be for a secret that was changed
	state    state.State
	err      error // why it could not be split
	failures int   // in a row
	next     time.Time
	resplit  time.Time // when to split it again, which it wants to be every so often; zero for never
	ttl      time.Duration
	stale    time.Time // when its references are no longer believed; zero for never
	monitor  *monitor  // nil while the connector is not to watch its system
	asked    bool      // its monitor wants it split again
}

// newSplitter makes a splitter that does not work yet.
func newSplitter(c *hosted, target state.Target) *splitter {
	s := &splitter{loop: newLoop(), c: c, state: state.Running, done: make(chan struct{})}
	close(s.done)
	switch target {
	case state.TargetPaused:
		s.state = state.Paused
	case state.TargetStopped:
		s.state = state.Stopped
	}
	return s
}

// begin has the splitter work once an earlier one has ended. The caller holds the
// herder's lock.
func (s *splitter) begin(earlier <-chan struct{}) {
	s.works, s.done = true, make(chan struct{})
	s.c.work.Go(func() {
		defer close(s.done)
		<-earlier
		s.main()
	})
}

// main is the splitter's goroutine, which is cancelled when the connector is removed
// or is for another worker, and when this one ends.
func (s *splitter) main() {
	s.c.waitBefore()
	s.loop.run(s.step)
	s.endMonitor()
	if _, there := s.c.h.o.Store.Connector(s.c.name); there {
		s.c.h.o.Statuses.Say(TaskID{s.c.name, Whole}, Status{State: state.Unassigned})
	}
}

// step makes the connector's tasks what is wanted. It gives the time when
// something is to be done again, zero for when it is woken.
func (s *splitter) step() time.Time {
	want, there := s.c.h.o.Store.Connector(s.c.name)
	if !there {
		return time.Time{} // it will be ended
	}
	d := s.take()
	fresh := s.tried == nil || !maps.Equal(s.tried, want.Config)
	none := len(want.Tasks) == 0
	switch {
	case want.Target == state.TargetStopped:
		s.tried = nil
		s.endMonitor()
		s.c.waitLeft()
		s.become(state.Stopped)
		return time.Time{}
	case want.Target == state.TargetPaused && none:
		s.endMonitor()
		s.become(state.Paused)
		return time.Time{}
	case d.failed && !fresh && !d.restart && !d.due:
		return d.next // whatever woke it, its split is tried again then
	case fresh || d.restart || d.due || none:
		s.endMonitor()
		err := s.split(want)
		if unsent, is := errors.AsType[*unsent](err); is {
			return s.later(unsent)
		}
		s.count(err)
		if err != nil {
			return s.fail(want, err)
		}
		s.tries = 0
	case want.Target == state.TargetStarted && d.broken != nil:
		return s.broke(d.broken)
	case want.Target == state.TargetStarted && (d.resplit || d.asked || d.suspect && s.outdated(want)):
		s.splitAgain(want)
	case want.Target == state.TargetStarted && d.stale:
		s.lookAgain(want)
	}
	if want.Target == state.TargetPaused {
		s.endMonitor()
		s.become(state.Paused)
		return time.Time{}
	}
	s.watch()
	s.become(state.Running)
	return s.nextSplit()
}

// count counts a start of the connector, which splitting it is.
func (s *splitter) count(err error) {
	s.c.h.mu.Lock()
	defer s.c.h.mu.Unlock()
	if s.quit.Err() == nil {
		s.c.h.started.connectors.count(err == nil)
	}
}

// duties are what there may be to do besides what the store says.
type duties struct {
	restart, suspect bool
	failed, due      bool // it could not be split; it is time to try again
	next             time.Time
	resplit, stale   bool
	asked            bool
	broken           error // of its monitor
}

// take gives what there may be to do, and has what was asked for done by that.
func (s *splitter) take() duties {
	s.c.h.mu.Lock()
	defer s.c.h.mu.Unlock()
	now := time.Now()
	d := duties{restart: s.restart, suspect: s.suspect, failed: s.state == state.Failed, next: s.next}
	d.due = d.failed && !s.next.IsZero() && !now.Before(s.next)
	d.resplit = s.state == state.Running && !s.resplit.IsZero() && !now.Before(s.resplit)
	d.stale = s.state == state.Running && !s.stale.IsZero() && !now.Before(s.stale)
	d.asked = s.asked
	if s.monitor != nil {
		d.broken, s.monitor.err = s.monitor.err, nil
	}
	s.restart, s.suspect, s.asked = false, false, false
	return d
}

// split splits the connector into tasks.
func (s *splitter) split(want store.Connector) error {
	h := s.c.h
	s.tried = want.Config
	report, err := s.c.validate(want.Config)
	if err != nil {
		return err
	}
	s.noteVersion(report.Info.Version)
	s.policy = policyOf(report.Kind, want.Config)
	if err := report.Err(); err != nil && len(report.Unresolved) == 0 {
		return connector.Data(err)
	}
	spec, err := s.c.spec(report)
	if err != nil {
		return err
	}
	props := spec.Props
	s.policy = policyOf(report.Kind, props)
	conf, _ := config.Def(report.Kind).Check(props)
	list, err := h.o.Engine.TaskConfigs(s.quit, spec, max(1, conf.Int("tasks.max")))
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return connector.Coded("H1017", connector.Fatal(errors.New("there is nothing to do: the plugin made no task")))
	}
	s.plan(h.o.Engine.ResplitEvery(spec))
	tasks := make([]connector.Props, len(list))
	for i, made := range list {
		tasks[i] = report.Refer(props, made)
		if class := report.Info.Class; class != "" {
			tasks[i][taskClass] = strings.TrimSuffix(class, "Connector") + "Task"
		}
	}
	if err := s.publish(want.Config, tasks); connector.KindOf(err) == connector.KindRetriable {
		s.tried = nil
		return &unsent{err}
	} else if err != nil {
		return err
	}
	s.resolved, s.spec = props, spec
	s.believe(0)
	if conf.String("config.action.reload") == config.ReloadRestart {
		s.believe(report.TTL())
	}
	return nil
}

// unsent is that tasks were made and could not be written for now: the leader of the
// cluster, or Kafka, could not be reached.
type unsent struct{ error }

// later has the connector split again soon. Meanwhile all is as it was.
func (s *splitter) later(err *unsent) time.Time {
	if s.quit.Err() == nil {
		s.c.h.o.Log.Warn("the connector's tasks are not written yet, trying on: "+err.Error(), "connector", s.c.name)
	}
	s.tries++
	return time.Now().Add(min(firstAgain<<min(s.tries-1, 30), lastAgain))
}

// publish writes the tasks of a configuration to the store, where they are
// others than those it has, or has the leader do so. What is wanted may have changed
// while they were made: then the splitter was woken to make others.
func (s *splitter) publish(of connector.Props, tasks []connector.Props) error {
	h := s.c.h
	leads := h.o.Leader.Leads() == nil
	if leads {
		h.edits.Lock()
		defer h.edits.Unlock()
	}
	now, there := h.o.Store.Connector(s.c.name)
	switch {
	case s.quit.Err() != nil || !there || now.Target == state.TargetStopped || !maps.Equal(now.Config, of):
		s.tried = nil // the next step splits what is wanted then, were it this one again
		return nil
	case now.Has(tasks):
		return nil
	case leads:
		return h.putTasks(s.quit, s.c.name, now, tasks)
	}
	return h.o.Leader.Submit(s.quit, s.c.name, tasks)
}

// putTasks writes the tasks of a connector, where they are others than those it has.
// The caller holds edits. While offsets are altered there are none: whoever resumes the
// connector meanwhile, at any worker, its tasks would start with this record.
func (h *Herder) putTasks(ctx context.Context, name string, now store.Connector, tasks []connector.Props) error {
	switch {
	case now.Has(tasks):
		return nil
	case now.Target == state.TargetStopped:
		return refuse(Conflict, "Connector %s is stopped and has no tasks", name)
	case now.Split() && len(now.Tasks) > 0 && len(tasks) > 0:
		h.o.Log.Info("connector has other tasks by now", "connector", name, "tasks", len(tasks))
	}
	h.mu.Lock()
	both := []*hosted{h.connectors[name], h.ending[name]} // it may be deleted, and made anew
	h.mu.Unlock()
	for _, c := range both {
		if c == nil {
			continue
		}
		if !c.altering.TryRLock() {
			return connector.Retriable(refuse(Conflict, "Connector %s: its offsets are being altered; its tasks start after that", name))
		}
		defer c.altering.RUnlock()
	}
	return h.o.Store.Append(ctx, store.Tasks(name, tasks)...)
}

// splitAgain looks whether the connector has other tasks by now. Where that
// cannot be told the present ones go on, and it looks again soon.
func (s *splitter) splitAgain(want store.Connector) {
	if err := s.split(want); err != nil && s.quit.Err() == nil {
		s.c.h.o.Log.Warn("the tasks go on as they are: "+err.Error(), "connector", s.c.name)
		s.plan(min(firstAgain<<min(s.tries, 30), lastAgain))
		s.tries++
		return
	}
	s.tries = 0
}

// outdated tells whether references stand for something else than when the
// connector was split: what the plugin made of that may be different then.
func (s *splitter) outdated(want store.Connector) bool {
	changed, _ := s.changed(want)
	return changed
}

// changed is outdated that says why that cannot be told.
func (s *splitter) changed(want store.Connector) (bool, error) {
	report, err := s.c.validate(want.Config)
	if err != nil {
		return false, err
	}
	props, err := s.c.h.o.Validator.Resolve(report)
	return err == nil && !reflect.DeepEqual(props, s.resolved), err
}

// lookAgain has everything start again whose references stand for something
// else by now. Where that cannot be told all goes on.
func (s *splitter) lookAgain(want store.Connector) {
	changed, err := s.changed(want)
	s.believe(s.ttl)
	switch {
	case err != nil:
		s.c.h.o.Log.Warn("the tasks go on with what their references stood for: "+err.Error(), "connector", s.c.name)
		return
	case changed:
		s.splitAgain(want)
	}
	s.c.h.mu.Lock()
	defer s.c.h.mu.Unlock()
	for _, t := range s.c.tasks {
		t.compare = true
		t.poke()
	}
}

// believe notes for how long references are believed, 0 for without end.
func (s *splitter) believe(ttl time.Duration) {
	s.c.h.mu.Lock()
	defer s.c.h.mu.Unlock()
	s.ttl, s.stale = ttl, time.Time{}
	if ttl > 0 {
		s.stale = time.Now().Add(ttl)
	}
}

// plan notes when the connector is to be split again, 0 for never.
func (s *splitter) plan(every time.Duration) {
	s.c.h.mu.Lock()
	defer s.c.h.mu.Unlock()
	s.resplit = time.Time{}
	if every > 0 {
		s.resplit = time.Now().Add(every)
	}
}

// nextSplit gives the time when the connector wants to be split again, or its
// references are no longer believed.
func (s *splitter) nextSplit() time.Time {
	s.c.h.mu.Lock()
	defer s.c.h.mu.Unlock()
	if s.resplit.IsZero() || !s.stale.IsZero() && s.stale.Before(s.resplit) {
		return s.stale
	}
	return s.resplit
}

// become sets the connector's own state, which is not that of its tasks.
func (s *splitter) become(to state.State) {
	h := s.c.h
	h.mu.Lock()
	defer h.mu.Unlock()
	s.err, s.failures, s.next = nil, 0, time.Time{}
	if s.state != to {
		h.o.Log.Info("connector is "+string(to), "connector", s.c.name)
	}
	s.state = to
	s.say()
	h.note()
}

func (s *splitter) noteVersion(version string) {
	s.c.h.mu.Lock()
	defer s.c.h.mu.Unlock()
	s.version = version
}

// again has the connector split again. The caller holds the herder's lock.
func (s *splitter) again() {
	s.restart, s.state = true, state.Restarting
	s.say()
}

// say tells the other workers what the connector is doing. The caller holds the
// herder's lock.
func (s *splitter) say() {
	if s.quit.Err() == nil {
		s.c.h.o.Statuses.Say(TaskID{s.c.name, Whole}, s.status(s.version))
	}
}

// status gives what the connector is doing. The caller holds the herder's lock.
func (s *splitter) status(version string) Status {
	out := Status{ID: Whole, State: s.state, WorkerID: s.c.h.o.WorkerID, Version: version, Here: true}
	if s.err != nil {
		out.Trace = runtime.Trace(s.err)
	}
	return out
}

// fail notes why the connector could not be split into tasks, and when to try again.
// It gives that time. Tasks of another configuration are stopped.
func (s *splitter) fail(want store.Connector, err error) time.Time {
	if s.quit.Err() != nil {
		return time.Time{}
	}
	if !want.Split() {
		err = errors.Join(err, s.publish(want.Config, nil))
		s.c.waitLeft()
	}
	return s.failed(err)
}

// broke fails the connector for what its monitor says. Its tasks go on.
func (s *splitter) broke(err error) time.Time {
	s.endMonitor()
	return s.failed(err)
}

// failed notes why the connector failed, and when to try again.
func (s *splitter) failed(err error) time.Time {
	h := s.c.h
	h.mu.Lock()
	defer h.mu.Unlock()
	s.state, s.err = state.Failed, err
	s.failures++
	s.next = s.policy.next(err, s.failures, time.Now())
	s.say()
	h.o.Log.Error("connector failed: "+failures.Text(err), "connector", s.c.name)
	h.note()
	return s.next
}
