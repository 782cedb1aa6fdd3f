package runtime

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// maxUnits bounds the memory of what a stream has on its way; one unit may be
// larger.
const maxUnits = 8 << 20

// unit is a batch of a stream on its way out: outputs, changelog, dead letters,
// input offsets, in this order, each arrived before the next is sent. After a crash
// in between the batch is computed again from state that has not seen it, or from
// state whose outputs are all there.
//
// Several units are on their way at once: the outputs of one need not wait for those
// before it. Everything else is done for the oldest one alone, so that changelog and
// offsets never say of a record what is not true of those before it. A Kafka
// transaction can enclose units, from the first output to the offsets of the last.
type unit struct {
	batch *batch
	steps []step   // those to come
	sent  *sending // by the step before them, nil before the first
}

// step sends a part of a unit.
type step func(ctx context.Context, u *unit) (*sending, error)

// sending is what a step has sent.
type sending struct {
	context.Context // ends when Kafka has answered everything
	answer          context.CancelFunc
	left            atomic.Int64
	refused         []error      // by message; read when everything is answered
	settle          func() error // takes the answers, in the task's goroutine
	letters         bool
}

// newSending is a sending of n messages.
func newSending(n int, settle func() error) *sending {
	s := &sending{refused: make([]error, n), settle: settle}
	s.Context, s.answer = context.WithCancel(context.Background())
	s.left.Store(int64(n))
	s.answered(0)
	return s
}

// told takes an answer, from any goroutine.
func (s *sending) told(d *kafka.Delivery) {
	for _, i := range d.Which {
		s.refused[i] = d.Err
	}
	s.answered(len(d.Which))
}

// answered notes that n messages were answered.
func (s *sending) answered(n int) {
	if s.left.Add(-int64(n)) == 0 {
		s.answer()
	}
}

// send begins a unit: its outputs are on their way when it returns. After an error
// those before it still are.
func (s *streamTask) send(b *batch) error {
	u := &unit{batch: b, steps: []step{s.outputs, s.changelog, s.deadLetters, s.offsets}}
	if err := s.next(u); err != nil {
		return err
	}
	s.units, s.weight = append(s.units, u), s.weight+b.size
	return nil
}

// next takes the next step of a unit.
func (s *streamTask) next(u *unit) (err error) {
	if !s.in.consumer.Holds() {
		return errRevoked // another member does the batch again, with what the changelog says by now
	}
	do := u.steps[0]
	u.steps = u.steps[1:]
	u.sent, err = do(s.t.life, u)
	return err
}

// settle takes units through their steps, the oldest first, as far as Kafka has
// answered. After an error nothing is on its way: what comes behind a unit that
// failed is not committed either.
func (s *streamTask) settle() (err error) {
	defer func() {
		if err != nil {
			s.abandon()
		}
	}()
	for len(s.units) > 0 {
		u := s.units[0]
		if u.sent.letters {
			if _, err := s.out.shorten(s.t.life); err != nil {
				return err
			}
			if err := s.out.failed(); err != nil {
				return err
			}
		}
		if u.sent.Err() == nil {
			return nil
		}
		if err := u.sent.settle(); err != nil {
			return err
		}
		if len(u.steps) > 0 {
			if err := s.next(u); err != nil {
				return err
			}
			continue
		}
		s.units, s.weight = s.units[1:], s.weight-u.batch.size
		s.in.left(u.batch)
		s.in.done(u.batch, true)
	}
	return nil
}

// room waits until there is room for another unit.
func (s *streamTask) room() error {
	for {
		if err := s.settle(); err != nil {
			return err
		}
		if len(s.units) == 0 || s.weight <= maxUnits {
			return nil
		}
		if err := s.await(s.units[0].sent); err != nil {
			return err
		}
	}
}

// await waits until a sending is answered.
func (s *streamTask) await(sent *sending) error {
	if sent.letters {
		return s.out.wait(s.t.life) // it may have to send shorter ones
	}
	defer s.t.watch.call("producer").end()
	select {
	case <-sent.Done():
		return nil
	case <-s.t.life.Done():
		return context.Cause(s.t.life)
	}
}

// drain waits until no unit is on its way.
func (s *streamTask) drain() error {
	for len(s.units) > 0 {
		if err := s.out.wait(s.t.life); err != nil {
			return err
		}
		if err := s.settle(); err != nil {
			return err
		}
	}
	return nil
}

// abandon forgets the units on their way: what they were made of comes again.
func (s *streamTask) abandon() {
	for _, u := range s.units {
		s.in.done(u.batch, false)
	}
	s.units, s.weight = nil, 0
}

// outputs sends what came through. A record that Kafka refuses fails as in any
// other stage.
func (s *streamTask) outputs(ctx context.Context, u *unit) (*sending, error) {
	began, b := time.Now(), u.batch
	which := b.alive()
	messages := make([]*kafka.Message, len(which))
	for k, i := range which {
		messages[k] = &b.items[i].out
	}
	var sent *sending
	sent = newSending(len(messages), func() error {
		n := len(which)
		for k, cause := range sent.refused {
			if cause == nil {
				continue
			}
			n--
			if err := s.t.refused(s.produce, &b.items[which[k]], cause); err != nil {
				return err
			}
		}
		s.produce.stats.observe(n, time.Since(began))
		return nil
	})
	k, err := s.out.send(ctx, messages, func(d *kafka.Delivery) {
		if d.Err == nil {
			s.wrote(d)
		}
		sent.told(d)
	})
	if err != nil {
		return nil, s.t.at.wrap(s.produce.place, b.items[which[k]].place(), err)
	}
	return sent, nil
}

// wrote counts records that Kafka has taken, from any goroutine.
func (s *streamTask) wrote(d *kafka.Delivery) {
	newest := connector.NoTimestamp
	for k := range d.Which {
		newest = max(newest, d.Timestamp(k))
	}
	s.t.counters.wrote(len(d.Which), newest)
	s.t.topics.note(s.t.spec.Task, d.Topic)
}

// changelog makes durable what stateful transforms wrote, and then lets their
// stores have it.
func (s *streamTask) changelog(ctx context.Context, u *unit) (*sending, error) {
	var writes []storeWrite
	for i := range u.batch.items {
		writes = append(writes, u.batch.items[i].writes...)
	}
	messages := make([]*kafka.Message, len(writes))
	for i, w := range writes {
		messages[i] = &kafka.Message{Topic: w.stores.topic, Partition: w.store.partition, Key: w.key, Value: w.value, Timestamp: w.at}
	}
	offsets := make([]int64, len(writes))
	var sent *sending
	sent = newSending(len(messages), func() error {
		for i, err := range sent.refused {
			if err != nil {
				return s.t.at.wrap("changelog "+writes[i].stores.topic, "", err)
			}
		}
		for i, w := range writes {
			w.store.durable(w, offsets[i])
		}
		for _, st := range s.parts.stores {
			st.expire()
		}
		return nil
	})
	i, err := s.out.append(ctx, messages, func(d *kafka.Delivery) {
		for k, i := range d.Which {
			offsets[i] = d.Metadata(k).Offset
		}
		sent.told(d)
	})
	if err != nil {
		return nil, s.t.at.wrap("changelog "+writes[i].stores.topic, "", err)
	}
	return sent, nil
}

// deadLetters sends those of the records that are tolerated. One that Kafka refuses
// is the outbox's to tell.
func (s *streamTask) deadLetters(ctx context.Context, u *unit) (*sending, error) {
	var letters []*item
	for i := range u.batch.items {
		if it := &u.batch.items[i]; it.fate == tolerated {
			letters = append(letters, it)
		}
	}
	sent := newSending(len(letters), func() error { return nil })
	sent.letters = len(letters) > 0
	for _, it := range letters {
		if err := s.out.letter(ctx, it.original(), it.failure(s.t.at), func() { sent.answered(1) }); err != nil {
			return nil, err
		}
	}
	return sent, nil
}

// offsets lets the input offsets be committed.
//
// Invariant 3: everything that the records before them became has arrived.
func (s *streamTask) offsets(_ context.Context, u *unit) (*sending, error) {
	for i := range u.batch.items {
		m := u.batch.items[i].read
		s.settled[m.From()] = m.Offset + 1
	}
	s.through += len(u.batch.items)
	return newSending(0, func() error { return nil }), nil
}

// interval is how long a commit may wait while there is always something on its way:
// what a stream computes is dearer than a commit.
func (s *streamTask) interval() time.Duration { return min(s.set.flushInterval, time.Second) }

// commit commits the input offsets of units that are through.
func (s *streamTask) commit() error {
	s.due = time.Now().Add(s.interval())
	err := s.committing.call(s.t.life, s.in.journey, s.through, func() error {
		err := s.in.commit(s.settled)
		if errors.Is(err, kafka.ErrGenerationLost) {
			s.t.log.Warn("partitions went to another member before their offsets were committed: it repeats what came since the last commit")
			return nil
		}
		return err
	})
	if err == nil {
		clear(s.settled)
		s.through = 0
	}
	return err
}
