package distributed

import (
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
	"github.com/axiom-data-science/hydraulics/runtime/internal/status"
)

// Say writes what a connector or task of this worker is doing. What it has no more, or
// has failed, is said only where no other worker has it by now.
func (m *Member) Say(id herder.TaskID, s herder.Status) {
	m.mu.Lock()
	generation := int(m.placed.Generation)
	m.mu.Unlock()
	put := m.statuses.Put
	if s.State == state.Unassigned || s.State == state.Failed {
		put = m.statuses.PutSafe
	}
	said := status.Status{State: s.State, Trace: s.Trace, WorkerID: m.o.WorkerID, Generation: generation, Version: s.Version}
	if err := put(status.ID(id), said); err != nil {
		m.o.Log.Error("status is not written: " + err.Error())
	}
}

// Told gives what the worker of a connector or task has said last.
func (m *Member) Told(id herder.TaskID) (herder.Status, bool) {
	s, ok := m.statuses.Status(status.ID(id))
	return herder.Status{ID: id.Task, State: s.State, WorkerID: s.WorkerID, Version: s.Version, Trace: s.Trace}, ok
}

// tidy has the statuses fit what is wanted and who runs it, which the leader does after
// a rebalance: those of what is no more are removed with the topics that it used, and
// what waits for a lost worker to return is not said to run.
func (m *Member) tidy() {
	gone := func(id status.ID) {
		if err := m.statuses.Put(id, status.Status{State: state.Destroyed}); err != nil {
			m.o.Log.Error("status is not removed: " + err.Error())
		}
	}
	names := m.store.Connectors()
	for _, name := range m.statuses.Connectors() {
		want, _ := m.store.Connector(name)
		there := slices.Contains(names, name)
		for _, n := range m.statuses.Tasks(name) {
			if n >= len(want.Tasks) || !there {
				gone(status.ID{Connector: name, Task: n})
			}
		}
		if there {
			for task := herder.Whole; task < len(want.Tasks); task++ {
				m.unassign(herder.TaskID{Connector: name, Task: task})
			}
			continue
		}
		if _, said := m.statuses.Status(status.ID{Connector: name, Task: status.Whole}); said {
			gone(status.ID{Connector: name, Task: status.Whole})
		}
		m.statuses.ForgetUses(name)
	}
}

// unassign says of what waits for a lost worker that nobody runs it.
func (m *Member) unassign(id herder.TaskID) {
	told, ok := m.statuses.Status(status.ID(id))
	if ok && told.State != state.Unassigned && m.group.Waits(cluster.Part(id)) {
		m.Say(id, herder.Status{State: state.Unassigned, Version: told.Version}) // a newer one of its next worker counts more
	}
}

// Use notes that a task uses a topic.
func (m *Member) Use(connector string, task int, topic string) {
	if err := m.statuses.PutUse(status.Use{Topic: topic, Connector: connector, Task: task, Discovered: time.Now().UnixMilli()}); err != nil {
		m.o.Log.Error("used topic is not written: " + err.Error())
	}
}

// Topics gives the topics that a connector uses.
func (m *Member) Topics(connector string) []string { return m.statuses.Topics(connector) }

// Forget forgets them.
func (m *Member) Forget(connector string) { m.statuses.ForgetUses(connector) }

// Forgotten has fn hear of each connector whose topics are forgotten.
func (m *Member) Forgotten(fn func(connector string)) { m.statuses.Forgot(fn) }
