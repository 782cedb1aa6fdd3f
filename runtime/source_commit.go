package runtime

import (
	"context"
	"errors"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// side is a goroutine beside the task's, which does for it what may take long, one
// after the other: one for each poll would have to grow its stack each time.
type side struct {
	work chan func() error
	done chan error
}

// newSide starts the goroutine, which ends when work is closed.
func newSide() *side {
	a := &side{work: make(chan func() error), done: make(chan error)}
	go func() {
		for do := range a.work {
			a.done <- guard(do)
		}
	}()
	return a
}

// run does something of a source task beside its goroutine and waits for it: a
// poll, a delivery or a pause, any of which may take long. Meanwhile this
// goroutine, the task's, takes the commit step whenever it is due, and as soon
// as the task is to stop. A step that fails ends the poll; its error is the next
// step's.
func (s *sourceTask) run(do func() error) error {
	s.side.work <- do
	timer := time.NewTimer(time.Until(s.due))
	defer timer.Stop()
	for {
		select {
		case err := <-s.side.done:
			return err
		case <-timer.C:
		case <-s.quit:
			s.quit, s.due = nil, time.Time{}
		}
		if s.failure = s.finish(); s.failure != nil {
			s.abort(s.failure)
		}
		timer.Reset(max(s.set.flushInterval, time.Millisecond))
	}
}

// finish is the commit step: outputs, offsets, notifications, in this order. The
// task's goroutine takes it between polls, and at the flush interval while one is
// on. All that a source makes durable is made so here, so that a Kafka
// transaction can enclose what was delivered since the last step together with
// its offsets: it would begin with the first record sent, wait for outputs and
// end behind offsets. While a poll is on nothing is sent, so it need not wait
// for the poll.
func (s *sourceTask) finish() error {
	if s.failure != nil {
		return s.failure
	}
	if err := s.outputs(); err != nil {
		return err
	}
	_ = s.offsets() // a failure was noted: they will be with the next ones
	return s.notify()
}

// outputs decides about what Kafka has not taken. What it has taken was settled
// when it was acknowledged; what is on its way is for a later step.
func (s *sourceTask) outputs() error {
	s.mu.Lock()
	refused := s.refused
	s.refused = nil
	s.mu.Unlock()
	for _, r := range refused {
		if err := s.t.refused(s.produce, r.item, r.err); err != nil {
			return err
		}
		if err := s.out.letter(s.t.life, r.item.original(), r.item.failure(s.t.at), func() { s.passed(r.item, r.flight) }); err != nil {
			return err
		}
	}
	if _, err := s.out.shorten(s.t.life); err != nil {
		return err
	}
	return s.out.failed()
}

// offsets makes durable which records need not come again, when that is due.
//
// Invariant 1: it takes only what the queue gives out.
func (s *sourceTask) offsets() error {
	began := time.Now()
	if began.Before(s.due) || s.t.life.Err() != nil { // after the life a successor's offsets are the newer ones
		return nil
	}
	s.due = began.Add(s.set.flushInterval)
	c := s.queue.committable()
	if len(c.entries) == 0 {
		return nil
	}
	err := s.t.options.Offsets.Commit(s.t.life, s.t.spec.Connector, c.entries)
	s.t.counters.committed(began, err)
	s.t.offsets.note(s.t.log, err)
	if err != nil {
		return err
	}
	s.queue.committed(c)
	s.news = true
	return nil
}

// notify tells the source what is through. That waits for the end of a poll: a
// source is called from one goroutine at a time.
func (s *sourceTask) notify() error {
	if s.busy {
		return nil
	}
	s.mu.Lock()
	through := s.through
	s.through = nil
	s.mu.Unlock()
	if c, ok := s.source.(connector.RecordCommitter); ok && len(through) > 0 {
		under := s.t.watch.call("commit of record in " + s.poll.place)
		defer under.end()
		for _, p := range through {
			under.alive()
			if err := guard(func() error { return c.CommitRecord(s.t.life, p.record, p.meta) }); err != nil {
				return s.t.at.wrap("commit of record in "+s.poll.place, "", err)
			}
		}
	}
	if c, ok := s.source.(connector.Committer); ok && s.news {
		s.news = false
		if err := s.t.guarded("commit in "+s.poll.place, func() error { return c.Commit(s.t.life) }); err != nil {
			return s.t.at.wrap("commit in "+s.poll.place, "", err)
		}
	}
	return nil
}

// end waits for what is on its way and commits. why is what ended the loop: a
// source that is done has all the time it needs, until the task is stopped.
func (s *sourceTask) end(why error) error {
	ctx := s.t.life
	if ctx.Err() != nil {
		return why // a successor may be at work
	}
	if why != nil && !errors.Is(why, errDone) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.set.flushTimeout)
		defer cancel()
	}
	s.failure = nil // why tells
	err := s.drain(ctx)
	s.due = time.Time{}
	if failed := s.offsets(); failed != nil {
		err = errors.Join(err, s.t.at.wrap("offset commit", "", failed))
	} else {
		err = errors.Join(err, s.notify())
	}
	if err == nil || why != nil && !errors.Is(why, errDone) {
		return why // the first reason is the one to show
	}
	return err
}

// drain takes commit steps until nothing is on its way.
func (s *sourceTask) drain(ctx context.Context) error {
	for {
		if err := s.run(func() error { return s.out.wait(ctx) }); err != nil {
			return err
		}
		if err := s.finish(); err != nil { // it may send dead letters
			return err
		}
		if s.out.idle() {
			return nil
		}
	}
}
