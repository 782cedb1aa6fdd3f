package runtime

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// ActiveTopics remembers which topics connectors use, for all workers of a cluster. It
// is safe for concurrent use.
type ActiveTopics interface {
	// Use notes that a task of a connector uses a topic.
	Use(connector string, task int, topic string)
	// Topics gives the topics that a connector uses, sorted.
	Topics(connector string) []string
	// Forget forgets them. Each worker then calls [Worker.Forgotten].
	Forget(connector string)
}

// activeTopics are the topics that a connector has read from or written to. All
// its tasks in a worker share one. It is safe for use from several goroutines.
type activeTopics struct {
	told func(task int, topic string) // of each topic once; nil for nobody
	last atomic.Pointer[string]       // saves a look at the set for most records

	mu  sync.Mutex
	set map[string]bool
}

// note adds a topic that a task uses.
func (a *activeTopics) note(task int, topic string) {
	if last := a.last.Load(); last != nil && *last == topic {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.set == nil {
		a.set = map[string]bool{}
	}
	if !a.set[topic] && a.told != nil {
		a.told(task, topic)
	}
	a.set[topic] = true
	known := topic
	a.last.Store(&known)
}

// reset forgets all topics; those that are used from now on come back.
func (a *activeTopics) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set = nil
	a.last.Store(nil)
}

func (a *activeTopics) names() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.set))
}

// active gives the active topics of a connector.
func (w *Worker) active(name string) *activeTopics {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.topics[name]
	if !ok {
		a = new(activeTopics)
		if shared := w.options.Topics; shared != nil {
			a.told = func(task int, topic string) { shared.Use(name, task, topic) }
		}
		w.topics[name] = a
	}
	return a
}

// ActiveTopics gives the topics that a connector has read from or written to
// since the worker or its cluster started, or since they were reset, sorted.
func (w *Worker) ActiveTopics(name string) []string {
	if shared := w.options.Topics; shared != nil {
		return shared.Topics(name)
	}
	w.mu.Lock()
	a, ok := w.topics[name]
	w.mu.Unlock()
	if !ok {
		return nil
	}
	return a.names()
}

// ResetActiveTopics forgets the active topics of a connector.
func (w *Worker) ResetActiveTopics(name string) {
	if shared := w.options.Topics; shared != nil {
		shared.Forget(name)
	}
	w.Forgotten(name)
}

// Forgotten takes note that the active topics of a connector were reset, by whatever
// worker: those that are used from now on come back.
func (w *Worker) Forgotten(name string) {
	w.mu.Lock()
	a, ok := w.topics[name]
	w.mu.Unlock()
	if ok {
		a.reset()
	}
}
