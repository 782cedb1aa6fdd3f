package kafka

import (
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// retryPause is the pause before a request is sent again.
const retryPause = 250 * time.Millisecond

// soon is the pause where the first refusals are of a broker that does not know yet
// what was made a moment ago, as a topic's partitions.
var soon = backoff{10 * time.Millisecond, retryPause}

// coordinator sends requests to a group's coordinator over two lines: joins and
// syncs wait for the other members and would hold up what is behind them. It is
// safe for concurrent use.
type coordinator struct {
	client     *Client
	group      string
	kind       string // the group's protocol type
	slow, fast line
}

func newCoordinator(c *Client, conf *sarama.Config, group, kind string, joins time.Duration) *coordinator {
	return &coordinator{client: c, group: group, kind: kind,
		slow: line{client: c, conf: conf, group: group, patience: joins}, fast: line{client: c, conf: conf, group: group}}
}

func (c *coordinator) join(id string, protocols []Protocol, session, rebalance time.Duration) (*sarama.JoinGroupResponse, error) {
	b, err := c.slow.get()
	if err != nil {
		return nil, err
	}
	req := sarama.NewJoinGroupRequest(c.client.client.Config().Version)
	req.GroupId, req.MemberId, req.ProtocolType = c.group, id, c.kind
	req.SessionTimeout, req.RebalanceTimeout = int32(session.Milliseconds()), int32(rebalance.Milliseconds())
	for _, p := range protocols {
		req.AddGroupProtocol(p.Name, p.Metadata)
	}
	resp, err := b.JoinGroup(req)
	if err != nil {
		return nil, err
	}
	return resp, code(resp.Err)
}

// sync hands in the leader's plan, nil for the others, and gives what the
// member was assigned.
func (c *coordinator) sync(g Generation, plan map[string][]byte) ([]byte, error) {
	b, err := c.slow.get()
	if err != nil {
		return nil, err
	}
	req := &sarama.SyncGroupRequest{Version: 5, GroupId: c.group, MemberId: g.Member, GenerationId: g.ID, ProtocolType: &c.kind, ProtocolName: &g.Protocol}
	for member, assignment := range plan {
		req.AddGroupAssignment(member, assignment)
	}
	resp, err := b.SyncGroup(req)
	if err != nil {
		return nil, err
	}
	return resp.MemberAssignment, code(resp.Err)
}

func (c *coordinator) heartbeat(as identity) error {
	b, err := c.fast.get()
	if err != nil {
		return err
	}
	resp, err := b.Heartbeat(&sarama.HeartbeatRequest{Version: 4, GroupId: c.group, MemberId: as.id, GenerationId: as.generation})
	if err != nil {
		return err
	}
	return code(resp.Err)
}

// commit commits offsets as a member of a generation. The first refusal of a partition
// is the error.
func (c *coordinator) commit(as identity, offsets map[connector.TopicPartition]int64) error {
	b, err := c.fast.get()
	if err != nil {
		return err
	}
	req := sarama.NewOffsetCommitRequest(c.client.client.Config(), c.group)
	req.ConsumerID, req.ConsumerGroupGeneration = as.id, as.generation
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

// code makes an error of an error code, nil of none.
func code(e sarama.KError) error {
	if e == sarama.ErrNoError {
		return nil
	}
	return e
}
