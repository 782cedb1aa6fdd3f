package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/dlq"
	"github.com/axiom-data-science/hydraulics/runtime/state"
)

// TaskSpec is what a task is to do.
type TaskSpec struct {
	Connector string
	Task      int
	Kind      Kind
	// Props are the connector's, resolved. TaskProps are what its plugin gets:
	// one of [Worker.TaskConfigs]; nil is Props themselves.
	Props     connector.Props
	TaskProps connector.Props
	// Worker are the worker's: converters, client properties, intervals.
	Worker connector.Props
	// Paused starts the task paused.
	Paused bool
}

// Event is a change of a task's state.
type Event struct {
	State state.State
	Err   error // of Failed: with its place, see [Trace] for the stack of a panic
}

// Task is a running task. Its goroutine is ended by Stop, by an error, or by a
// source that is done.
type Task struct {
	worker *Worker
	spec   TaskSpec
	at     place
	log    *slog.Logger
	notify func(Event)

	// quit ends as soon as the task is to stop: polls and waits end with it.
	// life ends when there is no more patience: calls of plugins and Kafka end.
	quit, life context.Context
	stop, kill context.CancelCauseFunc
	done       chan struct{}
	errors     errorStats
	counters   counters
	metrics    metrics
	tolerance  *tolerance
	stages     atomic.Pointer[[]*stage] // for snapshots, poll and put too
	lag        atomic.Pointer[map[connector.TopicPartition]int64]
	plugin     atomic.Pointer[connector.Info] // nil before it is made

	mu      sync.Mutex
	state   state.State
	since   time.Time
	paused  bool
	changed chan struct{} // closed when paused changes, then made anew
}

// runner is the part of a task that its kind makes different.
type runner interface {
	// loop works until the task is to stop, its source is done, or an error.
	// What was delivered is committed when it returns.
	loop() error
	// close gives everything back. It is called after loop, and without it.
	close()
}

// errDone ends a task whose source has nothing more to give.
var errDone = errors.New("done")

func newTask(w *Worker, spec TaskSpec, notify func(Event)) *Task {
	t := &Task{worker: w, spec: spec, at: place{spec.Connector, spec.Task}, notify: notify,
		log:  w.options.Log.With("connector", spec.Connector, "task", spec.Task),
		done: make(chan struct{}), state: state.Unassigned, since: time.Now(), paused: spec.Paused, changed: make(chan struct{})}
	t.life, t.kill = context.WithCancelCause(context.Background())
	t.quit, t.stop = context.WithCancelCause(t.life)
	return t
}

// main is the task's goroutine.
func (t *Task) main() {
	defer close(t.done)
	defer t.kill(errStopping)
	err := guard(t.run)
	switch {
	case errors.Is(err, errDone):
		t.become(state.Done, nil)
	case err == nil || errors.Is(err, errStopping) || t.life.Err() != nil:
		t.become(state.Stopped, nil)
	default:
		t.become(state.Failed, err)
	}
}

func (t *Task) run() error {
	if !t.gate() {
		return nil
	}
	set, err := parseSettings(t.spec)
	if err != nil {
		return t.at.wrap("", "", err)
	}
	t.tolerance = &tolerance{all: set.all, retryTimeout: set.retryTimeout, delayMax: set.delayMax,
		logErrors: set.logErrors, logRecords: set.logRecords, log: t.log, stats: &t.errors}
	r, err := t.start(set)
	if err != nil {
		return err
	}
	defer r.close()
	t.running()
	return r.loop()
}

// start makes the runner, plugins and all, until it succeeds or must not be
// tried again. Each attempt has fresh instances.
func (t *Task) start(set *settings) (r runner, err error) {
	j := &journey{at: t.at, tolerance: t.tolerance, quit: t.quit.Done()}
	s := &stage{place: "start", unmarked: connector.KindFatal}
	err = s.call(t.quit, j, 0, func() error {
		switch t.spec.Kind {
		case KindSource:
			r, err = newSourceTask(t, set)
		case KindSink:
			r, err = newSinkTask(t, set)
		case KindStream:
			r, err = newStreamTask(t, set)
		default:
			err = fmt.Errorf("%q is no kind of connector", t.spec.Kind)
		}
		return err
	})
	return r, err
}

// started calls a plugin's Start. Its context lives on with the plugin until
// the end of the task's life, but ends with quit while Start has not returned.
func (t *Task) started(start func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(t.life)
	unlink := context.AfterFunc(t.quit, cancel)
	err := guard(func() error { return start(ctx) })
	if !unlink() && err == nil {
		err = errStopping
	}
	if err != nil {
		cancel()
	}
	return err
}

// gate waits while the task is paused. It tells false when it is to stop.
func (t *Task) gate() bool {
	for t.quit.Err() == nil {
		resumed := t.held()
		if resumed == nil {
			return true
		}
		t.become(state.Paused, nil)
		select {
		case <-resumed:
		case <-t.quit.Done():
		}
	}
	return false
}

// held gives a channel that is closed with the end of a pause, nil without one.
func (t *Task) held() (resumed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.paused {
		return nil
	}
	return t.changed
}

// running notes that the task works, or is paused.
func (t *Task) running() {
	if t.held() != nil {
		t.become(state.Paused, nil)
	} else {
		t.become(state.Running, nil)
	}
}

// become changes the state and tells who listens. It is called from the task's
// goroutine only.
func (t *Task) become(s state.State, err error) {
	t.mu.Lock()
	same := t.state == s
	if !same {
		t.state, t.since = s, time.Now()
	}
	t.mu.Unlock()
	if !same && t.notify != nil {
		t.notify(Event{State: s, Err: err})
	}
}

func (t *Task) pause(yes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.paused != yes {
		t.paused = yes
		close(t.changed)
		t.changed = make(chan struct{})
	}
}

// Pause makes the task stop taking records in. A sink or stream stays a member
// of its group. What is on its way is delivered.
func (t *Task) Pause() { t.pause(true) }

// Resume ends a pause.
func (t *Task) Resume() { t.pause(false) }

// Stop ends the task: what was read is delivered and committed for as long as
// ctx lasts. After that it is broken off, and the error says so; nothing is
// lost then, but what was not committed comes again. Stop is safe twice.
func (t *Task) Stop(ctx context.Context) error {
	t.stop(errStopping)
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
	}
	select { // both may have been ready
	case <-t.done:
		return nil
	default:
	}
	t.kill(errStopping)
	return fmt.Errorf("%s/%d: did not stop in time and was broken off", t.at.connector, t.at.task)
}

// Done gives a channel that is closed when the task has ended.
func (t *Task) Done() <-chan struct{} { return t.done }

// Snapshot gives what the task has done so far. It does not block.
func (t *Task) Snapshot() Stats {
	t.mu.Lock()
	s := Stats{Connector: t.spec.Connector, Task: t.spec.Task, Kind: t.spec.Kind, State: t.state, Since: t.since}
	t.mu.Unlock()
	if i := t.plugin.Load(); i != nil {
		s.Class, s.Version = config.ClassName(*i), i.Version
	}
	t.counters.fill(&s)
	s.Errors = t.errors.get()
	if lag := t.lag.Load(); lag != nil {
		s.Lag = *lag
	}
	if stages := t.stages.Load(); stages != nil {
		for _, x := range *stages {
			s.Stages = append(s.Stages, StageStats{Name: x.place, Class: x.class, Records: x.stats.records.Load(),
				Errors: x.stats.errors.Load(), Time: x.stats.time.get()})
		}
	}
	s.Metrics = t.metrics.samples()
	return s
}

// context gives what a plugin is told about its task.
func (t *Task) context() connector.Context {
	return connector.Context{Connector: t.spec.Connector, Task: t.spec.Task, Log: t.log, Metrics: &t.metrics}
}

// props gives what the plugin of a source or sink is configured with.
func (t *Task) props() connector.Props {
	if t.spec.TaskProps != nil {
		return t.spec.TaskProps
	}
	return t.spec.Props
}

// instance makes the task's source or sink and parses its configuration.
func instance[T connector.Plugin](t *Task, kind connector.PluginType, class string) (plugin T, conf connector.Config, err error) {
	made, err := t.worker.options.Plugins.New(kind, class)
	if err != nil {
		return plugin, conf, connector.Fatal(err)
	}
	plugin, ok := made.(T)
	if !ok {
		return plugin, conf, connector.Fatal(fmt.Errorf("%s is no %s", class, kind))
	}
	info := plugin.Info()
	t.plugin.Store(&info)
	conf, err = connector.ParsePlugin(plugin, t.props())
	return plugin, conf, err
}

// refused decides about a record that Kafka has not taken: nil is that the
// failure is tolerated. The producer has retried what can be retried.
func (t *Task) refused(s *stage, it *item, cause error) error {
	s.stats.errors.Add(1)
	err := t.at.wrap(s.place, it.place(), cause)
	if v := t.tolerance.judge(s, err, 0, 0); v.do != tolerate {
		return err
	}
	it.fate, it.failed = tolerated, failure{stage: s, cause: cause, err: err}
	t.tolerance.note(it)
	return nil
}

// release closes what a task has made, its plugin first; after a start that
// failed any of it may be missing.
func (t *Task) release(plugin interface{ Stop() error }, p *parts, k *clients) {
	var errs []error
	if plugin != nil {
		errs = append(errs, guard(plugin.Stop))
	}
	if p != nil {
		errs = append(errs, p.Close())
	}
	if k != nil {
		errs = append(errs, k.Close())
	}
	t.ended(errs...)
}

// ended logs what went wrong while things were given back: nothing depends on
// it any more.
func (t *Task) ended(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		t.log.Warn("end of task: " + err.Error())
	}
}

// letters gives the writer of dead letters, nil without a topic for them.
func (t *Task) letters(set *settings, k *clients) *dlq.Writer {
	if set.letters == "" {
		return nil
	}
	return dlq.NewWriter(k.producer, dlq.Options{Topic: set.letters, Replication: set.letterReplicas,
		Context: set.letterHeaders, Create: k.admin.CreateTopic})
}
