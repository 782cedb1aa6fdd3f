package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

const forever = 24 * time.Hour

// testCluster is workers in one process, the configuration that they read, and
// what they run.
type testCluster struct {
	t      *testing.T
	broker *kafkatest.Broker

	mu      sync.Mutex
	newest  Snapshot
	workers map[string]*testWorker // by URL
	runs    map[Part]string        // the URL of the worker
	starts  map[Part]int
	wrong   []error
}

// testWorker is a worker, and its view of the configuration.
type testWorker struct {
	c       *testCluster
	url     string
	group   *Group
	client  *kafka.Client
	end     context.CancelFunc
	done    chan error
	places  []Placement
	read    Snapshot
	behind  bool          // it reads nothing unless it is to catch up
	stuck   chan struct{} // until it is closed it cannot catch up; nil: it can
	catches int
}

func newCluster(t *testing.T, tasks map[string]int) *testCluster {
	return &testCluster{t: t, broker: kafkatest.New(t), newest: Snapshot{Offset: 1, Tasks: tasks},
		workers: map[string]*testWorker{}, runs: map[Part]string{}, starts: map[Part]int{}}
}

// quick are options whose delays never end unless a test says so.
func quick() Options {
	return Options{Group: "workers", Version: Sessioned, SessionTimeout: 2 * time.Second, HeartbeatInterval: 50 * time.Millisecond,
		RebalanceTimeout: wait.Patience, MaxDelay: forever, SyncTimeout: wait.Patience, UnsyncBackoff: time.Millisecond}
}

// start starts a worker; change, if not nil, changes its options and itself.
func (c *testCluster) start(url string, change func(*Options, *testWorker)) *testWorker {
	c.t.Helper()
	client, err := kafka.Open(c.t.Context(), kafka.Options{Bootstrap: []string{c.broker.Addr()}})
	if err != nil {
		c.t.Fatal(err)
	}
	w := &testWorker{c: c, url: url, client: client, done: make(chan error, 1), read: c.newest}
	o := quick()
	o.URL, o.Config, o.Place, o.Log = url, w, w.place, slog.New(slog.DiscardHandler)
	if change != nil {
		change(&o, w)
	}
	if w.group, err = New(client, o); err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	c.workers[url] = w
	c.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	w.end = cancel
	go func() { w.done <- w.group.Run(ctx) }() // stop ends it
	c.t.Cleanup(func() { _ = w.stop() })
	return w
}

// stop ends a worker in good order, once.
func (w *testWorker) stop() error {
	w.end()
	err := <-w.done
	w.done <- nil
	w.client.Close()
	return err
}

func (w *testWorker) place(_ context.Context, p Placement) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	var had Work
	for part, url := range w.c.runs {
		if url == w.url {
			had = had.With(Work{part})
		}
	}
	for _, part := range had.Without(p.Work) {
		delete(w.c.runs, part)
	}
	for _, part := range p.Work.Without(had) {
		if other := w.c.runs[part]; other != "" {
			w.c.wrong = append(w.c.wrong, fmt.Errorf("%s starts %v, which %s runs", w.url, part, other))
		}
		w.c.runs[part] = w.url
		w.c.starts[part]++
	}
	w.places = append(w.places, p)
}

func (w *testWorker) Snapshot() Snapshot {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	return w.read
}

func (w *testWorker) CatchUp(ctx context.Context) error {
	w.c.mu.Lock()
	w.catches++
	stuck := w.stuck
	w.c.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	w.read = w.c.newest
	return nil
}

// want changes what is wanted; workers that read have the others know.
func (c *testCluster) want(tasks map[string]int) {
	c.mu.Lock()
	c.newest = Snapshot{Offset: c.newest.Offset + 1, Tasks: tasks}
	var heard []*testWorker
	for _, w := range c.workers {
		if !w.behind {
			w.read = c.newest
			heard = append(heard, w)
		}
	}
	c.mu.Unlock()
	for _, w := range heard {
		w.group.Rejoin()
	}
}

// share gives what a worker runs.
func (c *testCluster) share(url string) (w Work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for part, on := range c.runs {
		if on == url {
			w = append(w, part)
		}
	}
	return w.With(nil)
}

// even waits until all that is wanted runs on these workers, evenly.
func (c *testCluster) even(urls ...string) {
	c.t.Helper()
	wait.Nil(c.t, fmt.Sprintf("all runs on %v", urls), func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		counts := map[string][2]int{}
		for _, url := range urls {
			counts[url] = [2]int{}
		}
		for part, url := range c.runs {
			n := counts[url]
			n[part.kind()]++
			counts[url] = n
		}
		least, most := [2]int{1 << 30, 1 << 30}, [2]int{}
		for _, n := range counts {
			for kind := range n {
				least[kind], most[kind] = min(least[kind], n[kind]), max(most[kind], n[kind])
			}
		}
		wanted := All(c.newest.Tasks)
		if len(counts) != len(urls) || most[0]-least[0] > 1 || most[1]-least[1] > 1 || len(c.runs) != len(wanted) {
			return fmt.Errorf("connectors and tasks of each: %v, want %d parts", counts, len(wanted))
		}
		for _, part := range wanted {
			if c.runs[part] == "" {
				return fmt.Errorf("nobody runs %v", part)
			}
		}
		return errors.Join(c.wrong...)
	})
}

// started gives how often each part was started.
func (c *testCluster) started() map[Part]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.starts)
}

func TestGroupSharesWork(t *testing.T) {
	t.Parallel()
	c := newCluster(t, map[string]int{"x": 4})
	c.start("a", nil)
	c.even("a")
	c.start("b", nil)
	c.even("a", "b")
	c.start("c", nil)
	c.even("a", "b", "c")
	before := c.started()
	c.want(map[string]int{"x": 4, "y": 5})
	c.even("a", "b", "c")
	after := c.started()
	maps.DeleteFunc(after, func(p Part, _ int) bool { return p.Connector == "y" })
	if d := diff(before, after); d != "" {
		t.Errorf("a new connector started others again: %s", d)
	}
	c.want(map[string]int{"y": 5})
	c.even("a", "b", "c")

	// The leader, and nobody else, knows who has what.
	wait.Nil(t, "the leader knows the owners", func() error {
		knowing := 0
		for url, w := range c.workers {
			owner, known := w.group.Owner(Part{"y", 0})
			if known {
				knowing++
			}
			if known && !c.share(owner).Has(Part{"y", 0}) {
				return fmt.Errorf("%s says that %s has it", url, owner)
			}
		}
		if knowing != 1 {
			return fmt.Errorf("%d know", knowing)
		}
		return nil
	})
}

func TestGroupProtocols(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second, want Version
	}{
		"sessioned":                {Sessioned, Sessioned, Sessioned},
		"the latest that all have": {Sessioned, Compatible, Compatible},
		"eager":                    {Sessioned, Eager, Eager},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newCluster(t, map[string]int{"x": 4})
			a := k.start("a", func(o *Options, _ *testWorker) { o.Version = c.first })
			k.even("a")
			b := k.start("b", func(o *Options, _ *testWorker) { o.Version = c.second })
			k.even("a", "b")
			k.mu.Lock()
			for _, w := range []*testWorker{a, b} {
				if p := w.places[len(w.places)-1]; p.Version != c.want {
					t.Errorf("%s: version %d, want %d", w.url, p.Version, c.want)
				}
			}
			k.mu.Unlock()
			if err := b.stop(); err != nil {
				t.Error(err)
			}
			if c.want == Eager {
				k.even("a") // nothing waits in that protocol
			}
		})
	}
}

// What a worker ran that has left runs elsewhere when its delay has ended.
func TestGroupGivesLostWorkAway(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{0, time.Second} {
		t.Run(delay.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, map[string]int{"x": 4, "y": 3})
			for _, url := range []string{"a", "b", "c"} {
				c.start(url, func(o *Options, _ *testWorker) { o.MaxDelay = delay })
			}
			c.even("a", "b", "c")
			for url, w := range c.workers {
				wait.Until(t, "the end of "+url+"'s rebalance", func() bool { r := w.group.Rebalances(); return !r.On && r.Completed > 0 && r.Longest <= r.Total })
				if w.group.Waits(Part{"x", 0}) {
					t.Errorf("%s: nobody has a task that runs", url)
				}
			}
			if err := c.workers["b"].stop(); err != nil {
				t.Error(err)
			}
			c.even("a", "c")
		})
	}
}

// A worker that the group has forgotten stops what it runs, and goes on with it
// when it is a member again.
func TestGroupForgetsAWorker(t *testing.T) {
	t.Parallel()
	c := newCluster(t, map[string]int{"x": 4, "y": 3})
	for _, url := range []string{"a", "b", "c"} {
		c.start(url, nil)
	}
	c.even("a", "b", "c")
	c.broker.Fail(kafkatest.Fault{Request: kafkatest.Heartbeat, Code: 25, Times: 3})
	wait.Until(t, "one stops", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return slices.ContainsFunc(slices.Collect(maps.Values(c.workers)), func(w *testWorker) bool {
			return slices.ContainsFunc(w.places, func(p Placement) bool { return p.Worker == "" })
		})
	})
	c.even("a", "b", "c")
}

func TestGroupLeavesAtOnce(t *testing.T) {
	t.Parallel()
	for _, leaver := range []string{"a", "b", "c"} { // one of them is the leader
		t.Run(leaver, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, map[string]int{"x": 4, "y": 3})
			for _, url := range []string{"a", "b", "c"} {
				c.start(url, func(o *Options, _ *testWorker) { o.LeaveAtOnce = true })
			}
			c.even("a", "b", "c")
			if err := c.workers[leaver].stop(); err != nil {
				t.Error(err)
			}
			c.even(slices.DeleteFunc([]string{"a", "b", "c"}, func(url string) bool { return url == leaver })...)
		})
	}
}

// A worker that has read less than others reads on before it starts anything.
//
// Clauses: G6.
func TestGroupCatchesUp(t *testing.T) {
	t.Parallel()
	for name, behind := range map[string][]string{"one": {"b"}, "the other": {"a"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, map[string]int{"x": 4})
			c.start("a", nil)
			c.even("a")
			c.start("b", nil)
			c.even("a", "b")
			c.mu.Lock()
			for _, url := range behind {
				c.workers[url].behind = true
			}
			c.mu.Unlock()
			c.want(map[string]int{"x": 4, "y": 4})
			c.even("a", "b")
			c.mu.Lock()
			defer c.mu.Unlock()
			if n := c.workers[behind[0]].catches; n == 0 {
				t.Error("it has not caught up")
			}
		})
	}
}

// A worker that cannot read the configuration stays out of the others' way.
//
// Clauses: G6.
func TestGroupOfAWorkerThatCannotCatchUp(t *testing.T) {
	t.Parallel()
	c := newCluster(t, map[string]int{"x": 4})
	atOnce := func(o *Options, _ *testWorker) { o.MaxDelay = 0 } // what it was given, and has not started, need not wait for it
	c.start("a", atOnce)
	c.even("a")
	stuck := make(chan struct{})
	c.start("b", func(o *Options, w *testWorker) {
		atOnce(o, w)
		w.behind, w.stuck, w.read = true, stuck, Snapshot{}
		o.SyncTimeout = 100 * time.Millisecond
	})
	wait.Until(t, "it has tried", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.workers["b"].catches > 2
	})
	if w := c.share("b"); len(w) > 0 {
		t.Errorf("it runs %v", w)
	}
	close(stuck)
	c.even("a", "b")
}

func TestGroupRefusesAStrangersBytes(t *testing.T) {
	g := &Group{assignor: newIncremental(0)}
	_, err := g.assign(t.Context(), kafka.Generation{Protocol: "compatible"}, map[string][]byte{"m-1": []byte("strange")})
	if want := "worker m-1: metadata of a worker: it is cut off"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}
