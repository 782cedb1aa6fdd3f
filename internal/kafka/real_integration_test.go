//go:build integration

package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestProducerOnRealKafka(t *testing.T) {
	c := open(t, realKafka(t), map[string]string{"max.request.size": "4000000"})
	made, small := fresh("made"), fresh("small")
	newTopic(t, c, small, 1, map[string]string{"max.message.bytes": "20000"})
	p, err := c.NewProducer(ProducerOptions{Props: map[string]string{"compression.type": "zstd"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	l := &load{answers: map[int]int{}}
	for i := range 5000 {
		if err := l.send(t.Context(), p, made, i); err != nil { // the broker creates it
			t.Fatal(err)
		}
		if err := p.Send(t.Context(), Message{Topic: small, Value: make([]byte, 100), Timestamp: connector.NoTimestamp}, func(_ connector.RecordMetadata, err error) {
			if err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	err = p.Send(t.Context(), Message{Topic: small, Value: make([]byte, 30000)}, func(connector.RecordMetadata, error) { t.Error("it was taken") })
	if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "max.message.bytes=20000") {
		t.Errorf("%v is %s", err, connector.KindOf(err))
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.check(t, 5000)
	for i, v := range values(t, c, made, 0) {
		if v != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, v)
		}
	}
	if n := len(values(t, c, small, 0)); n != 5000 {
		t.Errorf("%d small messages", n)
	}
	if _, err := c.Partitions(t.Context(), fresh("none")); !errors.Is(err, ErrUnknownTopic) {
		t.Errorf("a topic that is not there: %v", err)
	}
}

// A compacted topic takes no message without a key: such are refused alone, and
// the producer goes on in its next epoch.
func TestProducerRefusedByRealKafka(t *testing.T) {
	c := open(t, realKafka(t), nil)
	topic := fresh("compacted")
	newTopic(t, c, topic, 1, map[string]string{"cleanup.policy": "compact"})
	p := newProducer(t, c, map[string]string{"batch.size": "2000"})
	const n = 1000
	messages := make([]*Message, n)
	for i := range messages {
		messages[i] = &Message{Topic: topic, Key: fmt.Append(nil, i), Value: fmt.Append(nil, i), Timestamp: connector.NoTimestamp}
		if i%100 == 99 {
			messages[i].Key = nil
		}
	}
	d := &deliveries{errs: map[int32]error{}, metas: map[int32]connector.RecordMetadata{}}
	if _, err := p.SendAll(t.Context(), messages, d.note); err != nil {
		t.Fatal(err)
	}
	flush(t, p)
	var want []string
	for i := range int32(n) {
		switch err := d.errs[i]; {
		case (i%100 == 99) != (connector.KindOf(err) == connector.KindData):
			t.Fatalf("message %d: %v", i, err)
		case err == nil:
			want = append(want, fmt.Sprint(i))
		}
	}
	if got := values(t, c, topic, 0); !slices.Equal(got, want) {
		t.Errorf("%d messages arrived, want %d, in order", len(got), len(want))
	}
}

func TestReadPartitionOnRealKafka(t *testing.T) {
	c := open(t, realKafka(t), nil)
	topic := fresh("transactions")
	newTopic(t, c, topic, 1, nil)
	testTransactions(t, c, topic)
}

func TestMembersOfAnyKindOnRealKafka(t *testing.T) {
	leaders := testConnectGroup(t, open(t, realKafka(t), nil), fresh("workers"), sessionOnRealKafka)
	if len(leaders) != 1 {
		t.Errorf("%d leaders", len(leaders))
	}
}

func TestOffsetsDeletedMeanwhile(t *testing.T) {
	c := open(t, realKafka(t), nil)
	topic := fresh("deleted")
	newTopic(t, c, topic, 1, nil)
	produce(t, c, numbered(topic, 100)...)
	o := calm(topic)
	o.Group, o.MaxPollRecords = fresh("group"), 10
	g, err := c.NewGroupConsumer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close(t.Context()) }()
	tp := connector.TopicPartition{Topic: topic}
	var got []int64
	poll := func() bool {
		e, err := g.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range e.Messages {
			got = append(got, m.Offset)
		}
		return len(e.Messages) > 0
	}
	eventually(t, "it reads", poll)
	admin, err := sarama.NewClusterAdminFromClient(c.client)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.DeleteRecords(topic, map[int32]int64{0: 90}); err != nil {
		t.Fatal(err)
	}
	if err := g.Seek(tp, 20); err != nil {
		t.Fatal(err)
	}
	got = nil
	eventually(t, "it goes on", poll)
	if got[0] != 90 {
		t.Errorf("it goes on at %d", got[0])
	}
	if err := g.Commit(t.Context(), map[connector.TopicPartition]int64{tp: got[len(got)-1] + 1}); err != nil {
		t.Error(err)
	}
	if !slices.IsSorted(got) {
		t.Errorf("offsets %d", got)
	}
}

func TestHoldOnRealKafka(t *testing.T) {
	holds(t, realKafka(t))
	holdsThroughRebalances(t, realKafka(t))
}
