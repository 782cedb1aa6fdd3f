package kafka

import (
	"errors"

	"github.com/IBM/sarama"
)

// noGeneration is the generation of a member that is in none.
const noGeneration int32 = -1

// verdict is what an answer of the group coordinator means for a member.
type verdict int

const (
	fine      verdict = iota
	again             // the same request, a little later
	elsewhere         // the same request, at the coordinator that a look-up gives
	rejoin            // a rebalance is on: hand over and join again
	lost              // this generation is over for the member: join as a new one
	refused           // it will never work
)

// session is the group protocol of one member without its I/O: who it is, and
// what an answer means. Fields are guarded by the owner.
type session struct {
	id         string // given by the coordinator; empty before
	generation int32
}

func newSession() session { return session{generation: noGeneration} }

// judge reads an answer's error and keeps the member's identity in step with
// it. given is the id that the answer carries, if any.
func (s *session) judge(err error, given string) verdict {
	var code sarama.KError
	switch {
	case err == nil:
		return fine
	case !errors.As(err, &code):
		return elsewhere // the connection, not the coordinator, failed
	}
	switch code {
	case sarama.ErrNoError:
		return fine
	case sarama.ErrMemberIdRequired:
		s.id = given
		return again
	case sarama.ErrRebalanceInProgress:
		return rejoin
	case sarama.ErrIllegalGeneration:
		s.generation = noGeneration
		return lost
	case sarama.ErrUnknownMemberId:
		s.id, s.generation = "", noGeneration
		return lost
	case sarama.ErrNotCoordinatorForConsumer, sarama.ErrConsumerCoordinatorNotAvailable:
		return elsewhere
	case sarama.ErrOffsetsLoadInProgress, sarama.ErrUnstableOffsetCommit:
		return again
	}
	if retriable(code) {
		return again
	}
	return refused
}

// joined notes what a join gave.
func (s *session) joined(id string, generation int32) { s.id, s.generation = id, generation }

// current tells whether an answer to a request of that generation is still
// about this membership.
func (s *session) current(id string, generation int32) bool {
	return s.id == id && s.generation == generation && generation != noGeneration
}
