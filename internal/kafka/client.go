package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	// ErrUnknownTopic says that a topic does not exist.
	ErrUnknownTopic = errors.New("topic does not exist")
	// ErrGenerationLost says that a member is no longer in the generation of
	// the group in which it was given its partitions: others may have them, and
	// what it did not commit they do again.
	ErrGenerationLost = errors.New("membership of this generation of the group is lost")
)

// Options say how to reach Kafka.
type Options struct {
	Bootstrap []string
	ClientID  string
	// Props are Java client properties without prefix, such as
	// security.protocol or linger.ms. Those without a counterpart are ignored;
	// see [Unsupported].
	Props map[string]string
	Log   *slog.Logger
}

// Client has the connections to a cluster. It is safe for concurrent use.
type Client struct {
	options Options
	client  sarama.Client
	close   sync.Once
}

// Open connects. It gives up with one error when no bootstrap server answers.
func Open(ctx context.Context, o Options) (*Client, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.Bootstrap) == 0 {
		return nil, connector.Fatal(errors.New("bootstrap.servers is empty"))
	}
	conf, err := newConfig(o)
	if err != nil {
		return nil, connector.Fatal(err)
	}
	type result struct {
		client sarama.Client
		err    error
	}
	done := make(chan result, 1)
	go func() { // ends with its dial time-outs
		c, err := sarama.NewClient(o.Bootstrap, conf)
		done <- result{c, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, connector.Retriable(fmt.Errorf("bootstrap.servers %s: %w", strings.Join(o.Bootstrap, ","), r.err))
		}
		return &Client{options: o, client: r.client}, nil
	case <-ctx.Done():
		go func() { // waits for the dial above
			if r := <-done; r.client != nil {
				_ = r.client.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// Close closes the connections. It is safe twice.
func (c *Client) Close() {
	c.close.Do(func() { _ = c.client.Close() }) // nothing is lost with a connection
}

// do runs a call that sarama cannot cancel; it goes on by itself when ctx ends
// first, for as long as sarama's time-outs.
func do[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

func (c *Client) admin() (sarama.ClusterAdmin, error) {
	return sarama.NewClusterAdminFromClient(c.client)
}

// ClusterID gives the id of the cluster.
func (c *Client) ClusterID(ctx context.Context) (string, error) {
	return do(ctx, func() (string, error) {
		b, err := c.client.Controller()
		if err != nil {
			return "", connector.Retriable(err)
		}
		resp, err := b.GetMetadata(sarama.NewMetadataRequest(c.client.Config().Version, []string{}))
		if err != nil {
			return "", connector.Retriable(err)
		}
		if resp.ClusterID == nil {
			return "", nil
		}
		return *resp.ClusterID, nil
	})
}

// TopicSpec describes a topic to create.
type TopicSpec struct {
	Name        string
	Partitions  int32 // -1 is the broker's default
	Replication int16 // -1 is the broker's default
	Config      map[string]string
}

// CreateTopic creates a topic. One that exists is fine, whatever its partitions.
func (c *Client) CreateTopic(ctx context.Context, spec TopicSpec) error {
	detail := &sarama.TopicDetail{NumPartitions: spec.Partitions, ReplicationFactor: spec.Replication, ConfigEntries: map[string]*string{}}
	for k, v := range spec.Config {
		detail.ConfigEntries[k] = &v
	}
	_, err := do(ctx, func() (struct{}, error) {
		a, err := c.admin()
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, a.CreateTopic(spec.Name, detail, false)
	})
	var te *sarama.TopicError
	switch {
	case err == nil || errors.As(err, &te) && te.Err == sarama.ErrTopicAlreadyExists:
		return nil
	case errors.As(err, &te) && !retriable(te.Err):
		return connector.Fatal(fmt.Errorf("topic %s: create: %w", spec.Name, err))
	}
	return connector.Retriable(fmt.Errorf("topic %s: create: %w", spec.Name, err))
}

// Partitions gives the number of a topic's partitions, ErrUnknownTopic without
// the topic.
func (c *Client) Partitions(ctx context.Context, topic string) (int32, error) {
	return do(ctx, func() (int32, error) {
		err := c.client.RefreshMetadata(topic)
		if errors.Is(err, sarama.ErrUnknownTopicOrPartition) || errors.Is(err, sarama.ErrInvalidTopic) {
			return 0, fmt.Errorf("topic %s: %w", topic, ErrUnknownTopic)
		}
		if err != nil && !errors.Is(err, sarama.ErrLeaderNotAvailable) {
			return 0, connector.Retriable(fmt.Errorf("topic %s: %w", topic, err))
		}
		ps, err := c.client.Partitions(topic)
		if err != nil {
			return 0, connector.Retriable(fmt.Errorf("topic %s: %w", topic, err))
		}
		return int32(len(ps)), nil
	})
}

// Topics gives the names of the topics that match from start to end, sorted;
// internal ones are left out.
func (c *Client) Topics(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	return do(ctx, func() ([]string, error) {
		if err := c.client.RefreshMetadata(); err != nil {
			return nil, connector.Retriable(err)
		}
		all, err := c.client.Topics()
		if err != nil {
			return nil, connector.Retriable(err)
		}
		all = slices.DeleteFunc(all, func(t string) bool {
			return strings.HasPrefix(t, "__") || pattern.FindString(t) != t
		})
		slices.Sort(all)
		return all, nil
	})
}

// EndOffsets gives for each partition of a topic the offset behind its last record.
func (c *Client) EndOffsets(ctx context.Context, topic string) (map[connector.TopicPartition]int64, error) {
	n, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	return do(ctx, func() (map[connector.TopicPartition]int64, error) {
		ends := map[connector.TopicPartition]int64{}
		for p := range n {
			end, err := c.client.GetOffset(topic, p, sarama.OffsetNewest)
			if err != nil {
				return nil, connector.Retriable(fmt.Errorf("topic %s: end of partition %d: %w", topic, p, err))
			}
			ends[connector.TopicPartition{Topic: topic, Partition: p}] = end
		}
		return ends, nil
	})
}

// CommittedOffsets gives the offsets that a group has committed, by partition;
// partitions without one are left out.
func (c *Client) CommittedOffsets(ctx context.Context, group string) (map[connector.TopicPartition]int64, error) {
	return do(ctx, func() (map[connector.TopicPartition]int64, error) {
		a, err := c.admin()
		if err != nil {
			return nil, connector.Retriable(err)
		}
		resp, err := a.ListConsumerGroupOffsets(group, nil)
		if err != nil {
			return nil, connector.Retriable(fmt.Errorf("offsets of group %s: %w", group, err))
		}
		blocks := resp.Blocks
		if g := resp.GetGroup(group); g != nil {
			blocks = g.Blocks
		}
		offsets := map[connector.TopicPartition]int64{}
		for topic, ps := range blocks {
			for p, b := range ps {
				if b.Err == sarama.ErrNoError && b.Offset >= 0 {
					offsets[connector.TopicPartition{Topic: topic, Partition: p}] = b.Offset
				}
			}
		}
		return offsets, nil
	})
}

// ReadPartition gives the messages of a partition from an offset up to where it
// ended at the call, committed ones only. An offset before the partition's first
// one starts there.
func (c *Client) ReadPartition(ctx context.Context, tp connector.TopicPartition, from int64, fn func(Message) error) error {
	where := fmt.Sprintf("topic %s partition %d", tp.Topic, tp.Partition)
	end, err := do(ctx, func() (int64, error) { return c.client.GetOffset(tp.Topic, tp.Partition, sarama.OffsetNewest) })
	if err != nil {
		return connector.Retriable(fmt.Errorf("%s: %w", where, err))
	}
	first, err := do(ctx, func() (int64, error) { return c.client.GetOffset(tp.Topic, tp.Partition, sarama.OffsetOldest) })
	if err != nil {
		return connector.Retriable(fmt.Errorf("%s: %w", where, err))
	}
	from = max(from, first)
	if from >= end {
		return nil
	}
	consumer, err := sarama.NewConsumerFromClient(c.client)
	if err != nil {
		return connector.Retriable(err)
	}
	defer func() { _ = consumer.Close() }()
	pc, err := consumer.ConsumePartition(tp.Topic, tp.Partition, from)
	if err != nil {
		return connector.Retriable(fmt.Errorf("%s: %w", where, err))
	}
	f := newFeed(tp, pc, from)
	defer f.stop()
	for f.position() < end {
		batch, err := f.next(ctx, endPatience)
		if err != nil {
			return connector.Retriable(fmt.Errorf("%s: %w", where, err))
		}
		for _, m := range batch {
			if m.Offset >= end {
				return nil
			}
			if err := fn(m); err != nil {
				return err
			}
		}
		if len(batch) == 0 && pc.HighWaterMarkOffset() >= end && ctx.Err() == nil {
			return nil // what is left are markers and aborted or compacted records
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// retriable tells whether Kafka's answer may be another one later.
func retriable(code sarama.KError) bool {
	switch code {
	case sarama.ErrLeaderNotAvailable, sarama.ErrNotLeaderForPartition, sarama.ErrRequestTimedOut, sarama.ErrBrokerNotAvailable,
		sarama.ErrNetworkException, sarama.ErrNotController, sarama.ErrNotEnoughReplicas, sarama.ErrNotEnoughReplicasAfterAppend,
		sarama.ErrUnknownTopicOrPartition, sarama.ErrConsumerCoordinatorNotAvailable, sarama.ErrOffsetsLoadInProgress,
		sarama.ErrNotCoordinatorForConsumer, sarama.ErrKafkaStorageError, sarama.ErrReassignmentInProgress, sarama.ErrUnknown:
		return true
	}
	return false
}
