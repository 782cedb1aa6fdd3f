// Package topics looks into the topics of a Kafka cluster: what there is, how it is
// kept, and the records. It only reads, and never joins a consumer group.
package topics

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Cluster is a Kafka cluster, as flags name it.
type Cluster struct {
	Broker string
	Config string // the file of --kafka-config
}

// open connects, and gives what the file says.
func (c Cluster) open(ctx context.Context) (*kafka.Client, connector.Props, error) {
	settings, err := connection.ReadAny(c.Config)
	if err != nil {
		return nil, nil, err
	}
	servers := cmp.Or(c.Broker, text(settings, "bootstrap.servers"), "localhost:9092")
	client, err := kafka.Open(ctx, kafka.Options{Bootstrap: config.SplitList(servers), Props: connection.Keys(settings, "consumer.")})
	if err != nil {
		return nil, nil, fmt.Errorf("kafka: %w", err)
	}
	return client, settings, nil
}

// text gives what a key says, "" where it is not there.
func text(p connector.Props, key string) string {
	t, _ := p.Text(key)
	return t
}

// Names gives the names of the topics that are not Kafka's own.
func (c Cluster) Names(ctx context.Context) ([]string, error) {
	found, err := c.topics(ctx, false)
	var names []string
	for _, t := range found {
		names = append(names, t.Name)
	}
	return names, err
}

// topics gives the topics; all is Kafka's own, too.
func (c Cluster) topics(ctx context.Context, all bool) ([]kafka.TopicInfo, error) {
	client, _, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	found, err := client.DescribeTopics(ctx, nil)
	return slices.DeleteFunc(found, func(t kafka.TopicInfo) bool { return t.Internal && !all }), err
}

// listed is a topic in a list.
type listed struct {
	Name        string `json:"name"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replication"`
	Internal    bool   `json:"internal"`
}

// List prints the topics; all is Kafka's own, too.
func (c Cluster) List(ctx context.Context, out io.Writer, form output.Form, all bool) error {
	found, err := c.topics(ctx, all)
	if err != nil {
		return err
	}
	list := []listed{}
	table := output.Table{Columns: []string{"NAME", "PARTITIONS", "REPLICATION"}}
	for _, t := range found {
		x := listed{Name: t.Name, Partitions: len(t.Partitions), Internal: t.Internal}
		for _, p := range t.Partitions {
			x.Replication = max(x.Replication, len(p.Replicas))
		}
		list = append(list, x)
		table.Add(x.Name, strconv.Itoa(x.Partitions), strconv.Itoa(x.Replication))
	}
	return form.Print(out, list, table)
}

// described is a topic with its partitions and settings.
type described struct {
	Name       string            `json:"name"`
	Internal   bool              `json:"internal"`
	Records    int64             `json:"offsets"`
	Partitions []partition       `json:"partitions"`
	Config     map[string]string `json:"config"`
}

type partition struct {
	Partition int32   `json:"partition"`
	Leader    int32   `json:"leader"`
	Replicas  []int32 `json:"replicas"`
	InSync    []int32 `json:"in_sync"`
	First     *int64  `json:"first"` // null where nobody can say it
	End       *int64  `json:"end"`
	Error     string  `json:"error,omitempty"` // why not
}

// settings are those of a topic that say how records are kept.
var settings = []string{"cleanup.policy", "compression.type", "max.message.bytes", "message.timestamp.type", "min.insync.replicas", "retention.bytes", "retention.ms"}

// Describe prints topics with their partitions, where these begin and end, and
// how records are kept. What cannot be said of a partition, since it has no leader,
// keeps nothing else from being said.
func (c Cluster) Describe(ctx context.Context, out io.Writer, form output.Form, names []string) error {
	client, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	found, err := client.DescribeTopics(ctx, names)
	if err != nil {
		return err
	}
	list := []described{}
	for _, t := range found {
		d, err := describe(ctx, client, t)
		if err != nil {
			return err
		}
		list = append(list, d)
	}
	if !form.ForPeople() {
		return form.Value(out, list)
	}
	for _, d := range list {
		if err := d.print(out, form); err != nil {
			return err
		}
	}
	return nil
}

func describe(ctx context.Context, client *kafka.Client, t kafka.TopicInfo) (described, error) {
	d := described{Name: t.Name, Internal: t.Internal}
	for _, p := range t.Partitions {
		shown := partition{Partition: p.Partition, Leader: p.Leader, Replicas: p.Replicas, InSync: p.InSync}
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
	d.Config, err = client.TopicConfig(ctx, t.Name, settings...)
	return d, err
}

// print shows a topic to people.
func (d described) print(out io.Writer, form output.Form) error {
	fmt.Fprintf(out, "%s: %d partitions, %d offsets\n", d.Name, len(d.Partitions), d.Records)
	for _, key := range settings {
		if v, there := d.Config[key]; there {
			fmt.Fprintf(out, "  %s: %s\n", key, v)
		}
	}
	table := output.Table{Columns: []string{"PARTITION", "FIRST", "END", "LEADER", "REPLICAS", "IN SYNC"}}
	for _, p := range d.Partitions {
		leader := "none"
		if p.Leader >= 0 {
			leader = fmt.Sprint(p.Leader)
		}
		table.Add(fmt.Sprint(p.Partition), offset(p.First), offset(p.End), leader, ids(p.Replicas), ids(p.InSync))
	}
	if err := form.Print(out, nil, table); err != nil {
		return err
	}
	for _, p := range d.Partitions {
		if p.Error != "" {
			fmt.Fprintf(out, "  partition %d: %s\n", p.Partition, p.Error)
		}
	}
	return nil
}

// offset shows an offset, or that nobody can say it.
func offset(at *int64) string {
	if at == nil {
		return "-"
	}
	return strconv.FormatInt(*at, 10)
}

// ids lists brokers.
func ids(brokers []int32) string {
	brokers = slices.Sorted(slices.Values(brokers))
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(brokers), " ", ","), "[]")
}
