package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TopicInfo is a topic as the cluster tells of it.
type TopicInfo struct {
	Name       string
	Internal   bool // it is Kafka's own
	Partitions []PartitionInfo
}

// PartitionInfo is a partition, and the brokers that have it.
type PartitionInfo struct {
	Partition        int32
	Leader           int32 // -1 without one
	Replicas, InSync []int32
}

// DescribeTopics gives topics by name, sorted; nil asks for all. One that does not
// exist is ErrUnknownTopic.
func (c *Client) DescribeTopics(ctx context.Context, topics []string) ([]TopicInfo, error) {
	resp, err := c.metadata(ctx, topics, false)
	if err != nil {
		return nil, err
	}
	var list []TopicInfo
	for _, t := range resp.Topics {
		switch t.Err {
		case sarama.ErrNoError, sarama.ErrLeaderNotAvailable:
		case sarama.ErrUnknownTopicOrPartition:
			return nil, fmt.Errorf("topic %s: %w", t.Name, ErrUnknownTopic)
		default:
			return nil, fmt.Errorf("topic %s: %w", t.Name, t.Err)
		}
		info := TopicInfo{Name: t.Name, Internal: t.IsInternal}
		for _, p := range t.Partitions {
			info.Partitions = append(info.Partitions, PartitionInfo{p.ID, p.Leader, p.Replicas, p.Isr})
		}
		slices.SortFunc(info.Partitions, func(a, b PartitionInfo) int { return int(a.Partition) - int(b.Partition) })
		list = append(list, info)
	}
	slices.SortFunc(list, func(a, b TopicInfo) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// FirstOffsets gives for each partition of a topic the offset of its first record.
func (c *Client) FirstOffsets(ctx context.Context, topic string) (map[connector.TopicPartition]int64, error) {
	return c.offsets(ctx, topic, "first offset", sarama.OffsetOldest)
}

// EndOffsets gives for each partition of a topic the offset behind its last record.
func (c *Client) EndOffsets(ctx context.Context, topic string) (map[connector.TopicPartition]int64, error) {
	return c.offsets(ctx, topic, "end", sarama.OffsetNewest)
}

// OffsetsSince gives for each partition of a topic the offset of its first record
// that is of a time or later; partitions without one are left out.
func (c *Client) OffsetsSince(ctx context.Context, topic string, at time.Time) (map[connector.TopicPartition]int64, error) {
	found, err := c.offsets(ctx, topic, "offset of a time", max(0, at.UnixMilli())) // below there are words for ends
	for tp, offset := range found {
		if offset < 0 {
			delete(found, tp)
		}
	}
	return found, err
}

// offsets gives the offsets of a topic's partitions at a time, or at what stands for
// one.
func (c *Client) offsets(ctx context.Context, topic, what string, at int64) (map[connector.TopicPartition]int64, error) {
	n, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	return do(ctx, func() (map[connector.TopicPartition]int64, error) {
		offsets := map[connector.TopicPartition]int64{}
		for p := range n {
			tp := connector.TopicPartition{Topic: topic, Partition: p}
			if offsets[tp], err = c.offset(tp, what, at); err != nil {
				return nil, err
			}
		}
		return offsets, nil
	})
}

func (c *Client) offset(tp connector.TopicPartition, what string, at int64) (int64, error) {
	offset, err := c.client.GetOffset(tp.Topic, tp.Partition, at)
	if err != nil {
		return 0, connector.Retriable(fmt.Errorf("topic %s: %s of partition %d: %w", tp.Topic, what, tp.Partition, err))
	}
	return offset, nil
}

// Bounds gives the offsets of a partition's first record and behind its last one.
func (c *Client) Bounds(ctx context.Context, tp connector.TopicPartition) (first, end int64, err error) {
	found, err := do(ctx, func() (b [2]int64, err error) {
		if b[0], err = c.offset(tp, "first offset", sarama.OffsetOldest); err == nil {
			b[1], err = c.offset(tp, "end", sarama.OffsetNewest)
		}
		return b, err
	})
	return found[0], found[1], err
}
