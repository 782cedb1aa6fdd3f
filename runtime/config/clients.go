package config

import (
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// roles are those of Kafka's clients.
var roles = []string{"producer", "consumer", "admin"}

// clientIdle says why properties of Java's clients have no effect here; a name
// that ends in a dot stands for all that begin so, but for those that internal/kafka
// has.
var clientIdle = map[string][]string{
	"it is the worker's business": {"allow.auto.create.topics", "auto.commit.interval.ms", "enable.auto.commit", "exclude.internal.topics",
		"group.instance.id", "key.deserializer", "key.serializer", "transaction.timeout.ms", "transaction.two.phase.commit.enable",
		"transactional.id", "value.deserializer", "value.serializer"},
	"it is about classes of Java": {"auto.include.jmx.reporter", "enable.metrics.push", "interceptor.classes", "metric.reporters",
		"metrics.", "partitioner.", "security.providers", "ssl.keymanager.algorithm", "ssl.provider", "ssl.secure.random.implementation", "ssl.trustmanager.algorithm"},
	"what Kafka does not answer is asked again without end": {"default.api.timeout.ms"},
	"the network is looked after by other means": {"bootstrap.controllers", "check.crcs", "client.dns.lookup", "connections.max.idle.ms", "metadata.max.idle.ms",
		"metadata.recovery.", "receive.buffer.bytes", "reconnect.backoff.max.ms", "reconnect.backoff.ms", "send.buffer.bytes",
		"socket.connection.setup.timeout.max.ms"},
	"only servers ask for certificates":                                         {"ssl.client.auth"},
	"compression has its usual level":                                           {"compression.gzip.level", "compression.lz4.level", "compression.zstd.level"},
	"groups are of the classic protocol, with ranges of partitions":             {"group.protocol", "group.remote.assignor", "partition.assignment.strategy", "share.acknowledgement.mode"},
	"tickets and tokens are renewed before they end":                            {"sasl.kerberos.", "sasl.login."},
	"tokens are checked by brokers, and come from client credentials or a file": {"sasl.oauthbearer."},
}

// clientProperty says why a property has no effect on the client of a role, ""
// where it has one.
func clientProperty(role, property string) string {
	known := kafka.Properties(role)
	if slices.Contains(known, property) {
		return ""
	}
	for why, names := range clientIdle {
		for _, name := range names {
			if property == name || strings.HasSuffix(name, ".") && strings.HasPrefix(property, name) {
				return "has no effect: " + why
			}
			if !strings.HasSuffix(name, ".") {
				known = append(known, name)
			}
		}
	}
	slices.Sort(known)
	for _, other := range roles {
		if slices.Contains(kafka.Properties(other), property) {
			return "has no effect: it is a property of a " + other
		}
	}
	return "unknown property of Kafka's clients" + didYouMean(property, known)
}

// overridden gives the client's role and the property that a connector's key
// overrides.
func overridden(key string) (role, property string, ok bool) {
	for _, prefix := range overridePrefixes {
		if property, ok := strings.CutPrefix(key, prefix); ok && property != "" {
			role, _, _ = strings.Cut(prefix, ".")
			return role, property, true
		}
	}
	return "", "", false
}

// ConnectionKey tells that a worker's key is about the connection of all of its
// Kafka clients: protocol, login, certificates.
func ConnectionKey(key string) bool {
	return slices.ContainsFunc([]string{"security.", "sasl.", "ssl."}, func(family string) bool { return strings.HasPrefix(key, family) })
}

// workerProperty says why a worker's key that is for Kafka's clients has no
// effect, "" where it has one. ok is false for other keys.
func workerProperty(key string) (why string, ok bool) {
	if _, defined := WorkerDef().Key(key); defined || distributedKey(key) {
		return "", false
	}
	for _, role := range roles {
		if property, ok := strings.CutPrefix(key, role+"."); ok {
			return clientProperty(role, property), true
		}
	}
	if ConnectionKey(key) {
		return clientProperty("admin", key), true
	}
	if slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(kafka.Properties(role), key) }) {
		return "has no effect: set producer." + key + ", consumer." + key + " or admin." + key, true
	}
	return "", false
}
