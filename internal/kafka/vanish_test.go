package kafka

import (
	"context"
	"fmt"
	"testing"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// A topic that is deleted and comes back with fewer partitions is read and
// written on: a group reads all of what is there then, a keyed message finds a
// partition, and one for a partition that is gone is refused alone.
func TestTopicComesBackWithFewerPartitions(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	newTopic(t, c, "t", 4, nil)
	s := sit(t, c, quick("t"))
	p, err := c.NewProducer(ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	send := func(m Message) (refused error) {
		t.Helper()
		if err := p.Send(t.Context(), m, func(_ connector.RecordMetadata, err error) { refused = err }); err != nil {
			return err
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		return refused
	}
	message := func(partition int32, i int) Message {
		return Message{Topic: "t", Partition: partition, Key: fmt.Append(nil, "k", i), Value: fmt.Append(nil, i), Timestamp: connector.NoTimestamp}
	}
	for i := range 40 {
		if err := send(message(int32(i%4), i)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the first records", func() bool { return len(s.messages()) == 40 })
	admin, err := c.admin()
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.DeleteTopic("t"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the topic is gone", func() bool {
		_, err := c.Partitions(t.Context(), "t")
		return err != nil
	})
	if err := admin.CreateTopic("t", &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}, false); err != nil {
		t.Fatal(err)
	}
	for i := 40; i < 45; i++ {
		err := send(message(connector.AnyPartition, i))
		for connector.KindOf(err) == connector.KindRetriable { // as a task that starts again does
			err = send(message(connector.AnyPartition, i))
		}
		if err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if err := send(message(3, 45)); connector.KindOf(err) != connector.KindData {
		t.Errorf("a message for a partition that is gone: %v", err)
	}
	eventually(t, "the other records", func() bool {
		n := map[string]bool{}
		for _, m := range s.messages() {
			n[string(m.Value)] = true
		}
		return len(n) == 45
	})
}

// A partition that is gone keeps no member from committing those that are there.
func TestCommitsBesideAPartitionThatIsGone(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	newTopic(t, c, "t", 2, nil)
	g, err := c.NewGroupConsumer(calm("t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close(context.Background()) })
	eventually(t, "it has both", func() bool {
		e, err := g.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(e.Partitions) == 2
	})
	admin, err := c.admin()
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.DeleteTopic("t"); err != nil {
		t.Fatal(err)
	}
	newTopic(t, c, "t", 1, nil)
	tp := func(p int32) connector.TopicPartition { return connector.TopicPartition{Topic: "t", Partition: p} }
	for _, next := range []map[connector.TopicPartition]int64{{tp(1): 10}, {tp(0): 3, tp(1): 10}} {
		if err := g.Commit(t.Context(), next); err != nil {
			t.Errorf("%v: %v", next, err)
		}
	}
	offsets, err := c.CommittedOffsets(t.Context(), "g")
	if err != nil || len(offsets) != 1 || offsets[tp(0)] != 3 {
		t.Errorf("committed %v, %v", offsets, err)
	}
}
