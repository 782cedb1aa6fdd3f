package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// ask puts a question that any broker can answer to one after the other.
func ask[T any](ctx context.Context, c *Client, question func(*sarama.Broker) (T, error)) (T, error) {
	return do(ctx, func() (answer T, err error) {
		for range 2 {
			for b := range c.brokers() {
				if answer, err = question(b); err == nil {
					c.asking.over()
					return answer, nil
				}
			}
			if ctx.Err() != nil {
				break
			}
			// The brokers may be others by now: sarama looks for them from the bootstrap servers on.
			if refresh := c.client.RefreshMetadata(); refresh != nil {
				err = refresh
				break
			}
		}
		if err == nil {
			err = sarama.ErrOutOfBrokers
		}
		if ctx.Err() == nil {
			c.asking.note("no broker can be asked", err)
		}
		return answer, connector.Retriable(err)
	})
}

// brokers gives the least loaded broker, a bootstrap server where none is known,
// and then all that are. Sarama opens each under the lock of its list: opened
// outside of it, one that was taken off meanwhile would never be closed.
func (c *Client) brokers() iter.Seq[*sarama.Broker] {
	return func(yield func(*sarama.Broker) bool) {
		if b := c.client.LeastLoadedBroker(); b != nil && !yield(b) {
			return
		}
		for _, known := range c.client.Brokers() {
			if b, err := c.client.Broker(known.ID()); err == nil && !yield(b) {
				return
			}
		}
	}
}

// metadata asks about topics; nil is all. create has the broker create them.
func (c *Client) metadata(ctx context.Context, topics []string, create bool) (*sarama.MetadataResponse, error) {
	req := sarama.NewMetadataRequest(c.client.Config().Version, topics)
	req.AllowAutoTopicCreation = create
	return ask(ctx, c, func(b *sarama.Broker) (*sarama.MetadataResponse, error) { return b.GetMetadata(req) })
}

// describe gives the numbers of partitions of those topics that exist; nil asks
// for all but internal ones. Unlike sarama's own it asks once for all and does
// not try again where a topic is missing.
func (c *Client) describe(ctx context.Context, topics []string) (map[string]int32, error) {
	resp, err := c.metadata(ctx, topics, false)
	if err != nil {
		return nil, err
	}
	return partitionsOf(resp, topics == nil)
}

// partitionsOf gives the numbers of partitions of the topics that exist, but for
// internal ones where all were asked for.
func partitionsOf(resp *sarama.MetadataResponse, all bool) (map[string]int32, error) {
	found := map[string]int32{}
	for _, t := range resp.Topics {
		switch {
		case errors.Is(t.Err, sarama.ErrUnknownTopicOrPartition) || all && t.IsInternal:
		case errors.Is(t.Err, sarama.ErrNoError) || errors.Is(t.Err, sarama.ErrLeaderNotAvailable) && len(t.Partitions) > 0:
			found[t.Name] = int32(len(t.Partitions))
		case errors.Is(t.Err, sarama.ErrLeaderNotAvailable): // it is being created
		case retriable(t.Err):
			return nil, connector.Retriable(fmt.Errorf("topic %s: %w", t.Name, t.Err))
		case !all:
			return nil, connector.Coded("H2015", connector.Fatal(fmt.Errorf("topic %s: %w", t.Name, t.Err)))
		}
	}
	return found, nil
}
