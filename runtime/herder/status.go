package herder

import (
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Restarts says what the restart policy makes of a failed task.
type Restarts struct {
	// Failures are those in a row, Attempts the restarts so far.
	Failures int `json:"failures"`
	// Next is when the task starts again, zero where it does not by itself.
	Next time.Time `json:"next,omitzero"`
}

// Status is what a connector or task is doing.
type Status struct {
	ID       int // of a task
	State    state.State
	WorkerID string
	Version  string
	Trace    string // why it failed, or what it retries; empty otherwise
	Restarts *Restarts
}

// ConnectorStatus is what a connector and its tasks are doing.
type ConnectorStatus struct {
	Name      string
	Connector Status
	Tasks     []Status
	Kind      string // source, sink or stream
}

// Status gives what a connector and its tasks are doing.
func (h *Herder) Status(name string) (ConnectorStatus, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.connectors[name]
	if !ok {
		return ConnectorStatus{}, refuse(NotFound, "No status found for connector %s", name)
	}
	return m.statusLocked(), nil
}

func (m *managed) statusLocked() ConnectorStatus {
	s := ConnectorStatus{Name: m.name, Kind: m.kind, Tasks: []Status{},
		Connector: Status{State: m.state, WorkerID: m.h.o.WorkerID, Version: m.info.Version}}
	if m.err != nil {
		s.Connector.Trace = runtime.Trace(m.err)
	}
	for _, t := range m.tasks {
		s.Tasks = append(s.Tasks, m.taskStatusLocked(t))
	}
	return s
}

func (m *managed) taskStatusLocked(t *task) Status {
	s := Status{ID: t.id, State: t.state, WorkerID: m.h.o.WorkerID, Version: m.info.Version}
	if t.err != nil && (t.state == state.Failed || t.state == state.Restarting) {
		s.Trace = runtime.Trace(t.err)
	}
	if e := t.snapshot().Errors; s.Trace == "" && e.Retrying {
		s.Trace = "retrying: " + e.Last // it is alive and gets nowhere
	}
	if t.failures > 0 && t.state == state.Failed {
		s.Restarts = &Restarts{Failures: t.failures, Next: t.next}
	}
	return s
}

// TaskStatus gives what one task is doing.
func (h *Herder) TaskStatus(name string, id int) (Status, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m, ok := h.connectors[name]; ok {
		for _, t := range m.tasks {
			if t.id == id {
				return m.taskStatusLocked(t), nil
			}
		}
	}
	return Status{}, refuse(NotFound, "No status found for task %s-%d", name, id)
}

// Restart starts a connector again and, if asked to, its tasks; or only those
// of them that failed. The status is the one while that happens.
func (h *Herder) Restart(name string, includeTasks, onlyFailed bool) (ConnectorStatus, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.connectors[name]
	if !ok {
		return ConnectorStatus{}, refuse(NotFound, "Unknown connector: %s", name)
	}
	if !onlyFailed || m.state == state.Failed {
		m.restart = true
		m.state = state.Restarting
	}
	for _, t := range m.tasks {
		if includeTasks && (!onlyFailed || t.state == state.Failed) {
			t.restart = true
			t.state = state.Restarting
		}
	}
	s := m.statusLocked()
	m.poke()
	h.note()
	return s, nil
}

// RestartTask starts one task again.
func (h *Herder) RestartTask(name string, id int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.connectors[name]
	if !ok {
		return refuse(NotFound, "Unknown connector: %s", name)
	}
	for _, t := range m.tasks {
		if t.id == id {
			t.restart = true
			t.state = state.Restarting
			m.poke()
			h.note()
			return nil
		}
	}
	return refuse(NotFound, "Unknown task: %s-%d", name, id)
}
