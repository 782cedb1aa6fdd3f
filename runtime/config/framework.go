package config

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
)

// Groups of the framework's keys; the names are Kafka Connect's but for the last three.
const (
	commonGroup     = "Common"
	transformsGroup = "Transforms"
	predicatesGroup = "Predicates"
	errorGroup      = "Error Handling"
	topicGroup      = "Topic Creation"
	onceGroup       = "Exactly Once Support"
	offsetsGroup    = "offsets.topic"
	restartGroup    = "Restart"
	setGroup        = "Set"
	streamGroup     = "Stream"
)

// ReloadRestart is the value of config.action.reload that has a connector start
// again when what its references stand for has changed.
const ReloadRestart = "restart"

// What a restart policy may be.
const (
	restartOnFailure = "on-failure"
	RestartNever     = "never"
)

// sourceDef gives the framework's keys of a source: Kafka Connect's, in its
// words, order and groups, then ours (see [Ours]).
var sourceDef = sync.OnceValue(func() *connector.ConfigDef {
	return connector.NewConfigDef(slices.Concat(commonKeys(), sourceKeys(), letterKeys(), restartKeys(), setKeys())...)
})

// sinkDef gives the framework's keys of a sink.
var sinkDef = sync.OnceValue(func() *connector.ConfigDef {
	return connector.NewConfigDef(slices.Concat(commonKeys(), topicKeys(), letterKeys(), restartKeys(), setKeys())...)
})

// StreamDef gives the framework's keys of a stream: a sink's, where the records
// go to, and how the keys and values it reads were written.
var StreamDef = sync.OnceValue(func() *connector.ConfigDef {
	return connector.NewConfigDef(slices.Concat(commonKeys(), topicKeys(), letterKeys(), streamKeys(), restartKeys(), setKeys())...)
})

// Def gives the framework's keys of a connector's kind: source, sink or stream.
func Def(kind string) *connector.ConfigDef {
	switch kind {
	case "source":
		return sourceDef()
	case "sink":
		return sinkDef()
	}
	return StreamDef()
}

// PageFieldsKey names the fields of a stream's records that the page shows first.
const PageFieldsKey = "page.fields"

// Ours tells that Kafka Connect does not know a framework key of a source or
// sink. Such keys are part of a validation's answer only where they were
// written, so that Java's clients see what they know.
func Ours(kind, key string) bool {
	if kind == "source" && slices.ContainsFunc(letterKeys(), func(k connector.Key) bool { return k.Name == key }) {
		return true
	}
	return key == SetKey || kind != "stream" && slices.ContainsFunc(restartKeys(), func(k connector.Key) bool { return k.Name == key })
}

func commonKeys() []connector.Key {
	return slices.Concat(nameKeys(), converterKeys(), []connector.Key{
		{Name: "transforms", Type: connector.ListKey, Default: "", Check: aliases, Importance: connector.Low,
			Group: transformsGroup, Order: 12, Width: "LONG", DisplayName: "Transforms",
			Doc: "Aliases for the transformations to be applied to records."},
		{Name: "predicates", Type: connector.ListKey, Default: "", Check: aliases, Importance: connector.Low,
			Group: predicatesGroup, Order: 13, Width: "LONG", DisplayName: "Predicates",
			Doc: "Aliases for the predicates used by transformations."},
		{Name: "config.action.reload", Type: connector.StringKey, Default: ReloadRestart, Check: connector.OneOf("none", ReloadRestart),
			Importance: connector.Low, Group: commonGroup, Order: 14, Width: "MEDIUM", DisplayName: "Reload Action",
			Doc: "The action that Connect should take on the connector when changes in external configuration providers result in a change in the connector's configuration properties. A value of 'none' indicates that Connect will do nothing. A value of 'restart' indicates that Connect should restart/reload the connector with the updated configuration properties.The restart may actually be scheduled in the future if the external configuration provider indicates that a configuration value will expire in the future."},
	}, errorKeys())
}

func nameKeys() []connector.Key {
	return []connector.Key{
		{Name: "name", Type: connector.StringKey, Required: true, Check: connectorName, Importance: connector.High,
			Group: commonGroup, Order: 1, Width: "MEDIUM", DisplayName: "Connector name",
			Doc: "Globally unique name to use for this connector."},
		{Name: "connector.class", Type: connector.StringKey, Required: true, Importance: connector.High,
			Group: commonGroup, Order: 2, Width: "LONG", DisplayName: "Connector class",
			Doc: "Name or alias of the class for this connector. Must be a subclass of org.apache.kafka.connect.connector.Connector. If the connector is org.apache.kafka.connect.file.FileStreamSinkConnector, you can either specify this full name,  or use \"FileStreamSink\" or \"FileStreamSinkConnector\" to make the configuration a bit shorter"},
		{Name: "connector.plugin.version", Type: connector.StringKey, Check: versionRange, Importance: connector.Medium,
			Group: commonGroup, Order: 3, Width: "MEDIUM", DisplayName: "Connector version",
			Doc: "Version of the connector."},
		{Name: "tasks.max", Type: connector.IntKey, Default: 1, Check: connector.AtLeast(1), Importance: connector.High,
			Group: commonGroup, Order: 4, Width: "SHORT", DisplayName: "Tasks max",
			Doc: "Maximum number of tasks to use for this connector."},
		{Name: "tasks.max.enforce", Type: connector.BooleanKey, Default: true, Importance: connector.Low,
			Group: commonGroup, Order: 5, Width: "SHORT", DisplayName: "Enforce tasks max",
			Doc: "(Deprecated) Whether to enforce that the tasks.max property is respected by the connector. By default, connectors that generate too many tasks will fail, and existing sets of tasks that exceed the tasks.max property will also be failed. If this property is set to false, then connectors will be allowed to generate more than the maximum number of tasks, and existing sets of tasks that exceed the tasks.max property will be allowed to run. This property is deprecated and will be removed in an upcoming major release."},
	}
}

// maxName bounds the name of a connector, in bytes: the names of its group and
// of its files are made of it.
const maxName = 255

// connectorName is the check of a connector's name. Kafka Connect refuses
// control characters alone.
func connectorName(key string, v any) error {
	if err := connector.NoControls(key, v); err != nil {
		return err
	}
	switch s, _ := v.(string); {
	case !utf8.ValidString(s):
		return errors.New("it is not UTF-8")
	case len(s) > maxName:
		return fmt.Errorf("it has %d bytes, more than %d", len(s), maxName)
	}
	return nil
}

// converterDoc is what Kafka Connect says of the three converters.
func converterDoc(class, what string) string {
	return class + " class used to convert between Kafka Connect format and the serialized form that is written to Kafka. This controls the format of the " + what + " messages written to or read from Kafka, and since this is independent of connectors it allows any connector to work with any serialization format. Examples of common formats include JSON and Avro."
}

func converterKeys() []connector.Key {
	version := func(name, word string, order int) connector.Key {
		return connector.Key{Name: name + ".converter.plugin.version", Type: connector.StringKey, Check: versionRange,
			Importance: connector.Low, Group: commonGroup, Order: order, Width: "SHORT",
			DisplayName: word + " converter version", Doc: "Version of the " + name + " converter."}
	}
	class := func(name, display, doc string, order int) connector.Key {
		return connector.Key{Name: name + ".converter", Type: connector.ClassKey, Deferred: true, Importance: connector.Low,
			Group: commonGroup, Order: order, Width: "SHORT", DisplayName: display, Doc: doc}
	}
	return []connector.Key{
		class("key", "Key converter class", converterDoc("Converter", "keys in"), 6),
		version("key", "Key", 7),
		class("value", "Value converter class", converterDoc("Converter", "values in"), 8),
		version("value", "Value", 9),
		class("header", "Header converter class", converterDoc("HeaderConverter", "header values in")+
			" By default, the SimpleHeaderConverter is used to serialize header values to strings and deserialize them by inferring the schemas.", 10),
		version("header", "Header", 11),
	}
}

func errorKeys() []connector.Key {
	key := func(name string, t connector.KeyType, def any, order int, width, display, doc string) connector.Key {
		return connector.Key{Name: "errors." + name, Type: t, Default: def, Importance: connector.Medium,
			Group: errorGroup, Order: order, Width: width, DisplayName: display, Doc: doc}
	}
	tolerance := key("tolerance", connector.StringKey, "none", 3, "SHORT", "Error Tolerance",
		"Behavior for tolerating errors during connector operation. 'none' is the default value and signals that any error will result in an immediate connector task failure; 'all' changes the behavior to skip over problematic records.")
	tolerance.Check = connector.OneOf("none", "all")
	return []connector.Key{
		key("retry.timeout", connector.LongKey, 0, 1, "MEDIUM", "Retry Timeout for Errors",
			"The maximum duration in milliseconds that a failed operation will be reattempted. The default is 0, which means no retries will be attempted. Use -1 for infinite retries."),
		key("retry.delay.max.ms", connector.LongKey, 60000, 2, "MEDIUM", "Maximum Delay Between Retries for Errors",
			"The maximum duration in milliseconds between consecutive retry attempts. Jitter will be added to the delay once this limit is reached to prevent thundering herd issues."),
		tolerance,
		key("log.enable", connector.BooleanKey, false, 4, "SHORT", "Log Errors",
			"If true, write each error and the details of the failed operation and problematic record to the Connect application log. This is 'false' by default, so that only errors that are not tolerated are reported."),
		key("log.include.messages", connector.BooleanKey, false, 5, "SHORT", "Log Error Details",
			"Whether to include in the log the Connect record that resulted in a failure. For sink records, the topic, partition, offset, and timestamp will be logged. For source records, the key and value (and their schemas), all headers, and the timestamp, Kafka topic, Kafka partition, source partition, and source offset will be logged. This is 'false' by default, which will prevent record keys, values, and headers from being written to log files."),
	}
}

func sourceKeys() []connector.Key {
	once := func(name string, t connector.KeyType, def any, imp connector.Importance, order int, display, doc string) connector.Key {
		return connector.Key{Name: name, Type: t, Default: def, Importance: imp, Group: onceGroup, Order: order,
			Width: "SHORT", DisplayName: display, Doc: doc}
	}
	support := once("exactly.once.support", connector.StringKey, "requested", connector.Medium, 2, "Exactly once support",
		"Permitted values are requested, required. If set to \"required\", forces a preflight check for the connector to ensure that it can provide exactly-once semantics with the given configuration. Some connectors may be capable of providing exactly-once semantics but not signal to Connect that they support this; in that case, documentation for the connector should be consulted carefully before creating it, and the value for this property should be set to \"requested\". Additionally, if the value is set to \"required\" but the worker that performs preflight validation does not have exactly-once support enabled for source connectors, requests to create or validate the connector will fail.")
	support.Check = connector.OneOfFold("REQUIRED", "REQUESTED")
	boundary := once("transaction.boundary", connector.StringKey, "poll", connector.Medium, 3, "Transaction Boundary",
		"Permitted values are: poll, interval, connector. If set to 'poll', a new producer transaction will be started and committed for every batch of records that each task from this connector provides to Connect. If set to 'connector', relies on connector-defined transaction boundaries; note that not all connectors are capable of defining their own transaction boundaries, and in that case, attempts to instantiate a connector with this value will fail. Finally, if set to 'interval', commits transactions only after a user-defined time interval has passed.")
	boundary.Check = connector.OneOfFold("INTERVAL", "POLL", "CONNECTOR")
	interval := once("transaction.boundary.interval.ms", connector.LongKey, nil, connector.Low, 4, "Transaction boundary interval",
		"If 'transaction.boundary' is set to 'interval', determines the interval for producer transaction commits by connector tasks. If unset, defaults to the value of the worker-level 'offset.flush.interval.ms' property. It has no effect if a different transaction.boundary is specified.")
	interval.Check = connector.Optional(connector.AtLeast(0))
	return []connector.Key{
		{Name: "topic.creation.groups", Type: connector.ListKey, Default: "", Check: aliases, Importance: connector.Low,
			Group: topicGroup, Order: 1, Width: "LONG", DisplayName: "Topic Creation Groups",
			Doc: "Groups of configurations for topics created by source connectors"},
		support, boundary, interval,
		{Name: "offsets.storage.topic", Type: connector.StringKey, Check: connector.NotEmpty, Importance: connector.Low,
			Group: offsetsGroup, Order: 1, Width: "LONG", DisplayName: "Offsets topic",
			Doc: "The name of a separate offsets topic to use for this connector. If empty or not specified, the worker’s global offsets topic name will be used. If specified, the offsets topic will be created if it does not already exist on the Kafka cluster targeted by this connector (which may be different from the one used for the worker's global offsets topic if the bootstrap.servers property of the connector's producer has been overridden from the worker's). Only applicable in distributed mode; in standalone mode, setting this property will have no effect."},
	}
}

func topicKeys() []connector.Key {
	return []connector.Key{
		{Name: "topics", Type: connector.ListKey, Default: "", Distinct: true, Check: connector.Distinct(true, false), Importance: connector.High,
			Group: commonGroup, Order: 4, Width: "LONG", DisplayName: "Topics",
			Doc: "List of topics to consume, separated by commas"},
		{Name: "topics.regex", Type: connector.StringKey, Default: "", Check: javaRegex, Importance: connector.High,
			Group: commonGroup, Order: 4, Width: "LONG", DisplayName: "Topics regex",
			Doc: "Regular expression giving topics to consume. Under the hood, the regex is compiled to a <code>java.util.regex.Pattern</code>. Only one of topics or topics.regex should be specified."},
	}
}

func letterKeys() []connector.Key {
	key := func(name string, t connector.KeyType, def any, order int, display, doc string) connector.Key {
		return connector.Key{Name: "errors.deadletterqueue." + name, Type: t, Default: def, Importance: connector.Medium,
			Group: errorGroup, Order: order, Width: "MEDIUM", DisplayName: display, Doc: doc}
	}
	return []connector.Key{
		key("topic.name", connector.StringKey, "", 6, "Dead Letter Queue Topic Name",
			"The name of the topic to be used as the dead letter queue (DLQ) for messages that result in an error when processed by this sink connector, or its transformations or converters. The topic name is blank by default, which means that no messages are to be recorded in the DLQ."),
		key("topic.replication.factor", connector.ShortKey, 3, 7, "Dead Letter Queue Topic Replication Factor",
			"Replication factor used to create the dead letter queue topic when it doesn't already exist."),
		key("context.headers.enable", connector.BooleanKey, false, 8, "Enable Error Context Headers",
			"If true, add headers containing error context to the messages written to the dead letter queue. To avoid clashing with headers from the original record, all error context header keys, all error context header keys will start with <code>__connect.errors.</code>"),
	}
}

func streamKeys() []connector.Key {
	class := func(name, what string, order int) connector.Key {
		return connector.Key{Name: "input." + name + ".converter", Type: connector.ClassKey, Deferred: true, Importance: connector.Medium,
			Group: streamGroup, Order: order, Width: "SHORT", DisplayName: "Input " + name + " converter class",
			Doc: "Converter that reads the " + what + " of the input topics. The worker's " + name + ".converter if it is not set; " + name + ".converter itself writes the output."}
	}
	return []connector.Key{
		{Name: "topic", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Importance: connector.High,
			Group: streamGroup, Order: 1, Width: "LONG", DisplayName: "Output topic",
			Doc: "Topic that the records go to; transforms may choose another one for a record."},
		class("key", "keys", 2), class("value", "values", 3), class("header", "headers", 4),
		{Name: PageFieldsKey, Type: connector.ListKey, Default: "", Importance: connector.Low,
			Doc: "Fields that the page shows of each of the newest records, beside its pictures; the others are there when one opens it."},
		{Name: "state.topic.replication.factor", Type: connector.ShortKey, Default: -1, Importance: connector.Low,
			Group: streamGroup, Order: 5, Width: "SHORT", DisplayName: "State topic replication factor",
			Doc: "Replication factor of the changelog topics that hold the stores of transforms such as keep-best. -1 leaves it to the broker."},
	}
}

func restartKeys() []connector.Key {
	number := func(name string, def, low float64, order int, display, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.LongKey, Default: int64(def), Check: connector.AtLeast(low),
			Importance: connector.Low, Group: restartGroup, Order: order, Width: "SHORT", DisplayName: display, Doc: doc}
	}
	return []connector.Key{
		{Name: "restart.policy", Type: connector.StringKey, Default: restartOnFailure, Check: connector.OneOf(restartOnFailure, RestartNever),
			Importance: connector.Medium, Group: restartGroup, Order: 1, Width: "SHORT", DisplayName: "Restart policy",
			Doc: "Whether a task that failed is started again: on-failure does so after a delay, unless a record was to blame, which would fail again; never leaves it to a request."},
		number("restart.delay.ms", 1000, 1, 2, "First restart delay",
			"How long to wait before the first restart of a failed task. Each further failure doubles the delay; a task that runs ten times its last delay, at least a minute, starts over."),
		number("restart.delay.max.ms", 60000, 1, 3, "Longest restart delay",
			"The longest delay between two restarts of a failed task."),
		number("restart.attempts.max", -1, -1, 4, "Restarts",
			"How many restarts in a row may fail before the task stays failed; -1 is no limit."),
	}
}

// SetKey is the key that says to which set of declared connectors a connector
// belongs. Java's workers take it for a key of the plugin that nobody reads.
const SetKey = "hydraulics.set"

func setKeys() []connector.Key {
	return []connector.Key{{Name: SetKey, Type: connector.StringKey, Importance: connector.Low,
		Group: setGroup, Order: 1, Width: "MEDIUM", DisplayName: "Set",
		Doc: "Name of the set of files that declares the connector: connectors apply --set writes it, and deletes what has this name and is gone from the files."}}
}

func aliases(name string, v any) error {
	if err := connector.NotNull(name, v); err != nil {
		return err
	}
	if repeated(v.([]string)) {
		return errors.New("Duplicate alias provided.") //nolint:staticcheck // Kafka's words
	}
	return nil
}

func repeated(list []string) bool {
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			return true
		}
	}
	return false
}

func javaRegex(_ string, v any) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	if _, err := regex.Compile(text); err != nil {
		return errors.New("Invalid regex: " + err.Error()) //nolint:staticcheck // Kafka's words
	}
	return nil
}
