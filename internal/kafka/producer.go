package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/IBM/sarama"
	"golang.org/x/sync/semaphore"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	// DefaultMaxRequestSize is Kafka's own bound of a message, bytes.
	DefaultMaxRequestSize = 1 << 20
	// defaultBuffer is Kafka's own buffer.memory, bytes.
	defaultBuffer = 32 << 20
)

// ProducerOptions refine a producer.
type ProducerOptions struct {
	// Props are Java producer properties, over the client's.
	Props map[string]string
}

// Producer writes messages: idempotent, in order per partition, retried for
// about a day unless its properties say otherwise, and then an error of the
// kind retriable. It is safe for concurrent use.
type Producer struct {
	async   sarama.AsyncProducer
	client  sarama.Client
	size    int // of a message at most
	buffer  int64
	memory  *semaphore.Weighted
	replies sync.WaitGroup // the two goroutines below; Close ends them
	closing sync.Once
	closed  error

	mu      sync.Mutex
	pending int
	empty   chan struct{} // closed while nothing is pending
}

// NewProducer makes a producer with connections of its own.
func (c *Client) NewProducer(o ProducerOptions) (*Producer, error) {
	all := map[string]string{}
	for _, m := range []map[string]string{c.options.Props, o.Props} {
		for k, v := range m {
			all[k] = v
		}
	}
	options := c.options
	options.Props = all
	conf, err := newConfig(options)
	if err != nil {
		return nil, connector.Fatal(err)
	}
	p := &props{text: all}
	p.producer(conf)
	buffer := int64(defaultBuffer)
	p.int("buffer.memory", func(n int) { buffer = int64(n) })
	if err := errors.Join(append(p.errs, conf.Validate())...); err != nil {
		return nil, connector.Fatal(err)
	}
	client, err := sarama.NewClient(options.Bootstrap, conf)
	if err != nil {
		return nil, connector.Retriable(fmt.Errorf("producer: %w", err))
	}
	async, err := sarama.NewAsyncProducerFromClient(client)
	if err != nil {
		_ = client.Close()
		return nil, connector.Retriable(fmt.Errorf("producer: %w", err))
	}
	producer := &Producer{async: async, client: client, size: conf.Producer.MaxMessageBytes,
		buffer: buffer, memory: semaphore.NewWeighted(buffer), empty: make(chan struct{})}
	close(producer.empty)
	producer.replies.Go(producer.successes)
	producer.replies.Go(producer.failures)
	return producer, nil
}

// sent is what a message carries through sarama.
type sent struct {
	partition int32
	bytes     int64
	done      func(connector.RecordMetadata, error)
}

// Send hands a message over; it waits while the buffer is full. When it returns
// nil, done is called exactly once, from a goroutine of the producer. A message
// that is too large is an error of the kind data at once.
func (p *Producer) Send(ctx context.Context, m Message, done func(connector.RecordMetadata, error)) error {
	size := m.size()
	if size > int64(p.size) {
		return tooLarge(m.Topic, size, p.size)
	}
	s := &sent{partition: m.Partition, bytes: min(size, p.buffer), done: done}
	if err := p.memory.Acquire(ctx, s.bytes); err != nil {
		return context.Cause(ctx)
	}
	out := m.toSarama()
	out.Metadata = s
	p.add()
	select {
	case p.async.Input() <- out:
		return nil
	case <-ctx.Done():
		p.memory.Release(s.bytes)
		p.finish()
		return context.Cause(ctx)
	}
}

func tooLarge(topic string, size int64, limit int) error {
	return connector.Data(fmt.Errorf("topic %s: a message of %d bytes is larger than max.request.size=%d: raise producer.override.max.request.size, and the topic's max.message.bytes",
		topic, size, limit))
}

func (p *Producer) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending++; p.pending == 1 {
		p.empty = make(chan struct{})
	}
}

func (p *Producer) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending--; p.pending == 0 {
		close(p.empty)
	}
}

// successes ends when Close has closed sarama's channel.
func (p *Producer) successes() {
	for m := range p.async.Successes() {
		meta := connector.RecordMetadata{TopicPartition: connector.TopicPartition{Topic: m.Topic, Partition: m.Partition}, Offset: m.Offset, Timestamp: connector.NoTimestamp}
		if !m.Timestamp.IsZero() {
			meta.Timestamp = m.Timestamp.UnixMilli()
		}
		p.reply(m, meta, nil)
	}
}

// failures ends when Close has closed sarama's channel.
func (p *Producer) failures() {
	for e := range p.async.Errors() {
		p.reply(e.Msg, connector.RecordMetadata{}, p.failure(e))
	}
}

func (p *Producer) reply(m *sarama.ProducerMessage, meta connector.RecordMetadata, err error) {
	s := m.Metadata.(*sent)
	p.memory.Release(s.bytes)
	s.done(meta, err)
	p.finish()
}

// failure says of which kind Kafka's refusal is.
func (p *Producer) failure(e *sarama.ProducerError) error {
	topic := e.Msg.Topic
	var code sarama.KError
	switch {
	case errors.Is(e.Err, sarama.ErrMessageSizeTooLarge):
		return tooLarge(topic, int64(e.Msg.ByteSize(2)), p.size)
	case errors.Is(e.Err, sarama.ErrInvalidPartition):
		return connector.Data(fmt.Errorf("topic %s: partition %d does not exist", topic, e.Msg.Metadata.(*sent).partition))
	case errors.As(e.Err, &code) && !retriable(code):
		return connector.Fatal(fmt.Errorf("topic %s: %w", topic, e.Err))
	}
	return connector.Retriable(fmt.Errorf("topic %s: %w", topic, e.Err))
}

// Flush waits until everything sent so far was answered.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	empty := p.empty
	p.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close answers what is still pending, with an error if need be, and closes the
// connections. It is safe twice.
func (p *Producer) Close() error {
	p.closing.Do(func() {
		p.async.AsyncClose()
		p.replies.Wait()
		p.closed = p.client.Close()
	})
	return p.closed
}

// partitioner takes the partition that a message names, or Java's choice for
// its key.
type partitioner struct{ byKey sarama.Partitioner }

func newPartitioner(topic string) sarama.Partitioner {
	return &partitioner{byKey: sarama.NewMurmur2Partitioner(topic)}
}

// Partition chooses among n partitions.
func (p *partitioner) Partition(m *sarama.ProducerMessage, n int32) (int32, error) {
	want := m.Metadata.(*sent).partition
	if want == connector.AnyPartition {
		return p.byKey.Partition(m, n)
	}
	if want < 0 || want >= n {
		return 0, fmt.Errorf("%w: %s of %d", sarama.ErrInvalidPartition, strconv.Itoa(int(want)), n)
	}
	return want, nil
}

// RequiresConsistency says that a key's partition must not depend on which
// partitions have a leader just now.
func (p *partitioner) RequiresConsistency() bool { return true }
