package kafka

import (
	"github.com/IBM/sarama"
)

// What members of consumer groups tell each other, in Kafka's own encoding.
// sarama encodes it as a part of requests only.
const (
	consumerType  = "consumer"
	rangeProtocol = "range" // Kafka's own default too, so that members of other clients offer it
)

// subscribe gives the protocol with which a consumer of these topics joins.
func subscribe(topics []string) (Protocol, error) {
	var req sarama.JoinGroupRequest
	if err := req.AddGroupProtocolMetadata(rangeProtocol, &sarama.ConsumerGroupMemberMetadata{Topics: topics}); err != nil {
		return Protocol{}, err
	}
	p := req.OrderedGroupProtocols[0]
	return Protocol{Name: p.Name, Metadata: p.Metadata}, nil
}

// subscriptions gives the topics of each member.
func subscriptions(metadata map[string][]byte) (map[string][]string, error) {
	var resp sarama.JoinGroupResponse
	for id, b := range metadata {
		resp.Members = append(resp.Members, sarama.GroupMember{MemberId: id, Metadata: b})
	}
	members, err := resp.GetMembers()
	if err != nil {
		return nil, err
	}
	topics := map[string][]string{}
	for id, m := range members {
		topics[id] = m.Topics
	}
	return topics, nil
}

// encodePlan gives each member's partitions as it gets them.
func encodePlan(plan map[string]map[string][]int32) (map[string][]byte, error) {
	var req sarama.SyncGroupRequest
	for id, topics := range plan {
		if err := req.AddGroupAssignmentMember(id, &sarama.ConsumerGroupMemberAssignment{Topics: topics}); err != nil {
			return nil, err
		}
	}
	encoded := map[string][]byte{}
	for _, a := range req.GroupAssignments {
		encoded[a.MemberId] = a.Assignment
	}
	return encoded, nil
}

// decodeAssignment gives a member's partitions by topic.
func decodeAssignment(b []byte) (map[string][]int32, error) {
	if len(b) == 0 {
		return nil, nil // the leader has nothing for this member
	}
	a, err := (&sarama.SyncGroupResponse{MemberAssignment: b}).GetMemberAssignment()
	if err != nil {
		return nil, err
	}
	return a.Topics, nil
}
