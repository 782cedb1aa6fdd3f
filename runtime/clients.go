package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// environment marks an error of Kafka that has no mark as one to be retried:
// brokers come back.
func environment(err error) error {
	if err != nil && connector.KindOf(err) == connector.KindUnmarked {
		return connector.Retriable(err)
	}
	return err
}

// clientProps are the properties of a task's Kafka clients, with all defaults
// and overrides.
type clientProps struct {
	bootstrap                 []string
	producer, consumer, admin map[string]string
}

func newClientProps(spec TaskSpec, bootstrap []string) clientProps {
	return clientProps{bootstrap: bootstrap, producer: roleProps(spec, producerRole), consumer: roleProps(spec, consumerRole), admin: roleProps(spec, adminRole)}
}

// The roles of clients, as their properties are prefixed.
const (
	producerRole = "producer"
	consumerRole = "consumer"
	adminRole    = "admin"
)

// override is between a role and the properties that a connector has in place of
// the worker's.
const override = ".override."

// roleProps gives the properties of the client of a role: the worker's own ones for
// the connection, the worker's for this role, then the connector's overrides.
// Unlike in Java the worker's connection serves every role.
func roleProps(spec TaskSpec, role string) map[string]string {
	props := map[string]string{}
	set := func(p connector.Props) {
		for k := range p {
			if text, ok := p.Text(k); ok {
				props[k] = text
			}
		}
	}
	connection := connector.Props{}
	for k, v := range spec.Worker {
		if config.ConnectionKey(k) {
			connection[k] = v
		}
	}
	set(connection)
	set(spec.Worker.WithPrefix(role + "."))
	set(spec.Props.WithPrefix(role + override))
	return props
}

// withWholeKeys gives an error about properties, of which each line begins with a
// key, with the keys as connector or worker have them.
func withWholeKeys(spec TaskSpec, role string, err error) error {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		key, _, _ := strings.Cut(line, ": ")
		if _, ok := spec.Props[role+override+key]; ok {
			lines[i] = role + override + line
		} else if _, ok := spec.Worker[role+"."+key]; ok {
			lines[i] = role + "." + line
		}
	}
	return connector.Fatal(errors.New(strings.Join(lines, "\n")))
}

// CheckClients says what is wrong with the properties of a connector's Kafka
// clients, a line each that begins with the key as connector or worker have it.
func CheckClients(worker, props connector.Props) []string {
	var wrong []string
	spec := TaskSpec{Worker: worker, Props: props}
	for _, role := range []string{producerRole, consumerRole, adminRole} {
		err := kafka.Check(role, roleProps(spec, role))
		if err == nil {
			continue
		}
		for line := range strings.SplitSeq(withWholeKeys(spec, role, err).Error(), "\n") {
			if !slices.Contains(wrong, line) {
				wrong = append(wrong, line)
			}
		}
	}
	return wrong
}

// servers gives the brokers that a client with these properties connects to.
func (p *clientProps) servers(props map[string]string) []string {
	text, ok := props["bootstrap.servers"]
	if !ok {
		return p.bootstrap
	}
	return config.SplitList(text)
}

// clients are the Kafka clients of one task. Roles with the same properties
// share one.
type clients struct {
	open     func(ctx context.Context, o kafka.Options) (*kafka.Client, error)
	props    clientProps
	spec     TaskSpec
	log      *slog.Logger
	byProps  map[string]*kafka.Client
	admin    *kafka.Client
	consumer *kafka.Client
	producer *kafka.Producer
}

func (k *clients) connect(ctx context.Context, produce, consume bool) (err error) {
	if consume {
		if k.consumer, err = k.client(ctx, consumerRole, k.props.consumer); err != nil {
			return err
		}
	}
	if produce {
		c, err := k.client(ctx, producerRole, k.props.producer)
		if err != nil {
			return err
		}
		if k.producer, err = c.NewProducer(kafka.ProducerOptions{Props: k.props.producer}); err != nil {
			return err
		}
	}
	k.admin, err = k.client(ctx, adminRole, k.props.admin)
	return err
}

// client gives the client of a role, named as Kafka Connect names it.
func (k *clients) client(ctx context.Context, role string, props map[string]string) (*kafka.Client, error) {
	key := fmt.Sprint(props) // sorted
	if c, ok := k.byProps[key]; ok {
		return c, nil
	}
	id := props["client.id"]
	if id == "" {
		name := role
		if role == adminRole {
			name = "adminclient"
		}
		id = fmt.Sprintf("connector-%s-%s-%d", name, k.spec.Connector, k.spec.Task)
	}
	c, err := k.open(ctx, kafka.Options{Bootstrap: k.props.servers(props), ClientID: id, Props: props, Log: k.log})
	if connector.KindOf(err) == connector.KindFatal {
		err = withWholeKeys(k.spec, role, err)
	}
	if err != nil {
		return nil, err
	}
	k.byProps[key] = c
	return c, nil
}

// trouble gives the trouble with Kafka that has lasted longest.
func (k *clients) trouble() (worst kafka.Trouble, ok bool) {
	add := func(t kafka.Trouble, there bool) {
		if there && (!ok || t.Since.Before(worst.Since)) {
			worst, ok = t, true
		}
	}
	for _, c := range k.byProps {
		add(c.Trouble())
	}
	if k.producer != nil {
		add(k.producer.Trouble())
	}
	return worst, ok
}

// Close closes all clients.
func (k *clients) Close() error {
	var errs []error
	if k.producer != nil {
		errs = append(errs, k.producer.Close())
	}
	for _, c := range k.byProps {
		c.Close()
	}
	return errors.Join(errs...)
}
