package runtime

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// settings are the framework's keys of one task, parsed.
type settings struct {
	class      string // connector.class
	topics     []string
	pattern    kafka.Matcher // topics.regex, nil with topics
	topic      string        // of a stream: where records go
	transforms []string
	predicates []string

	all          bool
	retryTimeout time.Duration
	delayMax     time.Duration
	logErrors    bool
	logRecords   bool

	letters           string // errors.deadletterqueue.topic.name
	letterReplicas    int16
	letterHeaders     bool
	changelogReplicas int16
	flushInterval     time.Duration
	flushTimeout      time.Duration
	stalledAfter      time.Duration // task.stalled.ms
	createTopics      bool          // topic.creation.enable
	topicRules        []config.TopicRule
	clientProps
	// converters are the worker's configuration with its defaults: what applies
	// where the connector chooses no converter.
	converters connector.Props
}

// parseSettings reads the framework's keys of a connector and its worker.
func parseSettings(spec TaskSpec) (*settings, error) {
	c, err := config.Def(string(spec.Kind)).Parse(spec.Props)
	if err != nil {
		return nil, err
	}
	w, err := config.WorkerDef().Parse(spec.Worker)
	if err != nil {
		return nil, err
	}
	s := &settings{
		class:      c.String("connector.class"),
		transforms: c.List("transforms"),
		predicates: c.List("predicates"),

		all:          strings.EqualFold(c.String("errors.tolerance"), "all"),
		retryTimeout: -1,
		delayMax:     millis(c.Int64("errors.retry.delay.max.ms")),
		logErrors:    c.Bool("errors.log.enable"),
		logRecords:   c.Bool("errors.log.include.messages"),

		letters:        strings.TrimSpace(c.String("errors.deadletterqueue.topic.name")),
		letterReplicas: int16(c.Int("errors.deadletterqueue.topic.replication.factor")),
		letterHeaders:  c.Bool("errors.deadletterqueue.context.headers.enable"),

		flushInterval: millis(w.Int64("offset.flush.interval.ms")),
		flushTimeout:  millis(w.Int64("offset.flush.timeout.ms")),
		stalledAfter:  millis(w.Int64("task.stalled.ms")),
		createTopics:  w.Bool("topic.creation.enable"),
	}
	// Kafka Connect's default of 0 gives up at once; ours is to go on, so only
	// what was written counts.
	if c.Given("errors.retry.timeout") {
		s.retryTimeout = millis(c.Int64("errors.retry.timeout"))
	}
	if err := s.parseTopics(spec.Kind, c); err != nil {
		return nil, err
	}
	if spec.Kind != KindSink && s.createTopics {
		rules, problems := config.TopicRules(string(spec.Kind), spec.Props)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		s.topicRules = rules
	}
	s.converters = spec.Worker.Clone()
	if s.converters == nil {
		s.converters = connector.Props{}
	}
	for _, key := range []string{"key.converter", "value.converter", "header.converter"} {
		if class := w.String(key); class != "" {
			s.converters[key] = class
		}
	}
	s.clientProps = newClientProps(spec, w.List("bootstrap.servers"))
	return s, nil
}

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func (s *settings) parseTopics(kind Kind, c connector.Config) error {
	if err := topicName("errors.deadletterqueue.topic.name", s.letters); err != nil || kind == KindSource {
		return err
	}
	s.topics = c.List("topics")
	for _, topic := range s.topics {
		if err := topicName("topics", topic); err != nil {
			return err
		}
	}
	if text := c.String("topics.regex"); text != "" {
		re, err := regex.Compile(text)
		if err != nil {
			return connector.Fatal(fmt.Errorf("topics.regex: %w", err))
		}
		s.pattern = re
	}
	if (len(s.topics) == 0) == (s.pattern == nil) {
		return connector.Coded("H1011", connector.Fatal(fmt.Errorf("a %s needs exactly one of topics and topics.regex", kind)))
	}
	if kind == KindStream {
		s.topic = c.String("topic")
		if err := topicName("topic", s.topic); err != nil {
			return err
		}
		s.changelogReplicas = int16(c.Int("state.topic.replication.factor"))
	}
	for name, topic := range map[string]string{"errors.deadletterqueue.topic.name": s.letters, "topic": s.topic} {
		if topic != "" && s.reads(topic) {
			return connector.Coded("H1012", connector.Fatal(fmt.Errorf("%s: %s is one of the topics that are read: records would go in a circle", name, topic)))
		}
	}
	return nil
}

// topicNames are those that Kafka takes.
var topicNames = regexp.MustCompile(`^[a-zA-Z0-9._-]{0,249}$`)

// topicName refuses the name of a topic that no broker takes, "" is none.
func topicName(key, name string) error {
	if name == "." || name == ".." || !topicNames.MatchString(name) {
		return connector.Coded("H1013", connector.Fatal(fmt.Errorf("%s: %q is not the name of a topic: letters, digits and the signs . _ - are, 249 at most, but not . or .. alone", key, name)))
	}
	return nil
}

// group gives the consumer group of a sink or stream.
func (s *settings) group(spec TaskSpec) string {
	if id := s.consumer["group.id"]; id != "" {
		return id
	}
	return "connect-" + spec.Connector
}

// reads tells whether a topic is one of the connector's inputs.
func (s *settings) reads(topic string) bool {
	return slices.Contains(s.topics, topic) || s.pattern != nil && s.pattern.MatchString(topic)
}
