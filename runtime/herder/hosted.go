package herder

import (
	"slices"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// hosted is a connector on this worker: its splitter and the supervisors of its
// tasks. Its fields are guarded by the herder's lock.
type hosted struct {
	h          *Herder
	name       string
	splitter   *splitter
	tasks      []*supervisor // those of the store's generation
	generation int
	leaving    []*supervisor // earlier ones, until they have stopped

	// altering is held while people change offsets, and shared by starts of tasks;
	// before the herder's lock.
	altering sync.RWMutex

	before  <-chan struct{} // closed when a deleted connector of this name has stopped; nil without one
	ended   bool
	work    sync.WaitGroup // its goroutines
	done    chan struct{}  // closed after them
	stopErr error          // of tasks that were broken off when the worker stopped
}

// host starts a connector that the store has. The caller holds the lock.
func (h *Herder) host(name string) {
	want, ok := h.o.Store.Connector(name)
	if !ok {
		return // its removal will be heard of
	}
	c := &hosted{h: h, name: name, done: make(chan struct{})}
	if before, ok := h.ending[name]; ok {
		c.before = before.done
	}
	c.splitter = newSplitter(c, want.Target)
	h.connectors[name] = c
	h.all.Add(1)
	c.work.Go(c.splitter.main)
	c.supervise()
}

// supervise makes the tasks those of the store's last commit, if they are not.
// They start when the earlier ones have stopped. The caller holds the lock.
func (c *hosted) supervise() {
	want, ok := c.h.o.Store.Connector(c.name)
	if !ok || c.ended || want.Generation == c.generation {
		return
	}
	for _, s := range c.tasks {
		s.cancel()
	}
	c.leaving = append(c.leaving, c.tasks...)
	earlier := slices.Clone(c.leaving)
	c.tasks = nil
	for i, props := range want.Tasks {
		s := newSupervisor(c, i, props, want.Applied)
		c.tasks = append(c.tasks, s)
		c.work.Go(func() { s.main(earlier) })
	}
	c.generation = want.Generation
}

// poke wakes all of the connector's goroutines.
func (c *hosted) poke() {
	c.splitter.poke()
	for _, s := range c.tasks {
		s.poke()
	}
}

// restart does what a request asks for. The caller holds the lock.
func (c *hosted) restart(r store.RestartRequest) {
	if r.OfConnector(c.splitter.state) {
		c.splitter.restart, c.splitter.state = true, state.Restarting
	}
	for _, s := range c.tasks {
		if r.OfTask(s.state) {
			s.restart, s.state = true, state.Restarting
		} else {
			s.compare = s.compare || c.splitter.restart
		}
	}
	c.poke()
}

// end makes the connector's goroutines stop all tasks, each as it is told to, and
// return. The caller holds the lock.
func (c *hosted) end(each func(*supervisor)) {
	if c.ended {
		return
	}
	c.ended = true
	c.splitter.cancel()
	for _, s := range c.tasks {
		each(s)
	}
	go func() { // ends after the goroutines that were told to
		c.work.Wait()
		c.gone()
	}()
}

// gone forgets a connector whose goroutines have ended. One of the same name that
// was made meanwhile starts after that.
func (c *hosted) gone() {
	c.h.mu.Lock()
	deleted := c.h.connectors[c.name] != c
	c.h.mu.Unlock()
	if deleted {
		c.h.o.Engine.Forget(c.name)
	}
	c.h.mu.Lock()
	if c.h.ending[c.name] == c {
		delete(c.h.ending, c.name)
	}
	c.h.note()
	c.h.mu.Unlock()
	close(c.done)
	c.h.all.Done()
}

// waitBefore waits until a deleted connector of this name has stopped.
func (c *hosted) waitBefore() {
	if c.before != nil {
		<-c.before
	}
}

// waitLeft waits until tasks that are no longer wanted have stopped.
func (c *hosted) waitLeft() {
	c.h.mu.Lock()
	c.supervise() // the store may not have told of its last commit yet
	leaving := slices.Clone(c.leaving)
	c.h.mu.Unlock()
	for _, s := range leaving {
		<-s.done
	}
}

// visible gives the tasks as they are seen from outside, one of each number: those
// that are being stopped, the oldest first, until others take their place. The
// caller holds the lock.
func (c *hosted) visible() []*supervisor {
	if len(c.leaving) == 0 {
		return c.tasks
	}
	seen := map[int]bool{}
	var tasks []*supervisor
	for _, s := range c.leaving {
		if !seen[s.id] {
			seen[s.id] = true
			tasks = append(tasks, s)
		}
	}
	slices.SortFunc(tasks, func(a, b *supervisor) int { return a.id - b.id })
	return tasks
}

// validate looks at the connector's configuration, with what its references
// stand for now.
func (c *hosted) validate(props connector.Props) (*config.Report, error) {
	report, err := c.h.o.Validator.Validate(props, c.h.origin(c.name))
	if err != nil {
		return nil, connector.Data(err) // no restart cures it
	}
	return report, nil
}

// spec gives the connector as the engine knows it, with what its references
// stand for now.
func (c *hosted) spec(report *config.Report) (runtime.TaskSpec, error) {
	props, err := c.h.o.Validator.Resolve(report)
	return runtime.TaskSpec{Connector: c.name, Kind: runtime.Kind(report.Kind), Props: props, Worker: c.h.o.Worker}, err
}

// overLocked tells whether nothing happens any more by itself, and the first
// reason for which a task failed.
func (c *hosted) overLocked() (over bool, failed error) {
	if c.splitter.state == state.Failed {
		return c.splitter.next.IsZero(), c.splitter.err
	}
	want, _ := c.h.o.Store.Connector(c.name)
	if !want.Split() || len(c.tasks) == 0 || len(c.leaving) > 0 || c.generation != want.Generation {
		return want.Target == state.TargetStopped && c.splitter.state == state.Stopped, nil
	}
	for _, s := range c.tasks {
		if !s.state.Ended() || !s.restarts.next.IsZero() || s.restart {
			return false, nil
		}
		if failed == nil {
			failed = s.err
		}
	}
	return true, failed
}
