package kafka

import (
	"fmt"
	"maps"
	"slices"

	"github.com/IBM/sarama"
)

// modelGroup is Kafka's group coordinator for one group that reads topic "t",
// reduced to its rules: who is answered what, when.
type modelGroup struct {
	phase      string // empty, preparing, completing, stable
	generation int32
	members    map[string]*modelMember
	pending    map[string]bool // ids given out to those who have not joined with them yet
	leader     string
	ids        int
	moved      int                // so many requests more are answered by one that is not the coordinator
	accepted   func(commit) error // looks at what is committed
}

type modelMember struct {
	join, sync func(reply)
	assigned   []int32
}

// reply is an answer of the coordinator.
type reply struct {
	err        error
	id         string
	generation int32
	leader     bool
	members    []string // for the leader
	assigned   []int32
}

// commit is a request to commit offsets of partitions.
type commit struct {
	as         identity
	partitions []int32
}

func newModelGroup() *modelGroup {
	return &modelGroup{phase: "empty", members: map[string]*modelMember{}, pending: map[string]bool{}}
}

func (g *modelGroup) elsewhere() error {
	if g.moved > 0 {
		g.moved--
		return sarama.ErrNotCoordinatorForConsumer
	}
	return nil
}

func (g *modelGroup) joins(id string, answer func(reply)) {
	if err := g.elsewhere(); err != nil {
		answer(reply{err: err})
		return
	}
	if id == "" {
		g.ids++
		id = fmt.Sprint("m", g.ids)
		g.pending[id] = true
		answer(reply{err: sarama.ErrMemberIdRequired, id: id})
		return
	}
	m := g.members[id]
	if m == nil && !g.pending[id] {
		answer(reply{err: sarama.ErrUnknownMemberId})
		return
	}
	if m == nil {
		delete(g.pending, id)
		m = new(modelMember)
		g.members[id] = m
	}
	m.join = answer // one that asked before has hung up
	g.rebalance()
}

// rebalance starts a rebalance unless one is on, and ends it when all are there.
func (g *modelGroup) rebalance() {
	if len(g.members) == 0 {
		g.phase = "empty"
		g.generation++
		return
	}
	if g.phase != "preparing" {
		g.phase = "preparing"
		for _, m := range g.members {
			if m.sync != nil {
				m.sync(reply{err: sarama.ErrRebalanceInProgress})
				m.sync = nil
			}
		}
	}
	for _, m := range g.members {
		if m.join == nil {
			return
		}
	}
	g.generation++
	g.phase = "completing"
	ids := slices.Sorted(maps.Keys(g.members))
	if g.members[g.leader] == nil {
		g.leader = ids[0]
	}
	for _, id := range ids {
		m := g.members[id]
		r := reply{id: id, generation: g.generation}
		if id == g.leader {
			r.leader, r.members = true, ids
		}
		answer := m.join
		m.join, m.assigned = nil, nil
		answer(r)
	}
}

// check gives the refusal of a request of this identity.
func (g *modelGroup) check(as identity) error {
	switch {
	case g.moved > 0:
		return g.elsewhere()
	case g.members[as.id] == nil:
		return sarama.ErrUnknownMemberId
	case as.generation != g.generation:
		return sarama.ErrIllegalGeneration
	}
	return nil
}

func (g *modelGroup) syncs(as identity, plan map[string]map[string][]int32, answer func(reply)) {
	err := g.check(as)
	if err == nil && g.phase == "preparing" {
		err = sarama.ErrRebalanceInProgress
	}
	if err != nil {
		answer(reply{err: err})
		return
	}
	m := g.members[as.id]
	if g.phase == "stable" {
		answer(reply{assigned: m.assigned})
		return
	}
	m.sync = answer
	if as.id != g.leader {
		return
	}
	g.phase = "stable"
	for id, m := range g.members {
		m.assigned = plan[id]["t"]
		if m.sync != nil {
			m.sync(reply{assigned: m.assigned})
			m.sync = nil
		}
	}
}

func (g *modelGroup) heartbeat(as identity) error {
	err := g.check(as)
	if err == nil && g.phase == "preparing" {
		err = sarama.ErrRebalanceInProgress
	}
	return err
}

func (g *modelGroup) commits(c commit) error {
	err := g.check(c.as)
	switch {
	case err == nil && g.phase == "completing":
		return sarama.ErrRebalanceInProgress
	case err == nil:
		return g.accepted(c)
	}
	return err
}

// gone removes a member: it left, or its session or the rebalance timed out.
func (g *modelGroup) gone(id string) {
	delete(g.pending, id)
	m := g.members[id]
	if m == nil {
		return
	}
	delete(g.members, id)
	for _, answer := range []func(reply){m.join, m.sync} {
		if answer != nil {
			answer(reply{err: sarama.ErrUnknownMemberId})
		}
	}
	g.rebalance()
}
