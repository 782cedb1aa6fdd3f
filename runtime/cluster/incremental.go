package cluster

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// firstPause and pauseFactor say how long work is not moved for balance after
// two rebalances in a row have done so: it grows up to the delay for lost work.
const firstPause, pauseFactor = 40 * time.Millisecond, 40

// noGeneration is the generation of a worker that has been in none.
const noGeneration int32 = -1

// incremental shares work as Kafka Connect's IncrementalCooperativeAssignor
// does: what a worker holds stays with it, unless the balance wants otherwise,
// and what a lost worker held waits for it. It is what one worker remembers of
// the rounds in which it was the leader, and is not safe for concurrent use.
type incremental struct {
	maxDelay time.Duration

	generation int32           // of the last round
	workers    map[string]bool // that were in it
	owners     map[Part]string // what it left them with
	held       Work            // what it kept for workers that were lost
	balanced   bool            // it took away for the sake of the balance
	streak     int             // how many rounds in a row wanted to do so

	due      time.Time // when the delay ends; zero while there is none
	arrivals []string  // the workers that came with nothing meanwhile
}

func newIncremental(maxDelay time.Duration) *incremental {
	return &incremental{maxDelay: maxDelay, generation: noGeneration}
}

// round is what a leader is to share out, and among whom.
type round struct {
	now        time.Time
	generation int32
	completed  int32 // the last generation of which this worker got its assignment
	wanted     Work
	holding    map[string]Work // by worker
	leaving    map[string]Work // of workers that are to get nothing, and what they do not run any more
	legacy     legacy
}

// legacy is what a worker knows of a leader's work by the last assignment that it had
// of it. Java's workers know nothing then: what a leader had goes to others at once.
type legacy struct {
	leader string
	wanted Work      // what it has shared out
	due    time.Time // when the delay ends that was on; zero for none
}

// plan is what changes by a round, and how it will be then, by worker.
type plan struct {
	assigned, revoked, after map[string]Work
	delay                    time.Duration // to the next round
}

// load is what a worker will have.
type load struct {
	worker string
	parts  [2]Work // connectors and tasks
	given  [2]int  // how many of them, the last ones, it gets in this round
}

func (l *load) idle() bool { return len(l.parts[0])+len(l.parts[1]) == 0 }

// assign makes the plan of a round.
func (a *incremental) assign(r round) plan {
	if a.generation != r.completed {
		a.owners, a.held = nil, nil // others have led since, or the plan came to nothing
		a.inherit(r)
	}
	active := Work(nil).With(slices.Concat(slices.Collect(maps.Values(r.holding))...))
	previous := a.held.With(slices.Collect(maps.Keys(a.owners)))
	for w, given := range r.leaving {
		previous = previous.Without(given)
		delete(a.workers, w)
	}
	lost := previous.Without(active).within(r.wanted)
	created := r.wanted.Without(previous, active)

	p := plan{assigned: map[string]Work{}, revoked: map[string]Work{}, after: map[string]Work{}}
	loads := a.keep(r, p.revoked)
	free := slices.Concat(created, a.release(r.now, lost, loads, p.assigned))
	a.rebalance(r, loads, p)
	for kind, parts := range free.kinds() {
		spread(loads, kind, parts, p.assigned)
	}

	if p.delay = a.due.Sub(r.now); a.due.IsZero() {
		p.delay = 0
	}
	a.remember(r, loads, lost, p)
	return p
}

// inherit has what a leader had that is gone wait as that of any other worker: of what
// it has shared out that is what nobody holds. What it has shared out since the worker
// heard of it last, it may have been giving up itself.
func (a *incremental) inherit(r round) {
	leader := r.legacy.leader
	_, there := r.holding[leader]
	if _, leaves := r.leaving[leader]; leader == "" || there || leaves || r.generation != r.completed+1 {
		return
	}
	a.held, a.workers = r.legacy.wanted, map[string]bool{leader: true}
	a.due, a.arrivals = r.legacy.due, nil
}

// keep gives what the workers hold and may go on with. The rest is revoked: what
// is wanted no more, and what several hold, except from the one that has it by
// the last round.
func (a *incremental) keep(r round, revoked map[string]Work) []*load {
	holders := map[Part]int{}
	for _, w := range r.holding {
		for _, p := range w {
			holders[p]++
		}
	}
	var loads []*load
	for _, worker := range slices.Sorted(maps.Keys(r.holding)) {
		var kept Work
		for _, p := range r.holding[worker] {
			if !r.wanted.Has(p) || holders[p] > 1 && a.owners[p] != worker {
				revoked[worker] = append(revoked[worker], p)
			} else {
				kept = append(kept, p)
			}
		}
		loads = append(loads, &load{worker: worker, parts: kept.kinds()})
	}
	return loads
}

// release gives what was lost to the workers that came meanwhile, once the delay
// has ended: they may be those that had it. It gives back what is for anyone.
func (a *incremental) release(now time.Time, lost Work, loads []*load, assigned map[string]Work) Work {
	switch {
	case len(lost) == 0 && !a.balanced:
		a.endDelay()
		return nil
	case a.due.IsZero() && a.allStay(loads):
		return lost // nobody has left: a worker has not got what it was assigned
	case a.maxDelay == 0:
		return lost
	case a.due.IsZero() || now.Before(a.due):
		for _, l := range loads {
			if l.idle() && !slices.Contains(a.arrivals, l.worker) {
				a.arrivals = append(a.arrivals, l.worker)
			}
		}
		if end := now.Add(a.maxDelay); a.due.IsZero() || a.due.After(end) {
			a.due = end
		}
		return nil
	}
	var to []*load
	for _, worker := range a.arrivals {
		if i := slices.IndexFunc(loads, func(l *load) bool { return l.worker == worker }); i >= 0 {
			to = append(to, loads[i])
		}
	}
	a.endDelay()
	a.balanced = false // the pause is over as well
	if len(to) == 0 {
		return lost
	}
	for kind, parts := range lost.kinds() {
		for i, p := range parts {
			to[i%len(to)].give(kind, p, assigned)
		}
	}
	return nil
}

func (a *incremental) endDelay() { a.due, a.arrivals = time.Time{}, nil }

// allStay tells whether all workers of the last round are in this one.
func (a *incremental) allStay(loads []*load) bool {
	gone := maps.Clone(a.workers)
	for _, l := range loads {
		delete(gone, l.worker)
	}
	return len(gone) == 0
}

// rebalance takes from workers what they have beyond their share, so that the
// next round can give it to others. It waits while a delay is on, and longer
// each time when round after round has to do so.
func (a *incremental) rebalance(r round, loads []*load, p plan) {
	if !a.due.IsZero() {
		a.balanced = false
		return
	}
	excess := map[string]Work{}
	if slices.ContainsFunc(loads, func(l *load) bool { return !l.idle() }) {
		for kind, parts := range r.wanted.kinds() {
			trim(loads, kind, parts, excess)
		}
	}
	switch {
	case len(excess) == 0:
		if a.balanced {
			a.balanced, a.streak = false, 0
		}
		return
	case a.balanced:
		a.streak++
		if pause := a.pause(); pause > 0 {
			a.due = r.now.Add(pause)
			return
		}
	}
	a.balanced = true
	for _, l := range loads {
		for kind := range l.parts {
			l.parts[kind] = l.parts[kind].Without(excess[l.worker])
		}
		p.revoked[l.worker] = append(p.revoked[l.worker], excess[l.worker]...)
		p.assigned[l.worker] = p.assigned[l.worker].Without(excess[l.worker])
	}
}

func (a *incremental) pause() time.Duration {
	d := firstPause
	for n := 1; n < a.streak && d < a.maxDelay; n++ {
		d *= pauseFactor
	}
	return min(d, a.maxDelay)
}

// remember keeps what the next round is to know.
func (a *incremental) remember(r round, loads []*load, lost Work, p plan) {
	a.generation, a.workers, a.owners, a.held = r.generation, map[string]bool{}, map[Part]string{}, lost
	for _, l := range loads {
		a.workers[l.worker] = true
		p.after[l.worker] = l.parts[0].With(l.parts[1])
		for _, part := range p.after[l.worker] {
			a.owners[part] = l.worker
		}
	}
	for worker, w := range p.revoked {
		p.revoked[worker] = w.With(nil)
	}
	for worker, w := range p.assigned {
		p.assigned[worker] = w.With(nil)
	}
}

func (l *load) give(kind int, p Part, assigned map[string]Work) {
	l.given[kind]++
	l.parts[kind] = append(l.parts[kind], p)
	assigned[l.worker] = append(assigned[l.worker], p)
}

// spread gives parts of a kind to the workers that have the fewest of it, in
// turns, so that the tasks of one connector come to different workers.
func spread(loads []*load, kind int, parts Work, assigned map[string]Work) {
	loads = slices.Clone(loads)
	slices.SortStableFunc(loads, func(x, y *load) int { return cmp.Compare(len(x.parts[kind]), len(y.parts[kind])) })
	for len(loads) > 0 && len(parts) > 0 {
		level := len(loads[0].parts[kind])
		for _, l := range loads {
			if len(l.parts[kind]) > level || len(parts) == 0 {
				break
			}
			l.give(kind, parts[0], assigned)
			parts = parts[1:]
		}
	}
}

// trim tells which parts of a kind the workers have beyond their share of all
// that is wanted of it.
func trim(loads []*load, kind int, wanted Work, excess map[string]Work) {
	share, more := len(wanted)/len(loads), len(wanted)%len(loads) // so many may have one more
	for _, l := range loads {
		may, has := share, len(l.parts[kind])
		if has > share && more > 0 {
			may++
			more--
		}
		if has > may {
			old, given := l.parts[kind][:has-l.given[kind]], l.parts[kind][has-l.given[kind]:]
			order := slices.Concat(crowded(old, wanted, len(loads)), given)
			excess[l.worker] = append(excess[l.worker], order[:has-may]...)
		}
	}
}

// crowded puts first the tasks of those connectors of which a worker has most
// beyond its share: taking these away spreads a connector's tasks.
func crowded(has, wanted Work, workers int) Work {
	all := map[string]int{}
	for _, p := range wanted {
		all[p.Connector]++
	}
	nth, rank := map[string]int{}, map[Part]int{}
	for _, p := range has {
		nth[p.Connector]++
		rank[p] = nth[p.Connector]*workers - all[p.Connector]
	}
	return slices.SortedStableFunc(slices.Values(has), func(p, q Part) int { return cmp.Compare(rank[q], rank[p]) })
}
