package compacted

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

const (
	// cleanup is the setting of a topic that says whether it is compacted.
	cleanup = "cleanup.policy"
	// delivery is for how long a write is tried, ms.
	delivery = "30000"
	// patience is for how long a write is waited for.
	patience = time.Minute
)

// errSlow says that a write took too long.
var errSlow = errors.New("Kafka has not taken it within a minute: see whether its brokers can be reached, and try again")

// Options say where an internal topic is.
type Options struct {
	Settings
	Client *kafka.Client // outlives the topic
	// Producer has producer properties over those of the client.
	Producer map[string]string
	Log      *slog.Logger
}

// Record is one record of a topic. A nil value is a tombstone.
type Record struct {
	Key, Value []byte
	Partition  int32 // of a record that was read
	Offset     int64 // of a record that was read
	Timestamp  int64 // of a record that was read, milliseconds
}

// Topic is an internal topic that is followed. It is safe for concurrent use.
type Topic struct {
	name     string
	follower *kafka.Follower
	producer *kafka.Producer
}

// Open makes sure of a topic, reads it to its end, and follows it until Close. fn
// is called with one record after the other, from goroutines of the topic's. A
// topic that is not compacted is refused, and one for configurations with several
// partitions, in which there would be no order.
func Open(ctx context.Context, o Options, fn func(Record)) (*Topic, error) {
	if err := ensure(ctx, o); err != nil {
		return nil, fmt.Errorf("%stopic: %w", o.Use, err)
	}
	props := map[string]string{"delivery.timeout.ms": delivery}
	for k, v := range o.Producer {
		props[k] = v
	}
	p, err := o.Client.NewProducer(kafka.ProducerOptions{Props: props})
	if err != nil {
		return nil, err
	}
	t := &Topic{name: o.Topic, producer: p}
	t.follower, err = o.Client.Follow(ctx, o.Topic, func(m kafka.Message) {
		fn(Record{m.Key, m.Value, m.Partition, m.Offset, m.Timestamp})
	})
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := t.ToEnd(ctx); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// ensure creates the topic where it is not there, and looks whether it fits.
func ensure(ctx context.Context, o Options) error {
	n, err := o.Client.Partitions(ctx, o.Topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		err = o.Client.CreateTopic(ctx, o.spec())
		for err == nil {
			if n, err = o.Client.Partitions(ctx, o.Topic); !errors.Is(err, kafka.ErrUnknownTopic) {
				break
			}
			err = wait(ctx) // brokers hear of it one after the other
		}
	}
	if err != nil {
		return err
	}
	if o.Use == Configs && n != 1 {
		return connector.Coded("H2018", connector.Fatal(fmt.Errorf("topic %s has %d partitions and is to have one: configurations have no order across partitions; "+
			"name another topic, or copy its records in order to a topic with one", o.Topic, n)))
	}
	found, err := o.Client.TopicConfig(ctx, o.Topic, cleanup)
	switch policy := found[cleanup]; {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil || policy == "": // not everyone may look; Kafka Connect goes on, too
		o.Log.Warn("whether a topic is compacted is not known: allow DescribeConfigs on it, or make sure of "+cleanup+"=compact", "topic", o.Topic, "error", err)
	case policy != "compact":
		return connector.Coded("H2019", connector.Fatal(fmt.Errorf("topic %s has %s=%s: Kafka would delete what is needed; set %s=compact on it, or name another topic",
			o.Topic, cleanup, policy, cleanup)))
	}
	return nil
}

// wait waits a little.
func wait(ctx context.Context) error {
	select {
	case <-time.After(100 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Write appends records, in order within a partition, and waits until they were
// read back. Those for one partition become one batch, of which all or none are
// there, unless they are large. After an error some of them may be there, or come
// within half a minute.
func (t *Topic) Write(ctx context.Context, records ...Record) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSlow)
	defer cancel()
	messages := make([]*kafka.Message, len(records))
	for i, r := range records {
		messages[i] = &kafka.Message{Topic: t.name, Partition: connector.AnyPartition, Key: r.Key, Value: r.Value, Timestamp: time.Now().UnixMilli()}
	}
	type told struct {
		partition int32
		end       int64
		count     int
		err       error
	}
	heard := make(chan told, len(records))
	taken, err := t.producer.SendAll(ctx, messages, func(d *kafka.Delivery) {
		heard <- told{d.Partition, d.Offset + int64(len(d.Which)), len(d.Which), d.Err}
	})
	ends := map[int32]int64{}
	for taken > 0 {
		select {
		case d := <-heard:
			taken -= d.count
			err = errors.Join(err, d.err)
			ends[d.partition] = max(ends[d.partition], d.end)
		case <-ctx.Done():
			return errors.Join(err, fmt.Errorf("topic %s: write: %w", t.name, context.Cause(ctx)))
		}
	}
	if err != nil {
		return fmt.Errorf("topic %s: write: %w", t.name, err)
	}
	return t.follower.Wait(ctx, ends)
}

// ToEnd waits until everything was read that is in the topic by now.
func (t *Topic) ToEnd(ctx context.Context) error { return t.follower.ToEnd(ctx) }

// Close ends the following and gives up what is being written. It is safe twice.
func (t *Topic) Close() {
	_ = t.producer.Close()
	t.follower.Close()
}
