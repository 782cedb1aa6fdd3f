package runtime

import (
	"context"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

func TestCheckClients(t *testing.T) {
	const unknown = `"MD5" is not PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI`
	login := connector.Props{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": "PlainLoginModule required username=a password='hush';"}
	with := func(more connector.Props) connector.Props {
		all := login.Clone()
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	for name, c := range map[string]struct {
		worker, props connector.Props
		want          []string
	}{
		"right":                {login, connector.Props{"consumer.override.sasl.jaas.config": "PlainLoginModule required username='b' password=x;"}, nil},
		"the worker's":         {with(connector.Props{"sasl.mechanism": "MD5"}), nil, []string{"sasl.mechanism: " + unknown}},
		"the worker's of one":  {with(connector.Props{"consumer.sasl.mechanism": "MD5"}), nil, []string{"consumer.sasl.mechanism: " + unknown}},
		"mended by the worker": {with(connector.Props{"security.protocol": "X", "producer.security.protocol": "PLAINTEXT", "consumer.security.protocol": "PLAINTEXT", "admin.security.protocol": "PLAINTEXT"}), nil, nil},
		"a connector's": {login, connector.Props{"admin.override.sasl.mechanism": "MD5", "consumer.override.fetch.min.bytes": "few"},
			[]string{`consumer.override.fetch.min.bytes: "few" is not an integer between 0 and 2147483647`, "admin.override.sasl.mechanism: " + unknown}},
		"a producer's, and a group's": {nil, connector.Props{"producer.override.acks": "2", "consumer.override.session.timeout.ms": "0", "consumer.override.auto.offset.reset": "newest"},
			[]string{`producer.override.acks: "2" is not one of all, -1, 0, 1`, `consumer.override.auto.offset.reset: "newest" is not one of earliest, latest, none`,
				`consumer.override.session.timeout.ms: "0" is not above 0`}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, CheckClients(c.worker, c.props)); d != "" {
				t.Error(d)
			}
		})
	}
}

// A task's error names the key as its connector has it.
func TestWrongClientNamesItsKey(t *testing.T) {
	spec := TaskSpec{Connector: "c", Props: connector.Props{"consumer.override.security.protocol": "TLS"}}
	k := &clients{open: kafka.Open, props: newClientProps(spec, []string{"127.0.0.1:1"}), spec: spec, log: slog.New(slog.DiscardHandler), byProps: map[string]*kafka.Client{}}
	err := k.connect(context.Background(), false, true)
	if want := `consumer.override.security.protocol: "TLS" is not PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL`; connector.KindOf(err) != connector.KindFatal || err.Error() != want {
		t.Errorf("%s: %v, want %s", connector.KindOf(err), err, want)
	}
}
