package kafka

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	rangeProtocol = "range" // Kafka's own default too, so that members of other clients offer it
	// retryPause is the pause before a request is sent again.
	retryPause = 250 * time.Millisecond
)

// coordinator sends requests to a group's coordinator over two lines: joins and
// syncs wait for the other members and would hold up what is behind them. It is
// safe for concurrent use.
type coordinator struct {
	client     *Client
	group      string
	slow, fast line
}

func newCoordinator(c *Client, group string, joins time.Duration) *coordinator {
	return &coordinator{client: c, group: group,
		slow: line{client: c, group: group, patience: joins}, fast: line{client: c, group: group}}
}

func (c *coordinator) version() sarama.KafkaVersion { return c.client.client.Config().Version }

func (c *coordinator) join(id string, topics []string, session, rebalance time.Duration) (*sarama.JoinGroupResponse, error) {
	b, err := c.slow.get()
	if err != nil {
		return nil, err
	}
	req := sarama.NewJoinGroupRequest(c.version())
	req.GroupId, req.MemberId, req.ProtocolType = c.group, id, "consumer"
	req.SessionTimeout, req.RebalanceTimeout = int32(session.Milliseconds()), int32(rebalance.Milliseconds())
	if err := req.AddGroupProtocolMetadata(rangeProtocol, &sarama.ConsumerGroupMemberMetadata{Topics: topics}); err != nil {
		return nil, err
	}
	resp, err := b.JoinGroup(req)
	if err != nil {
		return nil, err
	}
	return resp, code(resp.Err)
}

// sync hands in the leader's plan, nil for the others, and gives what the
// member was assigned.
func (c *coordinator) sync(id string, generation int32, plan map[string]map[string][]int32) (map[string][]int32, error) {
	b, err := c.slow.get()
	if err != nil {
		return nil, err
	}
	kind, protocol := "consumer", rangeProtocol
	req := &sarama.SyncGroupRequest{Version: 5, GroupId: c.group, MemberId: id, GenerationId: generation, ProtocolType: &kind, ProtocolName: &protocol}
	for member, topics := range plan {
		if err := req.AddGroupAssignmentMember(member, &sarama.ConsumerGroupMemberAssignment{Topics: topics}); err != nil {
			return nil, err
		}
	}
	resp, err := b.SyncGroup(req)
	if err != nil {
		return nil, err
	}
	if resp.Err != sarama.ErrNoError {
		return nil, resp.Err
	}
	if len(resp.MemberAssignment) == 0 {
		return nil, nil // the leader has nothing for this member
	}
	a, err := resp.GetMemberAssignment()
	if err != nil {
		return nil, err
	}
	return a.Topics, nil
}

func (c *coordinator) heartbeat(id string, generation int32) error {
	b, err := c.fast.get()
	if err != nil {
		return err
	}
	resp, err := b.Heartbeat(&sarama.HeartbeatRequest{Version: 4, GroupId: c.group, MemberId: id, GenerationId: generation})
	if err != nil {
		return err
	}
	return code(resp.Err)
}

func (c *coordinator) leave(id string) error {
	b, err := c.fast.get()
	if err != nil {
		return err
	}
	resp, err := b.LeaveGroup(&sarama.LeaveGroupRequest{Version: 4, GroupId: c.group, Members: []sarama.MemberIdentity{{MemberId: id}}})
	if err != nil {
		return err
	}
	return code(resp.Err)
}

// commit commits offsets as a member of a generation. The first refusal of a
// partition is the error.
func (c *coordinator) commit(id string, generation int32, offsets map[connector.TopicPartition]int64) error {
	b, err := c.fast.get()
	if err != nil {
		return err
	}
	req := sarama.NewOffsetCommitRequest(c.client.client.Config(), c.group)
	req.ConsumerID, req.ConsumerGroupGeneration = id, generation
	for tp, off := range offsets {
		req.AddBlockWithLeaderEpoch(tp.Topic, tp.Partition, off, -1, sarama.ReceiveTime, "")
	}
	resp, err := b.CommitOffset(req)
	if err != nil {
		return err
	}
	for _, ps := range resp.Errors {
		for _, e := range ps {
			if e != sarama.ErrNoError {
				return e
			}
		}
	}
	return nil
}

// committed gives the committed offsets of partitions; -1 is none.
func (c *coordinator) committed(tps []connector.TopicPartition, stable bool) (map[connector.TopicPartition]int64, error) {
	b, err := c.fast.get()
	if err != nil {
		return nil, err
	}
	byTopic := map[string][]int32{}
	for _, tp := range tps {
		byTopic[tp.Topic] = append(byTopic[tp.Topic], tp.Partition)
	}
	req := sarama.NewOffsetFetchRequest(c.version(), c.group, byTopic)
	req.RequireStable = stable
	resp, err := b.FetchOffset(req)
	if err != nil {
		return nil, err
	}
	if e := resp.GroupError(); e != sarama.ErrNoError {
		return nil, e
	}
	offsets := map[connector.TopicPartition]int64{}
	for _, tp := range tps {
		block := resp.GetGroupBlock(c.group, tp.Topic, tp.Partition)
		if block == nil {
			block = resp.GetBlock(tp.Topic, tp.Partition)
		}
		switch {
		case block == nil:
			return nil, fmt.Errorf("offset of %s/%d: %w", tp.Topic, tp.Partition, sarama.ErrIncompleteResponse)
		case block.Err != sarama.ErrNoError:
			return nil, block.Err
		}
		offsets[tp] = block.Offset
	}
	return offsets, nil
}

// code makes an error of an error code, nil of none.
func code(e sarama.KError) error {
	if e == sarama.ErrNoError {
		return nil
	}
	return e
}
