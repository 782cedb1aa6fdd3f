package runtime

import (
	"context"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/dlq"
)

// producer is what the runtime needs of a Kafka producer.
type producer interface {
	Send(ctx context.Context, m kafka.Message, done func(connector.RecordMetadata, error)) error
	Flush(ctx context.Context) error
}

// outbox sends to Kafka and knows when everything has arrived. It is safe for
// use from several goroutines.
type outbox struct {
	t        *Task
	producer producer
	topics   *topics
	letters  *dlq.Writer // nil without a topic for them
	journey  *journey    // for retries
	create   *stage

	mu      sync.Mutex
	pending int
	empty   chan struct{} // closed while nothing is pending
	err     error         // the first that failed without anyone to handle it
}

func newOutbox(t *Task, set *settings, k *clients, j *journey) *outbox {
	o := &outbox{t: t, letters: t.letters(set, k), journey: j, empty: make(chan struct{}),
		create: &stage{place: "creation of topic", unmarked: connector.KindRetriable}}
	close(o.empty)
	if k.producer != nil {
		o.producer = k.producer
	}
	o.topics = &topics{create: k.admin.CreateTopic, enabled: set.createTopics, rules: set.topicRules, made: map[string]bool{}}
	return o
}

func (o *outbox) add() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pending == 0 {
		o.empty = make(chan struct{})
	}
	o.pending++
}

func (o *outbox) done(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil && o.err == nil {
		o.err = err
	}
	if o.pending--; o.pending == 0 {
		close(o.empty)
	}
}

// send sends one message, creating its topic if need be. failed takes an error
// that Kafka answers; it is called before wait returns.
func (o *outbox) send(ctx context.Context, m kafka.Message, acked func(connector.RecordMetadata), failed func(error)) error {
	if !o.topics.ready(m.Topic) {
		err := o.create.call(ctx, o.journey, 0, func() error { return o.topics.ensure(ctx, m.Topic) })
		if err != nil {
			return err
		}
	}
	return o.append(ctx, m, acked, failed)
}

// append is send to a topic that is there.
func (o *outbox) append(ctx context.Context, m kafka.Message, acked func(connector.RecordMetadata), failed func(error)) error {
	o.add()
	err := o.producer.Send(ctx, m, func(meta connector.RecordMetadata, err error) {
		if err != nil {
			failed(err)
		} else if acked != nil {
			acked(meta)
		}
		o.done(nil)
	})
	if err != nil {
		o.done(nil)
	}
	return err
}

// letter sends a dead letter; without a topic for them the failure was counted
// and is tolerated. arrived, if not nil, is called when the letter is safe.
// What Kafka does not take is an error of the next wait.
func (o *outbox) letter(ctx context.Context, original kafka.Message, f dlq.Failure, arrived func()) error {
	if o.letters == nil {
		if arrived != nil {
			arrived()
		}
		return nil
	}
	if err := o.create.call(ctx, o.journey, 0, func() error { return o.letters.Create(ctx) }); err != nil {
		return err
	}
	o.add()
	o.t.errors.letters.Add(1)
	err := o.letters.Write(ctx, original, f, func(err error) {
		if err != nil {
			o.t.errors.letterFailures.Add(1)
			err = o.t.at.wrap("dead letter", "", err)
		} else if arrived != nil {
			arrived()
		}
		o.done(err)
	})
	if err != nil {
		o.t.errors.letterFailures.Add(1)
		o.done(nil)
		return o.t.at.wrap("dead letter", "", err)
	}
	return nil
}

// failed gives the first error that Kafka answered and nobody handled.
func (o *outbox) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// idle tells that nothing is on its way.
func (o *outbox) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pending == 0
}

// wait waits until everything sent so far has arrived.
func (o *outbox) wait(ctx context.Context) error {
	o.mu.Lock()
	empty := o.empty
	pending := o.pending
	o.mu.Unlock()
	if pending > 0 {
		if err := o.producer.Flush(ctx); err != nil {
			return o.t.at.wrap("producer", "", err)
		}
		select {
		case <-empty:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return o.failed()
}

// topics creates topics before their first record.
type topics struct {
	create  func(ctx context.Context, spec kafka.TopicSpec) error
	enabled bool
	rules   []topicRule

	mu   sync.Mutex
	made map[string]bool
}

// ready tells that there is nothing to create.
func (t *topics) ready(topic string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.enabled || t.made[topic]
}

// ensure creates a topic if it is not there. With topic.creation.enable=false
// that is the broker's business.
func (t *topics) ensure(ctx context.Context, topic string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.made[topic] {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := t.create(ctx, specFor(t.rules, topic)); err != nil {
		return err
	}
	t.made[topic] = true
	return nil
}
