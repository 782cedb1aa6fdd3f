package kafka

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/certs"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// TestFetcherGivesEachRecordOnce reads logs of batches of all kinds and formats from
// brokers that fail as a seed has it, while its owner takes, pauses and seeks: each
// record that is committed comes once and in order, and nothing else.
func TestFetcherGivesEachRecordOnce(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			const partitions, batches = 5, 60
			m := kafkatest.NewModel(t, seed, 3, partitions, batches, 60)
			c := open(t, m.Addr[0], map[string]string{"retry.backoff.ms": "1", "isolation.level": "read_committed"})
			conf := *c.client.Config()
			conf.Consumer.IsolationLevel = sarama.ReadCommitted
			conf.Consumer.Fetch.Default, conf.Consumer.Fetch.MaxBytes = 2<<10, 5<<10
			f := newFetcher(t.Context(), c, conf, GroupOptions{MaxPollBytes: 10 << 10}, backoff{time.Millisecond, 10 * time.Millisecond}, func(connector.TopicPartition) (int64, error) {
				return 0, fmt.Errorf("an offset is not there")
			})
			defer f.close()
			o := &modelOwner{t: t, m: m, f: f, rng: rand.New(rand.NewPCG(seed, 1)), at: make([]int, partitions), paused: map[int32]bool{}}
			from := map[connector.TopicPartition]int64{}
			for p := range int32(partitions) {
				from[tp(p)] = 0
			}
			f.start(from)
			for i := range 10 * batches {
				o.act()
				o.take()
				if i%10 == 0 {
					m.Grow(1)
				}
			}
			m.Grow(batches)
			f.resume(f.assigned())
			clear(o.paused)
			wait.Until(t, "everything is read", func() bool {
				o.take()
				return o.done()
			})
			f.settle()
			if n := f.held(); n != 0 {
				t.Errorf("%d bytes are held of nothing", n)
			}
		})
	}
}

func tp(partition int32) connector.TopicPartition {
	return connector.TopicPartition{Topic: kafkatest.ModelTopic, Partition: partition}
}

// modelOwner takes what a fetcher reads, and knows what is to come.
type modelOwner struct {
	t      *testing.T
	m      *kafkatest.Model
	f      *fetcher
	rng    *rand.Rand
	at     []int // the next record, by partition
	paused map[int32]bool
}

// act pauses, resumes or seeks.
func (o *modelOwner) act() {
	p := int32(o.rng.IntN(len(o.at)))
	switch o.rng.IntN(8) {
	case 0:
		o.paused[p] = true
		o.f.pause([]connector.TopicPartition{tp(p)})
	case 1, 2:
		o.paused[p] = false
		o.f.resume([]connector.TopicPartition{tp(p)})
	case 3:
		records := o.m.Records(p)
		o.at[p] = o.rng.IntN(o.at[p] + 1)
		if o.at[p] < len(records) && !o.f.seek(tp(p), records[o.at[p]].Offset) {
			o.t.Fatal("a partition is not read")
		}
	}
}

// take takes some, and checks that they are the next.
func (o *modelOwner) take() {
	o.f.settle()
	most, bytes := 1+o.rng.IntN(100), int64(1+o.rng.IntN(5000))
	messages, err := o.f.take(most, bytes)
	if err != nil || len(messages) > most {
		o.t.Fatalf("%d messages, %v", len(messages), err)
	}
	for _, m := range messages {
		records := o.m.Records(m.Partition)
		if o.paused[m.Partition] {
			o.t.Fatalf("partition %d is paused and gives offset %d", m.Partition, m.Offset)
		}
		if o.at[m.Partition] >= len(records) {
			o.t.Fatalf("partition %d: offset %d comes behind the end", m.Partition, m.Offset)
		}
		got := kafkatest.ModelRecord{Offset: m.Offset, Value: string(m.Value), Time: m.Timestamp, Appended: m.TimestampType == connector.LogAppendTime}
		if got.Time == connector.NoTimestamp {
			got.Time = -1
		}
		if want := records[o.at[m.Partition]]; got != want {
			o.t.Fatalf("partition %d gives %.50v, want %.50v", m.Partition, got, want)
		}
		o.at[m.Partition]++
	}
	if len(messages) == 0 {
		select {
		case <-o.f.ready:
		case <-time.After(time.Millisecond): // all may be paused
		}
	}
}

// done tells that all was taken, and that positions are at the end.
func (o *modelOwner) done() bool {
	for p := range o.at {
		if o.at[p] < len(o.m.Records(int32(p))) {
			return false
		}
	}
	o.f.mu.Lock()
	defer o.f.mu.Unlock()
	for _, r := range o.f.partitions {
		if end := o.m.End(r.Partition); r.next != end || r.end != end {
			return false
		}
	}
	return true
}

// TestUnreadableBatch reads partitions of one broker, of which one has a batch that is
// damaged for good: all others are read, and of that one what is before the batch; then
// it ends with an error that says where, and goes on behind it.
func TestUnreadableBatch(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			const partitions, batches, bad = 4, 60, 2
			m := kafkatest.NewModel(t, seed, 1, partitions, batches, 0)
			first, last := m.Damage(bad, seed%2 == 1)
			m.Grow(9 * batches) // all
			c := open(t, m.Addr[0], map[string]string{"retry.backoff.ms": "1", "isolation.level": "read_committed"})
			conf := *c.client.Config()
			conf.Consumer.IsolationLevel = sarama.ReadCommitted
			conf.Consumer.Fetch.Default, conf.Consumer.Fetch.MaxBytes = 2<<10, 5<<10
			f := newFetcher(t.Context(), c, conf, GroupOptions{MaxPollBytes: 10 << 10}, backoff{time.Millisecond, 10 * time.Millisecond}, nil)
			defer f.close()
			got := make([][]int64, partitions)
			read := func(done func() bool) (why error) {
				wait.Until(t, "it is read", func() bool {
					f.settle()
					messages, err := f.take(100, 5000)
					for _, r := range messages {
						got[r.Partition] = append(got[r.Partition], r.Offset)
					}
					if err != nil {
						why = err
					}
					return done()
				})
				return why
			}
			var want [][]int64
			for p := range int32(partitions) {
				var offsets []int64
				for _, r := range m.Records(p) {
					if p != bad || r.Offset < first || r.Offset > last {
						offsets = append(offsets, r.Offset)
					}
				}
				want = append(want, offsets)
			}
			all := func(but int32) bool {
				for p := range int32(partitions) {
					if p != but && len(got[p]) < len(want[p]) {
						return false
					}
				}
				return true
			}
			f.start(map[connector.TopicPartition]int64{tp(0): 0, tp(1): 0, tp(bad): 0, tp(3): 0})
			why := read(func() bool { return all(bad) && f.over(tp(bad)) })
			if why == nil { // it has just ended
				_, why = f.take(1, 1)
			}
			if text := fmt.Sprintf("model[%d]@%d: the batch of records there cannot be read", bad, first); connector.KindOf(why) != connector.KindFatal || !strings.Contains(why.Error(), text) {
				t.Errorf("the error is %v, want %q, fatal", why, text)
			}
			f.seek(tp(bad), last+1)
			if why := read(func() bool { return all(-1) }); why != nil {
				t.Errorf("behind the batch: %v", why)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// over tells that nothing of a partition comes any more.
func (f *fetcher) over(tp connector.TopicPartition) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.partitions[tp].ended
}

// TestBrokerHangsUpOverTLS: the end of TLS reads well below it, as if an answer had come
// that cannot be read. No batch is to blame, however often it happens.
func TestBrokerHangsUpOverTLS(t *testing.T) {
	authority := certs.Authority(t)
	cluster := kafkatest.NewClusterWithTLS(t, &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, "broker", "127.0.0.1").TLS()}})
	c := open(t, cluster.ListenAddrs()[0], map[string]string{"security.protocol": "SSL", "retry.backoff.ms": "1",
		"ssl.truststore.type": "PEM", "ssl.truststore.certificates": authority.PEM()})
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "in", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	produce(t, c, numbered("in", 3)...)
	left := cluster.HangUp(kafkatest.Fetch, 2*maxUnreadable+2)
	f := newFetcher(t.Context(), c, *c.client.Config(), GroupOptions{MaxPollBytes: 10 << 10}, backoff{time.Millisecond, 10 * time.Millisecond}, nil)
	defer f.close()
	f.start(map[connector.TopicPartition]int64{{Topic: "in"}: 0})
	got := 0
	wait.Until(t, "what the broker gives in the end", func() bool {
		messages, err := f.take(10, 10<<10)
		if err != nil {
			t.Fatal(err)
		}
		got += len(messages)
		return got == 3
	})
	if n := left(); n > 0 {
		t.Errorf("%d answers were to be cut off and were not", n)
	}
}

// TestReplicaOutOfReach: the leader gives nothing to who names a rack, and prefers a
// replica that nobody reaches.
func TestReplicaOutOfReach(t *testing.T) {
	cluster := kafkatest.NewCluster(t, 1)
	c := open(t, cluster.ListenAddrs()[0], map[string]string{"retry.backoff.ms": "1", "client.rack": "sea"})
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "in", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	produce(t, c, numbered("in", 3)...)
	cluster.PreferReplica(99)
	f := newFetcher(t.Context(), c, *c.client.Config(), GroupOptions{MaxPollBytes: 10 << 10}, backoff{time.Millisecond, 10 * time.Millisecond}, nil)
	defer f.close()
	f.start(map[connector.TopicPartition]int64{{Topic: "in"}: 0})
	got := 0
	wait.Until(t, "the leader gives what its replica does not", func() bool {
		messages, err := f.take(10, 10<<10)
		if err != nil {
			t.Fatal(err)
		}
		got += len(messages)
		return got == 3
	})
}
