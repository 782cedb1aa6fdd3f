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

// hosted is a connector on this worker: its splitter and the supervisors of those of
// its tasks that the worker runs. Its fields are guarded by the herder's lock.
type hosted struct {
	h          *Herder
	name       string
	splitter   *splitter     // works where the worker runs the connector itself
	tasks      []*supervisor // those of the store's generation that the worker runs
	generation int
	leaving    []*supervisor // earlier ones, until they have stopped

	// altering is held while people change offsets, and shared by starts of tasks and by
	// writing these down; before the herder's lock. It is never waited for under edits.
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
	c.arrange()
}

// arrange has the worker run what it is to run of the connector, and stop the rest.
// The caller holds the lock.
func (c *hosted) arrange() {
	c.attend()
	c.supervise()
}

// attend has the splitter work where the worker runs the connector itself, and else
// end. The caller holds the lock.
func (c *hosted) attend() {
	want, ok := c.h.o.Store.Connector(c.name)
	if !ok || c.ended {
		return
	}
	runs := c.runs(Whole)
	if runs == c.splitter.works {
		return
	}
	if !runs {
		c.splitter.cancel()
		c.splitter.works = false
		return
	}
	before := c.splitter.done
	c.splitter = newSplitter(c, want.Target)
	c.splitter.begin(before)
}

// left gives what is closed when that has come to its end which the worker is not to
// run any more. The caller holds the lock.
func (c *hosted) left() (ends []<-chan struct{}) {
	if !c.splitter.works {
		ends = append(ends, c.splitter.done)
	}
	for _, s := range c.leaving {
		ends = append(ends, s.done)
	}
	return ends
}

// supervise makes the tasks those of the store's last commit that the worker is to
// run. They start when those that are not wanted any more have stopped. The caller
// holds the lock.
func (c *hosted) supervise() {
	want, ok := c.h.o.Store.Connector(c.name)
	if !ok || c.ended {
		return
	}
	stay := map[int]*supervisor{}
	for _, s := range c.tasks {
		if want.Generation == c.generation && c.runs(s.id) {
			stay[s.id] = s
			continue
		}
		s.cancel()
		c.leaving = append(c.leaving, s)
	}
	earlier := slices.Clone(c.leaving)
	c.tasks = nil
	for i, props := range want.Tasks {
		s := stay[i]
		if s == nil && c.runs(i) {
			s = newSupervisor(c, i, props, want.Applied)
			c.work.Go(func() { s.main(earlier) })
		}
		if s != nil {
			c.tasks = append(c.tasks, s)
		}
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
	if c.splitter.works && r.OfConnector(c.splitter.state) {
		c.splitter.again()
	}
	for _, s := range c.tasks {
		if r.OfTask(s.state) {
			s.again()
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
	c.h.note() // for who waits for its tasks to stop
	c.splitter.cancel()
	for _, s := range c.tasks {
		each(s)
	}
	go func() { // ends after the goroutines that were told to
		c.work.Wait()
		c.waitBefore() // it stands for the one before it, too
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

// wanted gives what is wanted of the connector.
func (c *hosted) wanted() store.Connector {
	want, _ := c.h.o.Store.Connector(c.name)
	return want
}

// listed is a task as it is seen from outside.
type listed struct {
	id     int
	config connector.Props
	here   *supervisor // nil of one that another worker runs
}

// listed gives all tasks of the connector, in order. The caller holds the lock.
func (c *hosted) listed() []listed {
	seen := map[int]bool{}
	var list []listed
	for _, s := range c.visible() {
		seen[s.id] = true
		list = append(list, listed{s.id, s.config, s})
	}
	want := c.wanted()
	if want.Generation != c.generation {
		return list // its tasks are about to change
	}
	for id, config := range want.Tasks {
		if !seen[id] && !c.runs(id) {
			list = append(list, listed{id: id, config: config})
		}
	}
	slices.SortFunc(list, func(a, b listed) int { return a.id - b.id })
	return list
}

// runs tells whether the worker is to run a task.
func (c *hosted) runs(task int) bool { return c.h.o.Assignment.Runs(TaskID{c.name, task}) }

// visible gives the worker's tasks as they are seen from outside, one of each number:
// those that are being stopped, the oldest first, until others take their place. The
// caller holds the lock.
func (c *hosted) visible() []*supervisor {
	if len(c.leaving) == 0 {
		return c.tasks
	}
	seen := map[int]bool{}
	var tasks []*supervisor
	for _, s := range slices.Concat(c.leaving, c.tasks) { // some may stay while others leave
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
	want := c.wanted()
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
