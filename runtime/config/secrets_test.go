package config

import "testing"

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
