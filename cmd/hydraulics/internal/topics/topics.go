// Package topics prints what there is in the topics of a Kafka cluster, as the flags of
// commands ask for it.
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
	"github.com/axiom-data-science/hydraulics/internal/topics"
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
	named, _ := settings.Text("bootstrap.servers")
	servers := cmp.Or(c.Broker, named, "localhost:9092")
	client, err := kafka.Open(ctx, kafka.Options{Bootstrap: config.SplitList(servers), Props: connection.Keys(settings, "consumer.")})
	if err != nil {
		return nil, nil, fmt.Errorf("kafka: %w", err)
	}
	return client, settings, nil
}

// list gives the topics; all is Kafka's own, too.
func (c Cluster) list(ctx context.Context, all bool) ([]topics.Listed, error) {
	client, _, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return topics.List(ctx, client, all)
}

// Names gives the names of the topics that are not Kafka's own.
func (c Cluster) Names(ctx context.Context) ([]string, error) {
	found, err := c.list(ctx, false)
	var names []string
	for _, t := range found {
		names = append(names, t.Name)
	}
	return names, err
}

// List prints the topics; all is Kafka's own, too.
func (c Cluster) List(ctx context.Context, out io.Writer, form output.Form, all bool) error {
	list, err := c.list(ctx, all)
	if err != nil {
		return err
	}
	table := output.Table{Columns: []string{"NAME", "PARTITIONS", "REPLICATION"}}
	for _, x := range list {
		table.Add(x.Name, strconv.Itoa(x.Partitions), strconv.Itoa(x.Replication))
	}
	return form.Print(out, list, table)
}

// Describe prints topics with their partitions, where these begin and end, and
// how records are kept.
func (c Cluster) Describe(ctx context.Context, out io.Writer, form output.Form, names []string) error {
	client, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	list, err := topics.Describe(ctx, client, names...)
	if err != nil {
		return err
	}
	if !form.ForPeople() {
		return form.Value(out, list)
	}
	for i := range list {
		if err := printTopic(out, form, &list[i]); err != nil {
			return err
		}
	}
	return nil
}

// printTopic shows a topic to people.
func printTopic(out io.Writer, form output.Form, d *topics.Described) error {
	fmt.Fprintf(out, "%s: %d partitions, %d offsets\n", d.Name, len(d.Partitions), d.Records)
	for _, key := range topics.Settings() {
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
