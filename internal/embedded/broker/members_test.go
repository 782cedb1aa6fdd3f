package broker

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// rawMember is a member of a group that asks by hand.
type rawMember struct {
	t       *testing.T
	client  *kgo.Client
	group   string
	id      string
	session time.Duration
}

func newMember(t *testing.T, b *Broker, group string, session time.Duration) *rawMember {
	t.Helper()
	return &rawMember{t: t, client: client(t, b.Addr()), group: group, session: session}
}

// answer is what a member is told; a code of -1 says that its connection ended.
type answer struct {
	Code       int16
	Generation int32
}

// join asks to be in the group; the answer comes through the channel.
func (m *rawMember) join() <-chan answer {
	m.t.Helper()
	ask := func() (*kmsg.JoinGroupResponse, error) {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Group, req.MemberID, req.ProtocolType = m.group, m.id, "test"
		req.SessionTimeoutMillis = int32(m.session.Milliseconds())
		req.RebalanceTimeoutMillis = int32((2 * wait.Patience).Milliseconds())
		req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "p"}}
		return req.RequestWith(m.t.Context(), m.client)
	}
	if m.id == "" {
		resp, err := ask()
		if err != nil || !errors.Is(kerr.ErrorForCode(resp.ErrorCode), kerr.MemberIDRequired) {
			m.t.Fatalf("first join: %+v, %v", resp, err)
		}
		m.id = resp.MemberID
	}
	joined := make(chan answer, 1)
	go func() {
		resp, err := ask()
		if err != nil {
			joined <- answer{Code: -1}
			return
		}
		joined <- answer{resp.ErrorCode, resp.Generation}
	}()
	return joined
}

// sync asks for what the leader has shared out; the leader's own ends the wait of all.
func (m *rawMember) sync(generation int32) <-chan answer {
	synced := make(chan answer, 1)
	go func() {
		req := kmsg.NewPtrSyncGroupRequest()
		req.Group, req.MemberID, req.Generation = m.group, m.id, generation
		resp, err := req.RequestWith(m.t.Context(), m.client)
		if err != nil {
			synced <- answer{Code: -1}
			return
		}
		synced <- answer{resp.ErrorCode, generation}
	}()
	return synced
}

// members waits until a group has n members that have asked to be in it.
func members(t *testing.T, b *Broker, group string, n int) {
	t.Helper()
	wait.Until(t, "the group's members", func() bool {
		g := b.cluster.GroupInfo(group)
		return g != nil && len(g.Members) == n
	})
}

// Members whose process is killed while they wait for the answer to a JoinGroup
// or SyncGroup are out of the group after their session, as with Kafka: what they
// were assigned goes to the others.
func TestMembersAreKilledWhileTheyWait(t *testing.T) {
	const session, killed = 500 * time.Millisecond, 12 // kfake forgot each second session
	for name, waitForSync := range map[string]bool{"for JoinGroup": false, "for SyncGroup": true} {
		t.Run(name, func(t *testing.T) {
			b := startTest(t, Options{MinSessionTimeout: session})
			const group = "group"
			first := newMember(t, b, group, wait.Patience)
			joined := wait.For(t, "the first to be in the group", first.join())
			wait.For(t, "its assignment", first.sync(joined.Generation))
			var others []*rawMember
			var waiting []<-chan answer
			for range killed {
				m := newMember(t, b, group, session)
				others, waiting = append(others, m), append(waiting, m.join())
			}
			members(t, b, group, 1+killed)
			end := func() {
				for i, m := range others {
					m.client.Close()
					wait.For(t, "the connection's end", waiting[i])
				}
			}
			if !waitForSync {
				end()
			}
			again := wait.For(t, "the first to be in it again", first.join())
			if waitForSync {
				for i, m := range others {
					wait.For(t, "another to be in it", waiting[i])
					waiting[i] = m.sync(again.Generation)
				}
				end()
			}
			wait.For(t, "the first's assignment", first.sync(again.Generation))
			members(t, b, group, 1)
			if g := b.cluster.GroupInfo(group); g.Members[0].MemberID != first.id {
				t.Errorf("%s is in the group, want %s", g.Members[0].MemberID, first.id)
			}
		})
	}
}

// A member that waits for the others of its group for longer than its session is
// in the group when they have come.
func TestMemberWaitsBeyondItsSession(t *testing.T) {
	const session = 500 * time.Millisecond
	b := startTest(t, Options{MinSessionTimeout: session})
	const group = "group"
	slow, waits := newMember(t, b, group, wait.Patience), newMember(t, b, group, session)
	joined := wait.For(t, "the slow one to be in the group", slow.join())
	wait.For(t, "its assignment", slow.sync(joined.Generation))
	in := waits.join()
	members(t, b, group, 2)
	joined = wait.For(t, "the slow one to be in it again", slow.join())
	wait.For(t, "the other to be in it", in) // its session begins here
	third := newMember(t, b, group, session)
	last := third.join()
	members(t, b, group, 3)
	second := waits.join()
	passed := newMember(t, b, "beside", session)
	began := wait.For(t, "a member of another group", passed.join())
	wait.For(t, "its assignment", passed.sync(began.Generation))
	wait.Until(t, "a session to be over", func() bool { return len(b.cluster.GroupInfo("beside").Members) == 0 })
	joined = wait.For(t, "the slow one to be in it once more", slow.join())
	wait.For(t, "the third to be in it", last)
	if got := wait.For(t, "the other's answer", second); got.Code != 0 || got.Generation != joined.Generation {
		t.Errorf("the one that waited is answered %+v, want generation %d", got, joined.Generation)
	}
}
