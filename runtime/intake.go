package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// member is what an intake needs of a member of a consumer group. It is used
// from the task's goroutine only, but for Forfeit and Lag.
type member interface {
	Poll(ctx context.Context) (kafka.Event, error)
	Release()
	// Holds tells whether the member still has its partitions.
	Holds() bool
	Forfeit()
	Leave() kafka.Event
	Commit(ctx context.Context, next map[connector.TopicPartition]int64) error
	Pause(tps ...connector.TopicPartition)
	Resume(tps ...connector.TopicPartition)
	Seek(tp connector.TopicPartition, offset int64) error
	Assignment() []connector.TopicPartition
	Lag() map[connector.TopicPartition]int64
	Skipped() map[connector.TopicPartition]int64
	Close(ctx context.Context) error
}

// errRevoked breaks off a batch whose partitions go to another member.
var errRevoked = errors.New("partitions were revoked")

// intake is the reading side of sinks and streams: one member of a group, whose
// batches are worked on one at a time. Plugins run in jobs (job.go); the task's
// goroutine stays a member of the group. All fields are the task's goroutine's.
type intake struct {
	t        *Task
	consumer member
	poll     *stage
	journey  *journey
	handover time.Duration // how long a batch in work may delay a rebalance
	limit    limit         // of what is done between two polls

	// work takes a batch through its journey, in the job's goroutine.
	work func(ctx context.Context, b *batch)
	// finish delivers what came through, in the task's goroutine. Unless it fails it
	// takes made over, and calls done when nothing of it is on its way any more.
	finish func(b *batch) error
	// pending gives what ends when idle is to be called though nothing was read; nil
	// is that nothing does.
	pending func() context.Context
	// asked does what the plugin has asked for, before a batch; nil of streams.
	asked func() error
	// idle is called between batches, for commits that are due.
	idle func() error
	// settle waits for what finish has begun, before partitions are given up; nil where
	// closing sees to it.
	settle func() error
	// opened and closing tell of partitions, between batches. closing commits what
	// is finished; lost says that it is too late for that.
	opened  func(tps []connector.TopicPartition) error
	closing func(tps []connector.TopicPartition, lost bool) error

	most   int           // messages that are gathered for a batch, 0 what one poll brings
	linger time.Duration // how long the first of them waits
	last   int           // messages of the batch before: there is room at once for as many

	broken bool // the last batch was broken off: what was read of it comes again

	next    []kafka.Message                   // read while a job was at work
	made    *batch                            // from its begin until finish takes it over
	spare   [][]item                          // of batches that are done, for the next ones, while these come
	going   *going                            // nil while nothing is to be given up
	halted  bool                              // partitions are paused because the task is
	paused  map[connector.TopicPartition]bool // by the plugin
	abandon func() bool                       // keeps the end of the task's life from leaving the group
}

// going are partitions to be given up, once the job at work is settled.
type going struct {
	tps   []connector.TopicPartition
	lost  bool      // others may have them already
	until time.Time // so long the group waits; not at all for what is lost
}

// loop reads and works until the task is to stop or an error. What is left to be
// given up then leave does.
func (in *intake) loop() error {
	for in.t.quit.Err() == nil {
		in.halt()
		if err := in.turn(); err != nil {
			return err
		}
		if err := in.handOver(); err != nil {
			return err
		}
	}
	return nil
}

// turn reads, works on what was read and commits what is due, unless partitions
// are to be given up first.
func (in *intake) turn() error {
	if len(in.next) == 0 {
		if err := in.wait(); err != nil {
			return err
		}
	}
	if err := in.gather(); err != nil {
		return err
	}
	if in.asked != nil && in.going == nil {
		if err := in.asked(); err != nil {
			return err
		}
	}
	if in.going == nil && len(in.next) > 0 && in.t.quit.Err() == nil {
		if err := in.batch(in.first()); err != nil {
			return err
		}
	}
	if in.going != nil || in.broken {
		return nil
	}
	return in.idle()
}

// wait reads, until something comes or is to be done.
func (in *intake) wait() error {
	ctx, cancel := context.WithCancel(in.t.quit)
	defer cancel()
	if in.pending != nil {
		if p := in.pending(); p != nil {
			defer context.AfterFunc(p, cancel)()
		}
	}
	err := in.read(ctx)
	if len(in.next) == 0 && ctx.Err() == nil {
		in.spare = nil // nothing has come for a while: lists for whole batches are large
	}
	return err
}

// halt pauses and resumes partitions as the task was told to.
func (in *intake) halt() {
	paused := in.t.held() != nil
	if paused != in.halted {
		in.halted = paused
		if paused {
			in.consumer.Pause(in.consumer.Assignment()...)
		} else {
			in.resume()
		}
	}
	in.t.running()
}

// resume has partitions read again, but for those that the plugin has paused; none
// while the task is paused.
func (in *intake) resume() {
	if in.halted {
		return
	}
	in.consumer.Resume(slices.DeleteFunc(in.consumer.Assignment(), func(tp connector.TopicPartition) bool { return in.paused[tp] })...)
}

// pause has just these partitions paused for the plugin. What was read of them
// already comes again afterwards.
func (in *intake) pause(tps map[connector.TopicPartition]bool) error {
	first := map[connector.TopicPartition]int64{}
	see := func(m *kafka.Message) {
		if _, seen := first[m.From()]; !seen && tps[m.From()] {
			first[m.From()] = m.Offset
		}
	}
	if in.made != nil {
		for i := range in.made.items {
			see(in.made.items[i].read)
		}
	}
	for i := range in.next {
		see(&in.next[i])
	}
	for tp, offset := range first {
		if err := in.seek(tp, offset); err != nil {
			return err
		}
	}
	in.paused = tps
	in.consumer.Pause(slices.Collect(maps.Keys(tps))...)
	in.resume()
	return nil
}

// seek goes on reading a partition at another offset; what was read of it already
// is not worked on.
func (in *intake) seek(tp connector.TopicPartition, offset int64) error {
	in.forget(tp)
	return in.consumer.Seek(tp, offset)
}

// forget drops what was read of partitions and not worked on.
func (in *intake) forget(tps ...connector.TopicPartition) {
	in.next = slices.DeleteFunc(in.next, func(m kafka.Message) bool { return slices.Contains(tps, m.From()) })
	if in.made != nil {
		in.made.items = slices.DeleteFunc(in.made.items, func(it item) bool { return slices.Contains(tps, it.read.From()) })
	}
}

// read polls once and notes what comes. It is no error that only the wait has
// ended.
func (in *intake) read(ctx context.Context) error {
	var e kafka.Event
	err := in.poll.call(ctx, in.journey, 0, func() (err error) {
		e, err = in.consumer.Poll(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return environment(err)
	})
	if err != nil && ctx.Err() == nil && !errors.Is(err, errStopping) {
		return err
	}
	return in.note(e)
}

// maxGathered bounds the bytes of what is gathered for a batch.
const maxGathered = 4 << 20

// gather goes on reading until a batch has as many messages as the plugin wants,
// or the first has waited for long enough.
func (in *intake) gather() error {
	if len(in.next) == 0 || in.linger == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(in.t.quit, in.linger)
	defer cancel()
	counted, bytes := 0, 0
	for ; ; counted = len(in.next) {
		for _, m := range in.next[counted:] {
			bytes += len(m.Key) + len(m.Value)
		}
		if len(in.next) >= in.most || bytes >= maxGathered || in.going != nil || ctx.Err() != nil {
			return nil
		}
		if err := in.read(ctx); err != nil {
			return err
		}
	}
}

// first takes the messages of a batch out of what was read.
func (in *intake) first() []kafka.Message {
	n := len(in.next)
	if in.linger > 0 {
		n = min(n, in.most)
	}
	messages := in.next[:n:n]
	in.next, in.last = in.next[n:], n
	return messages
}

// note notes an event, for the loop or the job's wait to act on.
func (in *intake) note(e kafka.Event) error {
	in.poll.stats.records.Add(int64(len(e.Messages)))
	if len(in.next) == 0 {
		in.next = e.Messages
	} else {
		in.next = append(slices.Grow(in.next, max(in.last-len(in.next), 0)), e.Messages...)
	}
	switch e.Change {
	case kafka.Assigned:
		in.t.log.Info("partitions assigned", "partitions", fmt.Sprint(e.Partitions))
		if in.halted {
			in.consumer.Pause(e.Partitions...)
		}
		return in.limit.hold(func() error { return in.opened(e.Partitions) })
	case kafka.Revoked:
		in.going = &going{tps: e.Partitions, until: time.Now().Add(in.handover)}
	case kafka.Lost:
		in.going = &going{tps: e.Partitions, lost: true}
	}
	return nil
}

// handOver gives up the partitions that are to go, and lets the member join
// again.
func (in *intake) handOver() error {
	g := in.going
	if g == nil {
		return nil
	}
	var failed error
	if in.settle != nil {
		failed = in.settle()
		g = in.going // they may be lost by now
	}
	in.going = nil
	in.t.log.Info("partitions given up", "partitions", fmt.Sprint(g.tps), "lost", g.lost)
	in.forget(g.tps...)
	err := in.limit.hold(func() error { return in.closing(g.tps, g.lost) })
	in.consumer.Release()
	in.broken = false // what was read comes again to whoever has the partitions now
	return cmp.Or(failed, err)
}

// batch takes messages through the journey and delivers what came through.
func (in *intake) batch(messages []kafka.Message) error {
	in.made = in.begin(messages)
	err := in.run(func(ctx context.Context) error {
		in.work(in.made.span.In(ctx), in.made)
		return nil
	}, in.deliver)
	if in.made != nil { // it was broken off
		in.done(in.made, false)
		in.made = nil
	}
	return err
}

// deliver finishes a batch. The error that cut it comes after what was before it.
func (in *intake) deliver() error {
	stop := in.made.stop
	if err := in.finish(in.made); err != nil {
		return err
	}
	return stop
}

const (
	// itemCost is about what an item takes in memory beside the bytes of its record.
	itemCost = 512
	// maxSpare is how many lists of items are kept for other batches.
	maxSpare = 4
)

// begin makes a batch of messages.
func (in *intake) begin(messages []kafka.Message) *batch {
	in.t.counters.read(len(messages))
	var spare []item
	if n := len(in.spare); n > 0 {
		spare, in.spare = in.spare[n-1], in.spare[:n-1]
	}
	b := &batch{items: slices.Grow(spare, len(messages))[:len(messages)], began: time.Now()}
	b.whole = b.items
	for i := range messages {
		m := &messages[i]
		in.t.topics.note(in.t.spec.Task, m.Topic)
		b.size += len(m.Key) + len(m.Value) + itemCost
		b.items[i].take(m)
	}
	b.span = in.journey.span(in.t.life, b)
	return b
}

// done ends a batch. Where the producer may still have what is to be written, its
// items are not to be used again.
func (in *intake) done(b *batch, again bool) {
	in.t.counters.onTheirWay(-len(b.whole))
	in.t.counters.batches.observe(time.Since(b.began))
	b.span.End(b.stop)
	if again && len(in.spare) < maxSpare {
		clear(b.whole)
		in.spare = append(in.spare, b.whole[:0])
	}
}

// left counts what transforms dropped of a batch that is through.
func (in *intake) left(b *batch) {
	for i := range b.items {
		if b.items[i].fate == dropped {
			in.t.counters.dropped.Add(1)
		}
	}
}

// commit commits offsets: the next ones to be read.
func (in *intake) commit(next map[connector.TopicPartition]int64) error {
	if len(next) == 0 {
		return nil
	}
	defer in.t.watch.call("offset commit").end()
	began := time.Now()
	err := in.consumer.Commit(in.t.life, next)
	in.t.counters.committed(began, err)
	return err
}
