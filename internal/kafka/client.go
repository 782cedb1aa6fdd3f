package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"

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
	// security.protocol or linger.ms. Those without a counterpart are ignored.
	Props map[string]string
	Log   *slog.Logger

	health *health // of the client, and of those made of it
}

// Client has the connections to a cluster. It is safe for concurrent use.
type Client struct {
	options Options
	client  sarama.Client
	gate    *gate
	close   sync.Once
	asking  *trouble // with the connections
	shared  *Client  // of a pool, whose connections it uses; nil where they are its own
	release func()   // gives shared back
}

// gate dials until it is closed: a call that goes on by itself while the client is
// closed would open a connection to a broker that nobody closes any more.
type gate struct {
	connects
	closed atomic.Bool
}

// Dial is sarama's way to connect.
func (g *gate) Dial(network, address string) (net.Conn, error) {
	if g.closed.Load() {
		return nil, sarama.ErrClosedClient
	}
	return g.connects.Dial(network, address)
}

// Open connects. It gives up with one error when no bootstrap server answers.
func Open(ctx context.Context, o Options) (*Client, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.Bootstrap) == 0 {
		return nil, connector.Coded("H2001", connector.Fatal(errors.New("bootstrap.servers is empty")))
	}
	made := o.health == nil
	if made {
		o.health = newHealth()
	}
	conf, err := newConfig(o)
	if err != nil {
		return nil, connector.Fatal(err)
	}
	if made {
		o.health.patience += conf.Consumer.MaxWaitTime
	}
	type result struct {
		client sarama.Client
		err    error
	}
	g := &gate{connects: conf.Net.Proxy.Dialer}
	conf.Net.Proxy.Dialer = g
	done := make(chan result, 1)
	go func() { // ends with its dial time-outs
		c, err := sarama.NewClient(o.Bootstrap, conf)
		done <- result{c, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, connector.Coded("H2001", connector.Retriable(fmt.Errorf("bootstrap.servers %s: %w", strings.Join(o.Bootstrap, ","), explained(r.err, conf))))
		}
		return &Client{options: o, client: r.client, gate: g, asking: &trouble{log: o.Log, health: o.health}}, nil
	case <-ctx.Done():
		go func() { // waits for the dial above
			if r := <-done; r.client != nil {
				_ = r.client.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// Close closes the connections, unless others share them. It is safe twice.
func (c *Client) Close() {
	c.close.Do(func() {
		if c.shared != nil {
			c.release()
			return
		}
		c.asking.end()
		c.gate.closed.Store(true)
		_ = c.client.Close() // nothing is lost with a connection
	})
}

// Trouble gives what Kafka does not do at the moment for this client and for the
// group consumers and producers made of it, if anything: the trouble that has
// lasted longest. It does not ask Kafka.
func (c *Client) Trouble() (Trouble, bool) {
	worst, ok := c.options.health.trouble()
	if c.shared != nil {
		if t, there := c.shared.Trouble(); there && (!ok || t.Since.Before(worst.Since)) {
			return t, true
		}
	}
	return worst, ok
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

// ClusterID gives the id of the cluster, empty where it has none.
func (c *Client) ClusterID(ctx context.Context) (string, error) {
	resp, err := ask(ctx, c, func(b *sarama.Broker) (*sarama.MetadataResponse, error) {
		return b.GetMetadata(sarama.NewMetadataRequest(c.client.Config().Version, nil))
	})
	if err != nil || resp.ClusterID == nil {
		return "", err
	}
	return *resp.ClusterID, nil
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
	return c.create(ctx, spec, false)
}

// create creates a topic; dry only asks whether it could be.
func (c *Client) create(ctx context.Context, spec TopicSpec, dry bool) error {
	detail := &sarama.TopicDetail{NumPartitions: spec.Partitions, ReplicationFactor: spec.Replication, ConfigEntries: map[string]*string{}}
	for k, v := range spec.Config {
		detail.ConfigEntries[k] = &v
	}
	_, err := do(ctx, func() (struct{}, error) {
		a, err := c.admin()
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, a.CreateTopic(spec.Name, detail, dry)
	})
	var te *sarama.TopicError
	switch {
	case err == nil || errors.As(err, &te) && te.Err == sarama.ErrTopicAlreadyExists:
		return nil
	case errors.As(err, &te) && (te.Err == sarama.ErrTopicAuthorizationFailed || te.Err == sarama.ErrClusterAuthorizationFailed):
		if _, missing := c.Partitions(ctx, spec.Name); missing == nil {
			return nil // it was created for a worker without the right
		}
		return connector.Fatal(fmt.Errorf("topic %s: create: %w: create it, or allow Create on it", spec.Name, err))
	case errors.As(err, &te) && !retriable(te.Err):
		return connector.Fatal(fmt.Errorf("topic %s: create: %w", spec.Name, err))
	}
	return connector.Retriable(fmt.Errorf("topic %s: create: %w", spec.Name, err))
}

// Partitions gives the number of a topic's partitions, ErrUnknownTopic without
// the topic.
func (c *Client) Partitions(ctx context.Context, topic string) (int32, error) {
	found, err := c.describe(ctx, []string{topic})
	if err != nil {
		return 0, err
	}
	n, ok := found[topic]
	if !ok {
		return 0, fmt.Errorf("topic %s: %w", topic, ErrUnknownTopic)
	}
	return n, nil
}

// TopicConfig gives settings of a topic as they are in effect, by name.
func (c *Client) TopicConfig(ctx context.Context, topic string, names ...string) (map[string]string, error) {
	described, err := do(ctx, func() ([]*sarama.ConfigResourceResult, error) {
		a, err := c.admin()
		if err != nil {
			return nil, err
		}
		return a.DescribeConfigs([]*sarama.ConfigResource{{Type: sarama.TopicResource, Name: topic, ConfigNames: names}}, sarama.DescribeConfigsOptions{})
	})
	conf := map[string]string{}
	for _, d := range described {
		if d.ErrorCode != sarama.ErrNoError {
			err = errors.Join(err, d.ErrorCode)
		}
		for _, e := range d.Configs {
			conf[e.Name] = e.Value
		}
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: its configuration: %w", topic, err)
	}
	return conf, nil
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
		if errors.Is(err, sarama.ErrGroupIDNotFound) {
			return nil, nil
		}
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
