package kafka

import (
	"errors"

	"github.com/IBM/sarama"
)

// noGeneration is the generation of a member that is in none.
const noGeneration int32 = -1

// verdict is what an answer of the group coordinator means for a member. The
// later ones are the graver ones.
type verdict int

const (
	fine      verdict = iota
	again             // the same request, a little later
	elsewhere         // the same request, at the coordinator that a look-up gives
	rejoin            // a rebalance is on: hand over and join again
	lost              // this generation is over for the member: others may have its partitions
	refused           // it will never work
)

// stage is how far a member has come.
type stage int

const (
	outside stage = iota // it has nothing and no join is under way
	joining              // a join is under way
	seated               // in a generation; its partitions wait for the owner
	owning               // the owner has the partitions
)

// duty is what the owner of a membership has to do next.
type duty int

const (
	nothing  duty = iota
	toJoin        // start a join
	toTake        // take the partitions up, if the join has found where to start
	toRevoke      // hand the partitions over; commits still work
	toLose        // give the partitions up; it is too late for commits
	toForget      // partitions that were never taken up are not to be any more
)

// identity is as whom a member speaks. An answer is about the identity that
// asked, which may not be the member's any more.
type identity struct {
	id         string // given by the coordinator; empty before
	generation int32
}

// membership is the group protocol of one member as a machine without I/O and
// time: what it may send as whom, and what an answer means. A generation's
// identity is given out only while its partitions are the owner's, so a commit
// of earlier work never goes out in the name of a later generation. It is not
// safe for concurrent use.
type membership struct {
	identity
	stage   stage
	leaving verdict // why what it has is to be given up; fine while it is not
	told    verdict // what of that the owner knows
	stale   bool    // what the join under way says of the member is out of date
}

func newMembership() membership { return membership{identity: identity{generation: noGeneration}} }

// next says what the owner has to do.
func (m *membership) next() duty {
	switch {
	case m.stage == outside:
		return toJoin
	case m.stage == joining:
		return nothing
	case m.stage == seated && m.leaving != fine:
		return toForget
	case m.stage == seated:
		return toTake
	case m.leaving <= m.told:
		return nothing // the owner is at it
	case m.leaving == lost:
		return toLose
	}
	return toRevoke
}

// tell notes that the owner was told what next says of leaving. It is told once
// of each, and of lost after rejoin when handing over takes too long.
func (m *membership) tell() { m.told = m.leaving }

// join starts a join.
func (m *membership) join() {
	m.gaveUp()
	m.stage = joining
}

// sends notes that the join under way is to say what is true of the member now.
func (m *membership) sends() { m.stale = false }

// renew notes that something else is true of the member than when it joined. It
// tells whether that is news.
func (m *membership) renew() bool {
	m.stale = m.stage == joining
	return m.leave(rejoin)
}

// joinAnswered notes the answer to a join: the member's id, and the generation
// that sync is for.
func (m *membership) joinAnswered(err error, id string, generation int32) verdict {
	v := judge(err)
	switch {
	case v == fine:
		m.identity = identity{id, generation}
	case errors.Is(err, sarama.ErrMemberIdRequired):
		m.id = id
	default:
		m.out(err, v)
	}
	return v
}

// synced notes the answer to a sync. If it is fine, heartbeats are due.
func (m *membership) synced(err error) verdict {
	v := judge(err)
	if v != fine {
		m.out(err, v)
		return v
	}
	m.stage = seated
	if m.stale {
		m.leave(rejoin)
	}
	return v
}

// out forgets what an answer says is over.
func (m *membership) out(err error, v verdict) {
	if v == rejoin || v == lost {
		m.generation = noGeneration
	}
	if errors.Is(err, sarama.ErrUnknownMemberId) {
		m.id = ""
	}
}

// gaveUp ends a join that came to nothing.
func (m *membership) gaveUp() {
	*m = membership{identity: identity{m.id, noGeneration}}
}

// take takes the partitions up.
func (m *membership) take() { m.stage = owning }

// released notes that the partitions were given up.
func (m *membership) released() { m.gaveUp() }

// current gives as whom to send a heartbeat or to look something up for the
// partitions; false when there is nothing to say.
func (m *membership) current() (identity, bool) {
	return m.identity, (m.stage == seated || m.stage == owning) && m.leaving != lost
}

// committer gives as whom to commit; false when it is too late.
func (m *membership) committer() (identity, bool) {
	return m.identity, m.stage == owning && m.leaving != lost
}

// answered notes the answer to a request of that identity other than join and
// sync. Of an identity that is over, everything is lost.
func (m *membership) answered(as identity, err error) verdict {
	if now, ok := m.current(); !ok || now != as {
		if judge(err) == fine {
			return fine // it was in time
		}
		return lost
	}
	v := judge(err)
	switch v {
	case rejoin, lost:
		m.leave(v)
	}
	if errors.Is(err, sarama.ErrUnknownMemberId) {
		m.id = "" // it is noted now that leaving says lost: the identity is used no more
	}
	return v
}

// leave notes that what the member has is to be given up; the graver reason
// counts. It tells whether that was news.
func (m *membership) leave(v verdict) bool {
	if m.stage != seated && m.stage != owning || v <= m.leaving {
		return false
	}
	m.leaving = v
	return true
}

// judge reads an answer's error.
func judge(err error) verdict {
	if err == nil {
		return fine
	}
	code, ok := errors.AsType[sarama.KError](err)
	if !ok {
		return elsewhere // the connection, not the coordinator, failed
	}
	switch code {
	case sarama.ErrNoError:
		return fine
	case sarama.ErrRebalanceInProgress:
		return rejoin
	case sarama.ErrIllegalGeneration, sarama.ErrUnknownMemberId:
		return lost
	case sarama.ErrNotCoordinatorForConsumer, sarama.ErrConsumerCoordinatorNotAvailable:
		return elsewhere
	case sarama.ErrMemberIdRequired, sarama.ErrUnstableOffsetCommit:
		return again
	}
	if retriable(code) {
		return again
	}
	return refused
}
