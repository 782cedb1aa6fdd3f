package cluster

import "time"

// Rebalances are those that a worker was in.
type Rebalances struct {
	Completed int64
	On        bool          // one is under way
	Last      time.Time     // when one was completed
	Total     time.Duration // what all took together
	Longest   time.Duration
}

// begin notes that a rebalance is on. mu is not held.
func (g *Group) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.rebalances.On {
		g.rebalances.On, g.began = true, time.Now()
	}
}

// complete notes that the worker has been told what to run. mu is not held.
func (g *Group) complete() {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := &g.rebalances
	if !r.On {
		return
	}
	r.On, r.Last = false, time.Now()
	took := r.Last.Sub(g.began)
	r.Completed++
	r.Total += took
	r.Longest = max(r.Longest, took)
}

// Rebalances gives those that the worker was in.
func (g *Group) Rebalances() Rebalances {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rebalances
}
