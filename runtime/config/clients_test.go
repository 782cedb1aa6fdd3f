package config

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Clauses: E6.
func TestClientProperties(t *testing.T) {
	for key, want := range map[string]string{
		"producer.override.linger.ms":                    "",
		"consumer.override.bootstrap.servers":            "",
		"admin.override.sasl.jaas.config":                "",
		"producer.override.lingr.ms":                     "unknown property of Kafka's clients, did you mean linger.ms?",
		"producer.override.max.poll.records":             "has no effect: it is a property of a consumer",
		"producer.override.delivery.timeout.ms":          "",
		"consumer.override.delivery.timeout.ms":          "has no effect: it is a property of a producer",
		"consumer.override.retry.backoff.max.ms":         "",
		"consumer.override.default.api.timeout.ms":       "has no effect: what Kafka does not answer is asked again without end",
		"consumer.override.sasl.kerberos.service.name":   "",
		"consumer.override.sasl.kerberos.kinit.cmd":      "has no effect: tickets and tokens are renewed before they end",
		"admin.override.ssl.key.password":                "",
		"admin.override.ssl.cipher.suites":               "",
		"consumer.override.key.deserializer":             "has no effect: it is the worker's business",
		"consumer.override.metrics.num.samples":          "has no effect: it is about classes of Java",
		"consumer.override.sasl.oauthbearer.scope":       "",
		"consumer.override.sasl.oauthbearer.token.x":     "has no effect: tokens are checked by brokers, and come from client credentials or a file",
		"consumer.override.something.of.somebody.else.x": "unknown property of Kafka's clients",
	} {
		props := connector.Props{"name": "c", "connector.class": "heartbeat", key: "1"}
		v := &Validator{Plugins: registryOf("source")}
		report, err := v.Validate(props, Origin{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range v.Warnings(report, props) {
			if p.Key == key {
				got += p.Message
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// Each key of the worker that has no effect is told once, with its reason.
func TestWorkerKeysWithoutEffect(t *testing.T) {
	list := List{{Key: "producer.lingr.ms", Text: "1"}, {Key: "consumer.fetch.min.bytes", Text: "1"}, {Key: "ssl.protocol", Text: "TLS"}, {Key: "ssl.provider", Text: "BC"},
		{Key: "security.protocol", Text: "SSL"}, {Key: "request.timeout.ms", Text: "1"}, {Key: "bootstrap.server", Text: "k:1"},
		{Key: "log4j.root.loglevel", Text: "DEBUG"}, {Key: "session.timeout.ms", Text: "1"}, {Key: "client.id", Text: "w"}}
	var got []string
	for _, p := range lintWorker(list, false) {
		got = append(got, p.Key+": "+p.Message)
	}
	want := []string{
		"producer.lingr.ms: unknown property of Kafka's clients, did you mean linger.ms?",
		"ssl.provider: has no effect: it is about classes of Java",
		"request.timeout.ms: has no effect: set producer.request.timeout.ms, consumer.request.timeout.ms or admin.request.timeout.ms",
		"bootstrap.server: unknown key, did you mean bootstrap.servers?",
		"log4j.root.loglevel: has no effect: set --log-level",
		"session.timeout.ms: is for workers in distributed mode",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// No property is said both to have an effect and to have none.
func TestClientPropertiesAreToldOnce(t *testing.T) {
	var known []string
	for _, role := range roles {
		known = append(known, kafka.Properties(role)...)
	}
	for why, names := range clientIdle {
		for _, name := range names {
			if slices.ContainsFunc(known, func(k string) bool { return k == name }) {
				t.Errorf("%s: %s", name, why)
			}
		}
		known = append(known, names...)
	}
}
