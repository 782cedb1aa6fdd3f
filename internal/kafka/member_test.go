package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// peer is a member whose group shares work that Kafka knows nothing of, as
// workers of Kafka Connect do, and its owner.
type peer struct {
	t         *testing.T
	m         *Member
	protocols []string
	stop      context.CancelFunc
	done      chan struct{}

	mu      sync.Mutex
	version int // of its metadata
	changes []Change
	seated  []Generation
	err     error
	keeps   chan struct{} // until it is closed nothing is released
}

// peerOptions are those of a member with these protocols. Metadata and
// assignments are bytes that are no text.
func (p *peer) options(group string, session time.Duration) MemberOptions {
	return MemberOptions{Group: group, ProtocolType: "connect", SessionTimeout: session,
		HeartbeatInterval: 100 * time.Millisecond, RebalanceTimeout: time.Minute,
		Protocols: func(context.Context) ([]Protocol, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			var list []Protocol
			for _, name := range p.protocols {
				list = append(list, Protocol{Name: name, Metadata: fmt.Appendf(nil, "\x00\xff%s %d", name, p.version)})
			}
			return list, nil
		},
		Assign: func(_ context.Context, g Generation, members map[string][]byte) (map[string][]byte, error) {
			plan := map[string][]byte{}
			for id := range members {
				plan[id] = fmt.Appendf(nil, "\xfe%s by %s in %d:%q", g.Protocol, g.Leader, g.ID, slices.Sorted(maps.Values(texts(members))))
			}
			return plan, nil
		}}
}

func texts(members map[string][]byte) map[string]string {
	list := map[string]string{}
	for id, b := range members {
		list[id] = string(b)
	}
	return list
}

func newPeer(t *testing.T, c *Client, group string, session time.Duration, protocols ...string) *peer {
	t.Helper()
	p := &peer{t: t, protocols: protocols, done: make(chan struct{}), keeps: make(chan struct{})}
	close(p.keeps)
	var err error
	if p.m, err = c.NewMember(p.options(group, session)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go p.own(ctx)
	t.Cleanup(p.close)
	return p
}

// own is the owner's goroutine; it ends with stop or an error.
func (p *peer) own(ctx context.Context) {
	defer close(p.done)
	for ctx.Err() == nil {
		c, g, err := p.m.Next()
		p.mu.Lock()
		keeps := p.keeps
		switch {
		case err != nil:
			p.err = err
			p.mu.Unlock()
			return
		case c == Assigned:
			p.seated = append(p.seated, g)
		}
		if c != Unchanged {
			p.changes = append(p.changes, c)
		}
		waits := len(p.changes) > 0 && p.changes[len(p.changes)-1] != Assigned
		p.mu.Unlock()
		if !waits {
			keeps = nil
		}
		select {
		case <-p.m.Wake():
		case <-keeps:
			p.m.Release()
		case <-ctx.Done():
		}
	}
}

// keep has the owner release nothing until the function it gives is called.
func (p *peer) keep() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	keeps := make(chan struct{})
	p.keeps = keeps
	return sync.OnceFunc(func() { close(keeps) })
}

// renew changes the metadata and joins again.
func (p *peer) renew() {
	p.mu.Lock()
	p.version++
	p.mu.Unlock()
	p.m.Rejoin()
}

func (p *peer) close() {
	p.stop()
	<-p.done
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.m.Close(ctx); err != nil {
		p.t.Errorf("close: %v", err)
	}
}

// last gives the newest generation, and how often it lost one.
func (p *peer) last() (g Generation, losses int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.changes {
		if c == Lost {
			losses++
		}
	}
	if len(p.seated) > 0 {
		g = p.seated[len(p.seated)-1]
	}
	return g, losses
}

func (p *peer) is(c Change) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.changes) > 0 && p.changes[len(p.changes)-1] == c
}

// agreed waits until the peers are in one generation, for which one of them has
// made a plan out of this metadata, and gives that leader and what it sees.
func agreed(t *testing.T, protocol string, versions map[*peer]int) (leader *peer, seen Generation) {
	t.Helper()
	var metadata []string
	for _, v := range versions {
		metadata = append(metadata, fmt.Sprintf("\x00\xff%s %d", protocol, v))
	}
	slices.Sort(metadata)
	eventually(t, fmt.Sprintf("%d members agree", len(versions)), func() bool {
		leader = nil
		plans := map[string]bool{}
		for p := range versions {
			g, _ := p.last()
			if !p.is(Assigned) || g.Protocol != protocol {
				return false
			}
			plans[string(g.Assignment)] = true
			if string(g.Assignment) == fmt.Sprintf("\xfe%s by %s in %d:%q", protocol, g.Member, g.ID, metadata) {
				leader, seen = p, g
			}
		}
		return len(plans) == 1 && leader != nil && seen.Leads()
	})
	return leader, seen
}

// testConnectGroup has members of a group of workers come, join again, change
// their leader and leave. It gives who the leader is in the end, in the eyes of
// those who are left.
func testConnectGroup(t *testing.T, c *Client, group string, session time.Duration) (leaders map[string]bool) {
	t.Helper()
	a := newPeer(t, c, group, session, "sessioned", "compatible")
	agreed(t, "sessioned", map[*peer]int{a: 0})
	b := newPeer(t, c, group, session, "sessioned", "compatible")
	leader, first := agreed(t, "sessioned", map[*peer]int{a: 0, b: 0})
	other := a
	if leader == a {
		other = b
	}
	other.renew() // the leader is to see it
	_, second := agreed(t, "sessioned", map[*peer]int{leader: 0, other: 1})
	if second.ID <= first.ID {
		t.Errorf("generation %d after %d", second.ID, first.ID)
	}
	leader.renew()
	agreed(t, "sessioned", map[*peer]int{leader: 1, other: 1})

	// One that cannot do the best protocol brings the group to the next one.
	old := newPeer(t, c, group, session, "compatible", "default")
	leader, _ = agreed(t, "compatible", map[*peer]int{a: a.version, b: b.version, old: 0})

	// The leader leaves, and another one assigns.
	left := map[*peer]int{a: a.version, b: b.version, old: 0}
	delete(left, leader)
	leader.close()
	protocol := "compatible"
	if leader == old {
		protocol = "sessioned"
	}
	if next, _ := agreed(t, protocol, left); next == leader {
		t.Error("the leader that left leads")
	}
	leaders = map[string]bool{}
	for p := range left {
		g, _ := p.last()
		leaders[g.Leader] = true
	}
	for _, p := range []*peer{a, b, old} {
		if _, losses := p.last(); losses > 0 {
			t.Errorf("a generation was lost %d times", losses)
		}
	}

	// Consumers are another kind of group.
	o := quick("none")
	o.Group, o.SessionTimeout = group, session
	stranger, err := c.NewGroupConsumer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Close(context.Background()) }()
	eventually(t, "a consumer is refused", func() bool {
		_, err = stranger.Poll(t.Context())
		return err != nil
	})
	if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "its other members are no consumers") {
		t.Errorf("%v is %s", err, connector.KindOf(err))
	}
	return leaders
}

// The in-process broker tells each member that it leads when the leader has
// left; it takes the plan of one of them.
func TestMembersOfAnyKind(t *testing.T) {
	t.Parallel()
	testConnectGroup(t, open(t, kafkatest.Start(t), nil), "workers", time.Second)
}

// A member stays one for as long as its owner takes to hand over.
func TestHeartbeatsGoOnUntilTheRelease(t *testing.T) {
	t.Parallel()
	const session = time.Second
	c := open(t, kafkatest.Start(t), nil)
	slow := newPeer(t, c, "workers", session, "compatible")
	agreed(t, "compatible", map[*peer]int{slow: 0})
	release := slow.keep()
	defer release()
	other := newPeer(t, c, "workers", session, "compatible")
	eventually(t, "a rebalance", func() bool { return slow.is(Revoked) })
	began := time.Now()
	eventually(t, "heartbeats for longer than a session", func() bool {
		slow.m.mu.Lock()
		defer slow.m.mu.Unlock()
		return slow.m.alive.Sub(began) > 2*session
	})
	release()
	agreed(t, "compatible", map[*peer]int{slow: 0, other: 0})
	if _, losses := slow.last(); losses > 0 {
		t.Error("it was lost")
	}
}

// The owner of a member learns that its generation is over while it hands over,
// and is not told anything else before it has released.
func TestLostWhileHandingOver(t *testing.T) {
	t.Parallel()
	b := kafkatest.New(t)
	c := open(t, b.Addr(), nil)
	slow := newPeer(t, c, "workers", time.Second, "compatible")
	agreed(t, "compatible", map[*peer]int{slow: 0})
	before, _ := slow.last()
	release := slow.keep()
	defer release()
	slow.renew()
	eventually(t, "the question", func() bool { return slow.is(Revoked) })
	b.Fail(kafkatest.Fault{Request: kafkatest.Heartbeat, Code: 25, Times: 1})
	eventually(t, "the news", func() bool { return slow.is(Lost) })
	release()
	agreed(t, "compatible", map[*peer]int{slow: 1})
	if now, _ := slow.last(); now.Member == before.Member {
		t.Error("it joins with an id that the coordinator does not know")
	}
	want := []Change{Assigned, Revoked, Lost, Assigned}
	slow.mu.Lock()
	defer slow.mu.Unlock()
	if d := cmp.Diff(want, slow.changes); d != "" {
		t.Error(d)
	}
}

// What changes while a join waits for other members is not forgotten.
func TestRejoinDuringAJoin(t *testing.T) {
	t.Parallel()
	c := open(t, kafkatest.Start(t), nil)
	slow := newPeer(t, c, "workers", time.Second, "compatible")
	agreed(t, "compatible", map[*peer]int{slow: 0})
	release := slow.keep()
	defer release()
	other := newPeer(t, c, "workers", time.Second, "compatible")
	eventually(t, "a join that waits", func() bool { return slow.is(Revoked) })
	other.renew()
	release()
	agreed(t, "compatible", map[*peer]int{slow: 0, other: 1})
}

func TestMemberOptionsSayWhatIsWrong(t *testing.T) {
	complete := new(peer).options("g", time.Second)
	for name, c := range map[string]struct {
		change func(*MemberOptions)
		want   string
	}{
		"no group":     {func(o *MemberOptions) { o.Group = "" }, "needs a group"},
		"no kind":      {func(o *MemberOptions) { o.ProtocolType = "" }, "its kind"},
		"no protocols": {func(o *MemberOptions) { o.Protocols = nil }, "protocols"},
		"no leader":    {func(o *MemberOptions) { o.Assign = nil }, "a way to assign"},
		"heartbeats":   {func(o *MemberOptions) { o.HeartbeatInterval = time.Minute }, "heartbeat.interval.ms (60000) is not below session.timeout.ms (1000)"},
	} {
		t.Run(name, func(t *testing.T) {
			o := complete
			c.change(&o)
			if err := o.complete(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
