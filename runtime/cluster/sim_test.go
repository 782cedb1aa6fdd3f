package cluster

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// sim is a cluster without Kafka: its rounds come when the test says so, and
// its clock stands in between.
type sim struct {
	now        time.Time
	delay      time.Duration
	generation int32
	wanted     map[string]int
	workers    map[string]*simWorker
	joined     int
	seen       func(round, plan) // if not nil, told of each round
}

type simWorker struct {
	held      Work
	completed int32
	legacy    legacy
	assignor  *incremental
	leaving   bool
	deaf      bool // it does not get its next assignment
}

func newSim(delay time.Duration) *sim {
	return &sim{now: time.UnixMilli(1_700_000_000_000), delay: delay, wanted: map[string]int{}, workers: map[string]*simWorker{}}
}

// join has another worker come, with a new name.
func (s *sim) join() string {
	name := string(rune('a' + s.joined))
	s.joined++
	s.workers[name] = &simWorker{completed: noGeneration, assignor: newIncremental(s.delay)}
	return name
}

func (s *sim) names() []string { return slices.Sorted(maps.Keys(s.workers)) }

// input is what the first worker, the leader, is to share out.
func (s *sim) input() round {
	s.generation++
	leader := s.workers[s.names()[0]]
	r := round{now: s.now, generation: s.generation, completed: leader.completed, wanted: All(s.wanted), holding: map[string]Work{}, leaving: map[string]Work{}, legacy: leader.legacy}
	for name, w := range s.workers {
		if w.leaving {
			r.leaving[name] = w.held
		} else {
			r.holding[name] = w.held
		}
	}
	return r
}

// round is one rebalance.
func (s *sim) round() plan {
	r, leader := s.input(), s.names()[0]
	p := s.workers[leader].assignor.assign(r)
	known := legacy{leader: leader, wanted: r.wanted}
	if p.delay > 0 {
		known.due = s.now.Add(p.delay)
	}
	if s.seen != nil {
		s.seen(r, p)
	}
	for name, w := range s.workers {
		switch {
		case w.leaving:
			delete(s.workers, name)
		case w.deaf:
			w.deaf = false
		default:
			w.held, w.completed, w.legacy = w.held.Without(p.revoked[name]).With(p.assigned[name]), s.generation, known
		}
	}
	return p
}

// settle has as many rounds as the cluster wants, one at least, and gives what
// was taken from workers and the time it took.
func (s *sim) settle() (revoked Work, took time.Duration, err error) {
	for range 50 {
		missed := slices.ContainsFunc(slices.Collect(maps.Values(s.workers)), func(w *simWorker) bool { return w.deaf })
		p := s.round()
		done := p.delay == 0 && !missed
		for _, w := range p.revoked {
			done = done && len(w) == 0
			revoked = revoked.With(w)
		}
		if done {
			return revoked, took, s.complete()
		}
		s.now, took = s.now.Add(p.delay), took+p.delay
	}
	return revoked, took, fmt.Errorf("no end of rebalances")
}

// single says which parts are on several workers.
func (s *sim) single() error {
	on := map[Part]string{}
	for _, name := range s.names() {
		for _, p := range s.workers[name].held {
			if other := on[p]; other != "" {
				return fmt.Errorf("%v is on %s and %s", p, other, name)
			}
			on[p] = name
		}
	}
	return nil
}

// complete says what is wrong with a cluster that has settled.
func (s *sim) complete() error {
	if err := s.single(); err != nil {
		return err
	}
	var held Work
	least, most := [2]int{1 << 30, 1 << 30}, [2]int{}
	for _, w := range s.workers {
		held = held.With(w.held)
		for kind, parts := range w.held.kinds() {
			least[kind], most[kind] = min(least[kind], len(parts)), max(most[kind], len(parts))
		}
	}
	if wanted := All(s.wanted); !slices.Equal(held, wanted) {
		return fmt.Errorf("nobody has %v, and not wanted is %v", wanted.Without(held), held.Without(wanted))
	}
	for kind := range least {
		if most[kind]-least[kind] > 1 {
			return fmt.Errorf("workers have %d to %d", least[kind], most[kind])
		}
	}
	return nil
}
