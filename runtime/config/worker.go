package config

import (
	"slices"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
)

// WorkerDef gives the keys of a worker; [Families] has those beside them.
var WorkerDef = sync.OnceValue(func() *connector.ConfigDef {
	return connector.NewConfigDef(slices.Concat(workerKeys(), distributedKeys())...)
})

// workerKeys are the keys of every worker.
func workerKeys() []connector.Key {
	return []connector.Key{
		{Name: "bootstrap.servers", Type: connector.ListKey, Default: "localhost:9092", Distinct: true,
			Check: connector.Distinct(false, false), Importance: connector.High,
			Doc: "Brokers to connect to first, as host:port; the others are found through them."},
		{Name: "client.id", Type: connector.StringKey, Default: "", Importance: connector.Low,
			Doc: "Name by which brokers know this worker's connections."},
		{Name: "schema.registry.url", Type: connector.ListKey, Importance: connector.High,
			Doc: "Schema registry of every converter that needs one and names none itself."},

		{Name: "key.converter", Type: connector.ClassKey, Deferred: true, Default: "json", Importance: connector.High,
			Doc: "Converter of keys, for connectors that choose none. Its own keys follow with the prefix key.converter."},
		{Name: "value.converter", Type: connector.ClassKey, Deferred: true, Default: "json", Importance: connector.High,
			Doc: "Converter of values, for connectors that choose none. Its own keys follow with the prefix value.converter."},
		{Name: "header.converter", Type: connector.ClassKey, Deferred: true, Default: "org.apache.kafka.connect.storage.SimpleHeaderConverter",
			Importance: connector.Low, Doc: "Converter of headers, for connectors that choose none."},

		{Name: "offset.storage.file.filename", Type: connector.StringKey, Path: true, Importance: connector.High,
			Doc: "File that keeps the offsets of sources, in standalone mode. Connectors made over REST and the states of all connectors are kept beside it. Without this key it is beside the worker's first file, with .offsets as the end of its name."},
		{Name: "offset.flush.interval.ms", Type: connector.LongKey, Default: 60000, Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "How often offsets are committed. A stream commits when nothing is on its way, each second at the latest."},
		{Name: "offset.flush.timeout.ms", Type: connector.LongKey, Default: 5000, Check: connector.AtLeast(0), Importance: connector.Low,
			Doc: "How long a commit of offsets may wait for records that are on their way."},
		{Name: "task.shutdown.graceful.timeout.ms", Type: connector.LongKey, Default: 5000, Check: connector.AtLeast(0), Importance: connector.Low,
			Doc: "How long all tasks together have to stop when the worker does."},
		{Name: "task.stalled.ms", Type: connector.LongKey, Default: 45000, Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "How long a call of a plugin may take to return, a failure may be tried again, or records may wait while none goes on, before the task counts as stalled: in the status, in /health, in metrics, on the page and in the log."},
		{Name: "topic.creation.enable", Type: connector.BooleanKey, Default: true, Importance: connector.Low,
			Doc: "Whether topics that a source or stream writes to are created when they are not there."},
		{Name: "topic.tracking.enable", Type: connector.BooleanKey, Default: true, Importance: connector.Low,
			Doc: "Whether the REST API tells the topics that a connector has used since the worker started."},
		{Name: "topic.tracking.allow.reset", Type: connector.BooleanKey, Default: true, Importance: connector.Low,
			Doc: "Whether the REST API may make the worker forget the topics that a connector has used."},

		{Name: "listeners", Type: connector.ListKey, Importance: connector.Low,
			Doc: "Addresses that the REST API listens on, as http://host:port or https://host:port; without a host on all interfaces, port 0 is any free one. https takes certificate and key from listeners.https.ssl.*, or, where there is no such key, from ssl.*. Without this key it is http://127.0.0.1:8083, or another port where that one is busy."},
		{Name: "admin.listeners", Type: connector.ListKey, Importance: connector.Low,
			Doc: "Addresses that the endpoints below /admin listen on, in the form of listeners, with admin.listeners.https.ssl.* for https; empty for nowhere. Without this key they are at the addresses of listeners."},
		{Name: "listeners.allowed.hosts", Type: connector.ListKey, Default: "", Importance: connector.Low,
			Doc: "Names, beside localhost and the loopback addresses, by which REST API and page may be asked where they listen on a loopback address, such as the name of a reverse proxy that passes it on; * is any. To other names the answer is 403: a web page could have made its own name mean this machine."},
		{Name: "rest.host.name", Type: connector.StringKey, Importance: connector.Low,
			Doc: "Host that the REST API listens on; an older form of listeners."},
		{Name: "rest.port", Type: connector.IntKey, Check: connector.Optional(connector.Between(0, 65535)), Importance: connector.Low,
			Doc: "Port that the REST API listens on; an older form of listeners."},
		{Name: "rest.advertised.host.name", Type: connector.StringKey, Importance: connector.Low,
			Doc: "Host by which others reach this worker's REST API."},
		{Name: "rest.advertised.port", Type: connector.IntKey, Check: connector.Optional(connector.Between(0, 65535)), Importance: connector.Low,
			Doc: "Port by which others reach this worker's REST API."},
		{Name: "rest.advertised.listener", Type: connector.StringKey, Check: connector.Optional(connector.OneOfFold("http", "https")), Importance: connector.Low,
			Doc: "Which of listeners others are told, http or https. Without this key it is http where there is one."},
		{Name: "page.listener", Type: connector.StringKey, Importance: connector.Low,
			Doc: "Address of the web page, as http://host:port or https://host:port, which takes its certificate as listeners does; empty for no page. Without this key it is http://127.0.0.1:6066, or another port where that one is busy."},
		{Name: "config.write", Type: connector.BooleanKey, Default: false, Importance: connector.Low,
			Doc: "Whether the page may write connectors into the YAML files that the worker was started with, for those with the role configure. What else is in a file stays as it is, comments too, and the files are read anew. Otherwise the page shows what to change there."},
		{Name: "access.control.allow.origin", Type: connector.StringKey, Default: "", Importance: connector.Low,
			Doc: "Origins, such as https://console.example, whose web pages may use the REST API (CORS); * is any, and within an origin any text. Without one no page from elsewhere may change anything."},
		{Name: "access.control.allow.methods", Type: connector.StringKey, Default: "", Importance: connector.Low,
			Doc: "Methods that pages of these origins may use. Without this key they are GET, POST and HEAD."},
		{Name: "response.http.headers.config", Type: connector.StringKey, Default: "", Importance: connector.Low,
			Doc: "Headers of each answer of the REST API, separated by commas: [set|add|setDate|addDate] NAME: VALUE, in double quotes where there is a comma in it. The value of the latter two is in milliseconds from now."},
		{Name: "access.file", Type: connector.StringKey, Path: true, Importance: connector.Low,
			Doc: "File of the users and tokens that REST API, metrics and page ask for, each with the role view, operate or configure; hydraulics access writes its lines. It is read again when it changes. Without this key nobody has to log in: then the page is off where it listens on more than a loopback address."},
		{Name: "rest.extension.classes", Type: connector.ListKey, Default: "", Importance: connector.Low,
			Doc: "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension has REST API, metrics and page ask for a login. Others are not there."},
		{Name: "java.security.auth.login.config", Type: connector.StringKey, Importance: connector.Low,
			Doc: "JAAS file for that login, in which the entry KafkaConnect has PropertyFileLoginModule with the option file: users as NAME=PASSWORD, plain or hashed by bcrypt, read again when they change. Java's option of this name in KAFKA_OPTS sets it, too."},

		{Name: "config.providers", Type: connector.ListKey, Default: "", Importance: connector.Low,
			Doc: "Names of config providers. env, file and dir are always there; a name given here stands for one of them by its config.providers.<name>.class. Connectors made over REST may use those named here, and others that have an allow list."},
		{Name: "connector.client.config.override.policy", Type: connector.StringKey, Default: policyAll,
			Check: policyCheck, Importance: connector.Low,
			Doc: "Which client properties a connector may override: All, None, those of the Principal, or those of connector.client.config.override.allowlist (Allowlist); by these names or by Java's classes of them."},
		{Name: "connector.client.config.override.allowlist", Type: connector.ListKey, Default: "", Distinct: true,
			Check: connector.Distinct(true, false), Importance: connector.Low,
			Doc: "Client properties that the policy Allowlist allows."},
		{Name: "otel.exporter.otlp.endpoint", Type: connector.StringKey, Importance: connector.Low,
			Doc: "Collector that takes OpenTelemetry's traces by OTLP over HTTP, such as http://localhost:4318: a span per batch of a task, with links to the traces that the traceparent headers of its records name, and below it one per stage. Without this key there are none. OTEL_* environment variables of the SDK count, such as OTEL_TRACES_SAMPLER."},
		{Name: "otel.exporter.otlp.headers", Type: connector.PasswordKey, Importance: connector.Low,
			Doc: "Headers for the collector, as NAME=VALUE, separated by commas."},
		{Name: "otel.service.name", Type: connector.StringKey, Default: "hydraulics", Importance: connector.Low,
			Doc: "Name of this worker in traces."},
		{Name: "plugin.path", Type: connector.ListKey, Importance: connector.Low,
			Doc: "Without effect: the plugins of a worker are compiled into it."},
		{Name: "plugin.discovery", Type: connector.StringKey, Importance: connector.Low,
			Doc: "Without effect: the plugins of a worker are compiled into it."},
	}
}

// obsolete says of worker keys of older Kafka Connect versions what became of
// them. They are noted, never an error.
var obsolete = map[string]string{
	"internal.key.converter":                  "has had no effect since Kafka Connect 2.0",
	"internal.value.converter":                "has had no effect since Kafka Connect 2.0",
	"internal.key.converter.schemas.enable":   "has had no effect since Kafka Connect 2.0",
	"internal.value.converter.schemas.enable": "has had no effect since Kafka Connect 2.0",
	"rest.host.name":                          "is an older form of listeners, and is obeyed",
	"rest.port":                               "is an older form of listeners, and is obeyed",
	"plugin.path":                             "has no effect: the plugins of a worker are compiled into it",
	"plugin.discovery":                        "has no effect: the plugins of a worker are compiled into it",
	"log4j.root.loglevel":                     "has no effect: set --log-level",
	"log4j.loggers":                           "has no effect: set --log-level",
}
