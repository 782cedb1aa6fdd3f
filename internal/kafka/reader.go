package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
)

// reader reads one assigned partition in its own goroutine and hands batches
// over one at a time; until one is taken nothing more is read from sarama.
type reader struct {
	feed   *feed
	taken  chan struct{} // holds a token while nothing of this reader is held
	cancel context.CancelFunc
	done   chan struct{} // closed by the goroutine
}

// batch is what a reader hands over.
type batch struct {
	r        *reader
	messages []Message
	err      error
}

func (g *GroupConsumer) startReader(tp connector.TopicPartition, from int64) error {
	pc, err := g.consumer.ConsumePartition(tp.Topic, tp.Partition, from)
	if err != nil {
		if from, err = g.reset(tp); err != nil {
			return err
		}
		g.client.options.Log.Warn("offset is not there any more, starting anew", "topic", tp.Topic, "partition", tp.Partition, "from", from)
		if pc, err = g.consumer.ConsumePartition(tp.Topic, tp.Partition, from); err != nil {
			return connector.Retriable(fmt.Errorf("topic %s partition %d: %w", tp.Topic, tp.Partition, err))
		}
	}
	ctx, cancel := context.WithCancel(g.ctx)
	r := &reader{feed: newFeed(tp, pc, from), taken: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	r.taken <- struct{}{}
	g.reader[tp] = r
	g.work.Go(func() {
		defer close(r.done)
		g.read(ctx, r)
	})
	return nil
}

// read hands batches over until ctx ends, at stopReader or Close, or an error.
func (g *GroupConsumer) read(ctx context.Context, r *reader) {
	for {
		select {
		case <-r.taken:
		case <-ctx.Done():
			return
		}
		messages, err := r.feed.next(ctx, -1)
		if len(messages) == 0 && err == nil {
			return // ctx has ended
		}
		select {
		case g.batches <- batch{r, messages, err}:
		case <-ctx.Done():
		}
		if err != nil {
			return
		}
	}
}

func (g *GroupConsumer) stopReader(tp connector.TopicPartition) {
	r := g.reader[tp]
	if r == nil {
		return
	}
	delete(g.reader, tp)
	r.cancel()
	<-r.done
	r.feed.stop()
	g.held = slices.DeleteFunc(g.held, func(b batch) bool { return b.r == r })
}

// accept takes a batch from a reader. Where the offset is not there any more it
// starts anew.
func (g *GroupConsumer) accept(b batch) error {
	tp := b.r.feed.tp
	if g.reader[tp] != b.r {
		return nil // of an assignment that is over, or from before a Seek
	}
	if b.err == nil {
		g.held = append(g.held, b)
		return nil
	}
	if !errors.Is(b.err, errOutOfRange) {
		return connector.Retriable(b.err)
	}
	from, err := g.reset(tp)
	if err != nil {
		return err
	}
	g.client.options.Log.Warn("offset is not there any more, starting anew", "topic", tp.Topic, "partition", tp.Partition, "was", b.r.feed.position(), "from", from)
	return g.Seek(tp, from)
}

// take gives what is held, but for paused partitions, up to the bound of a Poll.
func (g *GroupConsumer) take() []Message {
	var out []Message
	rest := g.held[:0]
	for _, b := range g.held {
		room := g.o.MaxPollRecords - len(out)
		switch {
		case g.paused[b.r.feed.tp] || room == 0:
			rest = append(rest, b)
		case len(b.messages) > room:
			out = append(out, b.messages[:room]...)
			b.messages = b.messages[room:]
			rest = append(rest, b)
		default:
			out = append(out, b.messages...)
			b.r.taken <- struct{}{}
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
	return g.startReader(tp, offset)
}

// Pause keeps Poll from giving messages of these partitions; the membership
// goes on.
func (g *GroupConsumer) Pause(tps ...connector.TopicPartition) {
	for _, tp := range tps {
		if g.reader[tp] != nil {
			g.paused[tp] = true
		}
	}
}

// Resume undoes Pause.
func (g *GroupConsumer) Resume(tps ...connector.TopicPartition) {
	for _, tp := range tps {
		delete(g.paused, tp)
	}
}
