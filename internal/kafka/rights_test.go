package kafka

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// Where the broker refuses idempotence a producer does without and says so,
// unless it is told to insist.
func TestProducerWithoutTheRightToIdempotence(t *testing.T) {
	b := kafkatest.New(t)
	var log strings.Builder
	c, err := Open(t.Context(), Options{Bootstrap: []string{b.Addr()}, ClientID: "test", Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	newTopic(t, c, "t", 1, nil)
	b.Fail(kafkatest.Fault{Request: kafkatest.InitProducerID, Code: int16(sarama.ErrClusterAuthorizationFailed), Times: -1})
	p, err := c.NewProducer(ProducerOptions{Props: map[string]string{"enable.idempotence": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Send(t.Context(), Message{Topic: "t", Timestamp: connector.NoTimestamp}, func(_ connector.RecordMetadata, err error) {
		if connector.KindOf(err) != connector.KindFatal || !errors.Is(err, sarama.ErrClusterAuthorizationFailed) || !strings.Contains(err.Error(), "IdempotentWrite") {
			t.Errorf("one that insists: %v", err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Flush(t.Context()), p.Close()); err != nil {
		t.Fatal(err)
	}
	if p, err = c.NewProducer(ProducerOptions{}); err != nil {
		t.Fatal(err)
	}
	l := &load{answers: map[int]int{}}
	for i := range 100 {
		if err := l.send(t.Context(), p, "t", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "the broker refuses idempotence") {
		t.Errorf("it does not say so: %s", log.String())
	}
	l.check(t, 100)
	if n := len(values(t, c, "t", 0)); n != 100 {
		t.Errorf("%d messages", n)
	}
}

// A topic that is there needs no right to create it.
func TestCreateTopicWithoutTheRight(t *testing.T) {
	b := kafkatest.New(t)
	c, err := Open(t.Context(), Options{Bootstrap: []string{b.Addr()}, ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	newTopic(t, c, "there", 1, nil)
	for _, code := range []sarama.KError{sarama.ErrClusterAuthorizationFailed, sarama.ErrTopicAuthorizationFailed} {
		lift := b.Fail(kafkatest.Fault{Request: kafkatest.CreateTopics, Code: int16(code), Times: -1})
		if err := c.CreateTopic(t.Context(), TopicSpec{Name: "there", Partitions: 1, Replication: 1}); err != nil {
			t.Errorf("one that is there: %v", err)
		}
		err := c.CreateTopic(t.Context(), TopicSpec{Name: "new", Partitions: 1, Replication: 1})
		if connector.KindOf(err) != connector.KindFatal || !errors.Is(err, code) || !strings.Contains(err.Error(), "topic new: create: ") {
			t.Errorf("one that is not: %v", err)
		}
		lift()
	}
}

// A topic that takes less than it did condemns only what is larger than that.
func TestTopicThatTakesLessThanBefore(t *testing.T) {
	c := open(t, kafkatest.New(t).Addr(), nil)
	newTopic(t, c, "t", 1, map[string]string{"max.message.bytes": "100000"})
	p := newProducer(t, c, map[string]string{"linger.ms": "1000"})
	if d := sendAll(t, p, "t", 1); len(d.errs) > 0 {
		t.Fatal(d.errs)
	}
	admin, err := c.admin()
	if err != nil {
		t.Fatal(err)
	}
	less := "20000"
	if err := admin.AlterConfig(sarama.TopicResource, "t", map[string]*string{"max.message.bytes": &less}, false); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	refused := map[int]error{}
	sizes := []int{5000, 5000, 50000, 5000, 5000, 5000, 5000}
	for i, size := range sizes {
		if err := p.Send(t.Context(), Message{Topic: "t", Value: make([]byte, size), Timestamp: connector.NoTimestamp}, func(_ connector.RecordMetadata, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused[i] = err
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := refused[2]; len(refused) != 1 || connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "max.request.size") {
		t.Errorf("refused: %v", refused)
	}
	if n := len(values(t, c, "t", 0)); n != len(sizes) {
		t.Errorf("%d messages, want %d", n, len(sizes))
	}
}
