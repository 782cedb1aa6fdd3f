//go:build integration

package kafka

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/certs"
)

// secureKafka gives the address of a real Kafka's listener with TLS and logins, and the
// folder of the stores that trust it.
func secureKafka(t *testing.T) (addr, stores string) {
	t.Helper()
	addr, stores = os.Getenv("HYDRAULICS_KAFKA_SECURE"), os.Getenv("HYDRAULICS_KAFKA_STORES")
	if addr == "" {
		t.Skip("HYDRAULICS_KAFKA_SECURE is not set: no real Kafka with TLS and logins to test with")
	}
	return addr, stores
}

// addScramUser has a real Kafka know a user's password.
func addScramUser(t *testing.T, user, password string) {
	t.Helper()
	admin, err := open(t, realKafka(t), nil).admin()
	if err != nil {
		t.Fatal(err)
	}
	const iterations = 4096
	for _, m := range []sarama.ScramMechanismType{sarama.SCRAM_MECHANISM_SHA_256, sarama.SCRAM_MECHANISM_SHA_512} { // one a request
		results, err := admin.UpsertUserScramCredentials([]sarama.AlterUserScramCredentialsUpsert{
			{Name: user, Mechanism: m, Iterations: iterations, Salt: []byte("a pinch"), Password: []byte(password)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.ErrorCode != sarama.ErrNoError {
				t.Fatalf("%v: %s", r.ErrorCode, *r.ErrorMessage)
			}
		}
	}
}

func TestLoginsOnRealKafka(t *testing.T) {
	addr, stores := secureKafka(t)
	addScramUser(t, "buoy", "right")
	for _, form := range []string{"PEM", "PKCS12", "JKS"} {
		for mechanism := range logins {
			t.Run(form+" "+mechanism, func(t *testing.T) {
				props := map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, jaasKey: jaasOf(mechanism, "right"), "ssl.truststore.type": form,
					"ssl.truststore.location": filepath.Join(stores, "kafka-trust."+map[string]string{"PEM": "pem", "PKCS12": "p12", "JKS": "jks"}[form])}
				if form != "PEM" {
					props["ssl.truststore.password"] = "opensesame"
				}
				if mechanism == "GSSAPI" {
					props["sasl.kerberos.service.name"] = "kafka"
					props[jaasKey] = "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab='" + filepath.Join(stores, "buoy.keytab") + "' principal='buoy@SEA.EXAMPLE';"
				}
				if mechanism == "OAUTHBEARER" {
					props[jaasKey] = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub='buoy';"
				}
				topic := fresh("secure")
				c := open(t, addr, props)
				newTopic(t, c, topic, 1, nil)
				p, err := c.NewProducer(ProducerOptions{Props: props})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = p.Close() }()
				if err := p.Send(t.Context(), Message{Topic: topic, Value: []byte("x"), Timestamp: connector.NoTimestamp}, func(_ connector.RecordMetadata, err error) {
					if err != nil {
						t.Error(err)
					}
				}); err != nil {
					t.Fatal(err)
				}
				if err := p.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := values(t, c, topic, 0); len(got) != 1 || got[0] != "x" {
					t.Errorf("it reads %q", got)
				}
				if mechanism == "OAUTHBEARER" || mechanism == "GSSAPI" {
					return // the broker takes the token of anyone, and the key table has the only key
				}
				wrong := maps.Clone(props)
				wrong[jaasKey] = jaasOf(mechanism, "wr0ng")
				if err := asks(t, addr, wrong); err == nil || !strings.Contains(err.Error(), "the login is refused: check username and password in sasl.jaas.config") || strings.Contains(err.Error(), "wr0ng") {
					t.Errorf("a wrong password: %v", err)
				}
			})
		}
	}
}

// The tokens of an endpoint and of a file are unsecured ones, which the broker takes.
func TestTokensOnRealKafka(t *testing.T) {
	addr, stores := secureKafka(t)
	token, err := claims{of: map[string]any{"sub": "buoy"}, lifetime: time.Hour}.token()
	if err != nil {
		t.Fatal(err)
	}
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": 3600})
	}))
	defer endpoint.Close()
	for name, from := range map[string]string{"endpoint": endpoint.URL, "file": "file://" + certs.File(t, "token", []byte(token))} {
		t.Run(name, func(t *testing.T) {
			if err := asks(t, addr, map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", endpointKey: from, clientKey: "buoy", secretKey: "right",
				jaasKey:                   "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
				"ssl.truststore.location": filepath.Join(stores, "kafka-trust.jks"), "ssl.truststore.password": "opensesame"}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWrongSettingsOnRealKafka(t *testing.T) {
	addr, stores := secureKafka(t)
	right := map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", jaasKey: jaasOf("PLAIN", "right"),
		"ssl.truststore.location": filepath.Join(stores, "kafka-trust.p12"), "ssl.truststore.password": "opensesame"}
	port := addr[strings.LastIndexByte(addr, ':'):]
	token := func(claims string) map[string]string {
		return map[string]string{"sasl.mechanism": "OAUTHBEARER", jaasKey: "OAuthBearerLoginModule required " + claims + ";"}
	}
	for name, c := range map[string]struct {
		addr  string
		props map[string]string
		want  string
	}{
		"no trust store":       {addr, map[string]string{"ssl.truststore.location": "", "ssl.truststore.password": ""}, "name it in ssl.truststore.location"},
		"another name":         {"localhost" + port, nil, "an empty ssl.endpoint.identification.algorithm leaves the name unchecked"},
		"the name unchecked":   {"localhost" + port, map[string]string{"ssl.endpoint.identification.algorithm": ""}, ""},
		"no login":             {addr, map[string]string{"security.protocol": "SSL"}, "check security.protocol"},
		"no TLS":               {addr, map[string]string{"security.protocol": "SASL_PLAINTEXT"}, "security.protocol"},
		"TLS to one without":   {realKafka(t), nil, "or security.protocol"},
		"an expired token":     {addr, token("unsecuredLoginStringClaim_sub=a unsecuredLoginNumberClaim_exp=1"), "the login is refused: check what gives the token, in sasl.oauthbearer.* or sasl.jaas.config"},
		"a token for a minute": {addr, token("unsecuredLoginStringClaim_sub=buoy unsecuredLoginLifetimeSeconds=60"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			props := maps.Clone(right)
			maps.Copy(props, c.props)
			began := time.Now()
			err := asks(t, c.addr, props)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v after %s, want %q", err, time.Since(began), c.want)
			}
		})
	}
}
