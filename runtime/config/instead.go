package config

import "strings"

const (
	kafkaTransforms = "org.apache.kafka.connect.transforms."
	newRecordState  = "io.debezium.transforms.ExtractNewRecordState"
)

// instead says what to use for a transform of others that is known and not
// here, by its class without $Key or $Value.
var instead = map[string]string{
	"io.debezium.transforms.ByLogicalTableRouter":                                kafkaTransforms + "RegexRouter for the topic, and " + kafkaTransforms + "InsertField$Key for the field of the key",
	"io.debezium.transforms.outbox.EventRouter":                                  newRecordState + " with route.by.field for the topic, then " + kafkaTransforms + "ValueToKey and ExtractField$Value",
	"io.debezium.transforms.UnwrapFromEnvelope":                                  newRecordState,
	"io.debezium.transforms.ExtractChangedRecordState":                           newRecordState + "; what changed is not computed",
	"io.debezium.transforms.HeaderToValue":                                       newRecordState + " with add.fields for what its envelope holds",
	"io.debezium.transforms.Filter":                                              kafkaTransforms + "Filter with a predicate",
	"io.debezium.transforms.ContentBasedRouter":                                  kafkaTransforms + "RegexRouter with a predicate, or route.by.field of " + newRecordState,
	"io.debezium.transforms.TimezoneConverter":                                   kafkaTransforms + "TimestampConverter; times are UTC here",
	"io.debezium.transforms.partitions.PartitionRouting":                         kafkaTransforms + "ValueToKey: the key chooses the partition",
	"io.debezium.transforms.SchemaChangeEventFilter":                             kafkaTransforms + "Filter with the predicate TopicNameMatches",
	"io.confluent.connect.transforms.Drop":                                       kafkaTransforms + "ReplaceField for fields, or " + kafkaTransforms + "Filter for records",
	"io.confluent.connect.transforms.ExtractTopic":                               "route.by.field of " + newRecordState + ", or " + kafkaTransforms + "RegexRouter",
	"io.confluent.connect.transforms.Filter":                                     kafkaTransforms + "Filter with a predicate",
	"io.confluent.connect.transforms.MessageTimestampRouter":                     kafkaTransforms + "TimestampRouter, which takes the record's timestamp",
	"io.confluent.connect.transforms.ReplaceField":                               kafkaTransforms + "ReplaceField",
	"io.confluent.connect.transforms.TombstoneHandler":                           kafkaTransforms + "Filter with the predicate RecordIsTombstone",
	"com.github.jcustenborder.kafka.connect.transform.common.ExtractNestedField": kafkaTransforms + "ExtractField with field.syntax.version=V2",
}

// hint gives the sentence that follows a class that could not be found, with a
// space before it; empty for one that nothing stands for.
func hint(class string) string {
	class = strings.TrimSuffix(strings.TrimSuffix(class, "$Value"), "$Key")
	if other, ok := instead[class]; ok {
		return " Use " + other + "."
	}
	return ""
}
