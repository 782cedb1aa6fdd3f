package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
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

	// These are the task's goroutine's.
	side    *side           // while the loop lasts
	due     time.Time       // of the next commit of offsets
	quit    <-chan struct{} // of the task, nil once offsets were committed for it
	busy    bool            // a poll is on: nothing else of the source is called
	news    bool            // offsets were committed since the source's Commit was called last
	failure error           // of a commit step while something was at work

	mu      sync.Mutex // guards the following
	through []passage  // for CommitRecord
	refused []refusal  // what Kafka did not take
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
	if s.parts, err = build(t, set, c); err != nil {
		return nil, err
	}
	s.frame(source)
	if err = s.out.prepare(t.quit); err != nil {
		return nil, err
	}
	c.Configs = t.configs(source)
	c.Offsets = offset.Reader(t.options.Offsets, t.spec.Connector)
	if err = t.started("source ("+source.Info().Name+")", func(ctx context.Context) error { s.source = source; return source.Start(ctx, c, conf) }); err != nil {
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
	s.journey = &journey{at: t.at, stages: s.parts.sourceStages(), tolerance: t.tolerance, quit: t.quit.Done(), watch: t.watch, tracer: t.options.Tracer, live: t.live, from: s.poll.place}
	s.out = t.outbox(s.set, s.clients, s.journey)
	stages := append([]*stage{s.poll}, s.journey.stages...)
	stages = append(stages, s.produce)
	t.stages.Store(&stages)
}

// loop polls and delivers until the task is to stop, the source is done, or an
// error. What was acknowledged is committed then.
func (s *sourceTask) loop() error {
	s.quit, s.due = s.t.quit.Done(), time.Now().Add(s.set.flushInterval)
	s.side = newSide()
	defer close(s.side.work)
	var err error
	for err == nil && s.t.quit.Err() == nil {
		if resumed := s.t.held(); resumed != nil {
			s.t.become(state.Paused, nil)
			err = s.rest(resumed)
		} else {
			s.t.become(state.Running, nil)
			err = s.turn()
		}
	}
	if errors.Is(err, errStopping) {
		err = nil
	}
	return s.end(err)
}

// rest waits for the end of a pause, or until the task is to stop or fails.
func (s *sourceTask) rest(resumed <-chan struct{}) error {
	err := s.run(func() error {
		select {
		case <-resumed:
		case <-s.polling.Done():
		}
		return nil
	})
	return cmp.Or(err, s.finish())
}

// turn polls once, delivers what comes and takes the commit step.
func (s *sourceTask) turn() error {
	var records []connector.SourceRecord
	s.busy = true
	pollErr := s.run(func() (err error) { records, err = s.pollOnce(); return err })
	s.busy = false
	if s.t.life.Err() != nil {
		return errStopping // broken off: a successor may be at work
	}
	if len(records) > 0 {
		if err := s.run(func() error { return s.deliver(records) }); err != nil {
			return err
		}
	}
	if err := s.finish(); err != nil {
		return err
	}
	return pollErr
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
	s.t.counters.read(len(records))
	b := &batch{items: make([]item, len(records))}
	flights := make([]flight, len(records))
	for i := range records {
		b.items[i].poll(&records[i])
	}
	if err := s.queue.add(flights, records); err != nil {
		// Nothing of the batch was sent: the flights stay open for ever, and with
		// them everything behind.
		return s.t.at.wrap(s.poll.place, "", err)
	}
	span := s.journey.span(s.t.life, b)
	s.journey.run(span.In(s.t.life), b)
	span.End(b.stop)
	return cmp.Or(s.send(b.items, flights), b.stop)
}

// send hands items to the producer, or settles them otherwise.
func (s *sourceTask) send(items []item, flights []flight) error {
	messages, from := make([]*kafka.Message, 0, len(items)), make([]int32, 0, len(items))
	for i := range items {
		it := &items[i]
		switch it.fate {
		case alive:
			messages, from = append(messages, &it.out), append(from, int32(i))
		case dropped:
			s.t.counters.dropped.Add(1)
			s.passed(it, &flights[i])
		}
	}
	n, err := s.out.send(s.t.life, messages, func(d *kafka.Delivery) { s.told(d, items, flights, from) })
	if err != nil {
		return s.t.at.wrap(s.produce.place, items[from[n]].place(), err)
	}
	if len(messages) == len(items) {
		return nil
	}
	for i := range items {
		it := &items[i]
		if it.fate != tolerated {
			continue
		}
		if err := s.out.letter(s.t.life, it.original(), it.failure(s.t.at), func() { s.passed(it, &flights[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// told takes what Kafka says of items, which the messages were made from. It is
// called from any goroutine.
func (s *sourceTask) told(d *kafka.Delivery, items []item, flights []flight, from []int32) {
	if d.Err != nil {
		s.mu.Lock()
		for _, m := range d.Which {
			i := from[m]
			s.refused = append(s.refused, refusal{&items[i], &flights[i], d.Err})
		}
		s.mu.Unlock()
		if do, _ := s.t.tolerance.weigh(s.produce.rule, d.Err, 0, 0); do != tolerate {
			s.abort(d.Err) // it ends the task: the poll need not be waited for
		}
		return
	}
	newest := connector.NoTimestamp
	for k := range d.Which {
		newest = max(newest, d.Timestamp(k))
	}
	s.t.counters.wrote(len(d.Which), newest)
	s.t.topics.note(s.t.spec.Task, d.Topic)
	s.produce.stats.records.Add(int64(len(d.Which)))
	s.queue.settle(func(yield func(*flight) bool) {
		for _, m := range d.Which {
			yield(&flights[from[m]])
		}
	})
	s.t.counters.onTheirWay(-len(d.Which))
	if s.notes() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for k, m := range d.Which {
			meta := d.Metadata(k)
			s.through = append(s.through, passage{*items[from[m]].polled, &meta})
		}
	}
}

// notes tells whether the source wants to hear of each record.
func (s *sourceTask) notes() bool {
	_, ok := s.source.(connector.RecordCommitter)
	return ok
}

// passed settles a record that is through without Kafka. It is called from any
// goroutine.
func (s *sourceTask) passed(it *item, f *flight) {
	f.settle()
	s.t.counters.onTheirWay(-1)
	if s.notes() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.through = append(s.through, passage{record: *it.polled})
	}
}

// close stops the plugins.
func (s *sourceTask) close() {
	s.abort(errStopping)
	s.t.release(s.source, s.parts, s.clients)
}
