package kafka

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

func as(t *testing.T, broker, user string) *Client {
	return open(t, broker, map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
		"sasl.jaas.config": fmt.Sprintf(`org.apache.kafka.common.security.plain.PlainLoginModule required username=%q password=%[1]q;`, user)})
}

// What a user may do with topics is told, and what is not there is not made.
func TestTopicRights(t *testing.T) {
	broker := kafkatest.StartWithRights(t, "buoy", "buoy", kafkatest.MayRead("in"), kafkatest.MayWrite("out"), kafkatest.MayDescribe("none"))
	admin := as(t, broker, "admin")
	for i, topic := range []string{"in", "out", "hidden"} {
		newTopic(t, admin, topic, int32(i+1), nil)
	}
	c := as(t, broker, "buoy")
	tests := []struct {
		topic      string
		partitions int
		lacks      []Operation
		unknown    bool
		code       string
	}{
		{topic: "in", partitions: 1, lacks: []Operation{Write}},
		{topic: "out", partitions: 2, lacks: []Operation{Read}},
		{topic: "hidden", code: "H2015"},
		{topic: "none", unknown: true},
	}
	for _, tt := range tests {
		t.Run(tt.topic, func(t *testing.T) {
			n, rights, err := c.TopicRights(t.Context(), tt.topic)
			if n != tt.partitions || connector.CodeOf(err) != tt.code || errors.Is(err, ErrUnknownTopic) != tt.unknown || (err == nil) != (tt.partitions > 0) {
				t.Errorf("%d partitions, %v", n, err)
			}
			if d := cmp.Diff(tt.lacks, rights.Lacks(Read, Write)); d != "" {
				t.Error(d)
			}
		})
	}
	if err := admin.WouldCreate(t.Context(), TopicSpec{Name: "new", Partitions: 1, Replication: 1}); err != nil {
		t.Errorf("a topic that could be made: %v", err)
	}
	if err := admin.WouldCreate(t.Context(), TopicSpec{Name: "new", Partitions: 1, Replication: 3}); err == nil {
		t.Error("a topic with more replicas than brokers could be made")
	}
	if _, _, err := admin.TopicRights(t.Context(), "new"); !errors.Is(err, ErrUnknownTopic) {
		t.Errorf("a topic that was asked for: %v", err)
	}
}

// The one broker that has a group has to be reached, the others need not be.
func TestGroupRightsWhereABrokerIsAway(t *testing.T) {
	const brokers, describeGroups = 3, 15
	failed := 0
	for away := range int32(brokers) {
		cluster := kafkatest.NewCluster(t, brokers)
		cluster.ControlKey(describeGroups, func(kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			return nil, io.EOF, cluster.CurrentNode() == away
		})
		rights, err := open(t, cluster.ListenAddrs()[0], nil).GroupRights(t.Context(), "g")
		if err != nil {
			failed++
		}
		if err != nil && (connector.CodeOf(err) != "H2001" || connector.KindOf(err) != connector.KindRetriable) || rights.Known() != (err == nil) {
			t.Errorf("without broker %d: %v, %v", away, rights, err)
		}
	}
	if failed != 1 {
		t.Errorf("%d brokers have the group", failed)
	}
}

// A client says what it is connected to.
func TestCluster(t *testing.T) {
	says, err := open(t, kafkatest.Start(t), nil).Cluster(t.Context())
	if want := "Kafka 4.1 or later, 1 broker, cluster hydraulics-embedded"; err != nil || says != want {
		t.Errorf("%v: %s, want %s", err, says, want)
	}
}
