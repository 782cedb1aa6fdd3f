package connection

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestKeys(t *testing.T) {
	props := connector.Props{"bootstrap.servers": "a:1", "security.protocol": "SSL", "consumer.security.protocol": "SASL_SSL",
		"producer.sasl.mechanism": "PLAIN", "consumer.max.poll.records": "5", "ssl.truststore.type": "PEM"}
	for role, want := range map[string]map[string]string{
		"":          {"security.protocol": "SSL", "ssl.truststore.type": "PEM"},
		"consumer.": {"security.protocol": "SASL_SSL", "ssl.truststore.type": "PEM"},
		"producer.": {"security.protocol": "SSL", "sasl.mechanism": "PLAIN", "ssl.truststore.type": "PEM"},
	} {
		if d := cmp.Diff(want, Keys(props, role)); d != "" {
			t.Errorf("%q: %s", role, d)
		}
	}
}
