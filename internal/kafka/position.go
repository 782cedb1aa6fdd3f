package kafka

import (
	"errors"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// measureEvery is how often the ends of the assigned partitions are asked for.
const measureEvery = 2 * time.Second

// measure finds out, until Close, where the assigned partitions end, also while
// the owner is busy and nothing is read; and for those in which nothing comes
// whether there is anything to come: what is behind the last record may be
// markers of transactions, aborted records, or records that were compacted away.
func (g *GroupConsumer) measure() {
	before := map[*reader]int64{}
	for pause(g.ctx, measureEvery) {
		g.mu.Lock()
		readers := make([]*reader, 0, len(g.reading))
		for _, r := range g.reading {
			readers = append(readers, r)
		}
		g.mu.Unlock()
		ends, err := do(g.ctx, func() (map[*reader]int64, error) { return g.ends(readers), nil })
		if err != nil {
			continue // it is closed
		}
		now := map[*reader]int64{}
		for r, end := range ends {
			r.end.Store(end)
			now[r] = r.next.Load()
			if now[r] >= end {
				r.trouble.over() // its leader answers, and there is nothing to read
			}
			if at, ok := before[r]; ok && at == now[r] && at < end && !r.holds.Load() {
				g.skip(r, end)
			}
		}
		before = now
	}
}

// ends asks the leaders of partitions where these end for their reader. Those that
// cannot tell are left out: whoever needs them says that they are away.
func (g *GroupConsumer) ends(readers []*reader) map[*reader]int64 {
	byLeader := map[*sarama.Broker][]*reader{}
	for _, r := range readers {
		leader, err := g.client.client.Leader(r.tp.Topic, r.tp.Partition)
		if err != nil {
			continue
		}
		byLeader[leader] = append(byLeader[leader], r)
	}
	ends := map[*reader]int64{}
	for leader, list := range byLeader {
		req := sarama.NewOffsetRequest(g.client.client.Config().Version)
		req.IsolationLevel = g.client.client.Config().Consumer.IsolationLevel
		for _, r := range list {
			req.AddBlock(r.tp.Topic, r.tp.Partition, sarama.OffsetNewest, 1)
		}
		resp, err := leader.GetAvailableOffsets(req)
		if err != nil {
			continue
		}
		for _, r := range list {
			if b := resp.GetBlock(r.tp.Topic, r.tp.Partition); b != nil && b.Err == sarama.ErrNoError {
				ends[r] = b.Offset
			}
		}
	}
	return ends
}

// errSeen ends a look for the next record.
var errSeen = errors.New("there is a record")

// skip moves a reader's position behind what no reader is given.
func (g *GroupConsumer) skip(r *reader, end int64) {
	s := &scan{client: g.client, tp: r.tp, next: r.next.Load(), end: end, bytes: g.client.client.Config().Consumer.Fetch.Default,
		uncommitted: !g.o.ReadCommitted}
	defer s.close()
	for s.next < end {
		block, err := s.fetch(g.ctx)
		if err != nil {
			return // the next look will tell
		}
		done, err := s.pass(block, func(Message) error { return errSeen })
		if r.advance(s.next) {
			r.skipped.Store(true)
		}
		if err == nil && done {
			// The last records were compacted away. The position stays: that nothing
			// comes may also be for a broker that is slow to look.
			r.nothing.Store(end)
		}
		if err != nil || done {
			return
		}
	}
}

// advance moves the position on, not back: Poll may have given more meanwhile.
func (r *reader) advance(to int64) bool {
	for at := r.next.Load(); at < to; at = r.next.Load() {
		if r.next.CompareAndSwap(at, to) {
			return true
		}
	}
	return false
}

// Lag gives for each partition the number of offsets between the next message
// that Poll gives and the end, as far as it is known: that of the last committed
// transaction where only those are read. It is safe from any goroutine.
func (g *GroupConsumer) Lag() map[connector.TopicPartition]int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	lag := map[connector.TopicPartition]int64{}
	for tp, r := range g.reading {
		if end := r.end.Load(); end > r.nothing.Load() {
			lag[tp] = max(0, end-r.next.Load())
		} else {
			lag[tp] = 0
		}
	}
	return lag
}

// Skipped gives the positions of partitions in which something was passed over,
// since the last call, that Poll never gives. Once the messages are done that
// Poll has given, the positions may be committed.
func (g *GroupConsumer) Skipped() map[connector.TopicPartition]int64 {
	skipped := map[connector.TopicPartition]int64{}
	for tp, r := range g.reader {
		if r.skipped.Swap(false) {
			skipped[tp] = r.next.Load()
		}
	}
	return skipped
}
