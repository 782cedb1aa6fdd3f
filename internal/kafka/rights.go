package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Rights are the operations that a client's user may do on something, as the broker
// tells them.
type Rights struct{ bits int32 }

// Known tells whether the broker has told them: one of before 2.3 does not.
func (r Rights) Known() bool { return r.bits != 0 && r.bits != math.MinInt32 }

// Lacks gives those of some operations that the user may not do, none where nobody knows.
func (r Rights) Lacks(operations ...Operation) []Operation {
	var lacking []Operation
	for _, o := range operations {
		if r.Known() && r.bits&(1<<sarama.AclOperation(o)) == 0 {
			lacking = append(lacking, o)
		}
	}
	return lacking
}

// Operation is what a right is for.
type Operation sarama.AclOperation

// The operations.
const (
	Read            = Operation(sarama.AclOperationRead)
	Write           = Operation(sarama.AclOperationWrite)
	DescribeConfigs = Operation(sarama.AclOperationDescribeConfigs)
)

// String gives an operation's name as ACLs have it.
func (o Operation) String() string {
	acl := sarama.AclOperation(o)
	return acl.String()
}

// TopicRights gives the number of a topic's partitions and what the user may do with
// it. ErrUnknownTopic is that it is not there.
func (c *Client) TopicRights(ctx context.Context, topic string) (partitions int, rights Rights, err error) {
	found, all, err := c.rightsTo(ctx, []string{topic})
	if err != nil {
		return 0, Rights{}, err
	}
	n, there := found[topic]
	if !there {
		return 0, Rights{}, fmt.Errorf("topic %s: %w", topic, ErrUnknownTopic)
	}
	return int(n), all[topic], nil
}

// RightsTo gives what the user may do with topics, in one request. Those that are not
// there are not among them.
func (c *Client) RightsTo(ctx context.Context, topics []string) (map[string]Rights, error) {
	if len(topics) == 0 {
		return nil, nil // a request for none would be for all
	}
	found, all, err := c.rightsTo(ctx, topics)
	maps.DeleteFunc(all, func(topic string, _ Rights) bool { _, there := found[topic]; return !there })
	return all, err
}

func (c *Client) rightsTo(ctx context.Context, topics []string) (partitions map[string]int32, rights map[string]Rights, err error) {
	req := sarama.NewMetadataRequest(c.client.Config().Version, topics)
	req.AllowAutoTopicCreation, req.IncludeTopicAuthorizedOperations = false, true
	resp, err := ask(ctx, c, func(b *sarama.Broker) (*sarama.MetadataResponse, error) { return b.GetMetadata(req) })
	if err != nil {
		return nil, nil, err
	}
	rights = map[string]Rights{}
	for _, t := range resp.Topics {
		rights[t.Name] = Rights{t.TopicAuthorizedOperations}
	}
	partitions, err = partitionsOf(resp, false)
	return partitions, rights, err
}

// GroupRights gives what the user may do with a consumer group. Every broker is asked,
// until the one that has it answers: to look for that one would have Kafka make its
// topic of offsets, where no group was ever used. Where none tells, and one could not be
// asked, that one may have it: an error.
func (c *Client) GroupRights(ctx context.Context, group string) (Rights, error) {
	return do(ctx, func() (Rights, error) {
		var away error
		req := &sarama.DescribeGroupsRequest{Version: 5, Groups: []string{group}, IncludeAuthorizedOperations: true}
		for b := range c.brokers() {
			resp, err := b.DescribeGroups(req)
			if err != nil {
				away = fmt.Errorf("group %s: broker %s: %w", group, b.Addr(), err)
				continue
			}
			if len(resp.Groups) == 0 {
				continue
			}
			switch g := resp.Groups[0]; {
			case g.Err == sarama.ErrNoError:
				return Rights{g.AuthorizedOperations}, nil
			case g.Err == sarama.ErrGroupAuthorizationFailed:
				return Rights{}, connector.Coded("H2016", connector.Fatal(fmt.Errorf("group %s: %w", group, g.Err)))
			}
		}
		return Rights{}, connector.Coded("H2001", connector.Retriable(away))
	})
}

// CheckGroup looks whether the user may use a consumer group. code is that of a failure
// that has none of its own.
func (c *Client) CheckGroup(ctx context.Context, group, code string) connector.Finding {
	rights, err := c.GroupRights(ctx, group)
	f := connector.Finding{What: "group " + group, Says: "it may be used", Err: connector.Coded(code, err)}
	switch {
	case err == nil && len(rights.Lacks(Read)) > 0:
		f.Err = connector.Coded("H2016", errors.New("it may not be used: allow Read on it"))
	case !rights.Known():
		f.Says = "the broker does not tell of rights"
	}
	return f
}

// WouldCreate asks whether a topic could be made, and has none made.
func (c *Client) WouldCreate(ctx context.Context, spec TopicSpec) error {
	return c.create(ctx, spec, true)
}

// Cluster says in words what the client is connected to. A broker without the requests
// that are needed is an error.
func (c *Client) Cluster(ctx context.Context) (string, error) {
	versions, err := ask(ctx, c, func(b *sarama.Broker) (*sarama.ApiVersionsResponse, error) {
		return b.ApiVersions(&sarama.ApiVersionsRequest{})
	})
	if err != nil {
		return "", err
	}
	release := ""
	for _, k := range versions.ApiKeys {
		if k.ApiKey != fetchKey {
			continue
		}
		for _, r := range releases {
			if k.MaxVersion >= r.fetch {
				release = r.name
				break
			}
		}
	}
	if release == "" {
		return "", connector.Coded("H2021", connector.Fatal(errors.New("the broker is older than Kafka 2.3")))
	}
	id, err := c.ClusterID(ctx)
	if err != nil {
		return "", err
	}
	says := fmt.Sprintf("Kafka %s, %d brokers", release, len(c.client.Brokers()))
	if id != "" {
		says += ", cluster " + id
	}
	return strings.Replace(says, " 1 brokers", " 1 broker", 1), nil
}

const fetchKey = 1 // of the fetch request

// releases are those of Kafka by the newest fetch request that they take, newest first.
// Other brokers count as the one that they are like.
var releases = []struct {
	fetch int16
	name  string
}{
	{18, "4.1 or later"},
	{17, "3.9 or 4.0"},
	{16, "3.7 or 3.8"},
	{14, "3.5 or 3.6"},
	{13, "3.1 to 3.4"},
	{12, "2.7 to 3.0"},
	{fetchVersion, "2.3 to 2.6"},
}
