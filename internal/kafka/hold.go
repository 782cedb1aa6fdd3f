package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Hold is a consumer group that one works in alone, for as long as it is open. But for
// Commit, which one goroutine calls, it is safe for concurrent use.
type Hold struct {
	member     *Member
	topic      string
	partitions int32         // of the topic
	changed    chan struct{} // has one when there is something to look at
	cancel     context.CancelFunc
	work       sync.WaitGroup // the goroutine: Close ends it
	commits    trouble

	mu  sync.Mutex // outside the member's; held while offsets are committed, so that nothing is released meanwhile
	has bool       // in this generation
	id  string     // the member's when it first had it: with another one others may have had it in between
	err error      // why it has it no more, or never had
}

// holdTimeout is how long a holder may be silent: so long nobody else gets the group of
// one that was killed.
const holdTimeout = 45 * time.Second

// Hold joins a group to have it alone, with all partitions of a topic that is there. Where others are in
// it the error is [ErrGroupInUse]. The client must outlive the hold.
func (c *Client) Hold(ctx context.Context, group, topic string) (*Hold, error) {
	others, err := c.GroupMembers(ctx, group)
	if err != nil {
		return nil, err
	}
	if len(others) > 0 {
		return nil, fmt.Errorf("group %s: %w", group, ErrGroupInUse)
	}
	return c.join(ctx, group, topic)
}

// join is Hold without a look at who is there: it disturbs them.
func (c *Client) join(ctx context.Context, group, topic string) (_ *Hold, err error) {
	n, err := c.Partitions(ctx, topic) // a leader that cannot assign would try on
	if err != nil {
		return nil, err
	}
	h := &Hold{topic: topic, partitions: n, changed: make(chan struct{}, 1), commits: trouble{log: c.options.Log.With("group", group), health: c.options.health}}
	h.member, err = c.NewMember(MemberOptions{Group: group, ProtocolType: consumerType, SessionTimeout: holdTimeout, Protocols: h.protocols, Assign: h.assign})
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.cancel = cancel
	h.work.Go(func() { h.follow(life) })
	if err := h.wait(ctx); err != nil {
		return nil, errors.Join(err, h.Close(context.WithoutCancel(ctx)))
	}
	return h, nil
}

func (h *Hold) protocols(context.Context) ([]Protocol, error) {
	p, err := subscribe([]string{h.topic})
	return []Protocol{p}, err
}

// assign gives everything to the leader, who is the first one of a group and stays it.
func (h *Hold) assign(_ context.Context, g Generation, members map[string][]byte) (map[string][]byte, error) {
	plan := map[string]map[string][]int32{}
	for id := range members {
		plan[id] = map[string][]int32{}
	}
	for p := range h.partitions {
		plan[g.Leader][h.topic] = append(plan[g.Leader][h.topic], p)
	}
	return encodePlan(plan)
}

// follow keeps the membership up until ctx ends, or the group is another one's.
func (h *Hold) follow(ctx context.Context) {
	for h.step() {
		select {
		case <-h.member.Wake():
		case <-ctx.Done():
			return
		}
	}
}

// step does what a change of the membership asks for, and tells whether it goes on.
func (h *Hold) step() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	change, g, err := h.member.Next()
	switch {
	case err != nil:
		h.err = err
	case change == Assigned:
		topics, err := decodeAssignment(g.Assignment)
		switch {
		case err != nil:
			h.err = err
		case len(topics[h.topic]) == 0:
			h.err = fmt.Errorf("group %s: %w", h.member.o.Group, ErrGroupInUse)
		case h.id != "" && g.Member != h.id:
			h.err = fmt.Errorf("group %s: %w", h.member.o.Group, ErrGenerationLost)
		default:
			h.has, h.id = true, g.Member
		}
	case change == Revoked: // by one who comes: it is told that the group is held
		h.has = false
		h.member.Release()
	case change == Lost:
		h.err = fmt.Errorf("group %s: %w", h.member.o.Group, ErrGenerationLost)
	}
	if h.err != nil {
		h.has = false
	}
	select {
	case h.changed <- struct{}{}:
	default:
	}
	return h.err == nil
}

// Err says why the group is not the holder's any more, nil while it is.
func (h *Hold) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// wait waits until the holder has the group.
func (h *Hold) wait(ctx context.Context) error {
	for {
		h.mu.Lock()
		has, err := h.has, h.err
		h.mu.Unlock()
		if has || err != nil {
			return err
		}
		select {
		case <-h.changed:
		case <-ctx.Done():
			return connector.Retriable(fmt.Errorf("group %s: %w", h.member.o.Group, ctx.Err()))
		}
	}
}

// Commit commits offsets. It is refused once the group is another one's.
func (h *Hold) Commit(ctx context.Context, next map[connector.TopicPartition]int64) error {
	for {
		if err := h.wait(ctx); err != nil {
			return err
		}
		h.mu.Lock()
		if h.has {
			defer h.mu.Unlock()
			return h.member.commit(ctx, next, &h.commits)
		}
		h.mu.Unlock() // a rebalance came between
	}
}

// Close leaves the group, which others may have at once. It is safe twice.
func (h *Hold) Close(ctx context.Context) error {
	h.cancel()
	h.work.Wait()
	return h.member.Close(ctx)
}
