package kafka

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// deliveries notes what a SendAll is told.
type deliveries struct {
	mu    sync.Mutex
	calls int
	errs  map[int32]error
	metas map[int32]connector.RecordMetadata
}

// sendAll sends n numbers to partition 0 of a topic, in one call, and waits.
func sendAll(t *testing.T, p *Producer, topic string, n int) *deliveries {
	t.Helper()
	d := &deliveries{errs: map[int32]error{}, metas: map[int32]connector.RecordMetadata{}}
	messages := make([]*Message, n)
	for i := range messages {
		messages[i] = &Message{Topic: topic, Value: fmt.Append(nil, i), Timestamp: int64(1_700_000_000_000 + i)}
	}
	if taken, err := p.SendAll(t.Context(), messages, d.note); err != nil || taken != n {
		t.Fatalf("%d are taken (%v)", taken, err)
	}
	flush(t, p)
	if len(d.metas) != n {
		t.Fatalf("%d of %d are answered", len(d.metas), n)
	}
	return d
}

func (d *deliveries) note(of *Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	for k, i := range of.Which {
		d.metas[i] = of.Metadata(k)
		if of.Err != nil {
			d.errs[i] = of.Err
		}
	}
}

func flush(t *testing.T, p *Producer) {
	t.Helper()
	ctx, cancel := wait.Context()
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func newProducer(t *testing.T, c *Client, props map[string]string) *Producer {
	t.Helper()
	p, err := c.NewProducer(ProducerOptions{Props: props})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// Whatever is set: what is sent arrives in order, and is told of by the batch.
func TestSendAllTellsByTheBatch(t *testing.T) {
	b := kafkatest.New(t)
	c := open(t, b.Addr(), nil)
	for name, props := range map[string]map[string]string{
		"defaults":            nil,
		"acks=1":              {"acks": "1"},
		"acks=0":              {"acks": "0"},
		"not idempotent":      {"enable.idempotence": "false"},
		"a record at a time":  {"batch.size": "0"},
		"lz4":                 {"compression.type": "lz4"},
		"zstd, small batches": {"compression.type": "zstd", "batch.size": "1000"},
		"little memory":       {"buffer.memory": "2000"},
		"a long linger":       {"linger.ms": "3600000"},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 1000
			topic := strings.NewReplacer(" ", "-", ",", "-", "=", "-").Replace(name)
			newTopic(t, c, topic, 1, nil)
			d := sendAll(t, newProducer(t, c, props), topic, n)
			for i, err := range d.errs {
				t.Fatalf("message %d: %v", i, err)
			}
			if props["batch.size"] == "" && props["buffer.memory"] == "" && d.calls > n/20 {
				t.Errorf("%d calls for %d messages", d.calls, n)
			}
			for i := range int32(n) {
				want := connector.RecordMetadata{TopicPartition: connector.TopicPartition{Topic: topic}, Offset: int64(i), Timestamp: int64(1_700_000_000_000 + int(i))}
				if props["acks"] == "0" {
					want.Offset = -1
				}
				if d.metas[i] != want {
					t.Fatalf("message %d is at %+v", i, d.metas[i])
				}
			}
			eventually(t, "all arrive", func() bool { return len(values(t, c, topic, 0)) == n })
			for i, v := range values(t, c, topic, 0) {
				if v != fmt.Sprint(i) {
					t.Fatalf("message %d is %s", i, v)
				}
			}
		})
	}
}

// What a broker answers to a batch, and what becomes of its messages; those that
// come later arrive in any case.
func TestAnswersOfABroker(t *testing.T) {
	for name, c := range map[string]struct {
		code    int16
		times   int // -1: to all
		props   map[string]string
		refused int
		kind    connector.Kind
		says    string
	}{
		"a bad record in a batch":     {code: 87, times: 1},
		"bad records":                 {code: 87, times: -1, refused: 10, kind: connector.KindData, says: "topic t"},
		"a bad timestamp":             {code: 32, times: -1, refused: 10, kind: connector.KindData},
		"too large a batch":           {code: 10, times: 3},
		"too large a record":          {code: 10, times: -1, refused: 10, kind: connector.KindData, says: "max.request.size"},
		"no right":                    {code: 29, times: 1, refused: 10, kind: connector.KindFatal, says: "topic t"},
		"damaged":                     {code: 2, times: 2},
		"another leader":              {code: 6, times: 2},
		"too few replicas":            {code: 19, times: 2},
		"a lost answer":               {code: 7, times: 2},
		"the sequence is broken":      {code: 45, times: 2},
		"the producer is not known":   {code: 59, times: 2},
		"the epoch is not taken":      {code: 47, times: 2},
		"retries":                     {code: 19, times: -1, props: map[string]string{"retries": "2"}, refused: 10, kind: connector.KindRetriable, says: "topic t"},
		"the time of delivery ends":   {code: 19, times: -1, props: map[string]string{"delivery.timeout.ms": "300"}, refused: 10, kind: connector.KindRetriable, says: "delivery.timeout.ms=300"},
		"not idempotent, a few times": {code: 19, times: 2, props: map[string]string{"acks": "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := kafkatest.New(t)
			client := open(t, b.Addr(), map[string]string{"retry.backoff.ms": "20"})
			newTopic(t, client, "t", 1, nil)
			p := newProducer(t, client, c.props)
			sendAll(t, p, "t", 5)
			lift := b.Fail(kafkatest.Fault{Request: kafkatest.Produce, Topic: "t", Code: c.code, Times: c.times})
			d := sendAll(t, p, "t", 10)
			lift()
			if len(d.errs) != c.refused {
				t.Errorf("%d are refused, want %d: %v", len(d.errs), c.refused, d.errs)
			}
			for _, err := range d.errs {
				if connector.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("%v is %s", err, connector.KindOf(err))
				}
			}
			want := 15 - c.refused + 3
			if last := sendAll(t, p, "t", 3); len(last.errs) > 0 {
				t.Errorf("messages after it: %v", last.errs)
			}
			if got := values(t, client, "t", 0); len(got) != want || !slices.IsSortedFunc(got[5:want-3], func(a, b string) int { return len(a) - len(b) }) {
				t.Errorf("the topic has %v", got)
			}
		})
	}
}

// Messages without a key stay with a partition for a batch, and reach them all.
func TestMessagesWithoutAKey(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	newTopic(t, c, "t", 3, nil)
	p := newProducer(t, c, map[string]string{"batch.size": "1000"})
	messages := make([]*Message, 1000)
	for i := range messages {
		messages[i] = &Message{Topic: "t", Partition: connector.AnyPartition, Value: make([]byte, 64), Timestamp: connector.NoTimestamp}
	}
	d := &deliveries{errs: map[int32]error{}, metas: map[int32]connector.RecordMetadata{}}
	if _, err := p.SendAll(t.Context(), messages, d.note); err != nil {
		t.Fatal(err)
	}
	flush(t, p)
	switches, reached := 0, map[int32]bool{}
	for i := range int32(len(messages)) {
		reached[d.metas[i].Partition] = true
		if i > 0 && d.metas[i].Partition != d.metas[i-1].Partition {
			switches++
		}
	}
	if len(reached) != 3 || switches > 110 {
		t.Errorf("%d partitions are reached, with %d switches", len(reached), switches)
	}
}

// Leaders change under load: nothing is lost, repeated or out of order.
func TestLeadersChange(t *testing.T) {
	const n, partitions = 3000, 4
	cluster := kafkatest.NewCluster(t, 3)
	c := open(t, cluster.ListenAddrs()[0], map[string]string{"retry.backoff.ms": "10"})
	newTopic(t, c, "t", partitions, nil)
	p := newProducer(t, c, map[string]string{"batch.size": "500", "linger.ms": "1"})
	l := &load{answers: map[int]int{}}
	for i := range n {
		if i%100 == 50 {
			cluster.Move("t", int32(i/100%partitions), int32(i/100%3))
		}
		m := Message{Topic: "t", Partition: int32(i % partitions), Value: fmt.Append(nil, i), Timestamp: connector.NoTimestamp}
		if err := p.Send(t.Context(), m, func(_ connector.RecordMetadata, err error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.answers[i]++
			if err != nil {
				l.failures = append(l.failures, err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, p)
	l.check(t, n)
	if len(l.failures) > 0 {
		t.Fatal(l.failures[0])
	}
	for part := range int32(partitions) {
		got := values(t, c, "t", part)
		if len(got) != n/partitions {
			t.Errorf("partition %d has %d messages", part, len(got))
		}
		for k, v := range got {
			if want := fmt.Sprint(k*partitions + int(part)); v != want {
				t.Fatalf("partition %d has %s at %d, want %s", part, v, k, want)
			}
		}
	}
}

// A producer whose broker hangs is closed all the same, and says what it gives up.
func TestProducerClosesWhileABrokerHangs(t *testing.T) {
	cluster := kafkatest.NewCluster(t, 1)
	c := open(t, cluster.ListenAddrs()[0], nil)
	newTopic(t, c, "t", 1, nil)
	p := newProducer(t, c, nil)
	sendAll(t, p, "t", 1)
	hangs, release := cluster.Hang(kafkatest.Produce)
	defer release()
	var told []error
	if err := p.Send(t.Context(), Message{Topic: "t", Timestamp: connector.NoTimestamp}, func(_ connector.RecordMetadata, err error) { told = append(told, err) }); err != nil {
		t.Fatal(err)
	}
	<-hangs
	_ = p.Close()
	if len(told) != 1 || connector.KindOf(told[0]) != connector.KindRetriable {
		t.Errorf("it says %v", told)
	}
	err := p.Send(t.Context(), Message{Topic: "t", Timestamp: connector.NoTimestamp}, func(connector.RecordMetadata, error) { t.Error("it was taken") })
	if connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("a closed producer says %v", err)
	}
}
