package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// maxKept bounds the bytes of records that a buffering sink may still report:
// beyond it the sink is flushed ahead of time.
const maxKept = 64 << 20

// sinkTask brings records from Kafka into a sink.
type sinkTask struct {
	t        *Task
	set      *settings
	sink     connector.Sink
	clients  *clients
	parts    *parts
	in       *intake
	out      *outbox
	put      *stage
	opening  *stage // of partitions, where the sink wants to know of them
	flushing *stage

	putting *putting // nil while the sink has nothing to do

	// delivered are the next offsets of what the sink has taken, committed those of
	// what was committed last.
	delivered, committed map[connector.TopicPartition]int64
	chosen               map[connector.TopicPartition]int64 // by a PreCommitter, at its last call
	asked                sinkContext                        // what the sink asks for
	due                  time.Time                          // of the next commit
	failed               bool                               // a flush: what the sink still has is not known any more
	reporter             *reporter                          // nil where errors are not tolerated
	group                *kafka.GroupConsumer
}

// newSinkTask makes and starts everything. After an error nothing is left open.
func newSinkTask(t *Task, set *settings) (r runner, err error) {
	s := &sinkTask{t: t, set: set, delivered: map[connector.TopicPartition]int64{}, committed: map[connector.TopicPartition]int64{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	sink, conf, err := instance[connector.Sink](t, connector.SinkType, set.class)
	if err != nil {
		return nil, err
	}
	publisher, ok := sink.(connector.Publisher)
	publishes := ok && publisher.Publishes(conf)
	if s.clients, err = t.connect(set, set.letters != "" || publishes, true); err != nil {
		return nil, err
	}
	c := t.context()
	if s.parts, err = build(t, set, c); err != nil {
		return nil, err
	}
	s.frame(sink)
	if err = s.out.prepare(t.quit); err != nil {
		return nil, err
	}
	c.Configs, c.Sink = t.configs(sink), &s.asked
	if publishes {
		c.Publish = s.publish
	}
	if set.all {
		s.reporter = &reporter{s: s, kept: map[connector.Origin]*kafka.Message{}}
		c.Reporter = s.reporter
	}
	if err = t.started("sink ("+sink.Info().Name+")", func(ctx context.Context) error { s.sink = sink; return sink.Start(ctx, c, conf) }); err != nil {
		return nil, fmt.Errorf("sink (%s): %w", sink.Info().Name, err)
	}
	if b, ok := sink.(connector.Batcher); ok {
		if s.in.most, s.in.linger = b.Batch(); s.in.most < 1 {
			s.in.linger = 0 // it wants nothing joined
		}
	}
	if s.group, err = s.in.join(set, s.clients.consumer); err != nil {
		return nil, err
	}
	s.due = time.Now().Add(set.flushInterval)
	return s, nil
}

// frame makes the stages and the intake.
func (s *sinkTask) frame(sink connector.Sink) {
	t := s.t
	s.put = newStage(sink, "sink", "TASK_PUT", connector.KindFatal)
	s.opening = newStage(sink, "opening of partitions in sink", "TASK_PUT", connector.KindFatal)
	s.flushing = newStage(sink, "flush of sink", "TASK_PUT", connector.KindFatal)
	s.in = &intake{t: t, poll: consumeStage(), handover: maxHandover,
		journey: &journey{at: t.at, stages: s.parts.sinkStages(), tolerance: t.tolerance, quit: t.quit.Done(), watch: t.watch, tracer: t.options.Tracer, live: t.live, to: s.put.place},
		work:    s.work, finish: s.finish, pending: s.pending, asked: s.obey, idle: s.idle, settle: s.awaitPut, opened: s.opened, closing: s.closing}
	s.out = t.outbox(s.set, s.clients, s.in.journey)
	stages := append([]*stage{s.in.poll}, s.in.journey.stages...)
	stages = append(stages, s.put, s.flushing)
	t.stages.Store(&stages)
}

// loop works until the task is to stop or an error, and commits what the sink
// has taken.
func (s *sinkTask) loop() error {
	err := s.in.loop()
	if taken := s.awaitPut(); err == nil {
		err = taken
	} else if !errors.Is(err, taken) { // the first error is the one to show
		s.t.ended(taken)
	}
	// Invariant 3: what the sink has is flushed and committed in any case.
	last := s.commitNow()
	if err == nil {
		return last
	}
	if !errors.Is(err, last) {
		s.t.ended(last)
	}
	return err
}

// work takes a batch through its journey.
func (s *sinkTask) work(ctx context.Context, b *batch) { s.in.journey.run(ctx, b) }

// maxAhead bounds, in bytes, a batch in the sink beside which the next one is read
// and converted.
const maxAhead = 4 << 20

// putting is a batch that the sink has at the moment.
type putting struct {
	batch *batch
	job   *job
}

// finish gives a batch to the sink as soon as it has taken the one before. It does
// not wait for the sink then: meanwhile the next batch is converted.
func (s *sinkTask) finish(b *batch) error {
	if err := s.awaitPut(); err != nil {
		return err
	}
	if s.in.broken || s.in.going != nil {
		return errRevoked // the batch before held it up until now
	}
	if err := s.obey(); err != nil {
		return err
	}
	s.in.made = nil
	s.putting = &putting{b, s.in.start(func(ctx context.Context) error {
		s.write(ctx, b)
		return nil
	})}
	if b.size > maxAhead {
		return s.awaitPut()
	}
	return nil
}

// awaitPut waits until the sink has taken what it was given.
func (s *sinkTask) awaitPut() error {
	p := s.putting
	if p == nil {
		return nil
	}
	s.putting = nil
	again := false
	err := s.in.await(p.job, func() error {
		again = true
		return s.in.limit.hold(func() error { return s.took(p.batch) })
	})
	s.in.done(p.batch, again)
	return err
}

// pending gives what ends with the sink's call.
func (s *sinkTask) pending() context.Context {
	if s.putting == nil {
		return nil
	}
	return s.putting.job
}

// write puts what came through into the sink, in the job's goroutine.
func (s *sinkTask) write(ctx context.Context, b *batch) {
	records := make([]connector.Record, 0, len(b.items))
	oldest, newest := connector.NoTimestamp, connector.NoTimestamp
	for i := range b.items {
		if it := &b.items[i]; it.fate == alive {
			records = append(records, it.record)
			newest = max(newest, it.record.Timestamp)
			oldest = older(oldest, it.record.Timestamp)
		}
	}
	if len(records) == 0 {
		return
	}
	s.reporter.keep(b)
	err := s.put.call(b.span.In(ctx), s.in.journey, len(records), func() error { return s.sink.Put(ctx, records) })
	if err != nil {
		b.cut(0, err)
		return
	}
	s.t.counters.wrote(len(records), newest)
	s.t.counters.arrived(oldest)
}

// older gives the older one of two timestamps, of which either may not be there.
func older(a, b int64) int64 {
	if a == connector.NoTimestamp || b != connector.NoTimestamp && b < a {
		return b
	}
	return a
}

// took notes what the sink has taken and sends the dead letters. The error that cut
// the batch comes after what was before it.
func (s *sinkTask) took(b *batch) error {
	s.in.left(b)
	for i := range b.items {
		it := &b.items[i]
		if it.fate == tolerated {
			if err := s.out.letter(s.t.life, it.original(), it.failure(s.t.at), nil); err != nil {
				return err
			}
		}
		s.delivered[it.read.From()] = it.read.Offset + 1
	}
	if !s.buffers() {
		s.reporter.forget(s.delivered)
	}
	return b.stop
}

// opened tells the sink of partitions, and again while its system is away, as at its
// start.
func (s *sinkTask) opened(tps []connector.TopicPartition) error {
	s.asked.assign(tps)
	l, ok := s.sink.(connector.PartitionListener)
	if !ok || len(tps) == 0 {
		return nil
	}
	return s.opening.call(s.t.quit, s.in.journey, 0, func() error { return l.Open(tps) })
}

// closing commits what the sink has of partitions that are given up.
func (s *sinkTask) closing(tps []connector.TopicPartition, lost bool) error {
	if !lost {
		if err := s.commitNow(); err != nil {
			s.t.log.Warn("offsets not committed before partitions were given up: " + err.Error())
			s.t.counters.commitsFailed.Add(1)
			s.t.counters.successes.observe(0)
		}
	}
	s.asked.assign(nil)
	for _, tp := range tps {
		s.reporter.forget(map[connector.TopicPartition]int64{tp: math.MaxInt64})
		delete(s.delivered, tp)
		delete(s.committed, tp)
	}
	if !s.anything() {
		s.t.offsets.drop() // there is nothing to be committed any more
	}
	if l, ok := s.sink.(connector.PartitionListener); ok {
		if err := s.t.guarded("closing of partitions in "+s.put.place, func() error { return l.Close(tps) }); err != nil {
			return s.t.at.wrap(s.put.place, "", err)
		}
	}
	return nil
}

// close leaves the group and stops the plugins.
func (s *sinkTask) close() {
	s.in.leave(s.group)
	s.t.release(s.sink, s.parts, s.clients)
}

// reporter is a sink's errant-record reporter. It keeps the bytes of records
// that the sink may still report: those of the batch at hand, of a buffering
// sink those since the last flush. A nil reporter keeps nothing.
type reporter struct {
	s *sinkTask

	mu    sync.Mutex
	kept  map[connector.Origin]*kafka.Message
	bytes int
}

var _ connector.ErrantReporter = (*reporter)(nil)

func (r *reporter) keep(b *batch) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range b.items {
		if it := &b.items[i]; it.fate == alive {
			r.drop(it.record.Origin)
			r.kept[it.record.Origin] = it.read
			r.bytes += len(it.read.Key) + len(it.read.Value)
		}
	}
}

// forget drops the records before these offsets: the sink does not report them any
// more.
func (r *reporter) forget(before map[connector.TopicPartition]int64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for o := range r.kept {
		if o.Offset < before[connector.TopicPartition{Topic: o.Topic, Partition: o.Partition}] {
			r.drop(o)
		}
	}
}

// drop drops a record, if it is kept. The caller holds the lock.
func (r *reporter) drop(o connector.Origin) {
	if m, ok := r.kept[o]; ok {
		delete(r.kept, o)
		r.bytes -= len(m.Key) + len(m.Value)
	}
}

func (r *reporter) size() int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

// Report dead-letters a record that the sink could not write.
//
// Invariant 3: commit waits for the letter.
func (r *reporter) Report(ctx context.Context, rec connector.Record, cause error) error {
	r.mu.Lock()
	m, ok := r.kept[rec.Origin]
	r.mu.Unlock()
	if !ok {
		return connector.Fatal(fmt.Errorf("record %s was reported, but it is not among those put since the last flush",
			placeOf(rec.Origin.Topic, rec.Origin.Partition, rec.Origin.Offset)))
	}
	it := &item{record: rec, read: m}
	r.s.t.errors.failures.Add(1)
	it.tolerate(r.s.t.tolerance, failure{stage: r.s.put, cause: cause, err: r.s.t.at.wrap(r.s.put.place, it.place(), cause)})
	return r.s.out.letter(ctx, it.original(), it.failure(r.s.t.at), nil)
}

// Wait waits until the letters have arrived.
func (r *reporter) Wait(ctx context.Context) error { return r.s.out.wait(ctx) }

// publish sends a message of the sink's own. A commit waits for it, and fails with
// what Kafka does not take.
func (s *sinkTask) publish(ctx context.Context, m connector.Message) error {
	message := &kafka.Message{Topic: m.Topic, Partition: connector.AnyPartition, Key: m.Key, Value: m.Value, Timestamp: connector.NoTimestamp}
	_, err := s.out.send(ctx, []*kafka.Message{message}, func(d *kafka.Delivery) {
		if d.Err != nil {
			s.out.done(0, s.t.at.wrap("message to topic "+m.Topic, "", d.Err))
		}
	})
	return err
}
