package herder

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
)

// Options are what a herder needs.
type Options struct {
	Engine    Engine
	Validator *config.Validator
	// Store keeps what is wanted.
	Store store.Store
	// Worker is the worker's configuration, resolved.
	Worker connector.Props
	// WorkerID names the worker in statuses: host:port of its REST API.
	WorkerID string
	// Assignment, Leader and Statuses are those of the cluster that the worker is
	// in; nil are those of a worker by itself.
	Assignment Assignment
	Leader     Leader
	Statuses   Statuses
	// SetLevel sets the level of loggers, which a request for the whole cluster asks
	// for; nil does nothing.
	SetLevel func(namespace, level string)
	Log      *slog.Logger
}

// complete fills in what is not said.
func (o *Options) complete() {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Assignment == nil {
		o.Assignment = alone{}
	}
	if o.Leader == nil {
		o.Leader = alone{}
	}
	if o.Statuses == nil {
		o.Statuses = alone{}
	}
	if o.SetLevel == nil {
		o.SetLevel = func(string, string) {}
	}
}

// Herder keeps the connectors of one worker. It is safe for use from several
// goroutines.
type Herder struct {
	o        Options
	patience time.Duration                               // how long tasks have to stop
	files    atomic.Pointer[map[string]config.Connector] // of the worker's files; replaced as a whole, under edits

	edits sync.Mutex // held from reading the store to appending what follows from it; before mu

	mu         sync.Mutex
	connectors map[string]*hosted
	ending     map[string]*hosted // deleted, tasks still stopping
	started    struct{ connectors, tasks Startups }
	closed     bool
	changed    chan struct{} // closed at every change of a state, then made anew
	all        sync.WaitGroup
}

// New makes a herder with the connectors of its store, which start at once:
// those made over REST and those of the worker's files. A connector of a file
// that is not valid is kept as failed, with the reason.
func New(o Options, files []config.Connector) *Herder {
	o.complete()
	conf, _ := config.WorkerDef().Check(o.Worker)
	h := &Herder{o: o, patience: time.Duration(conf.Int64("task.shutdown.graceful.timeout.ms")) * time.Millisecond,
		connectors: map[string]*hosted{}, ending: map[string]*hosted{}, changed: make(chan struct{})}
	h.files.Store(byName(files))
	h.mu.Lock()
	defer h.mu.Unlock()
	o.Store.Listen(h.heard)
	for _, name := range o.Store.Connectors() {
		h.host(name)
	}
	return h
}

// heard does what a change of what is wanted asks for. The store calls it.
func (h *Herder) heard(r store.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.note()
	switch r := r.(type) {
	case store.ConnectorConfig:
		c, there := h.connectors[r.Connector]
		switch {
		case r.Config == nil && there:
			h.dismiss(c)
		case r.Config != nil && !there && !h.closed:
			h.host(r.Connector)
		case there:
			c.splitter.poke()
		}
	case store.TaskCommit:
		if c, there := h.connectors[r.Connector]; there {
			c.supervise()
			c.splitter.poke() // where there are no tasks, and there are to be
		}
	case store.TargetState:
		if c, there := h.connectors[r.Connector]; there {
			c.poke()
		}
	case store.RestartRequest:
		if c, there := h.connectors[r.Connector]; there {
			c.restart(r)
		}
	case store.LoggerLevel:
		h.o.SetLevel(r.Namespace, r.Level)
	}
}

// dismiss has a removed connector stop. The caller holds the lock.
func (h *Herder) dismiss(c *hosted) {
	delete(h.connectors, c.name)
	if !h.closed { // else it is ending already
		h.ending[c.name] = c
		c.end(func(s *supervisor) { s.cancel() })
	}
}

// origin tells where a connector's configuration is from.
func (h *Herder) origin(name string) config.Origin {
	if c, ok := h.file(name); ok {
		return c.Origin()
	}
	return config.Origin{Remote: true}
}

// describe looks up what a connector is; nothing where no plugin has its class.
func (h *Herder) describe(props connector.Props) (kind string, info connector.Info) {
	kind, info, err := h.o.Validator.Kind(trimmed(props, "connector.class"))
	if err != nil {
		return "", connector.Info{}
	}
	return kind, info
}

// Validator gives what checks configurations.
func (h *Herder) Validator() *config.Validator { return h.o.Validator }

// Close stops all tasks, at once and for as long as ctx lasts, and ends the
// connectors' goroutines. What was not stopped in time is broken off.
func (h *Herder) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	var all []*hosted
	for _, name := range slices.Sorted(maps.Keys(h.connectors)) {
		c := h.connectors[name]
		c.end(func(s *supervisor) { s.end(ctx) })
		all = append(all, c)
	}
	h.mu.Unlock()
	h.all.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, c := range all {
		errs = append(errs, c.stopErr)
	}
	return errors.Join(errs...)
}

// note wakes those who wait for a change. The caller holds the lock.
func (h *Herder) note() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// find gives a connector with what is wanted of it. The caller holds the lock.
func (h *Herder) find(name string) (*hosted, store.Connector, error) {
	c, hosted := h.connectors[name]
	want, wanted := h.o.Store.Connector(name)
	if !hosted || !wanted {
		return nil, want, refuse(NotFound, "Connector %s not found", name)
	}
	return c, want, nil
}

// Connectors gives the names of all connectors in the order they were made.
func (h *Herder) Connectors() []string { return h.o.Store.Connectors() }

// TaskID names a task or, with [Whole], a connector.
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
	// Entries are its keys as that file, and what was laid over it, have them.
	Entries config.List
}

// Origin gives where the configuration counts as coming from.
func (i Info) Origin() config.Origin {
	if i.File == "" {
		return config.Origin{Remote: true}
	}
	return config.Connector{File: i.File}.Origin()
}

// Info gives a connector.
func (h *Herder) Info(name string) (Info, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, want, err := h.find(name)
	if err != nil {
		return Info{}, err
	}
	file, _ := h.file(name)
	i := Info{Name: name, Config: want.Config, File: file.File, Entries: file.Entries, Tasks: []TaskID{}}
	i.Kind, _ = h.describe(want.Config)
	for _, t := range c.listed() {
		i.Tasks = append(i.Tasks, TaskID{name, t.id})
	}
	return i, nil
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
	c, _, err := h.find(name)
	if err != nil {
		return nil, err
	}
	list := []TaskInfo{}
	for _, t := range c.listed() {
		list = append(list, TaskInfo{ID: TaskID{name, t.id}, Config: t.config})
	}
	return list, nil
}

// Snapshots gives what every running task has done, for metrics and the page.
func (h *Herder) Snapshots() []runtime.Stats {
	h.mu.Lock()
	var tasks []*supervisor
	for _, name := range h.o.Store.Connectors() {
		if c, ok := h.connectors[name]; ok {
			tasks = append(tasks, c.visible()...)
		}
	}
	h.mu.Unlock()
	var list []runtime.Stats
	for _, s := range tasks {
		list = append(list, s.snapshot())
	}
	return list
}

// Wait waits until every task of a connector has ended by itself, which those
// of a one-shot source do. The error says why one failed for good.
func (h *Herder) Wait(ctx context.Context, name string) error {
	for {
		h.mu.Lock()
		c, _, err := h.find(name)
		if err != nil {
			h.mu.Unlock()
			return err
		}
		over, failed := c.overLocked()
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

// fileRefusal says that a connector's file manages it, nil where none does.
func (h *Herder) fileRefusal(name, what string) error {
	c, managed := h.file(name)
	if !managed {
		return nil
	}
	return refuse(Conflict, "Connector %s is managed by the file %s: %s it there and reload (SIGHUP or --watch), or start the worker again", name, c.File, what)
}

func trimmed(props connector.Props, key string) string {
	text, _ := props.Text(key)
	return strings.TrimSpace(text)
}
