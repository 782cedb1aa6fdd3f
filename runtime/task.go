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
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Event is a change of a task's state.
type Event struct {
	State state.State
	Err   error // of Failed: with its place, see [Trace] for the stack of a panic
}

// Task is a running task. Its goroutine is ended by Stop, by an error, or by a
// source that is done.
type Task struct {
	options Options
	spec    TaskSpec
	make    func(t *Task, set *settings) (runner, error)
	tap     *tap // of a stream, else nil
	live    *liveTaps
	topics  *activeTopics
	at      place
	log     *slog.Logger
	notify  func(Event)

	// quit ends as soon as the task is to stop: polls and waits end with it.
	// life ends when there is no more patience: calls of plugins and Kafka end.
	quit, life context.Context
	stop, kill context.CancelCauseFunc
	done       chan struct{}
	errors     errorStats
	counters   counters
	metrics    metrics
	tolerance  *tolerance
	watch      *watch
	stages     atomic.Pointer[[]*stage]                                  // for snapshots, poll and put too
	lag        atomic.Pointer[func() map[connector.TopicPartition]int64] // of a member of a group
	plugin     atomic.Pointer[connector.Info]                            // nil before it is made
	plugins    atomic.Pointer[[]PluginInfo]                              // of its parts, nil before they are made
	clients    atomic.Pointer[clients]                                   // while there are any, for snapshots
	offsets    trying                                                    // commits of offsets that fail

	mu      sync.Mutex
	state   state.State
	since   time.Time
	spent   map[state.State]time.Duration // in states that are over
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

func newTask(o Options, spec TaskSpec, notify func(Event)) *Task {
	t := &Task{options: o, spec: spec, at: place{spec.Connector, spec.Task}, notify: notify, topics: new(activeTopics),
		log:  o.Log.With("connector", spec.Connector, "task", spec.Task),
		done: make(chan struct{}), state: state.Unassigned, since: time.Now(), spent: map[state.State]time.Duration{}, paused: spec.Paused, changed: make(chan struct{})}
	t.watch = &watch{log: t.log}
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
	t.watch.limit(set.stalledAfter)
	t.tolerance = &tolerance{all: set.all, retryTimeout: set.retryTimeout, delayMax: set.delayMax,
		logErrors: set.logErrors, logRecords: set.logRecords, letters: set.letters, log: t.log, stats: &t.errors}
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
	s := &stage{place: "start", rule: rule{unmarked: connector.KindFatal}}
	err = s.call(t.quit, j, 0, func() (err error) {
		r, err = t.make(t, set)
		return err
	})
	return r, err
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
		now := time.Now()
		t.spent[t.state] += now.Sub(t.since)
		t.state, t.since = s, now
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
	s := t.Brief()
	if stages := t.stages.Load(); stages != nil {
		for _, x := range *stages {
			s.Stages = append(s.Stages, StageStats{Name: x.place, Java: x.java, Class: x.class, Records: x.stats.records.Load(),
				Errors: x.stats.errors.Load(), Time: x.stats.time.get()})
		}
	}
	if plugins := t.plugins.Load(); plugins != nil {
		s.Plugins = *plugins
	}
	s.Metrics = t.metrics.samples()
	return s
}

// Brief is a Snapshot without stages, plugins and their metrics: a status needs none of
// them, and there may be a thousand tasks.
func (t *Task) Brief() Stats {
	t.mu.Lock()
	s := Stats{Connector: t.spec.Connector, Task: t.spec.Task, Kind: t.spec.Kind, State: t.state, Since: t.since}
	s.Running, s.Paused = t.shareLocked(state.Running), t.shareLocked(state.Paused)
	t.mu.Unlock()
	if i := t.plugin.Load(); i != nil {
		s.Class, s.Version = config.ClassName(*i), i.Version
	}
	t.counters.fill(&s)
	s.Errors = t.errors.get()
	if lag := t.lag.Load(); lag != nil {
		s.Lag = (*lag)()
	}
	t.waits(&s)
	return s
}

// shareLocked gives the share of its time that the task was in a state.
func (t *Task) shareLocked(s state.State) float64 {
	now := time.Since(t.since)
	all, in := now, t.spent[s]
	for _, d := range t.spent {
		all += d
	}
	if t.state == s {
		in += now
	}
	if all <= 0 {
		return 0
	}
	return in.Seconds() / all.Seconds()
}

// context gives what a plugin is told about its task.
func (t *Task) context() connector.Context {
	return connector.Context{Connector: t.spec.Connector, Task: t.spec.Task, Log: t.log, Metrics: &t.metrics, Failed: t.spec.Failed}
}
