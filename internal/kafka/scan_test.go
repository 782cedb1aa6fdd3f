package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

func TestReadPartitionLeavesOutWhatIsNotCommitted(t *testing.T) {
	c := open(t, kafkatest.New(t).Addr(), nil)
	newTopic(t, c, "t", 1, nil)
	testTransactions(t, c, "t")
}

// testTransactions writes committed, aborted and open transactions and checks
// what is read.
func testTransactions(t *testing.T, c *Client, topic string) {
	t.Helper()
	conf, err := newConfig(c.options)
	if err != nil {
		t.Fatal(err)
	}
	conf.Producer.RequiredAcks, conf.Producer.Idempotent, conf.Net.MaxOpenRequests = sarama.WaitForAll, true, 1
	conf.Producer.Return.Successes, conf.Producer.Return.Errors = true, true
	conf.Producer.Partitioner = sarama.NewManualPartitioner
	conf.Producer.Transaction.ID = topic
	p, err := sarama.NewAsyncProducer(c.options.Bootstrap, conf)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	transact := func(end func() error, values ...string) {
		t.Helper()
		if err := p.BeginTxn(); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			p.Input() <- &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(v)}
			select {
			case <-p.Successes():
			case err := <-p.Errors():
				t.Fatal(err)
			}
		}
		if end != nil {
			if err := end(); err != nil {
				t.Fatal(err)
			}
		}
	}
	transact(p.CommitTxn, "a", "b")
	transact(p.AbortTxn, "c", "d")
	transact(p.CommitTxn, "e")
	transact(p.AbortTxn, "f")
	if got := values(t, c, topic, 0); !slices.Equal(got, []string{"a", "b", "e"}) {
		t.Errorf("values %q", got)
	}
	transact(p.CommitTxn, "g")
	transact(nil, "h")
	if got := values(t, c, topic, 0); !slices.Equal(got, []string{"a", "b", "e", "g"}) {
		t.Errorf("values with an open transaction %q", got)
	}
	if got := (&following{}).start(t, c, topic).toEnd(t); !slices.Equal(got, []string{"a", "b", "e", "g"}) {
		t.Errorf("a follower reads %q", got)
	}
	o := calm(topic)
	o.Group, o.ReadCommitted = topic, true
	s := sit(t, c, o)
	eventually(t, "a member reads the same", func() bool { return len(s.messages()) == 4 })
}

func TestReadPartitionSurvivesFaults(t *testing.T) {
	b := kafkatest.New(t)
	c := open(t, b.Addr(), map[string]string{"max.partition.fetch.bytes": "1000"})
	newTopic(t, c, "t", 1, nil)
	const n = 2000
	produce(t, c, numbered("t", n)...)
	b.Cut(kafkatest.Fetch, 2)
	b.Fail(kafkatest.Fault{Request: kafkatest.Fetch, Topic: "t", Code: 6, Times: 2})
	got := values(t, c, "t", 0)
	for i, v := range got {
		if v != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, v)
		}
	}
	if len(got) != n {
		t.Errorf("%d messages, want %d", len(got), n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := c.ReadPartition(ctx, connector.TopicPartition{Topic: "t"}, 0, func(Message) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled reading ends with %v", err)
	}
	own := errors.New("own")
	if err := c.ReadPartition(t.Context(), connector.TopicPartition{Topic: "t"}, 0, func(Message) error { return own }); err != own {
		t.Errorf("the caller's error became %v", err)
	}
}

// A reader that has all that it is given has no lag, though markers and aborted
// records are behind it, and its position is behind them.
func TestLagEndsBehindTransactions(t *testing.T) {
	c := open(t, kafkatest.New(t).Addr(), nil)
	newTopic(t, c, "t", 1, nil)
	testTransactions(t, c, "t")
	o := quick()
	o.Topics, o.ReadCommitted = []string{"t"}, true
	g, err := c.NewGroupConsumer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := wait.Context()
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	tp := connector.TopicPartition{Topic: "t"}
	last, position := int64(-1), int64(-1)
	eventually(t, "the end", func() bool {
		e, err := g.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range e.Messages {
			last = m.Offset
		}
		if at, ok := g.Skipped()[tp]; ok {
			position = at
		}
		return last >= 0 && position > last+1 && g.Lag()[tp] == 0
	})
	if err := g.Commit(t.Context(), map[connector.TopicPartition]int64{tp: position}); err != nil {
		t.Error(err)
	}
}
