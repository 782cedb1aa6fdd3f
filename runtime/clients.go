package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// environment marks an error of Kafka that has no mark as one to be retried:
// brokers come back.
func environment(err error) error {
	if err != nil && connector.KindOf(err) == connector.KindUnmarked {
		return connector.Retriable(err)
	}
	return err
}

// clients are the Kafka clients of one task. Roles with the same properties
// share one.
type clients struct {
	open     func(ctx context.Context, o kafka.Options) (*kafka.Client, error)
	set      *settings
	spec     TaskSpec
	log      *slog.Logger
	byProps  map[string]*kafka.Client
	admin    *kafka.Client
	consumer *kafka.Client
	producer *kafka.Producer
}

// connect opens what a task needs. After an error nothing is left open.
func (t *Task) connect(set *settings, produce, consume bool) (*clients, error) {
	k := &clients{open: t.worker.options.Open, set: set, spec: t.spec, log: t.log, byProps: map[string]*kafka.Client{}}
	err := k.connect(t.quit, produce, consume)
	if err != nil {
		return nil, errors.Join(environment(fmt.Errorf("kafka: %w", err)), k.Close())
	}
	return k, nil
}

func (k *clients) connect(ctx context.Context, produce, consume bool) (err error) {
	if consume {
		if k.consumer, err = k.client(ctx, "consumer", k.set.consumer); err != nil {
			return err
		}
	}
	if produce {
		c, err := k.client(ctx, "producer", k.set.producer)
		if err != nil {
			return err
		}
		if k.producer, err = c.NewProducer(kafka.ProducerOptions{Props: k.set.producer}); err != nil {
			return err
		}
	}
	k.admin, err = k.client(ctx, "adminclient", k.set.admin)
	return err
}

// client gives the client of a role, named as Kafka Connect names it.
func (k *clients) client(ctx context.Context, role string, props map[string]string) (*kafka.Client, error) {
	key := fmt.Sprint(props) // sorted
	if c, ok := k.byProps[key]; ok {
		return c, nil
	}
	id := props["client.id"]
	if id == "" {
		id = fmt.Sprintf("connector-%s-%s-%d", role, k.spec.Connector, k.spec.Task)
	}
	c, err := k.open(ctx, kafka.Options{Bootstrap: k.set.servers(props), ClientID: id, Props: props, Log: k.log})
	if err != nil {
		return nil, err
	}
	k.byProps[key] = c
	return c, nil
}

// Close closes all clients.
func (k *clients) Close() error {
	var errs []error
	if k.producer != nil {
		errs = append(errs, k.producer.Close())
	}
	for _, c := range k.byProps {
		c.Close()
	}
	return errors.Join(errs...)
}
