package config

import (
	"slices"
	"strings"
)

// Family is keys that begin alike, of which a definition cannot name each.
type Family struct {
	Name string // such as producer.*
	Doc  string
}

// Families gives the families of keys beside the definition of a kind: source,
// sink, stream or worker.
func Families(kind string) []Family {
	if kind == "worker" {
		return workerFamilies
	}
	list := []Family{
		{"transforms.ALIAS.*", "Keys of a transform that transforms names: type, its class; predicate and negate, when to apply it; its own."},
		{"predicates.ALIAS.*", "Keys of a predicate that predicates names: type, its class; its own."},
		{"key.converter.*", "Keys of key.converter, where the connector sets it."},
		{"value.converter.*", "Keys of value.converter, where the connector sets it."},
		{"header.converter.*", "Keys of header.converter, where the connector sets it."},
	}
	if kind == "stream" {
		list = append(list, Family{"input.key.converter.*", "Keys of input.key.converter, where the stream sets it."},
			Family{"input.value.converter.*", "Keys of input.value.converter, where the stream sets it."},
			Family{"input.header.converter.*", "Keys of input.header.converter, where the stream sets it."})
	}
	if kind != "sink" {
		list = append(list, Family{"topic.creation.default.*", "How topics are created that are not there: partitions and replication.factor, -1 for the broker's own; keys of a topic, such as cleanup.policy."},
			Family{"topic.creation.GROUP.*", "The same for the topics of a group that topic.creation.groups names: include and exclude are regular expressions of their names."})
	}
	for _, client := range []string{"producer", "consumer", "admin"} {
		list = append(list, Family{client + ".override.*", "Properties of the connector's Kafka " + client + ", in place of the worker's."})
	}
	return list
}

var workerFamilies = []Family{
	{"key.converter.*", "Keys of key.converter."},
	{"value.converter.*", "Keys of value.converter."},
	{"header.converter.*", "Keys of header.converter."},
	{"producer.*", "Properties of the Kafka producers of all connectors."},
	{"consumer.*", "Properties of the Kafka consumers of all connectors."},
	{"admin.*", "Properties of the Kafka clients that make and describe topics."},
	{"config.storage.*", "In distributed mode: topic, the topic of configurations, which has one partition; replication.factor (3, -1 for the broker's own) and further settings of the topic, where the worker is to make it."},
	{"offset.storage.*", "The same for the topic of source offsets, and partitions (25)."},
	{"status.storage.*", "The same for the topic of what connectors and tasks are doing, and partitions (5)."},
	{"security.*", "security.protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, for all Kafka clients."},
	{"sasl.*", "sasl.mechanism (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, GSSAPI) and sasl.jaas.config, as Java takes it: the login of all Kafka clients; sasl.oauthbearer.* says where tokens come from, sasl.kerberos.service.name whom a ticket is for."},
	{"ssl.*", "Key store, trust store, protocols and cipher suites of all Kafka clients, as Kafka names them; stores are PEM, PKCS12 or JKS, PEM also as texts (ssl.truststore.certificates, ssl.keystore.certificate.chain, ssl.keystore.key)."},
	{"listeners.https.ssl.*", "Key store, trust store, client.auth (none, requested, required), protocols and cipher suites of the listeners with https, as ssl.*; with one of them those of ssl.* count no more. Stores are read again when their files change."},
	{"admin.listeners.https.ssl.*", "The same for admin.listeners."},
	{"schema.registry.*", "Login and certificates of the schema registry, for converters that name none themselves."},
	{"config.providers.*", "config.providers.NAME.class, and .param.*: what a provider may read (allowed.paths of file and dir, allowlist.pattern of env), and how long a value is believed (ttl.ms, then it is read again, see config.action.reload)."},
}

// ofWorker tells that a key belongs to a family of the worker.
func ofWorker(key string) bool {
	return slices.ContainsFunc(workerFamilies, func(f Family) bool { return strings.HasPrefix(key, strings.TrimSuffix(f.Name, "*")) })
}
