package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/semaphore"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	// DefaultMaxRequestSize is Kafka's own bound of a message, bytes.
	DefaultMaxRequestSize = 1 << 20
	// defaultBuffer is Kafka's own buffer.memory, bytes.
	defaultBuffer = 32 << 20
	// defaultBlock is Kafka's own max.block.ms.
	defaultBlock = time.Minute
)

// ProducerOptions refine a producer.
type ProducerOptions struct {
	// Props are Java producer properties, over the client's.
	Props map[string]string
}

// Producer writes messages: idempotent, in order per partition, and without
// end where Kafka is away, unless its properties say otherwise. It is safe for
// concurrent use. Its client must outlive it.
type Producer struct {
	client  *Client
	conf    *sarama.Config
	size    int // of a message at most
	buffer  int64
	memory  *semaphore.Weighted
	block   time.Duration // how long to wait for a topic to exist
	trouble trouble
	closing sync.Once
	closed  error

	look   sync.Mutex // held while something is found out about a topic
	mu     sync.Mutex // guards the following
	topics map[string]topicLane
	lanes  map[int]*lane // by the size of their batches

	pending  int
	empty    chan struct{} // closed while nothing is pending
	answered time.Time     // the last message, or the first one pending was sent
}

// topicLane is the lane of a topic and how large a message it takes.
type topicLane struct {
	*lane
	limit int
}

// NewProducer makes a producer with connections of its own.
func (c *Client) NewProducer(o ProducerOptions) (*Producer, error) {
	options := c.options
	options.Props = map[string]string{}
	maps.Copy(options.Props, c.options.Props)
	maps.Copy(options.Props, o.Props)
	conf, err := newConfig(options)
	if err != nil {
		return nil, connector.Fatal(err)
	}
	ps := &props{text: options.Props}
	ps.producer(conf)
	p := &Producer{client: c, conf: conf, buffer: defaultBuffer, block: defaultBlock, trouble: trouble{log: c.options.Log, health: c.options.health},
		topics: map[string]topicLane{}, lanes: map[int]*lane{}, empty: make(chan struct{})}
	ps.int("buffer.memory", func(n int) { p.buffer = int64(n) })
	ps.duration("max.block.ms", func(d time.Duration) { p.block = d })
	if conf.Producer.MaxMessageBytes <= laneMargin {
		ps.fail("max.request.size", fmt.Sprint("above ", laneMargin))
	}
	if err := errors.Join(append(ps.errs, conf.Validate())...); err != nil {
		return nil, connector.Fatal(err)
	}
	p.size, p.memory = conf.Producer.MaxMessageBytes, semaphore.NewWeighted(p.buffer)
	close(p.empty)
	if p.lanes[p.size], err = p.newLane(p.size); err != nil { // most topics'
		return nil, err
	}
	return p, nil
}

// Send hands a message over; it waits while the buffer is full, and for a topic
// that the broker is to create. A message that takes the whole buffer it waits
// for, so that its caller does not get the next one while memory is full. When
// it returns nil, done is called exactly once, from a goroutine of the producer.
// A message that no topic or this topic can take is an error of the kind data at
// once.
func (p *Producer) Send(ctx context.Context, m Message, done func(connector.RecordMetadata, error)) error {
	if m.Timestamp < 0 && m.Timestamp != connector.NoTimestamp {
		return connector.Data(fmt.Errorf("topic %s: timestamp %d is before 1970", m.Topic, m.Timestamp))
	}
	size := m.size()
	if size > int64(p.size) {
		return tooLarge(m.Topic, size, "max.request.size", p.size)
	}
	l, err := p.lane(ctx, m.Topic)
	if err != nil {
		return err
	}
	if size > int64(l.limit) {
		return tooLarge(m.Topic, size, "the topic's max.message.bytes", l.limit)
	}
	s := &sent{partition: m.Partition, bytes: min(cost(&m, size), p.buffer), done: done}
	if err := p.memory.Acquire(ctx, s.bytes); err != nil {
		return context.Cause(ctx)
	}
	out := m.toSarama()
	out.Metadata = s
	p.add()
	select {
	case l.async.Input() <- out:
		if s.bytes == p.buffer {
			p.emptied(ctx)
		}
		return nil
	case <-ctx.Done():
		p.memory.Release(s.bytes)
		p.finish()
		return context.Cause(ctx)
	}
}

func tooLarge(topic string, size int64, key string, limit int) error {
	return connector.Data(fmt.Errorf("topic %s: a message of %d bytes is larger than %s=%d: raise producer.override.max.request.size, and the topic's max.message.bytes, and start the connector again",
		topic, size, key, limit))
}

// lane gives the lane of a topic; a new topic's is found out.
func (p *Producer) lane(ctx context.Context, topic string) (topicLane, error) {
	known := func() (topicLane, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		l, ok := p.topics[topic]
		return l, ok
	}
	if l, ok := known(); ok {
		return l, nil
	}
	p.look.Lock()
	defer p.look.Unlock()
	if l, ok := known(); ok {
		return l, nil
	}
	if err := p.exists(ctx, topic); err != nil {
		return topicLane{}, err
	}
	limit := p.limit(ctx, topic)
	p.mu.Lock()
	l := p.lanes[limit]
	p.mu.Unlock()
	if l == nil {
		var err error
		if l, err = p.newLane(limit); err != nil {
			return topicLane{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lanes[limit], p.topics[topic] = l, topicLane{l, limit}
	return p.topics[topic], nil
}

// exists waits until a topic exists, which the broker may have to create.
func (p *Producer) exists(ctx context.Context, topic string) error {
	for began := time.Now(); ; {
		found, err := p.client.describe(ctx, []string{topic}, true)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case connector.KindOf(err) == connector.KindFatal:
			return err
		case err != nil:
			p.trouble.note("topic cannot be looked up", err)
			began = time.Now()
		case found[topic] > 0:
			p.trouble.over()
			return nil
		case time.Since(began) > p.block:
			return connector.Retriable(fmt.Errorf("topic %s: %w, and the broker does not create it: create it, or set topic.creation.enable=true", topic, ErrUnknownTopic))
		}
		if !pause(ctx, retryPause) {
			return context.Cause(ctx)
		}
	}
}

// limit gives the largest message that a topic takes, as far as the producer
// may know: not everyone may read a topic's configuration.
func (p *Producer) limit(ctx context.Context, topic string) int {
	described, err := do(ctx, func() ([]*sarama.ConfigResourceResult, error) {
		a, err := p.client.admin()
		if err != nil {
			return nil, err
		}
		return a.DescribeConfigs([]*sarama.ConfigResource{{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"max.message.bytes"}}},
			sarama.DescribeConfigsOptions{})
	})
	var entries []sarama.ConfigEntry
	for _, d := range described {
		if d.ErrorCode != sarama.ErrNoError {
			err = errors.Join(err, d.ErrorCode)
		}
		entries = append(entries, d.Configs...)
	}
	if err != nil {
		p.client.options.Log.Debug("topic's max.message.bytes is not known", "topic", topic, "error", err.Error())
		return p.size
	}
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Value); e.Name == "max.message.bytes" && err == nil && n > laneMargin {
			return min(n, p.size)
		}
	}
	return p.size
}

func (p *Producer) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending++; p.pending == 1 {
		p.empty, p.answered = make(chan struct{}), time.Now()
	}
}

func (p *Producer) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = time.Now()
	if p.pending--; p.pending == 0 {
		close(p.empty)
	}
}

// failure says of which kind Kafka's refusal is.
func (p *Producer) failure(e *sarama.ProducerError) error {
	topic, code := e.Msg.Topic, sarama.ErrNoError
	switch {
	case errors.Is(e.Err, sarama.ErrMessageSizeTooLarge):
		return tooLarge(topic, int64(e.Msg.ByteSize(2)), "what the broker takes, or what it took when the connector started,", p.size)
	case errors.Is(e.Err, sarama.ErrInvalidPartition):
		return connector.Data(fmt.Errorf("topic %s: partition %d does not exist", topic, e.Msg.Metadata.(*sent).partition))
	case errors.As(e.Err, &code) && !retriable(code):
		return connector.Fatal(fmt.Errorf("topic %s: %w", topic, e.Err))
	}
	return connector.Retriable(fmt.Errorf("topic %s: %w", topic, e.Err))
}

// Trouble tells that messages were sent and Kafka acknowledges none.
func (p *Producer) Trouble() (Trouble, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == 0 || time.Since(p.answered) <= silence+p.conf.Producer.Flush.Frequency {
		return Trouble{}, false
	}
	return Trouble{"messages that were sent are not acknowledged", p.answered}, true
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
// connections. Nothing may be sent any more. It is safe twice.
func (p *Producer) Close() error {
	p.closing.Do(func() {
		p.mu.Lock()
		lanes := maps.Clone(p.lanes)
		p.mu.Unlock()
		errs := make([]error, 0, len(lanes))
		for _, l := range lanes {
			errs = append(errs, l.close())
		}
		p.closed = errors.Join(errs...)
		p.trouble.end()
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
		return 0, fmt.Errorf("%w: %d of %d", sarama.ErrInvalidPartition, want, n)
	}
	return want, nil
}

// RequiresConsistency says that a key's partition must not depend on which
// partitions have a leader just now.
func (p *partitioner) RequiresConsistency() bool { return true }
