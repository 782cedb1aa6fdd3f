package herder

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// managed is one connector. Its fields are guarded by the herder's lock; only
// its own goroutine starts and stops tasks.
type managed struct {
	h    *Herder
	name string
	file string // that manages it, empty for one made over REST
	from config.Origin

	// what is wanted
	props   connector.Props
	target  state.Target
	wanted  int  // grows with every change of props
	restart bool // the connector is to be split into tasks again

	// what is
	kind     string
	info     connector.Info
	state    state.State
	err      error // why the connector itself failed
	applied  int   // wanted + 1 as of the tasks
	tasks    []*task
	policy   policy
	failures int       // of the connector itself, in a row
	next     time.Time // when to try it again
	every    time.Duration
	resplit  time.Time // when to split it again, which it wants to be every so often; zero for never
	stopErr  error

	wake   chan struct{}
	quit   context.Context // ends when the connector is deleted or the worker stops
	cancel context.CancelFunc
	done   chan struct{}
	before *managed        // a deleted connector of this name that is still stopping
	endCtx context.Context // of the worker's end; nil where the connector was deleted
}

// describe looks up what the connector is. The caller holds the lock.
func (m *managed) describe() {
	kind, info, err := m.h.o.Validator.Kind(trimmed(m.props, "connector.class"))
	if err == nil {
		m.kind, m.info = kind, info
	}
}

// poke wakes the connector's goroutine.
func (m *managed) poke() {
	select {
	case m.wake <- struct{}{}:
	default: // it will wake anyway
	}
}

// end makes the connector's goroutine stop all tasks, for as long as ctx lasts,
// and return. The caller holds the lock.
func (m *managed) end(ctx context.Context) {
	m.endCtx = ctx
	m.cancel()
}

// run is the connector's goroutine.
func (m *managed) run() {
	defer m.gone()
	if m.before != nil {
		<-m.before.done
	}
	for m.quit.Err() == nil && m.sleep(m.step()) {
	}
	m.stopLast()
}

// sleep waits until it is woken or, where that is not zero, a time has come. It
// tells false when the connector is to end.
func (m *managed) sleep(until time.Time) bool {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-m.wake:
	case <-timer:
	case <-m.quit.Done():
		return false
	}
	return true
}

func (m *managed) gone() {
	m.h.mu.Lock()
	if m.h.ending[m.name] == m {
		delete(m.h.ending, m.name)
	}
	_, again := m.h.connectors[m.name]
	m.h.note()
	m.h.mu.Unlock()
	if !again {
		m.h.o.Engine.Forget(m.name)
	}
	close(m.done)
}

// step makes what is more like what is wanted. It gives the time when
// something is to be done again, zero for when it is woken.
func (m *managed) step() time.Time {
	m.h.mu.Lock()
	target, fresh := m.target, m.applied != m.wanted+1
	failed, next := m.state == state.Failed, m.next
	due := failed && !next.IsZero() && !time.Now().Before(next)
	restart := m.restart
	m.restart = false
	none := len(m.tasks) == 0
	resplit := m.state == state.Running && !m.resplit.IsZero() && !time.Now().Before(m.resplit)
	m.h.mu.Unlock()
	switch {
	case target == state.TargetStopped:
		m.stopTasks()
		m.become(state.Stopped)
		return time.Time{}
	case target == state.TargetPaused && none:
		m.become(state.Paused)
		return time.Time{}
	case failed && !fresh && !restart && !due:
		return next // whatever woke it, its split is tried again then
	case fresh || restart || due || none:
		if err := m.configure(fresh); err != nil {
			return m.fail(err)
		}
	case resplit && target == state.TargetStarted:
		m.splitAgain()
	}
	for _, t := range m.started() {
		m.steer(t, target)
	}
	if target == state.TargetPaused {
		m.become(state.Paused)
	} else {
		m.become(state.Running)
	}
	return m.nextTime(target)
}

// splitAgain looks whether the connector has other tasks by now. Where that
// cannot be told the present ones go on.
func (m *managed) splitAgain() {
	if err := m.configure(false); err != nil && m.quit.Err() == nil {
		m.h.o.Log.Warn("the tasks go on as they are: "+err.Error(), "connector", m.name)
		m.h.mu.Lock()
		m.resplit = time.Now().Add(m.every)
		m.h.mu.Unlock()
	}
}

// nextTime gives the time when something is to be done again while nothing
// wakes the connector, zero for never.
func (m *managed) nextTime(target state.Target) time.Time {
	next := m.nextRestart(target)
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	if target == state.TargetStarted && !m.resplit.IsZero() && (next.IsZero() || m.resplit.Before(next)) {
		return m.resplit
	}
	return next
}

// become sets the connector's own state, which is not that of its tasks.
func (m *managed) become(s state.State) {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	if s == state.Stopped {
		m.tasks, m.applied = nil, 0
	}
	if s != state.Failed {
		m.err, m.failures, m.next = nil, 0, time.Time{}
	}
	if m.state != s {
		m.h.o.Log.Info("connector is "+string(s), "connector", m.name)
	}
	m.state = s
	m.h.note()
}

func (m *managed) started() []*task {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	return m.tasks
}

// fail notes why the connector could not be split into tasks, and when to try
// again. It gives that time.
func (m *managed) fail(err error) time.Time {
	m.stopTasks()
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	m.applied = m.wanted + 1
	m.tasks = nil
	m.state, m.err = state.Failed, err
	m.failures++
	m.next = m.policy.next(err, m.failures, time.Now())
	m.h.o.Log.Error("connector failed: "+err.Error(), "connector", m.name)
	m.h.note()
	return m.next
}

// configure splits the connector into tasks. Tasks that stay the same go on;
// where something is different all are made anew.
func (m *managed) configure(fresh bool) error {
	m.h.mu.Lock()
	raw, from, wanted, kind := m.props, m.from, m.wanted, m.kind
	m.h.mu.Unlock()
	report, err := m.h.o.Validator.Validate(raw, from)
	if err != nil {
		return connector.Data(err) // no restart cures it
	}
	conf, _ := config.Def(report.Kind).Check(raw)
	m.h.mu.Lock()
	m.policy = policyOf(conf)
	m.h.mu.Unlock()
	if err := report.Err(); err != nil && len(report.Unresolved) == 0 {
		return connector.Data(err)
	}
	props, err := m.h.o.Validator.Resolve(report)
	if err != nil {
		return err
	}
	spec := runtime.TaskSpec{Connector: m.name, Kind: runtime.Kind(kind), Props: props, Worker: m.h.o.Worker}
	split, err := m.h.o.Engine.TaskConfigs(m.quit, spec, max(1, conf.Int("tasks.max")))
	if err != nil {
		return err
	}
	if len(split) == 0 {
		return connector.Fatal(errors.New("there is nothing to do: the plugin made no task"))
	}
	m.plan(m.h.o.Engine.ResplitEvery(spec))
	if !fresh && m.same(split) {
		m.refresh(props)
		return nil
	}
	if !fresh {
		m.h.o.Log.Info("connector has other tasks by now", "connector", m.name, "tasks", len(split))
	}
	m.stopTasks()
	tasks := make([]*task, len(split))
	for i, p := range split {
		s := spec
		s.Task, s.TaskProps = i, p
		tasks[i] = &task{id: i, spec: s, shown: shown(p, raw, props, report), state: state.Unassigned, restart: true}
	}
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	m.tasks, m.applied = tasks, wanted+1
	return nil
}

// plan notes when the connector is to be split again.
func (m *managed) plan(every time.Duration) {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	m.every, m.resplit = every, time.Time{}
	if every > 0 {
		m.resplit = time.Now().Add(every)
	}
}

// same tells whether the running tasks are those of a new split.
func (m *managed) same(split []connector.Props) bool {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	if len(split) != len(m.tasks) {
		return false
	}
	for i, t := range m.tasks {
		if !reflect.DeepEqual(t.spec.TaskProps, split[i]) {
			return false
		}
	}
	return true
}

// refresh gives tasks that will start again what references stand for by now.
func (m *managed) refresh(props connector.Props) {
	m.h.mu.Lock()
	defer m.h.mu.Unlock()
	for _, t := range m.tasks {
		t.spec.Props = props
	}
}

// stopTasks stops all tasks with the worker's usual patience.
func (m *managed) stopTasks() {
	ctx, cancel := context.WithTimeout(context.Background(), m.h.patience)
	defer cancel()
	m.stopAll(ctx)
}

// stopLast stops all tasks at the end: of the worker for as long as it has
// time, of a deleted connector with the usual patience.
func (m *managed) stopLast() {
	if m.endCtx == nil {
		m.stopTasks()
		return
	}
	m.stopAll(m.endCtx)
}

// stopAll stops all tasks at once, for as long as ctx lasts.
func (m *managed) stopAll(ctx context.Context) {
	tasks := m.started()
	errs := make([]error, len(tasks))
	var all sync.WaitGroup
	for i, t := range tasks {
		all.Go(func() { errs[i] = t.stop(ctx) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		m.h.o.Log.Warn(fmt.Sprintf("stop: %v", err), "connector", m.name)
		m.h.mu.Lock()
		m.stopErr = err
		m.h.mu.Unlock()
	}
}

// overLocked tells whether nothing happens any more by itself, and the first
// reason for which a task failed.
func (m *managed) overLocked() (over bool, failed error) {
	if m.state == state.Failed {
		return m.next.IsZero(), m.err
	}
	if m.applied != m.wanted+1 || len(m.tasks) == 0 {
		return m.target == state.TargetStopped && m.state == state.Stopped, nil
	}
	for _, t := range m.tasks {
		if !t.state.Ended() || !t.next.IsZero() || t.restart {
			return false, nil
		}
		if failed == nil {
			failed = t.err
		}
	}
	return true, failed
}
