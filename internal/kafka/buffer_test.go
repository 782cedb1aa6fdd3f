package kafka

import (
	"context"
	"fmt"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
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

// What senders keep of small messages counts too: it is many times their bytes.
func TestSmallMessagesInTheBuffer(t *testing.T) {
	const small, buffer = 20_000, 4 << 20
	cluster := kafkatest.NewCluster(t, 1)
	c := open(t, cluster.ListenAddrs()[0], nil)
	newTopic(t, c, "small", 1, nil)
	hangs, release := cluster.Hang(kafkatest.Produce)
	defer release() // behind Close: a second request would be one too many
	p, err := c.NewProducer(ProducerOptions{Props: map[string]string{"buffer.memory": fmt.Sprint(buffer), "max.in.flight.requests.per.connection": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	messages := make([]*Message, small)
	for i := range messages {
		messages[i] = &Message{Topic: "small", Value: []byte{1}, Timestamp: connector.NoTimestamp}
	}
	sent := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // ends with ctx
		_, err := p.SendAll(ctx, messages, func(*Delivery) {})
		sent <- err
	}()
	wait.For(t, "a request", hangs)
	pending := 0
	eventually(t, "it waits for room, or has taken all", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		pending = p.pending
		return p.hurry > 0 || len(sent) > 0
	})
	if pending > buffer/kept {
		t.Errorf("%d messages are on their way with a buffer of %d", pending, buffer)
	}
	cancel()
	wait.For(t, "the end of the sending", sent)
}
