package kafka

import (
	"sync"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// largeMessage is what a message is counted from: sarama holds fetchAhead
// smaller ones ready, which is little.
const largeMessage = 16 << 10

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
// What a paused partition holds does not keep the others from being read: nothing
// more is fetched for it, and it is not counted until it is resumed.
// It is safe for concurrent use.
type ahead struct {
	most int64

	mu         sync.Mutex // guards the following
	bytes      int64      // of the partitions that are not paused
	partitions map[connector.TopicPartition]*aheadOf
	paused     map[connector.TopicPartition]bool // by the owner
}

func newAhead(most int64) *ahead {
	return &ahead{most: most, partitions: map[connector.TopicPartition]*aheadOf{}, paused: map[connector.TopicPartition]bool{}}
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
	tp := connector.TopicPartition{Topic: m.Topic, Partition: m.Partition}
	if p := a.partitions[tp]; p != nil && m.Offset > p.last {
		p.last = m.Offset
		a.count(tp, p, size)
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
	if a.bytes >= a.most || a.paused[tp] {
		pc.Pause()
	}
}

// end forgets a partition that is read no more.
func (a *ahead) end(tp connector.TopicPartition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.partitions[tp]; p != nil {
		a.count(tp, p, -p.bytes)
		delete(a.partitions, tp)
	}
}

// done takes large messages that the owner is done with off the count, and gives
// the bytes that were counted: less where the partition is read anew.
func (a *ahead) done(tp connector.TopicPartition, bytes int64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.partitions[tp]
	if p == nil {
		return 0
	}
	bytes = min(bytes, p.bytes)
	a.count(tp, p, -bytes)
	return bytes
}

// pause stops fetching for a partition, for as long as its owner wants nothing of it.
func (a *ahead) pause(tp connector.TopicPartition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paused[tp] {
		return
	}
	p := a.partitions[tp]
	if p != nil {
		a.add(-p.bytes)
	}
	a.paused[tp] = true
	if p != nil && p.pc != nil {
		p.pc.Pause()
	}
}

// resume undoes pause.
func (a *ahead) resume(tp connector.TopicPartition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.paused[tp] {
		return
	}
	delete(a.paused, tp)
	p := a.partitions[tp]
	if p == nil {
		return
	}
	a.add(p.bytes)
	if p.pc != nil && a.bytes < a.most {
		p.pc.Resume()
	}
}

// count changes the bytes of a partition.
func (a *ahead) count(tp connector.TopicPartition, p *aheadOf, n int64) {
	p.bytes += n
	if !a.paused[tp] {
		a.add(n)
	}
}

// add changes the count, and where that matters it stops or goes on fetching for
// all partitions that are not paused.
func (a *ahead) add(n int64) {
	was := a.bytes >= a.most
	a.bytes += n
	is := a.bytes >= a.most
	if was == is {
		return
	}
	for tp, p := range a.partitions {
		switch {
		case p.pc == nil || a.paused[tp]:
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
