package herder

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/converter/simpleheader"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// fakeEngine runs tasks that do what a test tells them.
type fakeEngine struct {
	mu     sync.Mutex
	starts []*fakeTask
	split  func(spec runtime.TaskSpec, n int) ([]connector.Props, error)
	every  time.Duration
	watch  func(ctx context.Context, spec runtime.TaskSpec, reconfigure func()) error
	// fail makes the nth start of all fail with an error, nil lets it run.
	fail   func(n int) error
	alter  func(offsets []connector.SourceOffset) error
	forgot []string
}

// twoTasks splits a connector into two tasks.
func twoTasks(runtime.TaskSpec, int) ([]connector.Props, error) {
	return []connector.Props{{"part": "a"}, {"part": "b"}}, nil
}

func (e *fakeEngine) TaskConfigs(_ context.Context, spec runtime.TaskSpec, n int) ([]connector.Props, error) {
	if e.split != nil {
		return e.split(spec, n)
	}
	return []connector.Props{spec.Props}, nil
}

func (e *fakeEngine) ResplitEvery(runtime.TaskSpec) time.Duration { return e.every }

func (e *fakeEngine) Monitor(ctx context.Context, spec runtime.TaskSpec, reconfigure func()) error {
	if e.watch == nil {
		return nil
	}
	return e.watch(ctx, spec, reconfigure)
}

func (e *fakeEngine) StartTask(spec runtime.TaskSpec, notify func(runtime.Event)) (Task, error) {
	e.mu.Lock()
	t := &fakeTask{spec: spec, notify: notify, events: make(chan runtime.Event, 10), done: make(chan struct{})}
	e.starts = append(e.starts, t)
	var err error
	if e.fail != nil {
		err = e.fail(len(e.starts))
	}
	e.mu.Unlock()
	if spec.Paused {
		t.events <- runtime.Event{State: state.Paused}
	} else {
		t.events <- runtime.Event{State: state.Running}
	}
	if err != nil {
		t.events <- runtime.Event{State: state.Failed, Err: err}
	}
	go t.run() // ends with a final state
	return t, nil
}

func (e *fakeEngine) Offsets(context.Context, runtime.TaskSpec) ([]connector.SourceOffset, error) {
	return nil, nil
}

func (e *fakeEngine) AlterOffsets(_ context.Context, _ runtime.TaskSpec, offsets []connector.SourceOffset) (bool, error) {
	if e.alter != nil {
		return true, e.alter(offsets)
	}
	return true, nil
}

func (e *fakeEngine) ResetOffsets(context.Context, runtime.TaskSpec) (bool, error) { return false, nil }
func (e *fakeEngine) ActiveTopics(string) []string                                 { return nil }
func (e *fakeEngine) ResetActiveTopics(string)                                     {}

func (e *fakeEngine) Forget(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forgot = append(e.forgot, name)
}

func (e *fakeEngine) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.starts)
}

func (e *fakeEngine) last() *fakeTask {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.starts[len(e.starts)-1]
}

type fakeTask struct {
	spec      runtime.TaskSpec
	notify    func(runtime.Event)
	events    chan runtime.Event
	done      chan struct{}
	stuck     bool
	brokenOff atomic.Bool
	errors    runtime.Errors
	waits     *runtime.Waits
	once      sync.Once
}

func (t *fakeTask) run() {
	defer close(t.done)
	var last state.State
	for e := range t.events {
		if e.State == last {
			continue
		}
		last = e.State
		t.notify(e)
		if e.State.Ended() {
			return
		}
	}
}

func (t *fakeTask) become(s state.State, err error) { t.events <- runtime.Event{State: s, Err: err} }

// gone tells that the task has come to its end, or was broken off.
func (t *fakeTask) gone() bool {
	select {
	case <-t.done:
		return true
	default:
		return t.brokenOff.Load()
	}
}

func (t *fakeTask) Pause()  { t.become(state.Paused, nil) }
func (t *fakeTask) Resume() { t.become(state.Running, nil) }

func (t *fakeTask) Stop(ctx context.Context) error {
	if t.stuck {
		<-ctx.Done()
		t.brokenOff.Store(true)
		return errors.New("stuck")
	}
	t.once.Do(func() {
		select {
		case <-t.done:
		default:
			t.become(state.Stopped, nil)
		}
	})
	<-t.done
	return nil
}

func (t *fakeTask) Snapshot() runtime.Stats {
	return runtime.Stats{Connector: t.spec.Connector, Task: t.spec.Task, Kind: t.spec.Kind, Errors: t.errors, Waits: t.waits}
}

func (t *fakeTask) Brief() runtime.Stats { return t.Snapshot() }

// fakePlugin is a source and, by another name, a sink.
type fakePlugin struct{ name, class string }

func (p fakePlugin) Info() connector.Info {
	return connector.Info{Name: p.name, Version: "2", Class: p.class}
}

func (fakePlugin) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "speed", Type: connector.IntKey, Default: 1},
		connector.Key{Name: "secret", Type: connector.PasswordKey})
}
func (fakePlugin) Start(context.Context, connector.Context, connector.Config) error { return nil }
func (fakePlugin) Stop() error                                                      { return nil }
func (fakePlugin) Poll(context.Context) ([]connector.SourceRecord, error)           { return nil, nil }
func (fakePlugin) Put(context.Context, []connector.Record) error                    { return nil }

func fakePlugins() *connector.Registry {
	r := new(connector.Registry)
	r.Add(connector.SourceType, func() connector.Plugin { return fakePlugin{"fake-source", "org.example.FakeSourceConnector"} })
	r.Add(connector.SinkType, func() connector.Plugin { return fakePlugin{"fake-sink", ""} })
	r.Add(connector.HeaderConverterType, func() connector.Plugin { return new(simpleheader.Converter) })
	return r
}
