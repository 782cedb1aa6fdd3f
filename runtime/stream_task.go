package runtime

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// streamTask brings records from topics through transforms into a topic. It
// computes a batch first, with nothing open, and then sends it as one unit.
type streamTask struct {
	t       *Task
	set     *settings
	clients *clients
	parts   *parts
	in      *intake
	out     *outbox
	group   *kafka.GroupConsumer

	restoring, produce, committing *stage
	inputs                         []string // the topics read from, for the check of changelogs

	units   []*unit                            // on their way, the oldest first
	weight  int                                // of them, bytes
	settled map[connector.TopicPartition]int64 // next offsets of units that are through, to be committed
	through int                                // records of them
	due     time.Time                          // of the next commit
}

// newStreamTask makes everything. After an error nothing is left open.
func newStreamTask(t *Task, set *settings) (r runner, err error) {
	s := &streamTask{t: t, set: set, inputs: set.topics, settled: map[connector.TopicPartition]int64{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	t.plugin.Store(&connector.Info{Name: config.StreamClass, Version: config.Version})
	if s.clients, err = t.connect(set, true, true); err != nil {
		return nil, err
	}
	if s.parts, err = build(t, set, t.context()); err != nil {
		return nil, err
	}
	s.frame()
	if err = s.out.prepare(t.quit); err != nil {
		return nil, err
	}
	if err = s.check(); err != nil {
		return nil, err
	}
	if s.group, err = s.in.join(set, s.clients.consumer); err != nil {
		return nil, err
	}
	s.due = time.Now().Add(s.interval())
	return s, nil
}

// frame makes the stages and the intake.
func (s *streamTask) frame() {
	t := s.t
	s.restoring = &stage{place: "restore of state", java: "KAFKA_CONSUME", class: "stream", rule: rule{unmarked: connector.KindFatal}, long: true}
	s.produce = &stage{place: "output", java: "KAFKA_PRODUCE", class: "stream", rule: rule{unmarked: connector.KindFatal, tolerable: true}}
	s.committing = &stage{place: "offset commit", java: "KAFKA_PRODUCE", class: "stream", rule: rule{unmarked: connector.KindRetriable}, long: true}
	s.in = &intake{t: t, poll: consumeStage(), handover: maxHandover,
		journey: &journey{at: t.at, stages: s.parts.streamStages(), tolerance: t.tolerance, quit: t.quit.Done(), watch: t.watch, tracer: t.options.Tracer, live: t.live},
		work:    s.work, finish: s.finish, pending: s.pending, idle: s.idle, opened: s.opened, closing: s.closing}
	if n := len(s.parts.transforms); n > 0 {
		s.parts.transforms[n-1].tap = t.tap
	}
	s.out = t.outbox(s.set, s.clients, s.in.journey)
	stages := append([]*stage{s.in.poll}, s.in.journey.stages...)
	stages = append(stages, s.produce, s.committing)
	t.stages.Store(&stages)
}

// check refuses to start with state that does not fit the topics. Topics that
// are not there yet are checked with their first record.
func (s *streamTask) check() error {
	if len(s.inputs) == 0 {
		return nil // topics.regex: the assignment will tell
	}
	for _, st := range s.parts.stores {
		err := st.changelog(s.t.quit, s.clients.admin, s.inputs)
		if err != nil && !errors.Is(err, kafka.ErrUnknownTopic) {
			return s.t.at.wrap(st.place, "", err)
		}
	}
	return nil
}

// loop works until the task is to stop or an error. What was before that is
// delivered and committed.
func (s *streamTask) loop() error {
	err := s.in.loop()
	last := s.in.breaks(s.finishAll())
	if err == nil {
		return last
	}
	s.t.ended(last) // the first error is the one to show
	return err
}

// finishAll delivers what is on its way and commits. What failed before is not on
// its way any more.
func (s *streamTask) finishAll() error {
	err := s.drain()
	if err != nil {
		s.abandon()
	}
	if len(s.settled) > 0 && s.t.life.Err() == nil {
		err = errors.Join(err, s.commit())
	}
	return err
}

// work restores the state of the batch's partitions and takes the batch through
// its journey.
func (s *streamTask) work(ctx context.Context, b *batch) {
	if len(s.parts.stores) > 0 {
		if err := s.restore(ctx, s.clients.admin, b); err != nil {
			b.cut(0, err)
			return
		}
	}
	s.set.outward(b)
	s.in.journey.run(ctx, b)
}

// outward has the records of a stream go to its topic.
func (s *settings) outward(b *batch) {
	for i := range b.items {
		it := &b.items[i]
		it.record.Topic, it.record.Partition = s.topic, connector.AnyPartition
	}
}

// partitions gives the partitions that a batch was read from.
func (b *batch) partitions() []int32 {
	var partitions []int32
	for i := range b.items {
		if p := b.items[i].read.Partition; !slices.Contains(partitions, p) {
			partitions = append(partitions, p)
		}
	}
	return partitions
}

func (s *streamTask) restore(ctx context.Context, k changelogs, b *batch) error {
	partitions := b.partitions()
	s.t.counters.restoring.Store(true)
	defer func() {
		s.t.counters.restored.Store(time.Now().UnixNano())
		s.t.counters.restoring.Store(false)
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.t.quit, func() { cancel(errStopping) })() // nothing is lost with it
	return s.restoring.call(ctx, s.in.journey, 0, func() error {
		for _, st := range s.parts.stores {
			if err := st.prepare(ctx, k, s.inputs, partitions); err != nil {
				return err
			}
		}
		return nil
	})
}

// finish sends what came through, and waits while too much is on its way.
func (s *streamTask) finish(b *batch) error {
	return s.in.limit.hold(func() error {
		if err := s.send(b); err != nil {
			return err
		}
		s.in.made = nil
		return s.room()
	})
}

// pending gives what the oldest unit waits for.
func (s *streamTask) pending() context.Context {
	if len(s.units) == 0 {
		return nil
	}
	return s.units[0].sent
}

// idle settles what has arrived, and commits when nothing is on its way or when it
// is time to; with nothing on its way also positions behind what is never read.
func (s *streamTask) idle() error {
	if len(s.in.next) == 0 && len(s.units) == 0 {
		for tp, at := range s.in.consumer.Skipped() {
			s.settled[tp] = max(s.settled[tp], at)
		}
	}
	if len(s.units) == 0 && len(s.settled) == 0 {
		return nil
	}
	return s.in.held(func() error {
		if err := s.settle(); err != nil || len(s.settled) == 0 {
			return err
		}
		if len(s.units) > 0 && time.Now().Before(s.due) {
			return nil
		}
		return s.commit()
	})
}

// opened notes new partitions; their state is restored with the first record.
func (s *streamTask) opened(tps []connector.TopicPartition) error {
	assigned := map[int32]bool{}
	var topics []string
	for _, tp := range tps {
		assigned[tp.Partition] = true
		if !slices.Contains(topics, tp.Topic) {
			topics = append(topics, tp.Topic)
		}
	}
	if s.set.pattern != nil {
		s.inputs = topics
	}
	for _, st := range s.parts.stores {
		st.forget(assigned)
	}
	return nil
}

// closing delivers and commits what is on its way, unless that is too late.
func (s *streamTask) closing(tps []connector.TopicPartition, lost bool) (err error) {
	if !lost {
		if err = s.finishAll(); errors.Is(err, errRevoked) {
			lost, err = true, nil
		}
	}
	s.abandon()
	clear(s.settled)
	s.through = 0
	partitions := make([]int32, len(tps))
	for i, tp := range tps {
		partitions[i] = tp.Partition
	}
	for _, st := range s.parts.stores {
		if lost {
			st.drop(partitions)
		} else {
			st.park(partitions)
		}
	}
	return err
}

// close leaves the group and stops the plugins.
func (s *streamTask) close() {
	s.in.leave(s.group)
	s.t.release(nil, s.parts, s.clients)
}
