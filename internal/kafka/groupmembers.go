package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// GroupMember is a member of a group as its coordinator knows it.
type GroupMember struct {
	Metadata   []byte // what it said of itself when it joined
	Assignment []byte // what the leader has told it
}

// GroupMembers gives the members of a group by their ids, none where the group is
// in a rebalance or not there.
func (c *Client) GroupMembers(ctx context.Context, group string) (map[string]GroupMember, error) {
	found, err := do(ctx, func() ([]*sarama.GroupDescription, error) {
		a, err := c.admin()
		if err != nil {
			return nil, err
		}
		return a.DescribeConsumerGroups([]string{group})
	})
	if err != nil {
		return nil, fmt.Errorf("group %s: members: %w", group, err)
	}
	members := map[string]GroupMember{}
	for _, g := range found {
		if errors.Is(g.Err, sarama.ErrGroupIDNotFound) {
			continue
		}
		if g.Err != sarama.ErrNoError {
			return nil, fmt.Errorf("group %s: members: %w", group, g.Err)
		}
		if g.State != "Stable" {
			continue
		}
		for id, m := range g.Members {
			members[id] = GroupMember{m.MemberMetadata, m.MemberAssignment}
		}
	}
	return members, nil
}
