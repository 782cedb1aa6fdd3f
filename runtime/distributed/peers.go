package distributed

import (
	"context"
	"errors"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/cluster"
)

// View gives who shares the cluster's work, as far as this worker has seen. It has no
// workers while this one is not in the group.
func (m *Member) View() cluster.View {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.placed.Worker == "" {
		return cluster.View{}
	}
	return m.view
}

// watch sees who is in the group after each rebalance, until ctx ends.
func (m *Member) watch(ctx context.Context) {
	const again = time.Second // after an error
	for ctx.Err() == nil {
		m.mu.Lock()
		changed, p, seen := m.changed, m.placed, m.view
		m.mu.Unlock()
		var due <-chan time.Time
		if p.Worker != "" && p.Generation != seen.Generation {
			if err := m.see(ctx, p, seen); err != nil {
				m.o.Log.Debug("who is in the cluster is not seen, trying on: " + err.Error())
				due = time.After(again)
			}
		}
		select {
		case <-changed:
		case <-due:
		case <-ctx.Done():
		}
	}
}

func (m *Member) see(ctx context.Context, p cluster.Placement, before cluster.View) error {
	members, err := m.o.Client.GroupMembers(ctx, m.o.Worker.String("group.id"))
	if err != nil {
		return err
	}
	if _, there := members[p.Worker]; !there {
		return errors.New("the next rebalance is on")
	}
	_, tasks := m.store.Snapshot()
	v, err := cluster.See(p.Generation, time.Now(), members, cluster.All(tasks), before)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.view = v
	m.mu.Unlock()
	return nil
}
