package kafka

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// A producer returns when there is room for another message as large as one that
// fills its buffer.
func TestMessageThatFillsTheBuffer(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	newTopic(t, c, "large", 1, nil)
	p, err := c.NewProducer(ProducerOptions{Props: map[string]string{"buffer.memory": "1000000"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	for i := range 5 {
		answered := make(chan error, 1)
		if err := p.Send(t.Context(), Message{Topic: "large", Partition: connector.AnyPartition, Value: make([]byte, 400_000), Timestamp: connector.NoTimestamp},
			func(_ connector.RecordMetadata, err error) { answered <- err }); err != nil {
			t.Fatal(err)
		}
		if p.memory.TryAcquire(p.set.buffer) {
			p.memory.Release(p.set.buffer)
		} else {
			t.Errorf("message %d is on its way still", i)
		}
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
}
