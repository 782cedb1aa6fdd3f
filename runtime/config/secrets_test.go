package config

import (
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestSecretName(t *testing.T) {
	for key, want := range map[string]bool{
		"connection.password":                           true,
		"value.converter.basic.auth.user.info":          true,
		"sasl.jaas.config":                              true,
		"aws.credentials":                               true,
		"value.converter.basic.auth.credentials.source": false,
		"bearer.auth.credentials.source":                false,
		"private.addresses":                             false,
		"topics":                                        false,
	} {
		if got := SecretName(key); got != want {
			t.Errorf("%s: %t", key, got)
		}
	}
}

// What hides a connector's secrets hides its worker's, too, none of them in part, and
// nothing else of theirs.
func TestMasker(t *testing.T) {
	t.Setenv("MASKER_TEST", "of-the-worker")
	v, _ := referrer(t, "")
	v.Written = connector.Props{"sasl.jaas.config": "before-own-after", "ssl.key.password": "of\nlines", "client.id": "${env:MASKER_TEST}", "offset.storage.file.filename": "flow.offsets"}
	v.Worker = connector.Props{"sasl.jaas.config": "before-own-after", "ssl.key.password": "of\nlines", "client.id": "of-the-worker", "offset.storage.file.filename": "/data/flow.offsets"}
	mask, err := v.Masker(connector.Props{"a.password": "own-after", "b": "${env:MASKER_TEST}-too"}, Origin{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"before-own-after":           Hidden,
		"own-after":                  Hidden,
		"(of\nlines)":                "(" + Hidden + ")",
		`"of\nlines"`:                `"` + Hidden + `"`,
		"of-the-worker-too":          Hidden,
		"of-the-worker":              Hidden,
		"/data/flow.offsets is full": "/data/flow.offsets is full",
	} {
		if got := mask.Replace(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

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
