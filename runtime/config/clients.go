package config

import (
	"slices"
	"strings"
)

// What is known of the properties of Kafka's clients in Java. The properties of
// effect are those that internal/kafka and runtime obey.

// clientEffect are the properties of effect that all clients have.
var clientEffect = []string{
	"bootstrap.servers", "client.id", "client.rack", "metadata.max.age.ms", "request.timeout.ms", "retry.backoff.ms",
	"sasl.jaas.config", "sasl.mechanism", "security.protocol", "socket.connection.setup.timeout.ms",
	"ssl.endpoint.identification.algorithm", "ssl.keystore.certificate.chain", "ssl.keystore.key", "ssl.keystore.location",
	"ssl.keystore.type", "ssl.truststore.certificates", "ssl.truststore.location", "ssl.truststore.type",
}

// roleEffect are the further ones of a role.
var roleEffect = map[string][]string{
	"producer": {"acks", "batch.size", "buffer.memory", "compression.type", "enable.idempotence", "linger.ms", "max.block.ms",
		"max.in.flight.requests.per.connection", "max.request.size", "retries"},
	"consumer": {"auto.offset.reset", "fetch.max.bytes", "fetch.max.wait.ms", "fetch.min.bytes", "group.id", "heartbeat.interval.ms",
		"isolation.level", "max.partition.fetch.bytes", "max.poll.interval.ms", "max.poll.records", "session.timeout.ms"},
	"admin": {},
}

// clientIdle says why properties of Java's clients have no effect here; a name
// that ends in a dot stands for all that begin so.
var clientIdle = map[string][]string{
	"it is the worker's business": {"allow.auto.create.topics", "auto.commit.interval.ms", "enable.auto.commit", "exclude.internal.topics",
		"group.instance.id", "key.deserializer", "key.serializer", "transaction.timeout.ms", "transaction.two.phase.commit.enable",
		"transactional.id", "value.deserializer", "value.serializer"},
	"it is about classes of Java": {"auto.include.jmx.reporter", "enable.metrics.push", "interceptor.classes", "metric.reporters",
		"metrics.", "partitioner.", "sasl.client.callback.handler.class", "security.providers", "ssl.cipher.suites",
		"ssl.engine.factory.class", "ssl.keymanager.algorithm", "ssl.provider", "ssl.secure.random.implementation", "ssl.trustmanager.algorithm"},
	"messages and requests are tried again for about a day": {"default.api.timeout.ms", "delivery.timeout.ms"},
	"the network is looked after by other means": {"bootstrap.controllers", "check.crcs", "client.dns.lookup", "connections.max.idle.ms", "metadata.max.idle.ms",
		"metadata.recovery.", "receive.buffer.bytes", "reconnect.backoff.max.ms", "reconnect.backoff.ms", "retry.backoff.max.ms", "send.buffer.bytes",
		"socket.connection.setup.timeout.max.ms"},
	"only servers ask for certificates":                             {"ssl.client.auth"},
	"compression has its usual level":                               {"compression.gzip.level", "compression.lz4.level", "compression.zstd.level"},
	"groups are of the classic protocol, with ranges of partitions": {"group.protocol", "group.remote.assignor", "partition.assignment.strategy", "share.acknowledgement.mode"},
	"logins are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512":             {"sasl.kerberos.", "sasl.login.", "sasl.oauthbearer."},
	"it is TLS 1.2 or later":                                        {"ssl.enabled.protocols", "ssl.protocol"},
	"certificates and keys are plain PEM":                           {"ssl.key.password", "ssl.keystore.password", "ssl.truststore.password"},
}

// clientProperty says why a property has no effect on the client of a role, ""
// where it has one.
func clientProperty(role, property string) string {
	known := slices.Concat(clientEffect, roleEffect[role])
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
	for other, names := range roleEffect {
		if slices.Contains(names, property) {
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
	for role := range roleEffect {
		if property, ok := strings.CutPrefix(key, role+"."); ok {
			return clientProperty(role, property), true
		}
	}
	if ConnectionKey(key) {
		return clientProperty("admin", key), true
	}
	if slices.Contains(slices.Concat(clientEffect, roleEffect["producer"], roleEffect["consumer"]), key) {
		return "has no effect: set producer." + key + ", consumer." + key + " or admin." + key, true
	}
	return "", false
}
