package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// consumer is what an intake needs of a member of a consumer group. It is used
// from the task's goroutine only.
type consumer interface {
	Poll(ctx context.Context) ([]kafka.Message, error)
	Commit(ctx context.Context, next map[connector.TopicPartition]int64) error
	Pause(tps ...connector.TopicPartition)
	Resume(tps ...connector.TopicPartition)
	Assignment() []connector.TopicPartition
	Lag() map[connector.TopicPartition]int64
	Close(ctx context.Context) error
}

// errRevoked breaks off a batch whose partitions go to another member.
var errRevoked = errors.New("partitions were revoked")

const (
	// patience is how long a batch may take before the consumer is polled
	// meanwhile, so that rebalances are noticed.
	patience = 200 * time.Millisecond
	// lagEvery is how often the lag is noted for snapshots.
	lagEvery = time.Second
)

// intake is the reading side of sinks and streams: one member of a group, whose
// batches are worked on one at a time. Plugins run in a goroutine of their own
// while the task's goroutine stays a member of the group.
type intake struct {
	t        *Task
	consumer consumer
	poll     *stage
	journey  *journey
	handover time.Duration // how long a batch in work may delay a rebalance

	// work takes a batch through its journey, in the job's goroutine.
	work func(ctx context.Context, b *batch)
	// finish delivers what came through, in the task's goroutine.
	finish func(b *batch) error
	// idle is called between batches, for commits that are due.
	idle func() error
	// opened and closing tell of partitions. closing commits what is finished;
	// lost says that it is too late for that.
	opened  func(tps []connector.TopicPartition) error
	closing func(tps []connector.TopicPartition, lost bool)

	job     *job
	next    []kafka.Message // read while a job was at work
	err     error           // of a callback: it ends the loop
	halted  bool            // partitions are paused because the task is
	abandon func() bool     // keeps the end of the task's life from leaving the group
	owned   map[connector.TopicPartition]bool
	lagged  time.Time
}

// job is something that plugins do, in its own goroutine.
type job struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed by the goroutine
	err    error         // valid once done is closed
	then   func() error
}

// loop reads and works until the task is to stop or an error.
func (in *intake) loop() error {
	for in.t.quit.Err() == nil {
		in.halt()
		if len(in.next) == 0 {
			in.read(in.t.quit)
		}
		if in.err != nil {
			return in.err
		}
		messages := in.next
		in.next = nil
		if len(messages) > 0 && in.t.quit.Err() == nil {
			if err := in.batch(messages); err != nil {
				return err
			}
		}
		if err := in.idle(); err != nil {
			return err
		}
		in.lag()
	}
	return nil
}

// halt pauses and resumes partitions as the task was told to.
func (in *intake) halt() {
	paused := in.t.isPaused()
	if paused != in.halted {
		in.halted = paused
		if paused {
			in.consumer.Pause(in.consumer.Assignment()...)
		} else {
			in.consumer.Resume(in.consumer.Assignment()...)
		}
	}
	in.t.running()
}

// read polls once. What comes is put into next.
func (in *intake) read(ctx context.Context) {
	var got []kafka.Message
	err := in.poll.call(ctx, in.journey, 0, func() (err error) {
		got, err = in.consumer.Poll(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return environment(err)
	})
	in.poll.stats.records.Add(int64(len(got)))
	in.next = append(in.next, got...)
	if err != nil && ctx.Err() == nil && !errors.Is(err, errStopping) && in.err == nil { // else only the wait has ended
		in.err = err
	}
}

// batch takes messages through the journey and delivers what came through.
func (in *intake) batch(messages []kafka.Message) error {
	began := time.Now()
	in.t.counters.read(len(messages))
	defer in.t.counters.active.Add(-int64(len(messages)))
	b := &batch{items: make([]item, len(messages))}
	for i := range messages {
		m := &messages[i]
		b.items[i].read = m
		b.items[i].record = connector.Record{Topic: m.Topic, Partition: m.Partition, Timestamp: m.Timestamp,
			TimestampType: m.TimestampType, Origin: connector.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset}}
	}
	err := in.run(func(ctx context.Context) error {
		in.work(ctx, b)
		return nil
	}, func() error { return in.delivered(b) })
	in.t.counters.batches.observe(time.Since(began))
	return err
}

// delivered finishes a batch. The error that cut it comes after what was before it.
func (in *intake) delivered(b *batch) error {
	for i := range b.items {
		if b.items[i].fate == dropped {
			in.t.counters.dropped.Add(1)
		}
	}
	if err := in.finish(b); err != nil {
		return err
	}
	return b.stop
}

// run does something in a goroutine of its own and then something in this one.
// Meanwhile the consumer goes on being polled, with all partitions paused. A
// rebalance may finish or break off the job before run comes back to it.
func (in *intake) run(do func(ctx context.Context) error, then func() error) error {
	ctx, cancel := context.WithCancelCause(in.t.life)
	defer cancel(nil)
	j := &job{cancel: cancel, done: make(chan struct{}), then: then}
	in.job = j
	poll, wake := context.WithCancel(in.t.quit)
	defer wake()
	go func() { // ends when do does; every job is waited for
		defer wake()
		defer close(j.done)
		j.err = guard(func() error { return do(ctx) })
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-j.done:
		return in.end(j)
	case <-timer.C:
	}
	in.consumer.Pause(in.consumer.Assignment()...)
	defer func() {
		if !in.halted {
			in.consumer.Resume(in.consumer.Assignment()...)
		}
	}()
	for in.job == j && in.err == nil {
		select {
		case <-j.done:
			return in.end(j)
		case <-in.t.quit.Done(): // no more polls: the job may end in peace
			<-j.done
			return in.end(j)
		default:
			in.read(poll)
		}
	}
	if in.job == j { // polling has failed for good
		j.cancel(in.err)
		<-j.done
		in.job = nil
		return in.err
	}
	return j.err
}

// end finishes a job that is done. That it was broken off is no error.
func (in *intake) end(j *job) error {
	in.job = nil
	if j.err == nil {
		j.err = j.then()
	}
	if errors.Is(j.err, errRevoked) || errors.Is(j.err, errStopping) {
		j.err = nil
	}
	return j.err
}

// assigned is the consumer's callback for new partitions.
func (in *intake) assigned(starts map[connector.TopicPartition]int64) {
	tps := make([]connector.TopicPartition, 0, len(starts))
	for tp := range starts {
		tps = append(tps, tp)
	}
	slices.SortFunc(tps, func(a, b connector.TopicPartition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	in.t.log.Info("partitions assigned", "partitions", fmt.Sprint(tps))
	in.owned = map[connector.TopicPartition]bool{}
	for _, tp := range tps {
		in.owned[tp] = true
	}
	if in.halted {
		in.consumer.Pause(tps...)
	}
	if err := in.opened(tps); err != nil && in.err == nil {
		in.err = err
	}
}

// revoked is the consumer's callback for partitions that are about to be given
// up. A batch in work may still be finished, but not for long: the whole group
// waits.
func (in *intake) revoked(tps []connector.TopicPartition) {
	if j := in.job; j != nil {
		in.settle(j, in.handover)
		if err := in.end(j); err != nil && in.err == nil {
			in.err = err
		}
	}
	in.gone(tps, false)
}

// settle waits for a job to end and breaks it off when that takes too long or
// when it only waits for a retry.
func (in *intake) settle(j *job, limit time.Duration) {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-j.done:
			return
		case <-look.C:
			if in.t.errors.waiting.Load() == 0 {
				continue
			}
		case <-deadline.C:
		}
		j.cancel(errRevoked)
		<-j.done
		return
	}
}

// lost is the consumer's callback for partitions that others have already.
func (in *intake) lost(tps []connector.TopicPartition) {
	if j := in.job; j != nil {
		j.cancel(errRevoked)
		<-j.done
		in.job, j.err = nil, nil
	}
	in.gone(tps, true)
}

// gone lets go of partitions. Those that turn out to be lost while they are
// revoked come here twice, and count once.
func (in *intake) gone(tps []connector.TopicPartition, lost bool) {
	tps = slices.DeleteFunc(slices.Clone(tps), func(tp connector.TopicPartition) bool { return !in.owned[tp] })
	if len(tps) == 0 {
		return
	}
	for _, tp := range tps {
		delete(in.owned, tp)
	}
	in.t.log.Info("partitions given up", "partitions", fmt.Sprint(tps), "lost", lost)
	in.next = slices.DeleteFunc(in.next, func(m kafka.Message) bool {
		return slices.Contains(tps, connector.TopicPartition{Topic: m.Topic, Partition: m.Partition})
	})
	in.closing(tps, lost)
}

// commit commits offsets: the next ones to be read.
func (in *intake) commit(next map[connector.TopicPartition]int64) error {
	if len(next) == 0 {
		return nil
	}
	began := time.Now()
	err := in.consumer.Commit(in.t.life, next)
	in.t.counters.committed(began, err)
	return err
}

func (in *intake) lag() {
	if now := time.Now(); now.Sub(in.lagged) >= lagEvery {
		in.lagged = now
		lag := in.consumer.Lag()
		in.t.lag.Store(&lag)
	}
}
