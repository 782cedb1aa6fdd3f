package herder

import (
	"context"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Restarts says what the restart policy makes of a failed task.
type Restarts struct {
	// Failures are those in a row.
	Failures int `json:"failures"`
	// Next is when the task starts again, zero where it does not by itself.
	Next time.Time `json:"next,omitzero"`
}

// Status is what a connector or task is doing.
type Status struct {
	ID       int // of a task
	State    state.State
	WorkerID string
	Here     bool // this worker runs it
	Version  string
	Trace    string // why it failed, or what it retries; empty otherwise
	Restarts *Restarts
	Starts   int            // of a task in this worker, as it is configured
	Waits    *runtime.Waits // what keeps it from its work, of a task
}

// ConnectorStatus is what a connector and its tasks are doing.
type ConnectorStatus struct {
	Name      string
	Connector Status
	Tasks     []Status
	Kind      string // source, sink or stream
	Class     string // empty where no plugin has the configured one
}

// worse are the states of tasks, the worst one first.
var worse = []state.State{state.Failed, state.Unassigned, state.Restarting, state.Destroyed, state.Stopped, state.Paused, state.Running, state.Done}

// Worst gives the worst state of a connector's tasks, empty without any: the
// connector itself is RUNNING while its tasks have failed.
func (s ConnectorStatus) Worst() state.State {
	for _, w := range worse {
		if slices.ContainsFunc(s.Tasks, func(t Status) bool { return t.State == w }) {
			return w
		}
	}
	return ""
}

// Status gives what a connector and its tasks are doing.
func (h *Herder) Status(name string) (ConnectorStatus, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.connectors[name]
	if !ok {
		return ConnectorStatus{}, refuse(NotFound, "No status found for connector %s", name)
	}
	return c.statusLocked(), nil
}

func (c *hosted) statusLocked() ConnectorStatus {
	kind, info := c.h.describe(c.wanted().Config)
	s := ConnectorStatus{Name: c.name, Kind: kind, Class: config.ClassName(info), Tasks: []Status{},
		Connector: c.told(Whole)}
	if c.splitter.works {
		s.Connector = c.splitter.status(info.Version)
	}
	for _, t := range c.listed() {
		if t.here != nil {
			s.Tasks = append(s.Tasks, t.here.statusLocked())
		} else {
			s.Tasks = append(s.Tasks, c.told(t.id))
		}
	}
	return s
}

// told gives what another worker has said of the connector or a task.
func (c *hosted) told(task int) Status {
	s, ok := c.h.o.Statuses.Told(TaskID{c.name, task})
	if !ok {
		s.State = state.Unassigned
	}
	s.ID = task
	return s
}

func (s *supervisor) statusLocked() Status {
	out := s.status()
	now := s.stats(Task.Brief)
	out.Waits, out.Starts = now.Waits, s.run
	switch {
	case out.Trace != "":
	case now.Errors.Retrying:
		out.Trace = "retrying: " + now.Errors.Last // it is alive and gets nowhere
	case now.Waits != nil && now.Waits.Stalled:
		out.Trace = "stalled: " + now.Waits.Why
	}
	if s.restarts.failures > 0 && s.state == state.Failed {
		out.Restarts = &Restarts{Failures: s.restarts.failures, Next: s.restarts.next}
	}
	return out
}

// TaskStatus gives what one task is doing.
func (h *Herder) TaskStatus(name string, id int) (Status, error) {
	status, err := h.Status(name)
	if err == nil {
		for _, t := range status.Tasks {
			if t.ID == id {
				return t, nil
			}
		}
	}
	return Status{}, refuse(NotFound, "No status found for task %s-%d", name, id)
}

// Restart starts a connector again and, if asked to, its tasks; or only those
// of them that failed. The status is the one while that happens.
func (h *Herder) Restart(name string, includeTasks, onlyFailed bool) (ConnectorStatus, error) {
	if err := h.o.Leader.Leads(); err != nil {
		return ConnectorStatus{}, err
	}
	r := store.RestartRequest{Connector: name, IncludeTasks: includeTasks, OnlyFailed: onlyFailed}
	status, err := h.Status(name)
	if err != nil {
		return ConnectorStatus{}, refuse(NotFound, "Unknown connector: %s", name)
	}
	if err := h.o.Store.Append(context.Background(), r); err != nil {
		return ConnectorStatus{}, err
	}
	if r.OfConnector(status.Connector.State) {
		status.Connector.State = state.Restarting
	}
	for i := range status.Tasks {
		if r.OfTask(status.Tasks[i].State) {
			status.Tasks[i].State, status.Tasks[i].Restarts = state.Restarting, nil
		}
	}
	return status, nil
}

// RestartTask starts one task again.
func (h *Herder) RestartTask(name string, id int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.connectors[name]
	if !ok {
		return refuse(NotFound, "Unknown connector: %s", name)
	}
	for _, s := range c.tasks {
		if s.id == id {
			s.again()
			s.poke()
			h.note()
			return nil
		}
	}
	if id < 0 || id >= len(c.wanted().Tasks) {
		return unknownTask(TaskID{name, id})
	}
	return h.o.Leader.Owner(TaskID{name, id})
}

// SetLoggerLevel sets the level of loggers on all workers. Any of them may do so.
func (h *Herder) SetLoggerLevel(namespace, level string) error {
	return h.o.Store.Append(context.Background(), store.LoggerLevel{Namespace: namespace, Level: level})
}
