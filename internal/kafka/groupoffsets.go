package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// ErrGroupInUse says that a group still has members, which are to leave before
// others change its offsets.
var ErrGroupInUse = errors.New("the group still has members")

// AlterOffsets sets the committed offsets of a group that has no members.
func (c *Client) AlterOffsets(ctx context.Context, group string, next map[connector.TopicPartition]int64) error {
	if len(next) == 0 {
		return nil
	}
	offsets := map[string]map[int32]sarama.OffsetAndMetadata{}
	for tp, off := range next {
		if offsets[tp.Topic] == nil {
			offsets[tp.Topic] = map[int32]sarama.OffsetAndMetadata{}
		}
		offsets[tp.Topic][tp.Partition] = sarama.OffsetAndMetadata{Offset: off, LeaderEpoch: -1}
	}
	return c.onGroup(ctx, group, func(a sarama.ClusterAdmin) error {
		resp, err := a.AlterConsumerGroupOffsets(group, offsets, nil)
		if err != nil {
			return err
		}
		for topic, ps := range resp.Errors {
			for p, e := range ps {
				if e != sarama.ErrNoError {
					return fmt.Errorf("topic %s partition %d: %w", topic, p, e)
				}
			}
		}
		return nil
	})
}

// DeleteOffsets removes committed offsets of a group that has no members. One
// that is not there is fine.
func (c *Client) DeleteOffsets(ctx context.Context, group string, tps []connector.TopicPartition) error {
	return c.onGroup(ctx, group, func(a sarama.ClusterAdmin) error {
		for _, tp := range tps {
			err := a.DeleteConsumerGroupOffset(group, tp.Topic, tp.Partition)
			if err != nil && !errors.Is(err, sarama.ErrGroupIDNotFound) {
				return fmt.Errorf("topic %s partition %d: %w", tp.Topic, tp.Partition, err)
			}
		}
		return nil
	})
}

// DeleteGroup removes a group that has no members, with its offsets. One that is
// not there is fine.
func (c *Client) DeleteGroup(ctx context.Context, group string) error {
	return c.onGroup(ctx, group, func(a sarama.ClusterAdmin) error {
		if err := a.DeleteConsumerGroup(group); !errors.Is(err, sarama.ErrGroupIDNotFound) {
			return err
		}
		return nil
	})
}

// onGroup does something to the offsets of a group.
func (c *Client) onGroup(ctx context.Context, group string, change func(sarama.ClusterAdmin) error) error {
	_, err := do(ctx, func() (struct{}, error) {
		a, err := c.admin()
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, change(a)
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sarama.ErrNonEmptyGroup) || errors.Is(err, sarama.ErrUnknownMemberId) || errors.Is(err, sarama.ErrGroupSubscribedToTopic):
		err = fmt.Errorf("%w: %w", ErrGroupInUse, err)
	}
	return fmt.Errorf("offsets of group %s: %w", group, err)
}
