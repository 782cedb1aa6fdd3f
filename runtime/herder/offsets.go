package herder

import (
	"context"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Offsets gives the offsets that a connector has committed.
func (h *Herder) Offsets(ctx context.Context, name string) ([]connector.SourceOffset, error) {
	h.mu.Lock()
	c, want, err := h.find(name)
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	spec, err := c.resolve(want.Config)
	if err != nil {
		return nil, err
	}
	return h.o.Engine.Offsets(ctx, spec)
}

// AlterOffsets sets offsets of a connector that is stopped; a nil offset resets
// one. It tells whether that is all there is to it: where a plugin does not know
// of it, offsets may be kept elsewhere, too.
func (h *Herder) AlterOffsets(ctx context.Context, name string, offsets []connector.SourceOffset) (all bool, err error) {
	return h.change(ctx, name, func(spec runtime.TaskSpec) (bool, error) {
		return h.o.Engine.AlterOffsets(ctx, spec, offsets)
	})
}

// ResetOffsets resets all offsets of a connector that is stopped; see
// [Herder.AlterOffsets].
func (h *Herder) ResetOffsets(ctx context.Context, name string) (all bool, err error) {
	return h.change(ctx, name, func(spec runtime.TaskSpec) (bool, error) { return h.o.Engine.ResetOffsets(ctx, spec) })
}

// change changes the offsets of a connector, none of whose tasks is there or
// starts meanwhile: tasks start with a record that the leader writes, and that is this
// worker. Should another one lead before it is done, nobody knows.
func (h *Herder) change(ctx context.Context, name string, change func(runtime.TaskSpec) (bool, error)) (all bool, err error) {
	if err := h.o.Leader.Leads(); err != nil {
		return false, err
	}
	c, err := h.hold(name)
	if err != nil {
		return false, err
	}
	defer c.work.Done()
	if err := c.lockStopped(ctx); err != nil {
		return false, err
	}
	defer c.wake()
	defer c.altering.Unlock()
	want, there := h.o.Store.Connector(name)
	if !there {
		return false, refuse(NotFound, "Connector %s not found", name)
	}
	spec, err := c.resolve(want.Config)
	if err != nil {
		return false, err
	}
	if all, err = change(spec); connector.KindOf(err) == connector.KindData {
		return false, refuse(BadRequest, "%s", err)
	}
	if lost := h.o.Leader.Leads(); err == nil && lost != nil {
		return false, refuse(Conflict, "Connector %s: its offsets were altered while the lead of the cluster went to another worker, "+
			"so that its tasks may have started meanwhile: stop it, look at its offsets, and alter them again", name)
	}
	return all, err
}

// hold finds a connector and keeps one of the same name, made after this one is
// deleted, from starting. The caller calls Done of its work.
func (h *Herder) hold(name string) (*hosted, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, _, err := h.find(name)
	switch {
	case err != nil:
		return nil, err
	case c.ended:
		return nil, refuse(Conflict, "the worker is stopping")
	}
	c.work.Add(1)
	return c, nil
}

// lockStopped locks altering once the connector is stopped and its tasks have
// come to their end. It is an error that the connector is to run.
func (c *hosted) lockStopped(ctx context.Context) error {
	for {
		if err := c.waitStopped(ctx); err != nil {
			return err
		}
		c.altering.Lock()
		if left, _, err := c.stopped(); err == nil && left == "" {
			return nil
		}
		c.altering.Unlock() // it was started meanwhile
	}
}

// wake has the connector's goroutines look at what is wanted: it may have been resumed
// while its offsets were altered.
func (c *hosted) wake() {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	c.poke()
}

func (c *hosted) waitStopped(ctx context.Context) error {
	for {
		left, changed, err := c.stopped()
		if left == "" || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return refuse(Conflict, "Connector %s: %s have not stopped yet; try again in a minute", c.name, left)
		}
	}
}

// stopped tells which tasks have not come to their end, empty for none, and when to
// look again.
func (c *hosted) stopped() (left string, changed <-chan struct{}, err error) {
	want, there := c.h.o.Store.Connector(c.name)
	if there && (want.Target != state.TargetStopped || len(want.Tasks) > 0) {
		return "", nil, refuse(BadRequest, "Connectors must be in the STOPPED state before their offsets can be modified. "+
			"This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/%s/stop' endpoint", c.name)
	}
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	if c.ended {
		return "", nil, refuse(Conflict, "the worker is stopping")
	}
	c.supervise() // the store may not have told of its last commit yet
	switch n := len(c.leaving); {
	case n > 0:
		left = fmt.Sprintf("%d of its tasks", n)
	case !c.h.o.Assignment.Settled(c.name):
		left = "its tasks on other workers"
	}
	return left, c.h.changed, nil
}

// resolve gives the connector as the engine knows it.
func (c *hosted) resolve(props connector.Props) (runtime.TaskSpec, error) {
	report, err := c.validate(props)
	if err != nil {
		return runtime.TaskSpec{}, err
	}
	return c.spec(report)
}

// ActiveTopics gives the topics that a connector has used, of one that is not
// there none.
func (h *Herder) ActiveTopics(name string) []string { return h.o.Engine.ActiveTopics(name) }

// ResetActiveTopics forgets the topics that a connector has used.
func (h *Herder) ResetActiveTopics(name string) { h.o.Engine.ResetActiveTopics(name) }
