package kafka

import (
	"context"
	"runtime"
	"runtime/metrics"
)

// kept is about what the sender of a message keeps of it until it is answered: the
// record that it was made from, its offset, its place in a batch.
const kept = 1 << 10

// cost is what a message takes of a producer's buffer. Of a large one sarama
// makes two copies more, the batch and the request.
func cost(m *Message, size int64) int64 {
	if len(m.Key)+len(m.Value) >= copiedMessage {
		return 3*size + kept
	}
	return size + kept
}

// copiedMessage is what a message is large from for its copies to count.
const copiedMessage = 64 << 10

// emptied waits until what fills the buffer is answered.
func (p *Producer) emptied(ctx context.Context) {
	defer p.hasten()()
	if p.memory.Acquire(ctx, p.set.buffer) == nil {
		p.memory.Release(p.set.buffer)
		collect(p.set.buffer)
	}
}

// collectBytes is what is worth collecting: more than a poll gives of messages that
// are not very large.
const collectBytes = 16 << 20

// collect has the garbage collector run when so many bytes were given up. By itself
// it runs when the heap has doubled, which with one message of 20 MB after the
// other is a hundred megabytes of dead copies. Where the bytes are few beside what
// is in use, collecting is dear and gains little.
func collect(garbage int64) {
	if garbage < collectBytes {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if v := live[0].Value; v.Kind() == metrics.KindUint64 && v.Uint64() < 8*uint64(garbage) {
		runtime.GC()
	}
}
