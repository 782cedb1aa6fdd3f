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
// computes a batch first, with nothing open, and then commits it as one unit.
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
}

// newStreamTask makes everything. After an error nothing is left open.
func newStreamTask(t *Task, set *settings) (r runner, err error) {
	s := &streamTask{t: t, set: set, inputs: set.topics}
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
	return s, nil
}

// frame makes the stages and the intake.
func (s *streamTask) frame() {
	t := s.t
	s.restoring = &stage{place: "restore of state", java: "KAFKA_CONSUME", class: "stream", rule: rule{unmarked: connector.KindFatal}, long: true}
	s.produce = &stage{place: "output", java: "KAFKA_PRODUCE", class: "stream", rule: rule{unmarked: connector.KindFatal, tolerable: true}}
	s.committing = &stage{place: "offset commit", java: "KAFKA_PRODUCE", class: "stream", rule: rule{unmarked: connector.KindRetriable}, long: true}
	s.in = &intake{t: t, poll: consumeStage(), handover: maxHandover,
		journey: &journey{at: t.at, stages: s.parts.streamStages(), tolerance: t.tolerance, quit: t.quit.Done(), watch: t.watch, tracer: t.options.Tracer},
		work:    s.work, finish: s.finish, idle: s.idle, opened: s.opened, closing: s.closing}
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

func (s *streamTask) loop() error { return s.in.loop() }

// work restores the state of the batch's partitions and takes the batch through
// its journey.
func (s *streamTask) work(ctx context.Context, b *batch) {
	if len(s.parts.stores) > 0 {
		if err := s.restore(ctx, s.clients.admin, b); err != nil {
			b.cut(0, err)
			return
		}
	}
	for i := range b.items {
		it := &b.items[i]
		it.record.Topic, it.record.Partition = s.set.topic, connector.AnyPartition
	}
	s.in.journey.run(ctx, b)
}

func (s *streamTask) restore(ctx context.Context, k changelogs, b *batch) error {
	var partitions []int32
	for i := range b.items {
		if p := b.items[i].read.Partition; !slices.Contains(partitions, p) {
			partitions = append(partitions, p)
		}
	}
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

// finish is the commit unit: outputs, changelog, dead letters, input offsets,
// in this order, each arrived before the next is sent. After a crash in between
// the batch is computed again from state that has not seen it, or from state
// whose outputs are all there. A Kafka transaction can enclose the function.
func (s *streamTask) finish(b *batch) error {
	defer s.settle()
	if len(b.items) == 0 {
		return nil
	}
	ctx := s.t.life
	for _, step := range []func(context.Context, *batch) error{s.outputs, s.changelog, s.deadLetters, s.offsets} {
		if !s.in.consumer.Holds() {
			return errRevoked // another member does the batch again, with what the changelog says by now
		}
		if err := step(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// idle commits positions behind what is never read: between batches all is done
// that was.
func (s *streamTask) idle() error {
	if len(s.in.next) > 0 {
		return nil
	}
	skipped := s.in.consumer.Skipped()
	if len(skipped) == 0 {
		return nil
	}
	return s.in.run(func(context.Context) error { return nil }, func() error { return s.commit(skipped, 0) })
}

func (s *streamTask) settle() {
	for _, st := range s.parts.stores {
		st.settle()
	}
}

// outputs sends what came through. A record that Kafka refuses fails as in any
// other stage.
func (s *streamTask) outputs(ctx context.Context, b *batch) error {
	began, newest := time.Now(), connector.NoTimestamp
	sent := b.alive()
	messages := make([]*kafka.Message, len(sent))
	for k, i := range sent {
		messages[k] = &b.items[i].out
		newest = max(newest, messages[k].Timestamp)
	}
	refused := make([]error, len(sent)) // set by the producer's goroutines, read after wait
	if k, err := s.out.send(ctx, messages, func(d *kafka.Delivery) {
		note(refused, d)
		if d.Err == nil {
			s.t.topics.note(d.Topic)
		}
	}); err != nil {
		return s.t.at.wrap(s.produce.place, b.items[sent[k]].place(), err)
	}
	if err := s.out.wait(ctx); err != nil {
		return err
	}
	n := len(sent)
	for k, cause := range refused {
		if cause == nil {
			continue
		}
		n--
		if err := s.t.refused(s.produce, &b.items[sent[k]], cause); err != nil {
			return err
		}
	}
	s.produce.stats.observe(n, time.Since(began))
	if n > 0 {
		s.t.counters.wrote(n, newest)
	}
	return nil
}

// note notes an error of messages, each in its place.
func note(refused []error, d *kafka.Delivery) {
	for _, i := range d.Which {
		refused[i] = d.Err
	}
}

// changelog makes durable what stateful transforms wrote, and then lets their
// stores have it.
func (s *streamTask) changelog(ctx context.Context, b *batch) error {
	var writes []storeWrite
	for i := range b.items {
		writes = append(writes, b.items[i].writes...)
	}
	if len(writes) == 0 {
		return nil
	}
	messages := make([]*kafka.Message, len(writes))
	for i, w := range writes {
		messages[i] = &kafka.Message{Topic: w.stores.topic, Partition: w.store.partition, Key: w.key, Value: w.value, Timestamp: w.at}
	}
	offsets := make([]int64, len(writes))
	refused := make([]error, len(writes))
	i, err := s.out.append(ctx, messages, func(d *kafka.Delivery) {
		note(refused, d)
		for k, i := range d.Which {
			offsets[i] = d.Metadata(k).Offset
		}
	})
	if err != nil {
		return s.t.at.wrap("changelog "+writes[i].stores.topic, "", err)
	}
	if err := s.out.wait(ctx); err != nil {
		return err
	}
	for i, err := range refused {
		if err != nil {
			return s.t.at.wrap("changelog "+writes[i].stores.topic, "", err)
		}
	}
	for i, w := range writes {
		w.store.apply(w.key, w.value, w.at, offsets[i])
	}
	return nil
}

func (s *streamTask) deadLetters(ctx context.Context, b *batch) error {
	for i := range b.items {
		if it := &b.items[i]; it.fate == tolerated {
			if err := s.out.letter(ctx, it.original(), it.failure(s.t.at), nil); err != nil {
				return err
			}
		}
	}
	return s.out.wait(ctx)
}

// offsets commits the input offsets.
//
// Invariant 3: everything that the records before them became has arrived.
func (s *streamTask) offsets(_ context.Context, b *batch) error {
	next := map[connector.TopicPartition]int64{}
	for i := range b.items {
		m := b.items[i].read
		next[connector.TopicPartition{Topic: m.Topic, Partition: m.Partition}] = m.Offset + 1
	}
	return s.commit(next, len(b.items))
}

func (s *streamTask) commit(next map[connector.TopicPartition]int64, records int) error {
	return s.committing.call(s.t.life, s.in.journey, records, func() error {
		err := s.in.commit(next)
		if errors.Is(err, kafka.ErrGenerationLost) {
			s.t.log.Warn("partitions went to another member before their offsets were committed: it repeats the last batch")
			return nil
		}
		return err
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

func (s *streamTask) closing(tps []connector.TopicPartition, lost bool) error {
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
	return nil
}

// close leaves the group and stops the plugins.
func (s *streamTask) close() {
	s.in.leave(s.group)
	s.t.release(nil, s.parts, s.clients)
}
