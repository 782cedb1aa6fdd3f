package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
)

// OpenOffsets opens or creates the file that keeps the offsets of sources.
func OpenOffsets(name string) (offset.Store, error) { return offset.OpenFile(name) }

// Worker runs tasks. It is safe for use from several goroutines.
type Worker struct {
	options Options

	mu     sync.Mutex
	taps   map[string]*tap
	live   map[string]*liveTaps
	topics map[string]*activeTopics
}

// NewWorker makes a worker. It runs nothing until StartTask is called.
func NewWorker(o Options) (*Worker, error) {
	if o.Offsets == nil {
		return nil, errors.New("a worker needs a store for source offsets")
	}
	if o.Plugins == nil {
		o.Plugins = connector.Plugins
	}
	if o.Open == nil {
		o.Open = new(kafka.Pool).Open
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Worker{options: o, taps: map[string]*tap{}, live: map[string]*liveTaps{}, topics: map[string]*activeTopics{}}, nil
}

// StartTask starts a task in a goroutine of its own, which [Task.Stop] ends, and
// gives it at once: connecting and starting plugins is the task's first work.
// notify, if not nil, is called with every change of state, in order, from the
// task's goroutine; it must not wait for the task.
func (w *Worker) StartTask(spec TaskSpec, notify func(Event)) (*Task, error) {
	t := newTask(w.options, spec, notify)
	t.topics, t.live = w.active(spec.Connector), w.liveTaps(spec.Connector)
	switch {
	case spec.Connector == "":
		return nil, errors.New("a task needs the name of its connector")
	case spec.Kind == KindSource:
		t.make = newSourceTask
	case spec.Kind == KindSink:
		t.make = newSinkTask
	case spec.Kind == KindStream:
		t.make, t.tap = newStreamTask, w.tap(spec.Connector)
	default:
		return nil, fmt.Errorf("%s/%d: %q is no kind of connector", spec.Connector, spec.Task, spec.Kind)
	}
	go t.main() // ends after Stop, an error, or with a source that is done
	return t, nil
}

// TaskConfigs splits a connector into at most maxTasks tasks: what its plugin
// makes of that, one task of a source that does not split, maxTasks equal ones
// of a sink or stream, which share the partitions of their topics. More tasks
// than that are an error, as in Kafka Connect, unless tasks.max.enforce=false.
func (w *Worker) TaskConfigs(ctx context.Context, spec TaskSpec, maxTasks int) ([]connector.Props, error) {
	same := func(n int) []connector.Props {
		list := make([]connector.Props, n)
		for i := range list {
			list[i] = spec.Props
		}
		return list
	}
	if spec.Kind == KindStream {
		return same(maxTasks), nil
	}
	plugin, err := w.plugin(spec)
	if err != nil {
		return nil, connector.Fatal(err)
	}
	splitter, ok := plugin.(connector.TaskSplitter)
	switch {
	case !ok && spec.Kind == KindSource:
		return same(1), nil
	case !ok:
		return same(maxTasks), nil
	}
	conf, err := connector.ParsePlugin(plugin, spec.Props)
	if err != nil {
		return nil, err
	}
	list, err := split(ctx, splitter, w.outside(spec), conf, maxTasks)
	if err != nil {
		return nil, fmt.Errorf("%s: split into tasks: %w", spec.Connector, err)
	}
	if enforce, ok := spec.Props.Text("tasks.max.enforce"); len(list) > maxTasks && (!ok || !strings.EqualFold(strings.TrimSpace(enforce), "false")) {
		return nil, connector.Coded("H1016", connector.Fatal(fmt.Errorf("%s: the plugin made %d tasks, more than tasks.max=%d", spec.Connector, len(list), maxTasks)))
	}
	return list, nil
}

// split asks a plugin for its tasks. A call that goes on when ctx has ended is
// broken off: its goroutine ends when the plugin returns.
func split(ctx context.Context, plugin connector.TaskSplitter, c connector.Context, conf connector.Config, maxTasks int) ([]connector.Props, error) {
	type answer struct {
		list []connector.Props
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		a.err = guard(func() (err error) {
			a.list, err = plugin.TaskConfigs(ctx, c, conf, maxTasks)
			return err
		})
		answers <- a
	}()
	select {
	case a := <-answers:
		return a.list, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// plugin makes an instance of a connector's plugin.
func (w *Worker) plugin(spec TaskSpec) (connector.Plugin, error) {
	class, _ := spec.Props.Text("connector.class")
	if spec.Kind == KindSource {
		return w.options.Plugins.New(connector.SourceType, class)
	}
	return w.options.Plugins.New(connector.SinkType, class)
}

// ResplitEvery tells how often TaskConfigs is to be asked again while the
// connector runs, 0 for never.
func (w *Worker) ResplitEvery(spec TaskSpec) time.Duration {
	if spec.Kind == KindStream {
		return 0
	}
	plugin, err := w.plugin(spec)
	if err != nil {
		return 0
	}
	r, ok := plugin.(connector.Resplitter)
	if !ok {
		return 0
	}
	var every time.Duration
	err = guard(func() error {
		conf, err := connector.ParsePlugin(plugin, spec.Props)
		if err == nil {
			every = r.ResplitEvery(conf)
		}
		return err
	})
	if err != nil {
		w.options.Log.Warn("the connector is not split again: "+err.Error(), "connector", spec.Connector)
	}
	return every
}

// Monitor has a connector's plugin watch its system, if it does, until ctx ends or
// it is done. A call that goes on when ctx has ended is waited for.
func (w *Worker) Monitor(ctx context.Context, spec TaskSpec, reconfigure func()) error {
	if spec.Kind == KindStream {
		return nil
	}
	plugin, err := w.plugin(spec)
	if err != nil {
		return connector.Fatal(err)
	}
	m, ok := plugin.(connector.Monitor)
	if !ok {
		return nil
	}
	err = guard(func() error {
		conf, err := connector.ParsePlugin(plugin, spec.Props)
		if err == nil {
			err = m.Monitor(ctx, w.outside(spec), conf, reconfigure)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: monitor: %w", spec.Connector, err)
	}
	return nil
}

// tap gives the tap of a connector.
func (w *Worker) tap(name string) *tap {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.taps[name]
	if !ok {
		t = new(tap)
		w.taps[name] = t
	}
	return t
}

// Tap gives the last records before the last transform of a stream connector,
// the newest first, at most 60. There are none for other connectors.
func (w *Worker) Tap(name string) []Tapped {
	w.mu.Lock()
	t, ok := w.taps[name]
	w.mu.Unlock()
	if !ok {
		return nil
	}
	return t.records()
}

// Forget drops what the worker remembers of a connector that was deleted.
func (w *Worker) Forget(name string) {
	w.mu.Lock()
	live := w.live[name].now()
	delete(w.taps, name)
	delete(w.live, name)
	delete(w.topics, name)
	w.mu.Unlock()
	for _, t := range live {
		t.Close()
	}
}
