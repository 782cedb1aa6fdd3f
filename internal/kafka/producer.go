package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/semaphore"

	"github.com/axiom-data-science/hydraulics/connector"
)

// ProducerOptions refine a producer.
type ProducerOptions struct {
	// Props are Java producer properties, over the client's.
	Props map[string]string
}

// Producer writes messages: idempotent, in order per partition, and without
// end where Kafka is away, unless its properties say otherwise. It is safe for
// concurrent use. Its client must outlive it.
//
// What is sent is gathered in a batch for each partition (partition_queue.go);
// a route for each broker sends what its partitions have (route.go).
type Producer struct {
	client  *Client
	conf    sarama.Config // of its connections
	set     producerSettings
	memory  *semaphore.Weighted
	trouble trouble

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // routes and the search for leaders

	look   sync.Mutex // held while something is found out about a topic
	naming sync.Mutex // held while the producer gets an id

	mu        sync.Mutex // guards the following, and the queues and routes
	topics    map[string]*outTopic
	routes    map[int32]*route
	addresses map[int32]string // of brokers
	id        producerID
	stale     map[string]bool   // topics whose leaders are to be found
	gone      []*partitionQueue // of partitions that are not there any more
	searching bool
	hurry     int // what waits for the queues to be empty: nothing lingers
	broken    error

	pending  int
	empty    chan struct{} // closed while nothing is pending
	answered time.Time     // the last message, or the first one pending was sent
}

// errProducerClosed says that a message was given up.
var errProducerClosed = errors.New("producer is closed")

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
	ps := newProps(options)
	p := &Producer{client: c, conf: *conf, set: ps.producer(), trouble: trouble{log: c.options.Log, health: c.options.health},
		topics: map[string]*outTopic{}, routes: map[int32]*route{}, addresses: map[int32]string{}, stale: map[string]bool{},
		id: noProducerID, empty: make(chan struct{})}
	if err := errors.Join(ps.errs...); err != nil {
		return nil, connector.Fatal(err)
	}
	p.conf.Net.MaxOpenRequests = p.set.inFlight
	if p.set.acks == sarama.NoResponse { // it says nothing that nothing is answered
		p.conf.Net.Proxy.Dialer = &net.Dialer{Timeout: p.conf.Net.DialTimeout}
	}
	p.memory = semaphore.NewWeighted(p.set.buffer)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	close(p.empty)
	return p, nil
}

// Send is SendAll of one message. One that no topic or this topic can take is an
// error of the kind data, and done is not called.
func (p *Producer) Send(ctx context.Context, m Message, done func(connector.RecordMetadata, error)) error {
	_, err := p.sendAll(ctx, []*Message{&m}, &sending{func(d *Delivery) { done(d.Metadata(0), d.Err) }}, func(_ int, err error) error { return err })
	return err
}

// SendAll hands messages over, whose bytes may not change any more; it waits
// while the buffer is full, and for a topic that the broker is to create. A
// message that takes the whole buffer it waits for, so that its caller does not
// get the next one while memory is full. It gives how many were taken, and an
// error if not all. Of each of them done tells exactly once, from a goroutine of
// the producer; of those that no topic or their topic can take at once, with an
// error of the kind data.
func (p *Producer) SendAll(ctx context.Context, messages []*Message, done func(*Delivery)) (int, error) {
	return p.sendAll(ctx, messages, &sending{done}, func(n int, err error) error {
		done(&Delivery{TopicPartition: connector.TopicPartition{Topic: messages[n].Topic, Partition: messages[n].Partition},
			Which: []int32{int32(n)}, Offset: -1, Err: err, appended: connector.NoTimestamp})
		return nil
	})
}

// sendAll asks refuse whether to go on behind a message that cannot be sent.
func (p *Producer) sendAll(ctx context.Context, messages []*Message, s *sending, refuse func(n int, err error) error) (int, error) {
	for n := 0; n < len(messages); {
		t, err := p.topic(ctx, messages[n])
		var end int
		var bytes int64
		if err == nil {
			end, bytes, err = p.some(t, messages, n)
		}
		if connector.KindOf(err) == connector.KindData {
			if err := refuse(n, err); err != nil {
				return n, err
			}
			n++
			continue
		}
		if err != nil {
			return n, err
		}
		if err := p.room(ctx, bytes); err != nil {
			return n, err
		}
		if err := p.append(t, messages[n:end], int32(n), bytes, s); err != nil {
			p.memory.Release(bytes)
			return n, err
		}
		if bytes == p.set.buffer {
			p.emptied(ctx)
		}
		n = end
	}
	return len(messages), nil
}

// handful is how many bytes of messages are put into queues at once.
const handful = 512 << 10

// some gives the end of the next messages for a topic, and their bytes of the buffer.
func (p *Producer) some(t *outTopic, messages []*Message, n int) (end int, bytes int64, err error) {
	for end = n; end < len(messages); end++ {
		m := messages[end]
		if end > n && (m.Topic != t.name || bytes >= handful) {
			break
		}
		size := m.size()
		if err := p.refuse(t, m, size); err != nil {
			if end > n {
				break
			}
			return n, 0, err
		}
		took := min(cost(m, size), p.set.buffer)
		if end > n && bytes+took > p.set.buffer {
			break
		}
		bytes += took
	}
	return end, bytes, nil
}

// refuse says why a message cannot be sent.
func (p *Producer) refuse(t *outTopic, m *Message, size int64) error {
	switch {
	case m.Timestamp < wireNone && m.Timestamp != connector.NoTimestamp:
		return connector.Data(fmt.Errorf("topic %s: timestamp %d is before 1970", m.Topic, m.Timestamp))
	case m.Partition < 0 && m.Partition != connector.AnyPartition:
		return noPartition(m)
	case size > int64(p.set.request):
		return tooLarge(m.Topic, size, "max.request.size", p.set.request)
	case size > int64(t.limit):
		return tooLarge(m.Topic, size, "the topic's max.message.bytes", t.limit)
	}
	return nil
}

func noPartition(m *Message) error {
	return connector.Data(fmt.Errorf("topic %s: partition %d does not exist", m.Topic, m.Partition))
}

func tooLarge(topic string, size int64, key string, limit int) error {
	return connector.Coded("H2010", connector.Data(&sizeError{fmt.Sprintf("topic %s: a message of %d bytes is larger than %s=%d: raise producer.override.max.request.size, and the topic's max.message.bytes, and start the connector again",
		topic, size, key, limit)}))
}

// sizeError says that a message is too large.
type sizeError struct{ text string }

// Error gives the text.
func (e *sizeError) Error() string { return e.text }

// Exception gives Java's class of it, for dead letters.
func (e *sizeError) Exception() string {
	return "org.apache.kafka.common.errors.RecordTooLargeException"
}

// room waits until so many bytes of the buffer are free.
func (p *Producer) room(ctx context.Context, bytes int64) error {
	if p.memory.TryAcquire(bytes) {
		return nil
	}
	defer p.hasten()()
	if p.memory.Acquire(ctx, bytes) != nil {
		return context.Cause(ctx)
	}
	return nil
}

// hasten has the queues emptied at once, until what it gives is called.
func (p *Producer) hasten() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hurry++
	for _, r := range p.routes {
		r.nudge()
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.hurry--
	}
}

// append puts messages of one topic into its queues.
func (p *Producer) append(t *outTopic, messages []*Message, first int32, bytes int64, s *sending) error {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return p.broken
	}
	if p.pending == 0 {
		p.empty, p.answered = make(chan struct{}), now
	}
	p.pending += len(messages)
	limit := min(max(p.set.batch, 1), t.limit, p.set.request)
	var last *recordBatch
	for i, m := range messages {
		size := m.encodedSize()
		q := t.queues[t.partitioner.partition(m, size, len(t.queues))]
		b := q.open(size, limit, now)
		at := m.Timestamp
		if at <= wireNone {
			at = now.UnixMilli()
		}
		b.add(m, size, at, first+int32(i), s)
		b.full = b.size >= limit
		q.count++
		took := min(cost(m, m.size()), bytes)
		b.memory, bytes, last = b.memory+took, bytes-took, b
		if q.route != nil {
			q.route.nudge()
		}
	}
	last.memory += bytes
	return nil
}

// finish takes batches that are done off the books, outside mu.
func (p *Producer) finish(done []outcome) {
	n := 0
	for _, o := range done {
		o.batch.deliver(o.queue.TopicPartition, o.answer)
		p.memory.Release(o.batch.memory)
		n += len(o.batch.records)
		o.batch.free()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = time.Now()
	if p.pending -= n; p.pending == 0 && n > 0 {
		close(p.empty)
	}
}

// outcome is a batch that is done.
type outcome struct {
	queue  *partitionQueue
	batch  *recordBatch
	answer answer
}

// failure says of which kind Kafka's refusal of a batch is.
func (p *Producer) failure(q *partitionQueue, b *recordBatch, a answer) error {
	switch {
	case tooLargeFor(a.code):
		return tooLarge(q.Topic, int64(b.size), "what the broker takes, or what it took when the connector started,", p.set.request)
	case invalid(a.code):
		return connector.Coded("H2012", connector.Data(fmt.Errorf("topic %s: %w", q.Topic, explain(a))))
	case a.err != nil && connector.KindOf(a.err) != connector.KindUnmarked:
		return a.err
	case a.code == sarama.ErrTopicAuthorizationFailed:
		return connector.Coded("H2009", connector.Fatal(fmt.Errorf("topic %s: %w: allow Write on it", q.Topic, explain(a))))
	case hopeless(a.err), a.err == nil && !produceAgain(a.code):
		return connector.Coded("H2012", connector.Fatal(fmt.Errorf("topic %s: %w", q.Topic, explain(a))))
	}
	return connector.Retriable(fmt.Errorf("topic %s: %w", q.Topic, explain(a)))
}

// Trouble tells that messages were sent and Kafka acknowledges none.
func (p *Producer) Trouble() (Trouble, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == 0 || time.Since(p.answered) <= silence+p.set.linger {
		return Trouble{}, false
	}
	return Trouble{"messages that were sent are not acknowledged", p.answered}, true
}

// Flush waits until everything sent so far was answered.
func (p *Producer) Flush(ctx context.Context) error {
	defer p.hasten()()
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

// Close gives up what is pending: done says so. It closes the connections.
// Nothing may be sent any more. It is safe twice.
func (p *Producer) Close() error {
	p.mu.Lock()
	p.broken = connector.Retriable(errProducerClosed)
	p.cancel()
	for _, r := range p.routes {
		r.cut()
	}
	p.mu.Unlock()
	p.work.Wait()
	p.giveUp(connector.Retriable(errProducerClosed), time.Time{})
	p.forsake()
	p.trouble.end()
	return nil
}

// giveUp gives up what waits, or what waits since before a time.
func (p *Producer) giveUp(why error, before time.Time) {
	var done []outcome
	p.mu.Lock()
	for _, t := range p.topics {
		for _, q := range t.queues {
			for _, b := range q.give(before) {
				done = append(done, outcome{q, b, answer{err: why, offset: -1, appended: connector.NoTimestamp}})
			}
		}
	}
	p.mu.Unlock()
	if len(done) > 0 {
		p.finish(done)
	}
}
