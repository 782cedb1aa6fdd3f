package kafka

import (
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// measureEvery is how often the ends of those assigned partitions are asked for that
// no fetch tells.
const measureEvery = 2 * time.Second

// measure finds out, until Close, where the assigned partitions end, also while
// the owner is busy and nothing is read.
func (g *GroupConsumer) measure() {
	for pause(g.ctx, measureEvery) {
		untold := g.fetcher.untold(time.Now().Add(-measureEvery))
		if len(untold) == 0 {
			continue
		}
		ends, err := do(g.ctx, func() (map[connector.TopicPartition]int64, error) { return g.ends(untold), nil })
		if err != nil {
			continue // it is closed
		}
		g.fetcher.tell(ends)
	}
}

// ends asks the leaders of partitions where these end for their reader. Those that
// cannot tell are left out: whoever needs them says that they are away.
func (g *GroupConsumer) ends(tps []connector.TopicPartition) map[connector.TopicPartition]int64 {
	byLeader := map[*sarama.Broker][]connector.TopicPartition{}
	for _, tp := range tps {
		leader, err := g.client.client.Leader(tp.Topic, tp.Partition)
		if err != nil {
			continue
		}
		byLeader[leader] = append(byLeader[leader], tp)
	}
	ends := map[connector.TopicPartition]int64{}
	for leader, list := range byLeader {
		req := sarama.NewOffsetRequest(g.conf.Version)
		req.IsolationLevel = g.conf.Consumer.IsolationLevel
		for _, tp := range list {
			req.AddBlock(tp.Topic, tp.Partition, sarama.OffsetNewest, 1)
		}
		resp, err := leader.GetAvailableOffsets(req)
		if err != nil {
			continue
		}
		for _, tp := range list {
			if b := resp.GetBlock(tp.Topic, tp.Partition); b != nil && b.Err == sarama.ErrNoError {
				ends[tp] = b.Offset
			}
		}
	}
	return ends
}

// untold gives the partitions whose ends were not told since a time.
func (f *fetcher) untold(since time.Time) (tps []connector.TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for tp, r := range f.partitions {
		if r.told.Before(since) {
			tps = append(tps, tp)
		}
	}
	return tps
}

// tell notes where partitions end.
func (f *fetcher) tell(ends map[connector.TopicPartition]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for tp, end := range ends {
		if r := f.partitions[tp]; r != nil {
			r.end = end
			if r.next >= end {
				r.trouble.over() // its leader answers, and there is nothing to read
			}
		}
	}
}

// Lag gives for each partition the number of offsets between the next message
// that Poll gives and the end, as far as it is known: that of the last committed
// transaction where only those are read. It is safe from any goroutine.
func (g *GroupConsumer) Lag() map[connector.TopicPartition]int64 {
	f := g.fetcher
	f.mu.Lock()
	defer f.mu.Unlock()
	lag := map[connector.TopicPartition]int64{}
	for tp, r := range f.partitions {
		if lag[tp] = 0; r.end > r.nothing {
			lag[tp] = max(0, r.end-r.next)
		}
	}
	return lag
}

// Skipped gives the positions of partitions in which something was passed over,
// since the last call, that Poll never gives. Once the messages are done that
// Poll has given, the positions may be committed.
func (g *GroupConsumer) Skipped() map[connector.TopicPartition]int64 {
	f := g.fetcher
	f.mu.Lock()
	defer f.mu.Unlock()
	skipped := map[connector.TopicPartition]int64{}
	for tp, r := range f.partitions {
		if r.skipped {
			skipped[tp], r.skipped = r.next, false
		}
	}
	return skipped
}
