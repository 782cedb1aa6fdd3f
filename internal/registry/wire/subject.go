package wire

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// The strategies that name the subject of a record.
const (
	byTopic          = "TopicNameStrategy"
	byRecord         = "RecordNameStrategy"
	byTopicAndRecord = "TopicRecordNameStrategy"
	javaPackage      = "io.confluent.kafka.serializers.subject."
)

// simple gives a strategy's name without Java's package.
func simple(strategy string) string { return strings.TrimPrefix(strategy, javaPackage) }

func isStrategy(_ string, value any) error {
	text, _ := value.(string)
	switch simple(text) {
	case byTopic, byRecord, byTopicAndRecord:
		return nil
	}
	return fmt.Errorf("it must be one of %s, %s, %s", byTopic, byRecord, byTopicAndRecord)
}

// Subjects name the subjects of a registry that schemas belong to.
type Subjects struct {
	fixed    string // empty: by the strategy
	strategy string
	suffix   string // of a topic's subject
}

// Of gives the subject of values with a schema, which may be nil, in a topic.
func (s Subjects) Of(topic string, schema *connector.Schema) (string, error) {
	if s.fixed != "" {
		return s.fixed, nil
	}
	if s.strategy == byTopic {
		return topic + s.suffix, nil
	}
	if schema == nil || schema.Name() == "" {
		return "", fmt.Errorf("%s needs a record with a name, the value's schema has none: set one with the transform SetSchemaMetadata", s.strategy)
	}
	if s.strategy == byRecord {
		return schema.Name(), nil
	}
	return topic + "-" + schema.Name(), nil
}
