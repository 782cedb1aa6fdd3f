package herder

import (
	"context"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Whole, in place of the number of a task, stands for the connector itself, which
// makes the configurations of its tasks.
const Whole = -1

// Assignment says what of the connectors a worker runs. It is safe for concurrent
// use, and may be asked under the herder's lock.
type Assignment interface {
	// Runs tells whether this worker is to run a task, or the [Whole] of a connector.
	Runs(id TaskID) bool
	// Settled tells whether no worker runs a task any more that a connector had before
	// its tasks were committed last.
	Settled(connector string) bool
}

// Leader is the worker that may change what is wanted.
type Leader interface {
	// Leads is nil where it is this one. Else the error says which one it is, an
	// [Elsewhere], or that nobody knows.
	Leads() error
	// Owner says which worker runs a task that this one does not: an [Elsewhere] of
	// it, or of one who may know.
	Owner(id TaskID) error
	// Submit has the leader, which is another worker, give a connector its tasks.
	Submit(ctx context.Context, connector string, tasks []connector.Props) error
}

// Statuses is where the workers of a cluster say what they run is doing. It is safe
// for concurrent use, and may be asked under the herder's lock.
type Statuses interface {
	// Say tells the others.
	Say(id TaskID, s Status)
	// Told gives what was said last, also by this worker itself.
	Told(id TaskID) (Status, bool)
}

// Elsewhere is the error of a request that another worker has to answer.
type Elsewhere struct {
	URL string // of its REST API
}

// Error says where.
func (e *Elsewhere) Error() string {
	return fmt.Sprintf("this request is for another worker of the cluster, at %s", e.URL)
}

// alone is the cluster of a worker by itself: it runs all and decides all.
type alone struct{}

func (alone) Runs(TaskID) bool                                        { return true }
func (alone) Settled(string) bool                                     { return true }
func (alone) Leads() error                                            { return nil }
func (alone) Owner(id TaskID) error                                   { return unknownTask(id) }
func (alone) Submit(context.Context, string, []connector.Props) error { return nil }
func (alone) Say(TaskID, Status)                                      {}
func (alone) Told(TaskID) (s Status, ok bool)                         { return s, false }

func unknownTask(id TaskID) error {
	return refuse(NotFound, "Unknown task: %s-%d", id.Connector, id.Task)
}

// Reassign has the worker run what its assignment says by now and what is wanted.
// It returns once all else has stopped, or was broken off.
func (h *Herder) Reassign() {
	h.mu.Lock()
	var leaving []<-chan struct{}
	for _, c := range h.connectors {
		c.arrange()
		leaving = append(leaving, c.left()...)
	}
	for _, c := range h.ending {
		leaving = append(leaving, c.done)
	}
	h.note()
	h.mu.Unlock()
	for _, done := range leaving {
		<-done
	}
}

// PutTasks gives a connector its tasks, which the worker that has it has made.
func (h *Herder) PutTasks(ctx context.Context, name string, tasks []connector.Props) error {
	if err := h.o.Leader.Leads(); err != nil {
		return err
	}
	h.edits.Lock()
	defer h.edits.Unlock()
	now, there := h.o.Store.Connector(name)
	if !there {
		return refuse(NotFound, "Connector %s not found", name)
	}
	return h.putTasks(ctx, name, now, tasks)
}
