package steer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// configTopic is where a cluster of workers keeps its connectors.
type configTopic struct {
	name    string
	servers []string
	login   map[string]string
}

// configTopicOf reads where that is from the file of one of the workers.
func configTopicOf(file string) (configTopic, error) {
	setup := new(config.Setup)
	if err := setup.ReadFile(file, config.WorkerRole); err != nil {
		return configTopic{}, err
	}
	raw := setup.Worker.Props()
	resolver, err := config.NewResolver(raw)
	if err != nil {
		return configTopic{}, fmt.Errorf("%s: %w", file, err)
	}
	props, err := resolver.Resolve(raw, config.Origin{Dir: filepath.Dir(file)})
	if err != nil {
		return configTopic{}, fmt.Errorf("%s: %w", file, err)
	}
	servers, _ := props.Text("bootstrap.servers")
	topic := configTopic{servers: config.SplitList(servers), login: map[string]string{}}
	topic.name, _ = props.Text("config.storage.topic")
	if len(topic.servers) == 0 || topic.name == "" {
		return configTopic{}, fmt.Errorf("%s: bootstrap.servers or config.storage.topic is missing: want the file of a distributed worker", file)
	}
	for key := range props {
		if text, given := props.Text(key); given && config.ConnectionKey(key) {
			topic.login[key] = text
		}
	}
	return topic, nil
}

// connectors gives what the topic holds, as a worker of the cluster would tell it. The
// topic is read only, and no worker has to run. Records that cannot be read are
// reported.
func (t configTopic) connectors(ctx context.Context, report io.Writer) (map[string]client.Connector, error) {
	c, err := kafka.Open(ctx, kafka.Options{Bootstrap: t.servers, Props: t.login})
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	defer c.Close()
	n, err := c.Partitions(ctx, t.name)
	if err != nil {
		return nil, err
	}
	var found store.State
	for p := range n {
		err := c.ReadPartition(ctx, connector.TopicPartition{Topic: t.name, Partition: p}, 0, func(m kafka.Message) error {
			r, err := store.Decode(string(m.Key), m.Value)
			if err != nil {
				_, err = fmt.Fprintf(report, "topic %s partition %d offset %d: %v\n", t.name, m.Partition, m.Offset, err)
				return err
			}
			found.Apply(r)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	all := map[string]client.Connector{}
	for _, name := range found.Connectors() {
		wanted, _ := found.Connector(name)
		one := client.Connector{Info: client.Info{Name: name, Config: client.Config{}}}
		for key := range wanted.Config {
			if text, given := wanted.Config.Text(key); given {
				one.Info.Config[key] = &text
			}
		}
		if wanted.Target != state.TargetStarted {
			one.Status.Connector.State = string(wanted.Target)
		}
		all[name] = one
	}
	if len(all) == 0 {
		return nil, errors.New("topic " + t.name + ": it holds no connectors")
	}
	return all, nil
}
