package kafka

import (
	"slices"

	"github.com/axiom-data-science/hydraulics/internal/ssl"
)

// everyClient are the properties of Java's clients that each client obeys, or
// refuses, beside those of TLS.
var everyClient = []string{
	"bootstrap.servers", "client.id", "client.rack", "metadata.max.age.ms", "request.timeout.ms", "retry.backoff.max.ms", "retry.backoff.ms",
	"security.protocol", "socket.connection.setup.timeout.ms",
	clientKey, endpointKey, handlerKey, jaasKey, mechanismKey, retrieverKey, scopeKey, secretKey, serviceKey,
	"sasl.client.callback.handler.class", "sasl.login.class",
}

// ofRole are the further ones of a role. Those of a group are read by the one who
// makes its member: they are in [GroupOptions].
var ofRole = map[string][]string{
	"admin": nil,
	"consumer": {"auto.offset.reset", "fetch.max.bytes", "fetch.max.wait.ms", "fetch.min.bytes", "group.id", "heartbeat.interval.ms",
		"isolation.level", "max.partition.fetch.bytes", "max.poll.interval.ms", "max.poll.records", "session.timeout.ms"},
	"producer": {"acks", "batch.size", "buffer.memory", "compression.type", "delivery.timeout.ms", "enable.idempotence", "linger.ms",
		"max.block.ms", "max.in.flight.requests.per.connection", "max.request.size", "retries"},
}

// Properties gives the properties of Java's clients that a client of a role, which
// is admin, consumer or producer, obeys or refuses: it sees no others.
func Properties(role string) []string {
	return slices.Concat(everyClient, ssl.ClientKeys(), ofRole[role])
}

// seen gives those of some properties that clients see.
func seen(given map[string]string) map[string]string {
	text := map[string]string{}
	for role := range ofRole {
		for _, key := range Properties(role) {
			if value, ok := given[key]; ok {
				text[key] = value
			}
		}
	}
	return text
}
