// Package topics looks into the topics of a Kafka cluster: what there is, how it is
// kept, and the records. It only reads, and never joins a consumer group.
package topics

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Listed is a topic in a list.
type Listed struct {
	Name        string `json:"name"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replication"`
	Internal    bool   `json:"internal"`
}

// List gives the topics; all is Kafka's own, too.
func List(ctx context.Context, client *kafka.Client, all bool) ([]Listed, error) {
	found, err := client.DescribeTopics(ctx, nil)
	list := []Listed{}
	for _, t := range found {
		if t.Internal && !all {
			continue
		}
		x := Listed{Name: t.Name, Partitions: len(t.Partitions), Internal: t.Internal}
		for _, p := range t.Partitions {
			x.Replication = max(x.Replication, len(p.Replicas))
		}
		list = append(list, x)
	}
	return list, err
}

// Described is a topic with its partitions and settings.
type Described struct {
	Name       string            `json:"name"`
	Internal   bool              `json:"internal"`
	Records    int64             `json:"offsets"`
	Partitions []Partition       `json:"partitions"`
	Config     map[string]string `json:"config"`
}

// Partition is a partition with where it begins and ends.
type Partition struct {
	Partition int32   `json:"partition"`
	Leader    int32   `json:"leader"`
	Replicas  []int32 `json:"replicas"`
	InSync    []int32 `json:"in_sync"`
	First     *int64  `json:"first"` // null where nobody can say it
	End       *int64  `json:"end"`
	Error     string  `json:"error,omitempty"` // why not
}

// Settings gives the names of those settings of a topic that say how records are kept.
func Settings() []string {
	return []string{"cleanup.policy", "compression.type", "max.message.bytes", "message.timestamp.type", "min.insync.replicas", "retention.bytes", "retention.ms"}
}

// Describe gives topics with their partitions, where these begin and end, and how
// records are kept. What cannot be said of a partition, since it has no leader, keeps
// nothing else from being said.
func Describe(ctx context.Context, client *kafka.Client, names ...string) ([]Described, error) {
	found, err := client.DescribeTopics(ctx, names)
	if err != nil {
		return nil, err
	}
	list := []Described{}
	for _, t := range found {
		d, err := describe(ctx, client, t)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

func describe(ctx context.Context, client *kafka.Client, t kafka.TopicInfo) (Described, error) {
	d := Described{Name: t.Name, Internal: t.Internal}
	for _, p := range t.Partitions {
		shown := Partition{Partition: p.Partition, Leader: p.Leader, Replicas: p.Replicas, InSync: p.InSync}
		if p.Leader < 0 {
			shown.Error = "it has no leader"
		} else if first, end, err := client.Bounds(ctx, connector.TopicPartition{Topic: t.Name, Partition: p.Partition}); err != nil {
			shown.Error = err.Error()
		} else {
			shown.First, shown.End = &first, &end
			d.Records += end - first
		}
		d.Partitions = append(d.Partitions, shown)
	}
	var err error
	d.Config, err = client.TopicConfig(ctx, t.Name, Settings()...)
	return d, err
}
