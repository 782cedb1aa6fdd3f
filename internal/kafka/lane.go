package kafka

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// laneMargin is what Kafka's framing of a batch takes at most beyond what
// sarama counts.
const laneMargin = 64

// lane is a sarama producer for the topics that take batches of the same size:
// sarama has one bound for the message and the batch, and a topic refuses a
// batch that is too large even if its messages are not.
//
// Invariant 4: it is idempotent, so that what is sent again keeps its order.
type lane struct {
	async   sarama.AsyncProducer
	client  sarama.Client
	ending  chan struct{}  // closed by close: nothing is waited for any more
	replies sync.WaitGroup // the two goroutines that read sarama's answers; close ends them
}

// sent is what a message carries through sarama.
type sent struct {
	partition int32
	bytes     int64
	done      func(connector.RecordMetadata, error)
}

// newLane makes a lane for batches of up to limit bytes.
func (p *Producer) newLane(limit int) (*lane, error) {
	l := &lane{ending: make(chan struct{})}
	conf := *p.conf
	conf.Producer.MaxMessageBytes = limit - laneMargin
	l.persist(&conf, p)
	if conf.Producer.RequiredAcks == sarama.NoResponse {
		conf.Net.Proxy.Enable = false // nothing is answered
	}
	var err error
	if l.client, err = sarama.NewClient(p.client.options.Bootstrap, &conf); err != nil {
		return nil, connector.Retriable(fmt.Errorf("producer: %w", err))
	}
	if l.async, err = sarama.NewAsyncProducerFromClient(l.client); err != nil {
		_ = l.client.Close()
		return nil, connector.Retriable(fmt.Errorf("producer: %w", err))
	}
	l.replies.Go(func() { p.successes(l) })
	l.replies.Go(func() { p.failures(l) })
	return l, nil
}

// persist has sarama wait for a cluster that is away. It retries requests, but
// fails messages when it cannot find out who leads a partition; so that look-up
// is tried without end, but for close.
func (l *lane) persist(conf *sarama.Config, p *Producer) {
	wait := func(d time.Duration) bool {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-l.ending:
			return false
		case <-t.C:
			return true
		}
	}
	conf.Metadata.Full = false
	conf.Metadata.Retry.Max = math.MaxInt32
	conf.Metadata.Timeout = math.MaxInt64 / 4
	conf.Metadata.Retry.BackoffFunc = func(retries, _ int) time.Duration {
		if retries > 1 {
			p.trouble.note("partitions cannot be written", sarama.ErrOutOfBrokers)
		}
		if !wait(min(conf.Metadata.Retry.Backoff<<min(retries, 5), maxBackoff)) {
			return math.MaxInt64 / 2 // beyond the time-out: no more
		}
		return 0 // it has waited here
	}
	backoff := conf.Producer.Retry.BackoffFunc
	conf.Producer.Retry.BackoffFunc = func(retries, most int) time.Duration {
		wait(backoff(retries, most))
		return 0
	}
}

// close answers what is pending, with an error where Kafka does not, and closes
// the connections.
func (l *lane) close() error {
	close(l.ending)
	l.async.AsyncClose()
	l.replies.Wait()
	return l.client.Close()
}

// successes ends when close has closed sarama's channel.
func (p *Producer) successes(l *lane) {
	for m := range l.async.Successes() {
		p.trouble.over()
		meta := connector.RecordMetadata{TopicPartition: connector.TopicPartition{Topic: m.Topic, Partition: m.Partition}, Offset: m.Offset, Timestamp: connector.NoTimestamp}
		if !m.Timestamp.IsZero() {
			meta.Timestamp = m.Timestamp.UnixMilli()
		}
		p.reply(m, meta, nil)
	}
}

// failures ends when close has closed sarama's channel.
func (p *Producer) failures(l *lane) {
	for e := range l.async.Errors() {
		p.reply(e.Msg, connector.RecordMetadata{}, p.failure(e))
	}
}

func (p *Producer) reply(m *sarama.ProducerMessage, meta connector.RecordMetadata, err error) {
	s := m.Metadata.(*sent)
	p.memory.Release(s.bytes)
	s.done(meta, err)
	p.finish()
}
