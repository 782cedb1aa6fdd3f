package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// kafkaLook looks at Kafka as a connector's clients reach it.
type kafkaLook struct {
	ctx   context.Context
	set   *settings
	found func(connector.Finding)
	*clients
	away map[string]bool // servers that cannot be reached: it was said
}

// notAllowed are the codes of what a topic is not for the user to write to, or to make.
var notAllowed = []string{"H2009", "H2015", "H8008"}

// lookAtKafka looks at the topics and the group of a connector, and at the rights to
// them.
func (t *Task) lookAtKafka(ctx context.Context, set *settings, stores []*stores, found func(connector.Finding)) {
	k := &kafkaLook{ctx: ctx, set: set, found: found, away: map[string]bool{},
		clients: &clients{open: t.options.Open, props: set.clientProps, spec: t.spec, log: t.log, byProps: map[string]*kafka.Client{}}}
	defer func() { _ = k.Close() }() // nothing was sent
	if t.spec.Kind != KindSource {
		k.inputs()
		if c := k.in(consumerRole, k.props.consumer); c != nil {
			found(c.CheckGroup(ctx, set.group(t.spec), "H8007"))
		}
	}
	for _, topic := range t.outputs(set) {
		f := k.written(topic, specFor(set.topicRules, topic), set.createTopics)
		if f != nil && t.spec.Kind == KindSource && len(set.transforms) > 0 && slices.Contains(notAllowed, connector.CodeOf(f.Err)) {
			f.Warning, f.Err = true, fmt.Errorf("%w, unless transforms have the records go to another topic", f.Err)
		}
		k.tell(f)
	}
	if set.letters != "" {
		k.tell(k.written(set.letters, kafka.TopicSpec{Name: set.letters, Partitions: 1, Replication: set.letterReplicas}, true))
	}
	for _, s := range stores {
		f := k.written(s.topic, kafka.TopicSpec{Name: s.topic, Partitions: 1, Replication: s.replicas}, true)
		if f != nil && f.Err == nil {
			k.readBack(f, s.topic)
		}
		k.tell(f)
	}
}

// outputs gives the topics that records and reports go to, as far as the configuration
// tells.
func (t *Task) outputs(set *settings) []string {
	if t.spec.Kind == KindStream {
		return []string{set.topic}
	}
	plugin, err := t.options.Plugins.New(connector.PluginType(t.spec.Kind), set.class)
	if err != nil {
		return nil
	}
	conf, err := connector.ParsePlugin(plugin, t.props())
	if err != nil {
		return nil
	}
	var list []string
	add := func(topic string) {
		if topic = strings.TrimSpace(topic); topic != "" && !slices.Contains(list, topic) {
			list = append(list, topic)
		}
	}
	if _, named := plugin.ConfigDef().Key("topic"); named && t.spec.Kind == KindSource {
		topic, _ := conf.Value("topic").(string)
		add(topic)
	}
	if namer, ok := plugin.(connector.TopicNamer); ok {
		for _, topic := range namer.Topics(t.context(), conf) {
			add(topic)
		}
	}
	return list
}

// tell tells of a topic, unless Kafka cannot be reached, which was told.
func (k *kafkaLook) tell(f *connector.Finding) {
	if f != nil {
		k.found(*f)
	}
}

// in gives the client of a role, nil where Kafka cannot be reached.
func (k *kafkaLook) in(role string, props map[string]string) *kafka.Client {
	c, err := k.client(k.ctx, role, props)
	if err == nil {
		return c
	}
	if servers := strings.Join(k.props.servers(props), ","); !k.away[servers] {
		k.away[servers] = true
		k.found(connector.Finding{What: "Kafka at " + servers, Err: connector.Coded("H2001", err)})
	}
	return nil
}

// inputs looks at the topics that are read.
func (k *kafkaLook) inputs() {
	c := k.in(consumerRole, k.props.consumer)
	if c == nil {
		return
	}
	if k.set.pattern != nil {
		k.matching(c)
		return
	}
	for _, topic := range k.set.topics {
		n, rights, err := c.TopicRights(k.ctx, topic)
		f := connector.Finding{What: "topic " + topic, Says: fmt.Sprintf("it may be read, partitions: %d", n), Err: err}
		switch {
		case errors.Is(err, kafka.ErrUnknownTopic):
			f.Warning, f.Err = true, connector.Coded("H2013", fmt.Errorf("it is not there: the connector waits for it"))
		case err == nil && len(rights.Lacks(kafka.Read)) > 0:
			f.Err = mayNotRead()
		case err != nil:
			f.Err = connector.Coded("H8007", err)
		case !rights.Known():
			f.Says = fmt.Sprintf("the broker does not tell of rights, partitions: %d", n)
		}
		k.found(f)
	}
}

func mayNotRead() error {
	return connector.Coded("H2022", errors.New("it may not be read: allow Read on it"))
}

// matching looks which topics are those of topics.regex, and whether all may be read.
func (k *kafkaLook) matching(c *kafka.Client) {
	var names, closed []string
	all, err := c.DescribeTopics(k.ctx, nil)
	for _, t := range all {
		if !t.Internal && k.set.pattern.MatchString(t.Name) {
			names = append(names, t.Name)
		}
	}
	var rights map[string]kafka.Rights // without what was deleted meanwhile
	if err == nil {
		rights, err = c.RightsTo(k.ctx, names)
	}
	for _, topic := range slices.Sorted(maps.Keys(rights)) {
		if len(rights[topic].Lacks(kafka.Read)) > 0 {
			closed = append(closed, topic)
		}
	}
	f := connector.Finding{What: "topics.regex", Says: fmt.Sprintf("topics of such names: %d", len(names))}
	switch {
	case err != nil:
		f.Err = connector.Coded("H8007", err)
	case len(names) == 0:
		f.Warning, f.Err = true, connector.Coded("H2013", errors.New("no topic that may be seen has such a name: the connector waits for one"))
	case len(closed) > 0:
		f.Err = connector.Coded("H2022", fmt.Errorf("some of the topics may not be read: allow Read on %s, or have the expression leave them out", strings.Join(closed, ", ")))
	}
	k.found(f)
}

// written looks at a topic that is written to, or that would be made; nil where Kafka
// cannot be reached.
func (k *kafkaLook) written(topic string, spec kafka.TopicSpec, creates bool) *connector.Finding {
	c := k.in(producerRole, k.props.producer)
	if c == nil {
		return nil
	}
	n, rights, err := c.TopicRights(k.ctx, topic)
	f := &connector.Finding{What: "topic " + topic, Says: fmt.Sprintf("it may be written to, partitions: %d", n), Err: err}
	switch {
	case errors.Is(err, kafka.ErrUnknownTopic) && creates:
		k.missing(f, spec)
	case errors.Is(err, kafka.ErrUnknownTopic):
		f.Warning, f.Err = true, connector.Coded("H2013", errors.New("it is not there, and topic.creation.enable=false leaves it to the broker to make it"))
	case err != nil:
		f.Err = connector.Coded("H8002", err)
	case len(rights.Lacks(kafka.Write)) > 0:
		f.Err = connector.Coded("H2009", errors.New("it may not be written to: allow Write on it"))
	case !rights.Known():
		f.Says = fmt.Sprintf("the broker does not tell of rights, partitions: %d", n)
	}
	return f
}

// readBack looks whether a changelog may be read, which the client for topics does. One
// that is to be made has no rights yet.
func (k *kafkaLook) readBack(f *connector.Finding, topic string) {
	c := k.in(adminRole, k.props.admin)
	if c == nil {
		return
	}
	_, rights, err := c.TopicRights(k.ctx, topic)
	switch {
	case errors.Is(err, kafka.ErrUnknownTopic):
	case err != nil:
		f.Err = connector.Coded("H8007", err)
	case len(rights.Lacks(kafka.Read)) > 0:
		f.Err = mayNotRead()
	}
}

// missing asks whether a topic that is not there could be made.
func (k *kafkaLook) missing(f *connector.Finding, spec kafka.TopicSpec) {
	c := k.in(adminRole, k.props.admin)
	if c == nil {
		return
	}
	f.Says = "it is not there, and is made with its first record"
	if f.Err = c.WouldCreate(k.ctx, spec); f.Err != nil {
		f.Err = connector.Coded("H8008", f.Err)
	}
}
