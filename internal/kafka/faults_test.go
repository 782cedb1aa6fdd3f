package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// fresh gives a name that no earlier run has used.
func fresh(what string) string { return fmt.Sprintf("%s-%d", what, time.Now().UnixNano()) }

func newTopic(t *testing.T, c *Client, name string, partitions int32, config map[string]string) {
	t.Helper()
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: name, Partitions: partitions, Replication: 1, Config: config}); err != nil {
		t.Fatal(err)
	}
}

func values(t *testing.T, c *Client, topic string, partition int32) []string {
	t.Helper()
	var got []string
	err := c.ReadPartition(t.Context(), connector.TopicPartition{Topic: topic, Partition: partition}, 0, func(m Message) error {
		got = append(got, string(m.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// load sends numbers to a partition and notes how often each was answered.
type load struct {
	mu       sync.Mutex
	answers  map[int]int
	failures []error
}

func (l *load) send(ctx context.Context, p *Producer, topic string, i int) error {
	m := Message{Topic: topic, Partition: 0, Value: fmt.Append(nil, i), Timestamp: connector.NoTimestamp}
	return p.Send(ctx, m, func(_ connector.RecordMetadata, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.answers[i]++
		if err != nil {
			l.failures = append(l.failures, err)
		}
	})
}

func (l *load) check(t *testing.T, n int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range n {
		if l.answers[i] != 1 {
			t.Fatalf("message %d was answered %d times", i, l.answers[i])
		}
	}
}

func TestProducerLosesAndRepeatsNothing(t *testing.T) {
	const n = 3000
	for name, fault := range map[string]func(b *kafkatest.Broker, i int){
		"restarts": func(b *kafkatest.Broker, i int) {
			if i == 1000 || i == 2000 {
				b.Stop()
				b.Restart()
			}
		},
		"an outage with messages waiting": func(b *kafkatest.Broker, i int) {
			if i == 1000 {
				b.Stop()
			}
			if i == 2000 {
				b.Restart()
			}
		},
		"cut connections": func(b *kafkatest.Broker, i int) {
			if i%500 == 100 {
				b.Cut(kafkatest.Produce, 2)
			}
		},
		"lost answers": func(b *kafkatest.Broker, i int) {
			if i%500 == 100 {
				b.Fail(kafkatest.Fault{Request: kafkatest.Produce, Topic: "t", Code: 7, Times: 2})
			}
		},
		"no leader": func(b *kafkatest.Broker, i int) {
			if i%1000 == 100 {
				b.Fail(kafkatest.Fault{Request: kafkatest.Produce, Topic: "t", Code: 6, Times: 2})
				b.Fail(kafkatest.Fault{Request: kafkatest.Metadata, Topic: "t", Code: 5, Times: 3})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := kafkatest.New(t)
			c := open(t, b.Addr(), map[string]string{"retry.backoff.ms": "20"})
			newTopic(t, c, "t", 1, nil)
			p, err := c.NewProducer(ProducerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			l := &load{answers: map[int]int{}}
			for i := range n {
				fault(b, i)
				if err := l.send(t.Context(), p, "t", i); err != nil {
					t.Fatal(err)
				}
				if i%10 == 9 && name != "an outage with messages waiting" {
					time.Sleep(time.Millisecond) // so that there are many batches
				}
			}
			ctx, cancel := wait.Context()
			defer cancel()
			if err := p.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			l.check(t, n)
			if len(l.failures) > 0 {
				t.Fatalf("%d failures, the first: %v", len(l.failures), l.failures[0])
			}
			got := values(t, c, "t", 0)
			for i, v := range got {
				if v != fmt.Sprint(i) {
					t.Fatalf("message %d is %s", i, v)
				}
			}
			if len(got) != n {
				t.Fatalf("%d messages, want %d", len(got), n)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestProducerClosesWithoutKafka(t *testing.T) {
	b := kafkatest.New(t)
	c := open(t, b.Addr(), nil)
	newTopic(t, c, "t", 1, nil)
	p, err := c.NewProducer(ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l := &load{answers: map[int]int{}}
	if err := l.send(t.Context(), p, "t", 0); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Stop()
	for i := range 100 {
		if err := l.send(t.Context(), p, "t", i+1); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	_ = p.Close()
	l.check(t, 101)
	if len(l.failures) != 100 || connector.KindOf(l.failures[0]) != connector.KindRetriable {
		t.Errorf("%d failures after %s: %v", len(l.failures), time.Since(began), l.failures[:min(1, len(l.failures))])
	}
}

func TestOneTooLargeMessageIsRefusedAlone(t *testing.T) {
	b := kafkatest.New(t)
	c := open(t, b.Addr(), map[string]string{"max.request.size": "8000000", "linger.ms": "100"})
	newTopic(t, c, "small", 1, map[string]string{"max.message.bytes": "20000"})
	newTopic(t, c, "large", 1, map[string]string{"max.message.bytes": "6000000"})
	p, err := c.NewProducer(ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	l := &load{answers: map[int]int{}}
	for i := range 1000 { // together they are more than a batch may be
		if err := l.send(t.Context(), p, "small", i); err != nil {
			t.Fatal(err)
		}
		if i != 500 {
			continue
		}
		err := p.Send(t.Context(), Message{Topic: "small", Value: make([]byte, 30000)}, func(connector.RecordMetadata, error) { t.Error("it was taken") })
		if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "topic small: a message of 30100 bytes is larger than the topic's max.message.bytes=20000") {
			t.Fatalf("%v is %s", err, connector.KindOf(err))
		}
	}
	if err := p.Send(t.Context(), Message{Topic: "large", Value: make([]byte, 5_000_000)}, func(_ connector.RecordMetadata, err error) {
		if err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.check(t, 1000)
	if len(l.failures) > 0 {
		t.Errorf("%d failures, the first: %v", len(l.failures), l.failures[0])
	}
	if got := values(t, c, "large", 0); len(got) != 1 || len(got[0]) != 5_000_000 {
		t.Errorf("the large message is not there")
	}
	s := sit(t, c, calm("large"))
	eventually(t, "a member reads it", func() bool { return len(s.messages()) == 1 && len(s.messages()[0].Value) == 5_000_000 })
}

func TestProducerSaysThatATopicIsMissing(t *testing.T) {
	b := kafkatest.New(t)
	c := open(t, b.Addr(), map[string]string{"max.block.ms": "300"})
	b.Fail(kafkatest.Fault{Request: kafkatest.Metadata, Topic: "none", Code: 3, Times: -1})
	p, err := c.NewProducer(ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	err = p.Send(t.Context(), Message{Topic: "none"}, func(connector.RecordMetadata, error) { t.Error("it was taken") })
	if !errors.Is(err, ErrUnknownTopic) || connector.KindOf(err) != connector.KindRetriable || !strings.Contains(err.Error(), "topic none") {
		t.Errorf("%v is %s", err, connector.KindOf(err))
	}
}

// TestGroupSurvivesFaults has two members read while requests fail, and then
// checks that everything was read, in order, and committed.
func TestGroupSurvivesFaults(t *testing.T) {
	code := func(request, code int16, times int) func(*kafkatest.Broker) {
		return func(b *kafkatest.Broker) {
			b.Fail(kafkatest.Fault{Request: request, Code: code, Times: times})
		}
	}
	cut := func(request int16) func(*kafkatest.Broker) {
		return func(b *kafkatest.Broker) { b.Cut(request, 2) }
	}
	for name, fault := range map[string]func(*kafkatest.Broker){
		"heartbeat: rebalance":          code(kafkatest.Heartbeat, 27, 1),
		"heartbeat: unknown member":     code(kafkatest.Heartbeat, 25, 2),
		"heartbeat: illegal generation": code(kafkatest.Heartbeat, 22, 2),
		"heartbeat: not coordinator":    code(kafkatest.Heartbeat, 16, 2),
		"heartbeat: cut":                cut(kafkatest.Heartbeat),
		"commit: not coordinator":       code(kafkatest.OffsetCommit, 16, 2),
		"commit: loading":               code(kafkatest.OffsetCommit, 14, 3),
		"commit: illegal generation":    code(kafkatest.OffsetCommit, 22, 1),
		"commit: unknown member":        code(kafkatest.OffsetCommit, 25, 1),
		"commit: lost answer":           code(kafkatest.OffsetCommit, 7, 2),
		"commit: cut":                   cut(kafkatest.OffsetCommit),
		"fetch: not leader":             code(kafkatest.Fetch, 6, 3),
		"fetch: unknown topic":          code(kafkatest.Fetch, 3, 2),
		"fetch: cut":                    cut(kafkatest.Fetch),
		"join after heartbeat: loading": func(b *kafkatest.Broker) {
			code(kafkatest.JoinGroup, 14, 2)(b)
			code(kafkatest.SyncGroup, 27, 1)(b)
			code(kafkatest.OffsetFetch, 88, 2)(b)
			code(kafkatest.FindCoordinator, 15, 2)(b)
			code(kafkatest.Heartbeat, 25, 1)(b)
		},
		"join after heartbeat: cut": func(b *kafkatest.Broker) {
			for _, r := range []int16{kafkatest.JoinGroup, kafkatest.SyncGroup, kafkatest.OffsetFetch, kafkatest.FindCoordinator, kafkatest.ListOffsets} {
				b.Cut(r, 1)
			}
			code(kafkatest.Heartbeat, 27, 1)(b)
		},
		"restart": func(b *kafkatest.Broker) {
			b.Stop()
			b.Restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := kafkatest.New(t)
			c := open(t, b.Addr(), map[string]string{"retry.backoff.ms": "20"})
			newTopic(t, c, "in", 4, nil)
			seats := []*seat{sit(t, c, quick("in")), sit(t, c, quick("in"))}
			eventually(t, "both have half", func() bool { return seats[0].has() == 2 && seats[1].has() == 2 })
			produce(t, c, numbered("in", 200)...)
			fault(b)
			produce(t, c, numbered("in", 200)...)
			eventually(t, "everything is read and committed", func() bool {
				offsets, err := c.CommittedOffsets(t.Context(), "g")
				sum := int64(0)
				for _, off := range offsets {
					sum += off
				}
				return err == nil && sum == 400
			})
			eventually(t, "both have half again", func() bool { return seats[0].has() == 2 && seats[1].has() == 2 })
			complete(t, 400, seats...)
		})
	}
}

// place is where a message was.
type place struct {
	partition int32
	offset    int64
}

// complete checks that all offsets were read, and each member's in order within
// an assignment.
func complete(t *testing.T, n int, seats ...*seat) {
	t.Helper()
	read := map[place]int{}
	for _, s := range seats {
		for _, m := range s.messages() {
			read[place{m.Partition, m.Offset}]++
		}
	}
	if len(read) != n {
		t.Errorf("%d messages were read, want %d", len(read), n)
	}
}

// TestGroupTakesOverFromTheKilled has members come, leave and be killed while
// messages come in; everything is read, and commits never go back.
func TestGroupTakesOverFromTheKilled(t *testing.T) {
	b := kafkatest.New(t)
	c := open(t, b.Addr(), nil)
	newTopic(t, c, "in", 6, nil)
	all := []*seat{sit(t, c, quick("in")), sit(t, c, quick("in"))}
	live := slices.Clone(all)
	const rounds = 8
	for i := range rounds {
		produce(t, c, numbered("in", 100)...)
		switch i % 4 {
		case 0, 2:
			s := sit(t, c, quick("in"))
			all, live = append(all, s), append(live, s)
		case 1:
			// Killed in the middle of a join it would stay: the in-process broker
			// starts no session for a member whose connection is gone then.
			eventually(t, "all have their share", func() bool { return shared(live) })
			live[0].kill()
			live = live[1:]
		case 3:
			live[0].close()
			live = live[1:]
		}
	}
	eventually(t, "everything is committed", func() bool {
		offsets, err := c.CommittedOffsets(t.Context(), "g")
		sum := int64(0)
		for _, off := range offsets {
			sum += off
		}
		return err == nil && sum == 100*rounds
	})
	complete(t, 100*rounds, all...)
	eventually(t, "every partition has one owner", func() bool { return shared(live) })
}

// shared tells whether six partitions are shared by these members.
func shared(live []*seat) bool {
	sum := 0
	for _, s := range live {
		sum += s.has()
		if s.has() == 0 {
			return false
		}
	}
	return sum == 6
}

// kill ends a member without a word to the coordinator.
func (s *seat) kill() {
	s.g.member.coord.fast.end()
	s.g.member.coord.slow.end()
	s.stop()
	<-s.done
	s.gone = true
	_ = s.g.Close(context.Background())
}
