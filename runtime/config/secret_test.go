package config

import (
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// A key store as a text holds a private key, whatever its key is called.
func TestSecretsAreHidden(t *testing.T) {
	for _, key := range []string{"consumer.override.ssl.keystore.key", "producer.override.ssl.keystore.certificate.chain", "admin.override.sasl.jaas.config",
		"consumer.override.ssl.key.password", "consumer.override.sasl.oauthbearer.client.credentials.client.secret"} {
		if got := javaMap(connector.Props{key: "hush"}); strings.Contains(got, "hush") {
			t.Errorf("it shows %s", got)
		}
	}
	if got := javaMap(connector.Props{"consumer.override.ssl.keystore.location": "key.p12"}); !strings.Contains(got, "key.p12") {
		t.Errorf("it hides %s", got)
	}
}
