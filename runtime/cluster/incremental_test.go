package cluster

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const delay = 10 * time.Second

// started gives a cluster that has settled.
func started(t testing.TB, workers int, wanted map[string]int) *sim {
	t.Helper()
	s := newSim(delay)
	for range workers {
		s.join()
	}
	s.wanted = wanted
	settled(t, s)
	return s
}

func settled(t testing.TB, s *sim) (revoked Work, took time.Duration) {
	t.Helper()
	revoked, took, err := s.settle()
	if err != nil {
		t.Fatal(err)
	}
	return revoked, took
}

// Whatever workers do, in the end everything runs, on one worker, evenly.
func TestWorkersComeAndGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSim(rapid.SampledFrom([]time.Duration{0, delay, 5 * time.Minute}).Draw(t, "delay"))
		s.join()
		rounds := func() {
			for range rapid.IntRange(0, 2).Draw(t, "rounds") {
				s.now = s.now.Add(time.Duration(rapid.IntRange(0, 15).Draw(t, "seconds")) * time.Second)
				s.round()
				if err := s.single(); err != nil {
					t.Fatal(err)
				}
			}
		}
		worker := func() string { return rapid.SampledFrom(s.names()).Draw(t, "worker") }
		t.Repeat(map[string]func(*rapid.T){
			"join": func(*rapid.T) { s.join(); rounds() },
			"lose": func(*rapid.T) {
				if len(s.workers) > 1 {
					delete(s.workers, worker())
				}
				rounds()
			},
			"leave at once": func(*rapid.T) {
				if len(s.workers) > 1 {
					s.workers[worker()].leaving = true
				}
				s.round()
				rounds()
			},
			"return": func(*rapid.T) {
				if len(s.workers) > 1 {
					delete(s.workers, worker())
					rounds()
				}
				s.join()
				rounds()
			},
			"miss": func(*rapid.T) { s.workers[worker()].deaf = true; rounds() },
			"want": func(t *rapid.T) {
				s.wanted[rapid.StringMatching("c[1-5]").Draw(t, "connector")] = rapid.IntRange(0, 7).Draw(t, "tasks")
				rounds()
			},
			"delete": func(t *rapid.T) {
				delete(s.wanted, rapid.StringMatching("c[1-5]").Draw(t, "connector"))
				rounds()
			},
		})
		if _, _, err := s.settle(); err != nil {
			t.Fatal(err)
		}
		added := fmt.Sprintf("new%d", s.generation)
		s.wanted[added] = rapid.IntRange(0, 20).Draw(t, "new tasks")
		if revoked, took, err := s.settle(); err != nil || len(revoked) > 0 || took > 0 {
			t.Fatalf("a new connector took %v away, in %v: %v", revoked, took, err)
		}
	})
}

func TestTasksOfAConnectorAreSpread(t *testing.T) {
	for name, c := range map[string]struct {
		workers, joins int
		wanted         map[string]int
	}{
		"from the start":       {workers: 3, wanted: map[string]int{"a": 6, "b": 5, "c": 1, "d": 7}},
		"over a second worker": {workers: 1, joins: 1, wanted: map[string]int{"a": 4, "b": 4, "c": 2}},
		"over a third worker":  {workers: 2, joins: 1, wanted: map[string]int{"a": 6, "b": 6}},
		"beside single tasks":  {workers: 1, joins: 1, wanted: map[string]int{"a": 4, "b": 1, "c": 1, "d": 1, "e": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := started(t, c.workers, c.wanted)
			for range c.joins {
				s.join()
			}
			settled(t, s)
			for connector, tasks := range c.wanted {
				for worker, w := range s.workers {
					n := 0
					for _, p := range w.held {
						if p.Connector == connector && p.Task >= 0 {
							n++
						}
					}
					if most := (tasks + len(s.workers) - 1) / len(s.workers); n > most {
						t.Errorf("%s has %d of the %d tasks of %s", worker, n, tasks, connector)
					}
				}
			}
		})
	}
}

func TestLostWork(t *testing.T) {
	wanted := map[string]int{"a": 3, "b": 3}
	for name, c := range map[string]struct {
		do   func(t *testing.T, s *sim)
		took time.Duration
		to   string // who has it in the end; empty: all who are left
	}{
		"waits for the delay": {took: delay, do: func(_ *testing.T, s *sim) { delete(s.workers, "b") }},
		"goes to a worker that came meanwhile": {took: delay - time.Second, to: "d", do: func(_ *testing.T, s *sim) {
			delete(s.workers, "b")
			s.round()
			s.now = s.now.Add(time.Second)
			s.join()
		}},
		"waits once for two": {took: delay - time.Second, do: func(_ *testing.T, s *sim) {
			delete(s.workers, "b")
			s.round()
			s.now = s.now.Add(time.Second)
			delete(s.workers, "c")
		}},
		"of a worker that came and went": {took: delay, do: func(_ *testing.T, s *sim) {
			delete(s.workers, "b")
			s.round()
			d := s.join()
			s.round()
			delete(s.workers, d)
		}},
		"comes back with its worker": {took: 0, do: func(_ *testing.T, s *sim) {
			b := s.workers["b"]
			delete(s.workers, "b")
			s.round()
			s.workers["z"] = b // under another id
		}},
		"of the leader waits as well": {took: delay, do: func(_ *testing.T, s *sim) { delete(s.workers, "a") }},
		"waits no longer when the leader goes as well": {took: delay - time.Second, do: func(_ *testing.T, s *sim) {
			delete(s.workers, "b")
			s.round()
			s.now = s.now.Add(time.Second)
			delete(s.workers, "a")
		}},
		"of a leader that the new one has not known goes at once": {took: 0, do: func(_ *testing.T, s *sim) {
			for _, w := range s.workers {
				w.legacy = legacy{}
			}
			delete(s.workers, "a")
		}},
		"that a leader gave up, of which nobody has heard, goes at once": {took: 0, do: func(_ *testing.T, s *sim) {
			for _, w := range s.workers {
				w.deaf = true
			}
			s.workers["a"].leaving = true
			s.round()
		}},
		"of the leader waits, and what is new does not": {took: delay, do: func(t *testing.T, s *sim) {
			s.wanted["c"] = 3
			delete(s.workers, "a")
			s.round()
			if w := s.workers["b"].held.With(s.workers["c"].held); !w.Has(Part{"c", 2}) {
				t.Errorf("the new one has to wait: only %v run", w)
			}
		}},
		"that is given up goes at once": {took: 0, do: func(_ *testing.T, s *sim) { s.workers["b"].leaving = true }},
		"that is given up while other work waits": {took: delay, do: func(t *testing.T, s *sim) {
			delete(s.workers, "b")
			s.round()
			given := s.workers["c"].held
			s.workers["c"].leaving = true
			s.round()
			if w := s.workers["a"].held; len(given.Without(w)) > 0 {
				t.Errorf("the one that is left has %v, but not %v", w, given)
			}
		}},
		"that was never taken up goes at once": {took: 0, do: func(_ *testing.T, s *sim) {
			s.workers["b"].deaf = true
			s.wanted["c"] = 3
			s.round()
		}},
		"that is wanted no more": {took: 0, do: func(_ *testing.T, s *sim) {
			delete(s.workers, "b")
			clear(s.wanted)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := started(t, 3, maps.Clone(wanted))
			had := s.workers["b"].held
			c.do(t, s)
			if _, took := settled(t, s); took != c.took {
				t.Errorf("it took %v, want %v", took, c.took)
			}
			if w := s.workers[c.to]; w != nil && !slices.Equal(w.held, had) {
				t.Errorf("%s has %v, want %v", c.to, w.held, had)
			}
		})
	}
}

// A rebalance for balance that follows another one waits, longer each time.
func TestPausesForBalance(t *testing.T) {
	s := started(t, 1, map[string]int{"a": 30})
	var pauses []time.Duration
	for range 4 {
		s.join()
		s.round() // takes away
		s.join()
		p := s.round() // would take away again
		pauses = append(pauses, p.delay)
		s.now = s.now.Add(p.delay)
	}
	if want := []time.Duration{40 * time.Millisecond, 1600 * time.Millisecond, delay, delay}; !slices.Equal(pauses, want) {
		t.Errorf("pauses %v, want %v", pauses, want)
	}
}

// What two workers hold stays with the one that it was given to.
func TestWorkThatTwoWorkersHold(t *testing.T) {
	for name, c := range map[string]struct {
		leader  string
		revoked int // from how many
	}{
		"the leader knows whose it is":  {leader: "a", revoked: 1},
		"a new leader knows of nothing": {leader: "b", revoked: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := started(t, 3, map[string]int{"x": 6})
			p := s.workers["c"].held[0]
			z := s.join()
			s.round()
			s.workers[z].held = Work{p}
			if c.leader == "b" {
				delete(s.workers, "a")
			}
			n := 0
			for _, w := range s.round().revoked {
				if w.Has(p) {
					n++
				}
			}
			if n != c.revoked {
				t.Errorf("%v was taken from %d workers, want %d", p, n, c.revoked)
			}
			settled(t, s)
		})
	}
}

// What was deleted is taken away also by a leader who has not known it.
func TestDeletedUnderANewLeader(t *testing.T) {
	s := started(t, 3, map[string]int{"x": 6, "y": 3})
	delete(s.workers, "a")
	delete(s.wanted, "x")
	s.round()
	for name, w := range s.workers {
		for _, p := range w.held {
			if p.Connector == "x" {
				t.Errorf("%s holds %v", name, p)
			}
		}
	}
}

func TestEager(t *testing.T) {
	wanted := map[string]int{"a": 2, "b": 1}
	shares := deal(All(wanted), []string{"w2", "w1"})
	want := map[string]Work{
		"w1": {{"a", Instance}, {"a", 0}, {"b", 0}},
		"w2": {{"a", 1}, {"b", Instance}},
	}
	if d := diff(want, shares); d != "" {
		t.Error(d)
	}
}
