package kafka

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// What is said to have an effect is read: a wrong value of it is refused by its
// name. Those that any text is good for have tests of their own.
func TestPropertiesAreRead(t *testing.T) {
	anyText := []string{"bootstrap.servers", "group.id", "client.id", "client.rack", clientKey, secretKey, scopeKey, serviceKey, "ssl.truststore.password",
		"ssl.keystore.password", "ssl.key.password"}
	base := map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", jaasKey: `x required unsecuredLoginStringClaim_sub="buoy";`}
	with := map[string]map[string]string{ // what a property is read beside
		"ssl.truststore.type": {"ssl.truststore.location": "x"},
		"ssl.keystore.type":   {"ssl.keystore.location": "x"},
		"ssl.keystore.key":    {"ssl.keystore.certificate.chain": ""},
	}
	for _, role := range []string{"producer", "consumer", "admin"} {
		for _, key := range Properties(role) {
			if slices.Contains(anyText, key) {
				continue
			}
			t.Run(role+" "+key, func(t *testing.T) {
				text := maps.Clone(base)
				maps.Copy(text, with[key])
				text[key] = "wrong"
				if err := Check(role, text); err == nil || !strings.Contains(err.Error(), key) {
					t.Errorf("%v does not name it", err)
				}
			})
		}
	}
}

// No client sees a property that is not said to have an effect.
func TestPropertiesThatNobodyKnows(t *testing.T) {
	if got := seen(map[string]string{"acks": "1", "ssl.client.auth": "required", "lingr.ms": "1"}); len(got) != 1 || got["acks"] != "1" {
		t.Error(got)
	}
}
