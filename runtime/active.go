package runtime

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// activeTopics are the topics that a connector has read from or written to. All
// its tasks in a worker share one. It is safe for use from several goroutines.
type activeTopics struct {
	last atomic.Pointer[string] // saves a look at the set for most records

	mu  sync.Mutex
	set map[string]bool
}

// note adds a topic.
func (a *activeTopics) note(topic string) {
	if last := a.last.Load(); last != nil && *last == topic {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.set == nil {
		a.set = map[string]bool{}
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
		w.topics[name] = a
	}
	return a
}

// ActiveTopics gives the topics that a connector has read from or written to
// since the worker started, or since they were reset, sorted.
func (w *Worker) ActiveTopics(name string) []string {
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
	w.mu.Lock()
	a, ok := w.topics[name]
	w.mu.Unlock()
	if ok {
		a.reset()
	}
}
