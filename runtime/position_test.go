package runtime

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// passing is a member that has passed over what is never read.
type passing struct {
	member
	skipped   map[connector.TopicPartition]int64
	committed map[connector.TopicPartition]int64
}

func (p *passing) Skipped() map[connector.TopicPartition]int64 { return p.skipped }
func (p *passing) Commit(_ context.Context, next map[connector.TopicPartition]int64) error {
	p.committed = map[connector.TopicPartition]int64{}
	for tp, at := range next {
		p.committed[tp] = at
	}
	return nil
}

// A position behind markers is committed, but not before what was read.
//
// Clauses: J1.
func TestPositionsAreCommitted(t *testing.T) {
	tp := connector.TopicPartition{Topic: "in"}
	for name, read := range map[string][]kafka.Message{"all is done": nil, "a record is open": {{Topic: "in", Offset: 7}}} {
		t.Run(name, func(t *testing.T) {
			in := testIntake()
			p := &passing{skipped: map[connector.TopicPartition]int64{tp: 12}}
			in.consumer, in.next = p, read
			s := &sinkTask{t: in.t, in: in, set: &settings{flushInterval: time.Hour}, out: &outbox{journey: in.journey}, sink: &collect{},
				delivered: map[connector.TopicPartition]int64{tp: 5}, committed: map[connector.TopicPartition]int64{}}
			if err := s.idle(); err != nil {
				t.Fatal(err)
			}
			want := map[connector.TopicPartition]int64{tp: 12}
			if read != nil {
				want[tp] = 5
			}
			if d := cmp.Diff(want, p.committed); d != "" {
				t.Error(d)
			}
			in.t.kill(errStopping)
		})
	}
}

// What was passed over behind a batch that was broken off is not committed: the
// batch comes again.
func TestNoPositionIsCommittedBehindABrokenBatch(t *testing.T) {
	for name, why := range map[string]error{"the task stops": errStopping, "the partitions go": errRevoked} {
		t.Run(name, func(t *testing.T) {
			in := testIntake()
			in.consumer, in.next = &passing{}, []kafka.Message{{Topic: "in", Offset: 7}}
			in.work = func(_ context.Context, b *batch) { b.cut(0, why) }
			in.finish = func(*batch) error { return nil }
			in.idle = func() error {
				t.Error("what is behind the batch is committed")
				return nil
			}
			if err := in.turn(); err != nil {
				t.Error(err)
			}
			in.t.kill(errStopping)
		})
	}
}
