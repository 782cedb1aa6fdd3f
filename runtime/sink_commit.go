package runtime

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// buffers tells that the sink may still have records when Put has returned.
func (s *sinkTask) buffers() bool {
	switch s.sink.(type) {
	case connector.PreCommitter, connector.Flusher:
		return true
	}
	return false
}

// obey does what the sink has asked for, but for a commit, which idle sees to. While
// the sink has a batch that waits: what it took of it is not known yet.
func (s *sinkTask) obey() error {
	if s.putting != nil {
		return nil
	}
	for tp, offset := range s.asked.takeSeeks() {
		if err := s.in.seek(tp, offset); err != nil {
			return s.t.at.wrap("seek of "+s.put.place, "", err)
		}
		s.delivered[tp] = offset
	}
	if paused, changed := s.asked.takePaused(); changed {
		if err := s.in.pause(paused); err != nil {
			return s.t.at.wrap("pause of "+s.put.place, "", err)
		}
	}
	return nil
}

// idle commits when it is time to. With nothing in the sink all is done that was
// read, so positions behind what is never read may be committed as well.
func (s *sinkTask) idle() error {
	due := s.asked.takeCommit() || !time.Now().Before(s.due) || s.reporter.size() >= maxKept
	if p := s.putting; p != nil && (due || p.job.Err() != nil) {
		if err := s.awaitPut(); err != nil || s.in.broken || s.in.going != nil {
			return err
		}
	}
	if s.putting != nil {
		return nil
	}
	if err := s.obey(); err != nil {
		return err
	}
	if len(s.in.next) == 0 {
		for tp, at := range s.in.consumer.Skipped() {
			s.delivered[tp] = max(s.delivered[tp], at)
		}
	}
	if !due || !s.anything() {
		return nil
	}
	s.due = time.Now().Add(s.set.flushInterval)
	return s.in.run(s.flush, func() error { return s.in.limit.hold(s.commit) })
}

// anything tells whether there may be something to commit: what a PreCommitter
// has not chosen yet is asked for again.
func (s *sinkTask) anything() bool {
	for tp, at := range s.delivered {
		if s.open(tp, at) {
			return true
		}
	}
	return false
}

// open tells that an offset is not the one that is committed already.
func (s *sinkTask) open(tp connector.TopicPartition, at int64) bool {
	last, ok := s.committed[tp]
	return !ok || last != at
}

// uncommitted gives those of offsets that are not committed already.
func (s *sinkTask) uncommitted(offsets map[connector.TopicPartition]int64) map[connector.TopicPartition]int64 {
	open := map[connector.TopicPartition]int64{}
	for tp, at := range offsets {
		if s.open(tp, at) {
			open[tp] = at
		}
	}
	return open
}

// settles tells that the sink is asked before offsets are committed.
func (s *sinkTask) settles() bool {
	_, keeps := s.sink.(connector.OffsetKeeper)
	return keeps || s.buffers()
}

// flush makes durable what the sink has taken; in the job's goroutine.
func (s *sinkTask) flush(ctx context.Context) error {
	if !s.settles() {
		return nil
	}
	err := s.flushing.call(ctx, s.in.journey, 0, func() error { return s.settle(ctx) })
	s.failed = err != nil && ctx.Err() == nil && !errors.Is(err, errStopping)
	return err
}

// settle asks a sink that buffers what is durable, or to make it so, and tells one
// that keeps offsets of them.
//
// Invariant 3: what is kept is behind letters that have arrived.
func (s *sinkTask) settle(ctx context.Context) (err error) {
	switch sink := s.sink.(type) {
	case connector.PreCommitter:
		s.chosen, err = sink.PreCommit(ctx, maps.Clone(s.delivered))
	case connector.Flusher:
		err = sink.Flush(ctx)
	}
	keeper, keeps := s.sink.(connector.OffsetKeeper)
	if err != nil || !keeps {
		return err
	}
	if err := s.out.wait(ctx); err != nil {
		return err
	}
	return keeper.KeepOffsets(ctx, s.uncommitted(s.durable()))
}

// durable gives the offsets before which the sink has everything, after settle.
// What a PreCommitter chooses counts up to what it was given, as in Kafka Connect.
func (s *sinkTask) durable() map[connector.TopicPartition]int64 {
	if _, ok := s.sink.(connector.PreCommitter); !ok {
		return s.delivered
	}
	safe := map[connector.TopicPartition]int64{}
	for tp, at := range s.chosen {
		if given, ok := s.delivered[tp]; !ok || at > given || at < 0 {
			s.t.log.Warn("offset not committed: the sink says it is safe, but has not taken what is before it", "topic", tp.Topic,
				"partition", tp.Partition, "offset", at, "taken", given)
			continue
		}
		safe[tp] = at
	}
	return safe
}

// commit commits the offsets of what is durable.
//
// Invariant 2: it is called only after settle, and never again after one that
// failed for good; every record before these offsets
// is in the sink, in the dead-letter topic, or dropped.
func (s *sinkTask) commit() error {
	if err := s.out.wait(s.t.life); err != nil {
		return err
	}
	if err := s.obey(); err != nil { // what is read again is not committed
		return err
	}
	safe := s.durable()
	s.reporter.forget(safe)
	next := s.uncommitted(safe)
	err := s.in.commit(next)
	if errors.Is(err, kafka.ErrGenerationLost) { // others have the partitions
		clear(s.delivered)
		clear(s.committed)
		s.t.offsets.drop()
		return nil
	}
	s.t.offsets.note(s.t.log, err)
	if err != nil { // the offsets stay to be committed with the next ones
		s.due = time.Now().Add(min(s.set.flushInterval, time.Second))
	} else {
		maps.Copy(s.committed, next)
	}
	return nil
}

// commitNow settles and commits in this goroutine, without retry: the task ends
// or gives partitions up. What cannot be committed now is read again.
func (s *sinkTask) commitNow() error {
	if s.failed || !s.anything() {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.t.life, s.set.flushTimeout)
	defer cancel()
	if s.settles() {
		if err := s.t.guarded(s.flushing.place, func() error { return s.settle(ctx) }); err != nil {
			s.failed = connector.KindOf(err) != connector.KindRetriable && ctx.Err() == nil
			return s.t.at.wrap(s.flushing.place, "", err)
		}
	}
	return s.commit()
}
