package herder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Options are what a herder needs.
type Options struct {
	Engine    Engine
	Validator *config.Validator
	// Worker is the worker's configuration, resolved.
	Worker connector.Props
	// WorkerID names the worker in statuses: host:port of its REST API.
	WorkerID string
	// File keeps connectors made over REST and all states; empty keeps nothing.
	File string
	Log  *slog.Logger
}

// Herder keeps the connectors of one worker. It is safe for use from several
// goroutines.
type Herder struct {
	o        Options
	patience time.Duration // how long tasks have to stop

	mu         sync.Mutex
	connectors map[string]*managed
	order      []string
	kept       kept
	ending     map[string]*managed // deleted, tasks still stopping
	closed     bool
	changed    chan struct{} // closed at every change of a state, then made anew
	all        sync.WaitGroup
}

// New makes a herder with the connectors of its file, which start at once, and
// those of the worker's files. A connector of a file that is not valid is kept
// as failed, with the reason.
func New(o Options, files []config.Connector) (*Herder, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	k, err := load(o.File)
	if err != nil {
		return nil, err
	}
	conf, _ := config.WorkerDef().Check(o.Worker)
	h := &Herder{o: o, patience: time.Duration(conf.Int64("task.shutdown.graceful.timeout.ms")) * time.Millisecond,
		kept: k, connectors: map[string]*managed{}, ending: map[string]*managed{}, changed: make(chan struct{})}
	for _, c := range files {
		if _, twice := k.Connectors[c.Name]; twice {
			return nil, fmt.Errorf("%s: connector %s was made over REST too: delete that one (it is in %s) or give this one another name", c.File, c.Name, o.File)
		}
		h.add(c.Name, c.Entries.Props(), c.File, c.Origin(), h.target(c.Name))
	}
	for _, name := range sorted(k.Connectors) {
		h.add(name, k.Connectors[name], "", config.Origin{Remote: true}, h.target(name))
	}
	return h, nil
}

// target gives what a connector is to do by the file.
func (h *Herder) target(name string) state.Target {
	if t, ok := h.kept.Targets[name]; ok {
		return t
	}
	return state.TargetStarted
}

func sorted(m map[string]connector.Props) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Validator gives what checks configurations.
func (h *Herder) Validator() *config.Validator { return h.o.Validator }

// add makes a connector and its goroutine. The caller holds the lock or is New.
func (h *Herder) add(name string, props connector.Props, file string, from config.Origin, target state.Target) *managed {
	m := &managed{h: h, name: name, props: props, file: file, from: from, target: target,
		wake: make(chan struct{}, 1), done: make(chan struct{}), before: h.ending[name]}
	m.quit, m.cancel = context.WithCancel(context.Background())
	m.describe()
	m.state = startState(target)
	h.connectors[name] = m
	h.order = append(h.order, name)
	h.all.Add(1)
	go func() { // ends when the connector is deleted or the herder closed
		defer h.all.Done()
		m.run()
	}()
	m.poke()
	return m
}

func startState(t state.Target) state.State {
	switch t {
	case state.TargetPaused:
		return state.Paused
	case state.TargetStopped:
		return state.Stopped
	}
	return state.Running
}

// Close stops all tasks, at once and for as long as ctx lasts, and ends the
// connectors' goroutines. What was not stopped in time is broken off.
func (h *Herder) Close(ctx context.Context) error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		for _, m := range h.connectors {
			m.end(ctx)
		}
	}
	h.mu.Unlock()
	h.all.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, name := range h.order {
		errs = append(errs, h.connectors[name].stopErr)
	}
	return errors.Join(errs...)
}

// note wakes those who wait for a change. The caller holds the lock.
func (h *Herder) note() {
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *Herder) find(name string) (*managed, error) {
	m, ok := h.connectors[name]
	if !ok {
		return nil, refuse(NotFound, "Connector %s not found", name)
	}
	return m, nil
}

// Connectors gives the names of all connectors in the order they were made.
func (h *Herder) Connectors() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.order)
}

// TaskID names a task.
type TaskID struct {
	Connector string `json:"connector"`
	Task      int    `json:"task"`
}

// Info is a connector as it is configured. References to secrets are not
// replaced in it.
type Info struct {
	Name   string
	Config connector.Props
	Tasks  []TaskID
	Kind   string // source, sink or stream
	File   string // the file that manages it, empty for one made over REST
}

// Info gives a connector.
func (h *Herder) Info(name string) (Info, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.find(name)
	if err != nil {
		return Info{}, err
	}
	return m.infoLocked(), nil
}

func (m *managed) infoLocked() Info {
	i := Info{Name: m.name, Config: m.props, Kind: m.kind, File: m.file, Tasks: []TaskID{}}
	for _, t := range m.tasks {
		i.Tasks = append(i.Tasks, TaskID{m.name, t.id})
	}
	return i
}

// TaskInfo is a task as it is configured.
type TaskInfo struct {
	ID     TaskID          `json:"id"`
	Config connector.Props `json:"config"`
}

// Tasks gives the tasks of a connector with their configurations, in which
// references to secrets are not replaced.
func (h *Herder) Tasks(name string) ([]TaskInfo, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.find(name)
	if err != nil {
		return nil, err
	}
	list := []TaskInfo{}
	for _, t := range m.tasks {
		list = append(list, TaskInfo{ID: TaskID{name, t.id}, Config: t.shown})
	}
	return list, nil
}

// Snapshots gives what every running task has done, for metrics and the page.
func (h *Herder) Snapshots() []runtime.Stats {
	h.mu.Lock()
	var tasks []*task
	for _, name := range h.order {
		tasks = append(tasks, h.connectors[name].tasks...)
	}
	h.mu.Unlock()
	var list []runtime.Stats
	for _, t := range tasks {
		list = append(list, t.snapshot())
	}
	return list
}

// Wait waits until every task of a connector has ended by itself, which those
// of a one-shot source do. The error says why one failed for good.
func (h *Herder) Wait(ctx context.Context, name string) error {
	for {
		h.mu.Lock()
		m, err := h.find(name)
		if err != nil {
			h.mu.Unlock()
			return err
		}
		over, failed := m.overLocked()
		changed := h.changed
		h.mu.Unlock()
		if over {
			return failed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fileRefusal says that a connector's file manages it.
func (m *managed) fileRefusal(what string) error {
	return refuse(Conflict, "Connector %s is managed by the file %s: %s it there and start the worker again", m.name, m.file, what)
}

func trimmed(props connector.Props, key string) string {
	text, _ := props.Text(key)
	return strings.TrimSpace(text)
}
