package distributed

import (
	"context"

	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
)

// place takes note of what the group says and has the herder act on it.
func (m *Member) place(_ context.Context, p cluster.Placement) {
	m.mu.Lock()
	was := m.placed
	m.placed = p
	reassign := m.reassign
	m.note()
	m.mu.Unlock()
	if p.Worker != "" && (was.Leader != p.Leader || was.Generation != p.Generation && len(p.Work) != len(was.Work)) {
		m.o.Log.Info("the cluster has shared out its work", "generation", p.Generation, "leader", p.LeaderURL, "leads", p.Leads(),
			"protocol", int(p.Version), "parts", len(p.Work))
	}
	reassign()
	if p.Leads() && m.store.Offset() >= p.ConfigOffset { // else it does not know yet what there is
		m.tidy()
	}
}

// Rebalances gives those that the worker was in.
func (m *Member) Rebalances() cluster.Rebalances { return m.group.Rebalances() }

// Placement gives what the worker was assigned last.
func (m *Member) Placement() cluster.Placement {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.placed
}

// Runs tells whether the worker is to run a task or a connector. A task waits for the
// rebalance behind the commit that made it: in that one all workers have stopped those
// that the connector had before.
func (m *Member) Runs(id herder.TaskID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.placed.Work.Has(cluster.Part(id)) && (id.Task == herder.Whole || m.settled(id.Connector))
}

// Settled tells whether no worker runs a task any more that a connector had before its
// last commit of tasks.
func (m *Member) Settled(connector string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settled(connector)
}

func (m *Member) settled(connector string) bool {
	return m.placed.Worker != "" && m.placed.ConfigOffset >= m.since[connector]
}
