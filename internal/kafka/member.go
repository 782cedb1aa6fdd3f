package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// MemberOptions describe a member of a group, of whatever kind.
type MemberOptions struct {
	Group string
	// ProtocolType is the kind of the group, such as consumer or connect: all
	// its members have the same.
	ProtocolType string
	// SessionTimeout is how long the group waits for a silent member (45 s),
	// HeartbeatInterval how often it says that it is there (3 s),
	// RebalanceTimeout how long it may take to hand over (5 min).
	SessionTimeout, HeartbeatInterval, RebalanceTimeout time.Duration
	// Protocols gives what the member offers, the best first. It is called for
	// each join request, from the member's goroutine. An error is tried again,
	// unless it is fatal: then it is Next's.
	Protocols func(ctx context.Context) ([]Protocol, error)
	// Assign is called when this member is the leader of a generation, from the
	// member's goroutine. It gets the metadata that each member has for the
	// generation's protocol and gives an assignment for each; both are by the
	// members' ids. After an error the member joins again.
	Assign func(ctx context.Context, g Generation, members map[string][]byte) (map[string][]byte, error)

	// prepare, if not nil, is called from the member's goroutine before the owner
	// is told of a generation. An error is Next's.
	prepare func(g Generation) error
}

// Protocol is one way to share the work of a group. The coordinator chooses one
// that all members offer.
type Protocol struct {
	Name     string
	Metadata []byte // what the leader is to know of the member
}

// Generation is what a group agreed on in one rebalance, as one member sees it.
type Generation struct {
	ID         int32
	Member     string // the id that this member has
	Leader     string // the id of the member that assigns
	Protocol   string // the name of the one that was chosen
	Assignment []byte // what the leader gave this member; empty for nothing
}

// Leads tells that the member is the leader.
func (g Generation) Leads() bool { return g.Member == g.Leader }

// Change is what the owner of a member has to act on. Assigned comes first;
// behind it Revoked, Lost, or Lost after Revoked; behind those, once the owner
// has released, Assigned again. Each comes once.
type Change int

const (
	// Unchanged is that there is nothing to act on.
	Unchanged Change = iota
	// Assigned is that the member is in a generation.
	Assigned
	// Revoked is that a rebalance is on. The group waits until the owner has
	// released what others are to have; meanwhile the generation still counts.
	Revoked
	// Lost is that the generation is over for the member: others may have what
	// was assigned to it already. It is to be released too.
	Lost
)

// Member is one member of a group. The owner takes its changes with Next, from
// one goroutine; everything else is safe for concurrent use.
type Member struct {
	o       MemberOptions
	client  *Client
	coord   *coordinator
	trouble trouble
	ctx     context.Context // ends with Close and Abandon
	cancel  context.CancelFunc
	work    sync.WaitGroup // heartbeats and a join: Close ends them
	wake    chan struct{}

	mu      sync.Mutex // guards the following
	m       membership
	offer   *offer // of the join, until the owner takes it up
	alive   time.Time
	leaving bool // it joins no more
}

// offer is what a join came to, for the owner to take up.
type offer struct {
	generation Generation
	err        error // the member cannot go on
}

// NewMember makes a member with connections of its own to the coordinator. Next
// joins. The client must outlive it.
func (c *Client) NewMember(o MemberOptions) (*Member, error) {
	return c.newMember(o, c.client.Config())
}

// newMember is NewMember with another configuration of the connections.
func (c *Client) newMember(o MemberOptions, conf *sarama.Config) (*Member, error) {
	if err := o.complete(); err != nil {
		return nil, connector.Fatal(err)
	}
	m := &Member{o: o, client: c, m: newMembership(), wake: make(chan struct{}, 1),
		coord:   newCoordinator(c, conf, o.Group, o.ProtocolType, o.RebalanceTimeout+o.SessionTimeout),
		trouble: trouble{log: c.options.Log.With("group", o.Group), health: c.options.health}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.work.Go(m.heartbeats)
	return m, nil
}

// complete fills in defaults and says what is wrong.
func (o *MemberOptions) complete() error {
	if o.Group == "" || o.ProtocolType == "" || o.Protocols == nil || o.Assign == nil {
		return errors.New("a group member needs a group, its kind, protocols and a way to assign")
	}
	return completeTimeouts(&o.SessionTimeout, &o.HeartbeatInterval, &o.RebalanceTimeout)
}

func completeTimeouts(session, heartbeat, rebalance *time.Duration) error {
	for d, unset := range map[*time.Duration]time.Duration{session: 45 * time.Second, heartbeat: 3 * time.Second, rebalance: 5 * time.Minute} {
		if *d <= 0 {
			*d = unset
		}
	}
	if *heartbeat >= *session {
		return fmt.Errorf("heartbeat.interval.ms (%d) is not below session.timeout.ms (%d)", heartbeat.Milliseconds(), session.Milliseconds())
	}
	return nil
}

// Wake gives the channel that says when to call Next.
func (m *Member) Wake() <-chan struct{} { return m.wake }

// Next gives what has changed, and the generation of Assigned. It does not wait.
// The first call, and those after Release, have the member join. After an error
// the next call joins again.
func (m *Member) Next() (Change, Generation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		o := m.offer
		switch m.m.next() {
		case toJoin:
			if o != nil { // a join that failed for good
				m.offer = nil
				return Unchanged, Generation{}, o.err
			}
			if !m.leaving {
				m.m.join()
				m.work.Go(m.joinLoop)
			}
			return Unchanged, Generation{}, nil
		case toForget:
			m.offer = nil
			m.m.released()
			continue // to the next join
		case toTake:
			if o == nil {
				return Unchanged, Generation{}, nil
			}
			m.offer = nil
			if o.err != nil {
				m.m.leave(rejoin)
				return Unchanged, Generation{}, o.err
			}
			m.m.take()
			return Assigned, o.generation, nil
		case toRevoke:
			m.m.tell()
			return Revoked, Generation{}, nil
		case toLose:
			m.m.tell()
			return Lost, Generation{}, nil
		}
		return Unchanged, Generation{}, nil
	}
}

// Release answers Revoked and Lost: what others are to have is handed over. How
// much that is the group's protocol says; in a cooperative one it may be
// nothing. Without a question it does nothing.
func (m *Member) Release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m.told != fine {
		m.m.released()
		m.wakeUp()
	}
}

// Rejoin has the member join again, since what Protocols gives has changed or
// the leader is to assign anew. Its owner is asked first, by Revoked.
func (m *Member) Rejoin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m.renew() {
		m.wakeUp()
	}
}

// Leave has the member join no more. Its owner is asked to hand over by the next
// Next, if there is anything; then Close is due.
func (m *Member) Leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leaving = true
	m.m.leave(rejoin)
	m.wakeUp()
}

func (m *Member) wakeUp() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// committer gives as whom to commit; false when it is too late.
func (m *Member) committer() (identity, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.m.committer()
}

// answered notes the answer of the coordinator to a request of that identity,
// and tells what it means and whether the identity may go on asking. heard says
// that the coordinator takes such a request as a sign of life.
func (m *Member) answered(as identity, err error, heard bool) (v verdict, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v = m.m.answered(as, err)
	if v == fine && heard {
		m.alive = time.Now()
	}
	if m.m.leaving != fine {
		m.wakeUp()
	}
	now, on := m.m.current()
	return v, on && now == as
}

// Abandon leaves the group in place of an owner who hangs: the others get what
// it has at once, and what is still committed is refused. Close is due all the
// same.
func (m *Member) Abandon() {
	m.cancel()
	m.mu.Lock()
	id := m.m.id
	m.leaving = true
	m.m.leave(lost)
	m.wakeUp()
	m.mu.Unlock()
	if id != "" {
		_ = m.coord.leave(id) // where it fails, the session's time-out does the same
	}
}

// Forfeit leaves the group for an owner who is busy for too long: the others get
// what it has at once, what it still commits is refused, and Next says that all
// is lost. The member joins again once the owner has released.
func (m *Member) Forfeit() {
	m.mu.Lock()
	id, news := m.m.id, m.m.leave(lost)
	if news {
		m.m.id = "" // the group forgets it
	}
	m.wakeUp()
	m.mu.Unlock()
	if news && id != "" {
		_ = m.coord.leave(id) // where it fails, the session's time-out does the same
	}
}

// Close leaves the group, so that the others need not wait for a time-out, and
// ends all goroutines. The owner has handed over by then. It is safe twice.
func (m *Member) Close(ctx context.Context) error {
	m.mu.Lock()
	id := m.m.id
	m.m.gaveUp()
	m.m.id, m.offer, m.leaving = "", nil, true
	m.mu.Unlock()
	m.cancel()
	m.trouble.end()
	_, err := do(ctx, func() (struct{}, error) {
		if id == "" {
			return struct{}{}, nil
		}
		err := m.coord.leave(id)
		if errors.Is(err, sarama.ErrUnknownMemberId) {
			err = nil
		}
		return struct{}{}, err
	})
	if err != nil {
		err = connector.Retriable(fmt.Errorf("group %s: leave: %w", m.o.Group, err))
	}
	m.coord.slow.end()
	m.coord.fast.end()
	_, waited := do(ctx, func() (struct{}, error) { m.work.Wait(); return struct{}{}, nil })
	return errors.Join(err, waited)
}
