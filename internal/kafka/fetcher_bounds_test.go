package kafka

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// heap gives the bytes that are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// held gives the bytes that are counted now, of partitions that are paused too.
func (f *fetcher) held() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes + f.aside
}

// sendLarge fills a topic with messages of one size.
func sendLarge(t *testing.T, c *Client, topic string, partitions, each, size int) {
	t.Helper()
	p, err := c.NewProducer(ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range each * partitions {
		if err := p.Send(t.Context(), Message{Topic: topic, Partition: int32(i % partitions), Value: make([]byte, size), Timestamp: connector.NoTimestamp},
			func(_ connector.RecordMetadata, err error) {
				if err != nil {
					t.Errorf("message %d: %v", i, err)
				}
			}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := wait.Context()
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// What a consumer has of large messages is bounded while its owner is busy, over
// all partitions, and comes all the same.
func TestLargeMessagesReadAhead(t *testing.T) {
	const partitions, each, size = 3, 20, 900 << 10
	c := open(t, kafkatest.Start(t), nil)
	newTopic(t, c, "large", partitions, nil)
	sendLarge(t, c, "large", partitions, each, size)
	before := heap()
	g, err := c.NewGroupConsumer(calm("large"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close(context.Background()) }()
	got := map[int32]int64{}
	poll := func() int64 {
		e, err := g.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range e.Messages {
			if m.Offset != got[m.Partition] || len(m.Value) != size {
				t.Fatalf("partition %d: %d bytes at %d, want %d at %d", m.Partition, len(m.Value), m.Offset, size, got[m.Partition])
			}
			got[m.Partition]++
		}
		return int64(len(e.Messages))
	}
	first := int64(0)
	eventually(t, "messages come", func() bool { first = poll(); return first > 0 })
	// The owner works on them now, for as long as another one takes to read all.
	all := 0
	for i := range int32(partitions) {
		if err := c.ReadPartition(t.Context(), connector.TopicPartition{Topic: "large", Partition: i}, 0, func(Message) error { all++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if all != each*partitions {
		t.Fatalf("another one reads %d messages, want %d", all, each*partitions)
	}
	eventually(t, "as much is read as may be", func() bool { return g.fetcher.held() >= defaultPollBytes })
	if most := heap() - before; most > 3*defaultPollBytes {
		t.Errorf("%d MiB of %d MiB are held", most>>20, each*partitions*size>>20)
	}
	for rest := each*partitions - first; rest > 0; {
		eventually(t, "the rest comes", func() bool { n := poll(); rest -= n; return n > 0 })
	}
	if n := g.fetcher.held(); n > defaultPollBytes {
		t.Errorf("%d bytes are counted of the last messages", n)
	}
	poll()
	if n := g.fetcher.held(); n != 0 {
		t.Errorf("%d bytes are counted of no messages", n)
	}
}

// What a paused partition holds ready does not stop the others: here each has
// more than the bound, and the owner lets one wait until the other is read.
func TestPausedPartitionStopsNoOther(t *testing.T) {
	const each, size = 8, 900 << 10
	c := open(t, kafkatest.Start(t), nil)
	newTopic(t, c, "large", 2, nil)
	sendLarge(t, c, "large", 2, each, size)
	o := calm("large")
	o.MaxPollBytes = 2 * size
	g, err := c.NewGroupConsumer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close(context.Background()) }()
	waits := connector.TopicPartition{Topic: "large", Partition: 0}
	got := map[int32]int{}
	read := func(partition int32) {
		eventually(t, fmt.Sprintf("partition %d is read", partition), func() bool {
			e, err := g.Poll(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if e.Change == Assigned {
				g.Pause(waits)
			}
			for _, m := range e.Messages {
				got[m.Partition]++
			}
			return got[partition] == each
		})
	}
	read(1)
	if got[waits.Partition] > 0 {
		t.Fatalf("the paused partition gave %d messages", got[waits.Partition])
	}
	g.Resume(waits)
	read(waits.Partition)
}

// An owner who pauses each partition as soon as something is read of it has no more of
// them held than twice what a poll may give, and what one fetch brings; and each message
// comes once they are resumed.
func TestPausedPartitionsAreBounded(t *testing.T) {
	const partitions, each, size = 12, 4, 300 << 10
	c := open(t, kafkatest.Start(t), map[string]string{"fetch.max.bytes": "1000000"})
	newTopic(t, c, "large", partitions, nil)
	sendLarge(t, c, "large", partitions, each, size)
	f := newFetcher(t.Context(), c, *c.client.Config(), GroupOptions{MaxPollBytes: 2 * size}, newProps(Options{}).backoff(), nil)
	defer f.close()
	starts := map[connector.TopicPartition]int64{}
	for p := range int32(partitions) {
		starts[connector.TopicPartition{Topic: "large", Partition: p}] = 0
	}
	f.start(starts)
	paused := map[connector.TopicPartition]bool{}
	eventually(t, "something was read of each", func() bool {
		held := f.held()
		f.mu.Lock()
		var now []connector.TopicPartition
		for tp, r := range f.partitions {
			if r.fetch > 0 && !paused[tp] {
				paused[tp] = true
				now = append(now, tp)
			}
		}
		f.mu.Unlock()
		if most := int64(4*size + 1_000_000 + size); held > most {
			t.Fatalf("%d KiB are held, more than %d", held>>10, most>>10)
		}
		f.pause(now)
		return len(paused) == partitions
	})
	f.resume(f.assigned())
	got := map[int32]int64{}
	for n := 0; n < partitions*each; {
		eventually(t, "the rest comes", func() bool {
			f.settle()
			messages, err := f.take(10, 2*size)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				if m.Offset != got[m.Partition] {
					t.Fatalf("partition %d gives offset %d, want %d", m.Partition, m.Offset, got[m.Partition])
				}
				got[m.Partition]++
			}
			n += len(messages)
			return len(messages) > 0
		})
	}
	f.settle()
	if n := f.held(); n != 0 {
		t.Errorf("%d bytes are counted of no messages", n)
	}
}
