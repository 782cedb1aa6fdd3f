package kafka

import (
	"sync"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// largeMessage is what a message is counted from: sarama holds fetchAhead
// smaller ones ready, which is little.
const largeMessage = 64 << 10

// large gives the bytes that are counted of a message.
func large(key, value []byte) int64 {
	if n := len(key) + len(value); n >= largeMessage {
		return int64(n)
	}
	return 0
}

// ahead counts the bytes of large messages between the network and the owner's
// next Poll, and keeps sarama, which counts messages only, from fetching while
// they are as many as a Poll gives. So a consumer has at most one answer of the
// broker's more, however large messages are and however many partitions it reads.
// It is safe for concurrent use.
type ahead struct {
	most int64

	mu         sync.Mutex // guards the following
	bytes      int64
	partitions map[connector.TopicPartition]*aheadOf
}

// aheadOf is what is counted of a partition that is read.
type aheadOf struct {
	pc    sarama.PartitionConsumer // nil while it is being made
	last  int64                    // the offset counted last: sarama may show a message twice
	bytes int64
}

var _ sarama.ConsumerInterceptor = (*ahead)(nil)

// OnConsume counts a message before sarama fetches again.
func (a *ahead) OnConsume(m *sarama.ConsumerMessage) {
	size := large(m.Key, m.Value)
	if size == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.partitions[connector.TopicPartition{Topic: m.Topic, Partition: m.Partition}]
	if p != nil && m.Offset > p.last {
		p.last = m.Offset
		p.bytes += size
		a.add(size)
	}
}

// begin is called before a partition is read, reading with what reads it.
func (a *ahead) begin(tp connector.TopicPartition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.partitions[tp] = &aheadOf{last: -1}
}

func (a *ahead) reading(tp connector.TopicPartition, pc sarama.PartitionConsumer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.partitions[tp].pc = pc
	if a.bytes >= a.most {
		pc.Pause()
	}
}

// end forgets a partition that is read no more.
func (a *ahead) end(tp connector.TopicPartition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.partitions[tp]; p != nil {
		delete(a.partitions, tp)
		a.add(-p.bytes)
	}
}

// done takes what the owner is done with off the count, and gives its bytes.
func (a *ahead) done(large map[connector.TopicPartition]int64) (bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for tp, n := range large {
		if p := a.partitions[tp]; p != nil {
			n = min(n, p.bytes) // it may be read anew
			p.bytes -= n
			a.add(-n)
			bytes += n
		}
	}
	return bytes
}

// add changes the count, and pauses or resumes all partitions where that matters.
func (a *ahead) add(n int64) {
	was := a.bytes >= a.most
	a.bytes += n
	is := a.bytes >= a.most
	if was == is {
		return
	}
	for _, p := range a.partitions {
		switch {
		case p.pc == nil:
		case is:
			p.pc.Pause()
		default:
			p.pc.Resume()
		}
	}
}

// held gives the bytes that are counted now.
func (a *ahead) held() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes
}
