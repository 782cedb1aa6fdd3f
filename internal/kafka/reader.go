package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// reader reads one assigned partition in its own goroutine and hands batches
// over one at a time; until one is taken nothing more is read from sarama, which
// holds a little ready; ahead bounds how much where messages are large.
type reader struct {
	tp      connector.TopicPartition
	from    int64
	room    chan struct{} // holds a token while nothing of this reader is held
	cancel  context.CancelFunc
	done    chan struct{}   // closed by the goroutine
	before  <-chan struct{} // the done of the partition's reader before it
	next    atomic.Int64    // the next offset to give
	end     atomic.Int64    // of the partition, as far as it is known
	nothing atomic.Int64    // up to this offset there is nothing to give, beyond next
	holds   atomic.Bool     // messages, until the owner has taken them
	trouble *trouble        // in reading
	skipped atomic.Bool     // what is never given was passed over
}

// batch is what a reader hands over.
type batch struct {
	r        *reader
	messages []Message
	size     int64 // of the messages, bytes
	err      error
}

// startReader starts reading a partition; stopReader or Close end it.
func (g *GroupConsumer) startReader(tp connector.TopicPartition, from int64) {
	ctx, cancel := context.WithCancel(g.ctx)
	r := &reader{tp: tp, from: from, room: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}), before: g.ending[tp],
		trouble: &trouble{log: g.client.options.Log.With("topic", tp.Topic, "partition", tp.Partition), health: g.client.options.health}}
	r.room <- struct{}{}
	r.next.Store(from)
	g.reader[tp], g.ending[tp] = r, r.done
	g.mu.Lock()
	g.reading[tp] = r
	g.mu.Unlock()
	g.work.Go(func() {
		defer close(r.done)
		if err := g.read(ctx, r); err != nil {
			g.give(ctx, batch{r: r, err: err}, nil)
		}
	})
}

// stopReader does not wait: a reader may be waiting for the network.
func (g *GroupConsumer) stopReader(tp connector.TopicPartition) {
	if r := g.reader[tp]; r != nil {
		delete(g.reader, tp)
		delete(g.given, tp)
		g.mu.Lock()
		delete(g.reading, tp)
		g.mu.Unlock()
		r.cancel()
		g.held = slices.DeleteFunc(g.held, func(b batch) bool { return b.r == r })
	}
}

// read reads until ctx ends, or something cannot be mended by trying again.
func (g *GroupConsumer) read(ctx context.Context, r *reader) error {
	if r.before != nil {
		<-r.before // sarama reads a partition once at a time; it was cancelled
	}
	t := r.trouble
	defer t.end()
	from := r.from
	for ctx.Err() == nil {
		g.ahead.begin(r.tp)
		pc, err := g.consumer.ConsumePartition(r.tp.Topic, r.tp.Partition, from)
		if err == nil {
			g.ahead.reading(r.tp, pc)
			f := &feed{pc: pc, next: from, trouble: t}
			err = g.pass(ctx, r, f)
			from = f.next
			f.stop()
		}
		g.ahead.end(r.tp)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errOutOfRange) || errors.Is(err, sarama.ErrOffsetOutOfRange) {
			was := from
			if from, err = g.reset(r.tp); err == nil {
				r.next.Store(from)
				t.log.Warn("offset is not there any more, starting anew", "was", was, "from", from)
				continue
			}
			from = was
			if connector.KindOf(err) == connector.KindFatal {
				return err
			}
		}
		t.note("partition cannot be read", err)
		pause(ctx, retryPause)
	}
	return nil
}

// pass passes on what a feed gives.
func (g *GroupConsumer) pass(ctx context.Context, r *reader, f *feed) error {
	for {
		if err := f.wait(ctx, r.room); err != nil {
			return err
		}
		messages, size, err := f.batch(ctx)
		if err != nil {
			r.room <- struct{}{} // for the next feed
			return err
		}
		r.holds.Store(true)
		r.end.CompareAndSwap(0, f.pc.HighWaterMarkOffset()) // until it is measured
		g.give(ctx, batch{r: r, messages: messages, size: size}, f)
	}
}

// give hands a batch to the owner, who may be busy for long.
func (g *GroupConsumer) give(ctx context.Context, b batch, f *feed) {
	var errs <-chan *sarama.ConsumerError
	if f != nil {
		errs = f.pc.Errors()
	}
	for {
		select {
		case g.batches <- b:
			return
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			f.note(err)
		case <-ctx.Done():
			return
		}
	}
}

// gather takes over what the readers have ready, up to the bound of a Poll.
func (g *GroupConsumer) gather() error {
	n, size := 0, int64(0)
	for _, b := range g.held {
		if !g.paused[b.r.tp] {
			n, size = n+len(b.messages), size+b.size
		}
	}
	for n < g.o.MaxPollRecords && size < g.o.MaxPollBytes {
		select {
		case b := <-g.batches:
			if err := g.accept(b); err != nil {
				return err
			}
			n, size = n+len(b.messages), size+b.size
			continue
		default:
		}
		break
	}
	return nil
}

// accept takes a batch from a reader.
func (g *GroupConsumer) accept(b batch) error {
	if g.reader[b.r.tp] != b.r {
		return nil // of an assignment that is over, or from before a Seek
	}
	if b.err != nil {
		return b.err
	}
	g.held = append(g.held, b)
	return nil
}

// settle frees the room of large messages that the last Poll gave: the owner is
// done with them when it polls again, unless it has paused their partition meanwhile.
func (g *GroupConsumer) settle() {
	var bytes int64
	for tp, n := range g.given {
		if !g.paused[tp] {
			bytes += g.ahead.done(tp, n)
			delete(g.given, tp)
		}
	}
	collect(bytes)
}

// take gives what is held, but for paused partitions, up to the bound of a Poll.
func (g *GroupConsumer) take() []Message {
	var out []Message
	var size int64
	all := 0
	for _, b := range g.held {
		all += len(b.messages)
	}
	rest := g.held[:0]
	for _, b := range g.held {
		n, before := 0, size
		if !g.paused[b.r.tp] {
			for n < len(b.messages) && len(out)+n < g.o.MaxPollRecords && (size < g.o.MaxPollBytes || len(out)+n == 0) {
				m := &b.messages[n]
				if n := large(m.Key, m.Value); n > 0 {
					g.given[b.r.tp] += n
				}
				size += m.size()
				n++
			}
		}
		if n > 0 {
			if out == nil {
				out = b.messages[:n:n] // nobody else has them
			} else {
				out = append(slices.Grow(out, min(all, g.o.MaxPollRecords)-len(out)), b.messages[:n]...)
			}
			b.r.next.Store(b.messages[n-1].Offset + 1)
			b.messages, b.size = b.messages[n:], b.size-(size-before)
		}
		if len(b.messages) > 0 {
			rest = append(rest, b)
		} else {
			b.r.holds.Store(false)
			b.r.room <- struct{}{}
		}
	}
	clear(g.held[len(rest):])
	g.held = rest
	return out
}

// Seek goes on reading a partition at another offset. It must be assigned.
func (g *GroupConsumer) Seek(tp connector.TopicPartition, offset int64) error {
	if g.reader[tp] == nil {
		return fmt.Errorf("topic %s partition %d is not assigned to this member", tp.Topic, tp.Partition)
	}
	g.stopReader(tp)
	g.startReader(tp, offset)
	return nil
}

// Pause keeps Poll from giving messages of these partitions; the membership
// goes on, and the other partitions are read as before.
func (g *GroupConsumer) Pause(tps ...connector.TopicPartition) {
	for _, tp := range tps {
		if g.reader[tp] != nil {
			g.paused[tp] = true
			g.ahead.pause(tp)
		}
	}
}

// Resume undoes Pause.
func (g *GroupConsumer) Resume(tps ...connector.TopicPartition) {
	for _, tp := range tps {
		delete(g.paused, tp)
		g.ahead.resume(tp)
	}
}
