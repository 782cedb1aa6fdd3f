package kafka

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/IBM/sarama"
	"pgregory.net/rapid"
)

// simulation is a group of members whose requests and answers are under way in
// any order, get lost, or are overtaken by what befalls the coordinator.
type simulation struct {
	t       *rapid.T
	group   *modelGroup
	members []*simulated
	network []func(lost bool) // deliveries
	commits int
}

// partitions of the one topic.
const partitions = 5

// simulated is a member as GroupConsumer drives it: one join at a time in the
// background, heartbeats, and an owner that commits or does what is next.
type simulated struct {
	s          *simulation
	name       int
	m          membership
	dead       bool
	request    int     // the join or sync under way; an answer to another one is nobody's
	offer      []int32 // of the join, to be taken up
	offered    bool
	owned      []int32
	committing bool
	asked      Change // what it was told to release for
	revoking   bool   // the commit is the one of a revocation
	version    int    // of what is true of it
	said       int    // the version that its join says
}

// errConnection stands for an error that is not the coordinator's.
var errConnection = errors.New("connection reset")

func (s *simulation) send(request func(), failed func()) {
	s.network = append(s.network, func(lost bool) {
		if lost {
			failed()
		} else {
			request()
		}
	})
}

// answer brings an answer under way; it may get lost.
func (s *simulation) answer(received func(error), err error) {
	s.network = append(s.network, func(lost bool) {
		if lost {
			err = errConnection
		}
		received(err)
	})
}

func (x *simulated) join() {
	x.request++
	x.m.sends()
	x.said = x.version
	request := x.request
	received := func(r reply) {
		if request == x.request && !x.dead {
			x.joined(r)
		}
	}
	id := x.m.id
	x.s.send(func() {
		if request != x.request {
			return // nobody reads from a connection that was closed
		}
		x.s.group.joins(id, func(r reply) {
			x.s.answer(func(err error) { r.err = err; received(r) }, r.err)
		})
	}, func() { received(reply{err: errConnection}) })
}

func (x *simulated) joined(r reply) {
	if x.m.joinAnswered(r.err, r.id, r.generation) != fine {
		x.join()
		return
	}
	var plan map[string]map[string][]int32
	if r.leader {
		topics := map[string][]string{}
		for _, id := range r.members {
			topics[id] = []string{"t"}
		}
		plan = assignRange(topics, map[string]int32{"t": partitions})
	}
	x.request++
	request := x.request
	received := func(r reply) {
		if request != x.request || x.dead {
			return
		}
		if x.m.synced(r.err) != fine {
			x.join()
			return
		}
		x.offer, x.offered = r.assigned, true
	}
	as := x.m.identity
	x.s.send(func() {
		x.s.group.syncs(as, plan, func(r reply) {
			x.s.answer(func(err error) { r.err = err; received(r) }, r.err)
		})
	}, func() { received(reply{err: errConnection}) })
}

func (x *simulated) heartbeat() {
	as, due := x.m.current()
	if !due || x.dead {
		return
	}
	received := func(err error) {
		if !x.dead {
			x.m.answered(as, err)
		}
	}
	x.s.send(func() { x.s.answer(received, x.s.group.heartbeat(as)) }, func() { received(errConnection) })
}

func (x *simulated) commit() {
	as, ok := x.m.committer()
	if x.committing = ok; !ok {
		x.committed()
		return
	}
	received := func(err error) {
		if x.dead {
			return
		}
		switch x.m.answered(as, err) {
		case fine, lost:
			x.committed()
		default:
			x.commit() // the same again
		}
	}
	c := commit{as, slices.Clone(x.owned)}
	x.s.send(func() { x.s.answer(received, x.s.group.commits(c)) }, func() { received(errConnection) })
}

// committed ends a commit, and the revocation that it was for.
func (x *simulated) committed() {
	x.committing = false
	if x.revoking {
		x.revoking = false
		if x.asked == Revoked {
			x.release()
		}
	}
}

// step is the owner's: it takes an event, or acts on the one before.
func (x *simulated) step() {
	if x.dead || x.committing {
		return
	}
	switch x.m.next() {
	case toJoin:
		x.m.join()
		x.join()
	case toForget:
		x.offered = false
		x.m.released()
	case toTake:
		if x.offered {
			if x.owned != nil || x.asked != Unchanged {
				x.s.t.Fatalf("member %d takes partitions up while it has some", x.name)
			}
			x.owned, x.offered = append([]int32{}, x.offer...), false
			x.m.take()
		}
	case toRevoke:
		x.told(Revoked)
	case toLose:
		x.told(Lost)
	case nothing:
		switch x.asked {
		case Revoked:
			x.revoking = true
			x.commit()
		case Lost:
			x.release()
		}
	}
}

// told checks the order of events: each once, lost after revoked and not the
// other way round.
func (x *simulated) told(c Change) {
	if x.owned == nil || x.asked >= c {
		x.s.t.Fatalf("member %d with %v is told %d after %d", x.name, x.owned, c, x.asked)
	}
	x.m.tell()
	x.asked = c
}

func (x *simulated) release() {
	x.owned, x.asked = nil, Unchanged
	x.m.released()
}

// accepted is the invariant: what the coordinator takes comes from the member
// that it gave the partition to in the generation that is current.
func (s *simulation) accepted(c commit) error {
	s.commits++
	for _, p := range c.partitions {
		if !slices.Contains(s.group.members[c.as.id].assigned, p) {
			s.t.Fatalf("member %s commits partition %d as of generation %d, in which it has %v", c.as.id, p, c.as.generation, s.group.members[c.as.id].assigned)
		}
	}
	return nil
}

// exclusive is the other invariant: no two members have a partition and a
// coordinator that takes their commits.
func (s *simulation) exclusive() {
	holder := map[int32]int{}
	for _, x := range s.members {
		as, ok := x.m.committer()
		if x.dead || !ok || s.group.members[as.id] == nil || as.generation != s.group.generation {
			continue
		}
		for _, p := range x.owned {
			if other, taken := holder[p]; taken {
				s.t.Fatalf("members %d and %d both have partition %d", other, x.name, p)
			}
			holder[p] = x.name
		}
	}
}

func (s *simulation) deliver(i int, lost bool) {
	d := s.network[i]
	s.network = slices.Delete(s.network, i, i+1)
	d(lost)
}

func (s *simulation) living() []*simulated {
	return slices.DeleteFunc(slices.Clone(s.members), func(x *simulated) bool { return x.dead })
}

// settle lets everything go well until nothing changes, and checks that every
// partition has its one owner.
func (s *simulation) settle() {
	s.group.moved = 0
	living := s.living()
	for range 50 {
		ids := map[string]bool{}
		for _, x := range living {
			ids[x.m.id] = true
		}
		for _, id := range slices.Sorted(maps.Keys(s.group.members)) {
			if !ids[id] {
				s.group.gone(id) // it is silent for the length of a session
			}
		}
		for _, x := range living {
			x.step()
			x.heartbeat()
		}
		for len(s.network) > 0 {
			s.deliver(0, false)
		}
	}
	owners := map[int32]int{}
	for _, x := range living {
		if x.m.next() != nothing || x.m.stage != owning {
			s.t.Fatalf("member %d does not come to rest: %+v", x.name, x.m)
		}
		if x.said != x.version {
			s.t.Fatalf("member %d is known as it was at %d, and is at %d", x.name, x.said, x.version)
		}
		for _, p := range x.owned {
			owners[p]++
		}
	}
	for p := range int32(partitions) {
		if len(living) > 0 && owners[p] != 1 {
			s.t.Fatalf("partition %d has %d owners", p, owners[p])
		}
	}
}

func TestMembershipHoldsItsInvariants(t *testing.T) {
	commits := 0
	rapid.Check(t, func(t *rapid.T) {
		s := &simulation{t: t, group: newModelGroup()}
		s.group.accepted = s.accepted
		member := func(t *rapid.T) *simulated {
			if len(s.members) == 0 {
				t.Skip("no member")
			}
			return rapid.SampledFrom(s.members).Draw(t, "member")
		}
		message := func(t *rapid.T) int {
			if len(s.network) == 0 {
				t.Skip("nothing is under way")
			}
			return rapid.IntRange(0, len(s.network)-1).Draw(t, "message")
		}
		step := func(t *rapid.T) { member(t).step() }
		deliver := func(t *rapid.T) { s.deliver(message(t), false) }
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { s.exclusive() },
			"a member comes": func(t *rapid.T) {
				if len(s.living()) == 4 {
					t.Skip("enough members")
				}
				s.members = append(s.members, &simulated{s: s, name: len(s.members), m: newMembership()})
			},
			"an owner acts":                step,
			"an owner acts soon":           step,
			"a message arrives":            deliver,
			"a message arrives soon":       deliver,
			"a message arrives at once":    deliver,
			"a message arrives in no time": deliver,
			"a message is lost":            func(t *rapid.T) { s.deliver(message(t), true) },
			"a heartbeat":                  func(t *rapid.T) { member(t).heartbeat() },
			"a commit": func(t *rapid.T) {
				if x := member(t); !x.dead && !x.committing && len(x.owned) > 0 {
					x.commit()
				}
			},
			"topics change": func(t *rapid.T) {
				x := member(t)
				x.version++
				x.m.renew()
			},
			"silence": func(t *rapid.T) { member(t).m.leave(lost) },
			"a connection ends": func(t *rapid.T) { // with a join or sync that waits at the coordinator
				if x := member(t); x.m.stage == joining && !x.dead {
					x.m.joinAnswered(errConnection, "", 0)
					x.join()
				}
			},
			"kill -9":               func(t *rapid.T) { member(t).dead = true },
			"a session times out":   func(t *rapid.T) { s.group.gone(member(t).m.id) },
			"the coordinator moves": func(t *rapid.T) { s.group.moved = rapid.IntRange(1, 5).Draw(t, "requests") },
			"the coordinator forgets": func(t *rapid.T) {
				for _, id := range slices.Sorted(maps.Keys(s.group.members)) {
					s.group.gone(id)
				}
			},
		})
		s.settle()
		commits += s.commits
	})
	if commits == 0 && !testing.Short() { // the few runs of -short may have none
		t.Error("no commit was ever accepted: the simulation checks nothing")
	}
}

func TestJudge(t *testing.T) {
	for err, want := range map[error]verdict{
		nil:                                       fine,
		sarama.ErrNoError:                         fine,
		sarama.ErrMemberIdRequired:                again,
		sarama.ErrOffsetsLoadInProgress:           again,
		sarama.ErrUnstableOffsetCommit:            again,
		sarama.ErrRequestTimedOut:                 again,
		sarama.ErrNotCoordinatorForConsumer:       elsewhere,
		sarama.ErrConsumerCoordinatorNotAvailable: elsewhere,
		errConnection:                             elsewhere,
		sarama.ErrRebalanceInProgress:             rejoin,
		sarama.ErrIllegalGeneration:               lost,
		sarama.ErrUnknownMemberId:                 lost,
		sarama.ErrFencedInstancedId:               refused,
		sarama.ErrGroupAuthorizationFailed:        refused,
		sarama.ErrInconsistentGroupProtocol:       refused,
	} {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			if got := judge(err); got != want {
				t.Errorf("verdict %d, want %d", got, want)
			}
		})
	}
}

func TestMembershipKeepsItsIdentity(t *testing.T) {
	seat := func() membership {
		m := newMembership()
		m.join()
		m.joinAnswered(nil, "a", 3)
		m.synced(nil)
		m.take()
		return m
	}
	as := identity{"a", 3}
	for name, c := range map[string]struct {
		err  error
		id   string // for the next join
		duty duty
	}{
		"rebalance":          {sarama.ErrRebalanceInProgress, "a", toRevoke},
		"another generation": {sarama.ErrIllegalGeneration, "a", toLose},
		"unknown":            {sarama.ErrUnknownMemberId, "", toLose},
		"coordinator moved":  {sarama.ErrNotCoordinatorForConsumer, "a", nothing},
	} {
		t.Run(name, func(t *testing.T) {
			m := seat()
			m.answered(as, c.err)
			if got := m.next(); got != c.duty {
				t.Errorf("duty %d, want %d", got, c.duty)
			}
			m.tell()
			if got := m.next(); got != nothing {
				t.Errorf("it is told again: %d", got)
			}
			if _, ok := m.committer(); ok != (c.duty != toLose) {
				t.Errorf("commits are possible: %v", ok)
			}
			m.released()
			if m.id != c.id {
				t.Errorf("it joins again as %q, want %q", m.id, c.id)
			}
			if v := m.answered(as, sarama.ErrIllegalGeneration); v != lost || m.stage != outside {
				t.Errorf("a late answer is judged %d", v)
			}
		})
	}
}
