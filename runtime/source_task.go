package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/offset"
)

// sourceTask brings records from a source into Kafka.
type sourceTask struct {
	t       *Task
	set     *settings
	source  connector.Source
	clients *clients
	parts   *parts
	journey *journey
	out     *outbox
	queue   *inflight
	poll    *stage
	produce *stage

	// polling ends with the task's quit, and when a record failed for good: the
	// source need not be waited for then.
	polling context.Context
	abort   context.CancelCauseFunc
	flusher sync.WaitGroup

	mu       sync.Mutex
	through  []passage // for CommitRecord, which is called between polls
	refused  []refusal // what Kafka did not take
	notified bool      // offsets were committed since Commit was called last
}

// passage is a record that is through.
type passage struct {
	record connector.SourceRecord
	meta   *connector.RecordMetadata // nil for one that was dropped or tolerated
}

// refusal is a record that Kafka did not take.
type refusal struct {
	item   *item
	flight *flight
	err    error
}

// newSourceTask makes and starts everything. After an error nothing is left open.
func newSourceTask(t *Task, set *settings) (r runner, err error) {
	s := &sourceTask{t: t, set: set, queue: newInflight(t.spec.Connector)}
	s.polling, s.abort = context.WithCancelCause(t.quit)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	source, conf, err := instance[connector.Source](t, connector.SourceType, set.class)
	if err != nil {
		return nil, err
	}
	if s.clients, err = t.connect(set, true, false); err != nil {
		return nil, err
	}
	c := t.context()
	if s.parts, err = build(t.worker.options.Plugins, t.spec, set, c); err != nil {
		return nil, err
	}
	s.frame(source)
	if err = s.out.prepare(t.quit); err != nil {
		return nil, err
	}
	c.Offsets = offset.Reader(t.worker.options.Offsets, t.spec.Connector)
	if err = t.started(func(ctx context.Context) error { s.source = source; return source.Start(ctx, c, conf) }); err != nil {
		return nil, fmt.Errorf("source (%s): %w", source.Info().Name, err)
	}
	return s, nil
}

// frame makes the stages.
func (s *sourceTask) frame(source connector.Source) {
	t := s.t
	s.poll = newStage(source, "source", "TASK_POLL", connector.KindFatal)
	s.produce = newStage(source, "producer", "KAFKA_PRODUCE", connector.KindFatal)
	s.produce.place, s.produce.tolerable = "producer", true
	s.journey = &journey{at: t.at, stages: s.parts.sourceStages(), tolerance: t.tolerance, quit: t.quit.Done()}
	s.out = newOutbox(t, s.set, s.clients, s.journey)
	stages := append([]*stage{s.poll}, s.journey.stages...)
	stages = append(stages, s.produce)
	t.stages.Store(&stages)
}

// loop polls and delivers until the task is to stop, the source is done, or an
// error. What was acknowledged is committed then.
func (s *sourceTask) loop() error {
	stopFlusher := s.startFlusher()
	err := s.polls()
	stopFlusher()
	if errors.Is(err, errStopping) {
		err = nil
	}
	return s.finish(err)
}

func (s *sourceTask) polls() error {
	for s.t.gate() {
		s.t.running()
		records, pollErr := s.pollOnce()
		if s.t.life.Err() != nil {
			return errStopping // broken off: a successor may be at work
		}
		if err := s.deliver(records); err != nil {
			return err
		}
		if err := s.between(); err != nil {
			return err
		}
		if pollErr != nil {
			return pollErr
		}
	}
	return nil
}

// pollOnce gives the next records. Those that come with an error that ends the
// task are delivered before it does.
func (s *sourceTask) pollOnce() (records []connector.SourceRecord, err error) {
	done := false
	began := time.Now()
	err = s.poll.call(s.polling, s.journey, 0, func() error {
		got, err := s.source.Poll(s.polling)
		if errors.Is(err, connector.ErrDone) {
			done, err = true, nil
		}
		if connector.KindOf(err) != connector.KindRetriable {
			records = got // else it gives the same ones again
		}
		return err
	})
	s.t.counters.batches.observe(time.Since(began))
	s.poll.stats.records.Add(int64(len(records)))
	if done && err == nil {
		err = errDone
	}
	return records, err
}

// deliver takes records through the journey and hands them to the producer.
func (s *sourceTask) deliver(records []connector.SourceRecord) error {
	if len(records) == 0 {
		return nil
	}
	s.t.counters.read(len(records))
	b := &batch{items: make([]item, len(records))}
	flights := make([]flight, len(records))
	for i := range records {
		r := &records[i]
		r.Origin = connector.Origin{}
		b.items[i].polled, b.items[i].record = r, r.Record
		if err := s.queue.add(&flights[i], r.SourcePartition, r.SourceOffset); err != nil {
			// Nothing of the batch was sent: the flights stay open for ever, and
			// with them everything behind.
			return s.t.at.wrap(s.poll.place, "", err)
		}
	}
	s.journey.run(s.t.life, b)
	for i := range b.items {
		if err := s.send(&b.items[i], &flights[i]); err != nil {
			return err
		}
	}
	return b.stop
}

// send hands one item to the producer, or settles it otherwise.
func (s *sourceTask) send(it *item, f *flight) error {
	switch it.fate {
	case dropped:
		s.t.counters.dropped.Add(1)
		s.passed(it, f, nil)
		return nil
	case tolerated:
		return s.out.letter(s.t.life, it.original(), it.failure(s.t.at), func() { s.passed(it, f, nil) })
	}
	err := s.out.send(s.t.life, it.out, func(meta connector.RecordMetadata) {
		s.t.counters.wrote(1, meta.Timestamp)
		s.produce.stats.records.Add(1)
		s.passed(it, f, &meta)
	}, func(err error) {
		s.mu.Lock()
		s.refused = append(s.refused, refusal{it, f, err})
		s.mu.Unlock()
		if do, _ := s.t.tolerance.weigh(s.produce, err, 0, 0); do != tolerate {
			s.abort(err) // it ends the task: the poll need not be waited for
		}
	})
	if err != nil {
		return s.t.at.wrap(s.produce.place, it.place(), err)
	}
	return nil
}

// passed settles a record that is through. It is called from any goroutine.
func (s *sourceTask) passed(it *item, f *flight, meta *connector.RecordMetadata) {
	f.settle()
	s.t.counters.active.Add(-1)
	if _, ok := s.source.(connector.RecordCommitter); ok {
		s.mu.Lock()
		s.through = append(s.through, passage{*it.polled, meta})
		s.mu.Unlock()
	}
}

// between does what waits for the end of a poll: the source is called from one
// goroutine at a time.
func (s *sourceTask) between() error {
	s.mu.Lock()
	through, refused, notified := s.through, s.refused, s.notified
	s.through, s.refused, s.notified = nil, nil, false
	s.mu.Unlock()
	for _, r := range refused {
		if err := s.t.refused(s.produce, r.item, r.err); err != nil {
			return err
		}
		if err := s.out.letter(s.t.life, r.item.original(), r.item.failure(s.t.at), func() { s.passed(r.item, r.flight, nil) }); err != nil {
			return err
		}
	}
	if c, ok := s.source.(connector.RecordCommitter); ok {
		for _, p := range through {
			if err := guard(func() error { return c.CommitRecord(s.t.life, p.record, p.meta) }); err != nil {
				return s.t.at.wrap("commit of record in "+s.poll.place, "", err)
			}
		}
	}
	if c, ok := s.source.(connector.Committer); ok && notified {
		if err := guard(func() error { return c.Commit(s.t.life) }); err != nil {
			return s.t.at.wrap("commit in "+s.poll.place, "", err)
		}
	}
	if _, err := s.out.shorten(s.t.life); err != nil {
		return err
	}
	return s.out.failed()
}

// startFlusher commits offsets at intervals, and as soon as the task is to stop,
// in a goroutine of its own, since a poll may take long. The function it gives
// stops it and waits for its end.
func (s *sourceTask) startFlusher() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.life)
	s.flusher.Go(func() {
		ticker := time.NewTicker(max(s.set.flushInterval, time.Millisecond))
		defer ticker.Stop()
		for quit := s.t.quit.Done(); ; {
			select {
			case <-ticker.C:
			case <-quit:
				quit = nil
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				return
			}
			if err := s.commit(s.t.life); err != nil {
				s.t.log.Warn("source offsets not committed, they will be with the next ones: " + err.Error())
			}
		}
	})
	return func() { cancel(); s.flusher.Wait() }
}

// commit makes durable which records need not come again.
func (s *sourceTask) commit(ctx context.Context) error {
	c := s.queue.committable()
	if len(c.entries) == 0 {
		return nil
	}
	began := time.Now()
	err := s.t.worker.options.Offsets.Commit(ctx, s.t.spec.Connector, c.entries)
	s.t.counters.committed(began, err)
	if err != nil {
		return err
	}
	s.queue.committed(c)
	s.mu.Lock()
	s.notified = true
	s.mu.Unlock()
	return nil
}

// finish waits for what is on its way and commits. why is what ended the loop:
// a source that is done has all the time it needs, until the task is stopped.
func (s *sourceTask) finish(why error) error {
	ctx := s.t.life
	if ctx.Err() != nil {
		return why // a successor may be at work, whose offsets are the newer ones
	}
	if why != nil && !errors.Is(why, errDone) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.set.flushTimeout)
		defer cancel()
	}
	var errs []error
	for {
		if err := s.out.wait(ctx); err != nil {
			errs = append(errs, err)
			break
		}
		if err := s.between(); err != nil { // may send dead letters
			errs = append(errs, err)
			break
		}
		if s.out.idle() {
			break
		}
	}
	if err := s.commit(s.t.life); err != nil {
		errs = append(errs, s.t.at.wrap("offset commit", "", err))
	} else if err := s.between(); err != nil {
		errs = append(errs, err)
	}
	if len(errs) == 0 || why != nil && !errors.Is(why, errDone) {
		return why // the first reason is the one to show
	}
	return errors.Join(errs...)
}

// close stops the plugins.
func (s *sourceTask) close() {
	s.abort(errStopping)
	s.t.release(s.source, s.parts, s.clients)
}
