package runtime

import (
	"cmp"
	"context"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// sender is what the runtime needs of a Kafka producer.
type sender interface {
	SendAll(ctx context.Context, messages []*kafka.Message, done func(*kafka.Delivery)) (int, error)
	Flush(ctx context.Context) error
}

// outbox sends to Kafka and knows when everything has arrived. It is safe for
// use from several goroutines.
type outbox struct {
	at       place
	errors   *errorStats
	producer sender
	topics   *topics
	letters  *dlq.Writer // nil without a topic for them
	journey  *journey    // for retries
	create   *stage

	mu      sync.Mutex
	pending int
	stubs   []func(ctx context.Context) error // letters to be sent without their value
	err     error                             // the first that failed without anyone to handle it
}

func (o *outbox) add(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending += n
}

func (o *outbox) done(n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil && o.err == nil {
		o.err = err
	}
	o.pending -= n
}

// send sends messages in their order, creating their topics if need be. told is
// told what became of them, before wait returns. It gives how many were sent; the
// error is about the next one.
func (o *outbox) send(ctx context.Context, messages []*kafka.Message, told func(*kafka.Delivery)) (int, error) {
	ready := ""
	for i, m := range messages {
		if m.Topic == ready {
			continue
		}
		if err := o.ready(ctx, m.Topic); err != nil {
			n, failed := o.append(ctx, messages[:i], told)
			return n, cmp.Or(failed, err)
		}
		ready = m.Topic
	}
	return o.append(ctx, messages, told)
}

// ready sees to it that a topic is there.
func (o *outbox) ready(ctx context.Context, topic string) error {
	if o.topics.ready(topic) {
		return nil
	}
	return o.create.call(ctx, o.journey, 0, func() error { return o.topics.ensure(ctx, topic) })
}

// append is send to topics that are there.
func (o *outbox) append(ctx context.Context, messages []*kafka.Message, told func(*kafka.Delivery)) (int, error) {
	if len(messages) == 0 {
		return 0, nil
	}
	o.add(len(messages))
	n, err := o.producer.SendAll(ctx, messages, func(d *kafka.Delivery) {
		told(d)
		o.done(len(d.Which), nil)
	})
	o.done(len(messages)-n, nil)
	return n, err
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
	o.add(1)
	o.errors.letters.Add(1)
	return o.write(ctx, original, f, arrived)
}

// write sends a letter that add has counted. One that is too large is sent
// again by wait, without its value: better than not at all.
func (o *outbox) write(ctx context.Context, original kafka.Message, f dlq.Failure, arrived func()) error {
	done := func(err error) {
		if err == nil {
			if arrived != nil {
				arrived()
			}
			o.done(1, nil)
			return
		}
		o.errors.letterFailures.Add(1)
		if connector.KindOf(err) == connector.KindData && original.Value != nil {
			stub := original
			stub.Value = nil
			f.OmittedBytes = len(original.Value)
			o.mu.Lock()
			o.stubs = append(o.stubs, func(ctx context.Context) error { return o.write(ctx, stub, f, arrived) })
			o.mu.Unlock()
			return
		}
		o.done(1, o.at.wrap("dead letter", "", err))
	}
	err := o.letters.Write(ctx, original, f, done)
	if err != nil && connector.KindOf(err) == connector.KindData {
		done(err)
		return nil
	}
	if err != nil {
		o.done(1, nil)
		return o.at.wrap("dead letter", "", err)
	}
	return nil
}

// shorten sends the letters that were too large without their values.
func (o *outbox) shorten(ctx context.Context) (some bool, err error) {
	o.mu.Lock()
	stubs := o.stubs
	o.stubs = nil
	o.mu.Unlock()
	for _, send := range stubs {
		if err := send(ctx); err != nil {
			return true, err
		}
	}
	return len(stubs) > 0, nil
}

// failed gives the first error that Kafka answered and nobody handled.
func (o *outbox) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// prepare makes sure of the dead-letter topic before there is a letter: what
// is wrong with its configuration should not show with the first bad record.
func (o *outbox) prepare(ctx context.Context) error {
	if o.letters == nil {
		return nil
	}
	return environment(o.letters.Create(ctx))
}

// idle tells that nothing is on its way.
func (o *outbox) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pending == 0
}

// wait waits until everything sent so far has arrived.
func (o *outbox) wait(ctx context.Context) error {
	defer o.journey.watch.call("producer").end()
	for {
		if o.producer != nil {
			if err := o.producer.Flush(ctx); err != nil {
				return o.at.wrap("producer", "", err)
			}
		}
		some, err := o.shorten(ctx)
		if err != nil {
			return err
		}
		if !some {
			return o.failed()
		}
	}
}
