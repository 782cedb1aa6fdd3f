package kafka

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/test/certs"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// jaasOf gives the login line of a mechanism with user and password.
func jaasOf(mechanism, password string) string {
	return strings.ReplaceAll(strings.Replace(strings.Replace(logins[mechanism], "...", "buoy", 1), "...", password, 1), `"`, `'`)
}

// asks tells whether a client with some properties gets an answer from a broker.
func asks(t *testing.T, broker string, props map[string]string) error {
	t.Helper()
	c, err := Open(t.Context(), Options{Bootstrap: []string{broker}, Props: props})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.EndOffsets(t.Context(), "images")
	if err != nil && strings.Contains(err.Error(), ErrUnknownTopic.Error()) {
		return nil
	}
	return err
}

// Clauses: E6.
func TestTLSAndLogin(t *testing.T) {
	authority := certs.Authority(t)
	server, client := authority.Issue(t, "broker", "127.0.0.1"), authority.Issue(t, "buoy")
	listener := &tls.Config{Certificates: []tls.Certificate{server.TLS()}, ClientCAs: authority.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
	for _, form := range []string{"PEM", "PKCS12", "JKS"} {
		for _, mechanism := range []string{"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
			t.Run(form+" "+mechanism, func(t *testing.T) {
				props := map[string]string{"security.protocol": "SSL", "ssl.truststore.type": form, "ssl.keystore.type": form,
					"ssl.truststore.location": certs.File(t, "trust", authority.TrustStore(t, form, "opensesame")), "ssl.truststore.password": "opensesame",
					"ssl.keystore.location": certs.File(t, "key", client.KeyStore(t, form, "opensesame")), "ssl.keystore.password": "opensesame"}
				if mechanism != "" {
					maps.Copy(props, map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, jaasKey: jaasOf(mechanism, "right")})
				}
				if err := asks(t, kafkatest.StartWithTLS(t, listener, mechanism, "buoy", "right"), props); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestWrongSettingsOnAListener(t *testing.T) {
	authority := certs.Authority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, "broker", "broker.example").TLS()}}
	strict := server.Clone()
	strict.ClientCAs, strict.ClientAuth = authority.Pool(), tls.RequireAndVerifyClientCert
	trusting := map[string]string{"security.protocol": "SSL", "ssl.truststore.certificates": authority.PEM(), "ssl.endpoint.identification.algorithm": ""}
	with := func(props ...string) map[string]string {
		all := maps.Clone(trusting)
		for i := 0; i < len(props); i += 2 {
			all[props[i]] = props[i+1]
		}
		return all
	}
	for name, c := range map[string]struct {
		listener *tls.Config // nil is one without TLS
		props    map[string]string
		want     string // nothing is an answer
	}{
		"the name unchecked":     {server, trusting, ""},
		"another name":           {server, with("ssl.endpoint.identification.algorithm", "https"), "the broker's certificate is for another name: ask it by one of its names; an empty ssl.endpoint.identification.algorithm"},
		"not trusted":            {server, with("ssl.truststore.certificates", certs.Authority(t).PEM()), "signed by one that is not trusted: name it in ssl.truststore.location"},
		"no client certificate":  {strict, trusting, "the broker refuses the connection: check ssl.keystore.location"},
		"TLS to one without":     {nil, trusting, "the connection was closed: check security.protocol"},
		"none to one with TLS":   {server, map[string]string{"security.protocol": "PLAINTEXT"}, "check security.protocol"},
		"no version in common":   {server, with("ssl.enabled.protocols", "TLSv1.2"), ""},
		"a login nobody asks of": {server, with("security.protocol", "SASL_SSL", "sasl.mechanism", "PLAIN", jaasKey, jaasOf("PLAIN", "x")), "sasl.mechanism"},
	} {
		t.Run(name, func(t *testing.T) {
			var broker string
			if c.listener == nil {
				broker = kafkatest.Start(t)
			} else {
				broker = kafkatest.StartWithTLS(t, c.listener, "", "", "")
			}
			err := asks(t, broker, c.props)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestWrongLoginsNameTheirKey(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	t.Setenv("KRB5_CONFIG", file("krb5.conf"))
	const oauth = "OAuthBearerLoginModule required"
	for name, c := range map[string]struct {
		mechanism, login string
		more             map[string]string
		want             string
	}{
		"mechanism":            {"AWS_MSK_IAM", "x", nil, `sasl.mechanism: "AWS_MSK_IAM" is not PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI`},
		"no login":             {"PLAIN", "", nil, `sasl.jaas.config: it is missing: for sasl.mechanism=PLAIN it is of the form org.apache.kafka.common.security.plain.PlainLoginModule required username="...`},
		"no semicolon":         {"PLAIN", "x required username=a password=hush", nil, "sasl.jaas.config: line 1: want an option of x or a semicolon, got the end: it is of the form org.apache"},
		"no user":              {"PLAIN", "x required password=hush;", nil, "sasl.jaas.config: no username in it"},
		"no password":          {"SCRAM-SHA-256", "x required username=a;", nil, "sasl.jaas.config: no password in it"},
		"a delegation token":   {"SCRAM-SHA-256", "x required username=a password=hush tokenauth=true;", nil, "sasl.jaas.config: tokenauth: delegation tokens are not there"},
		"a class of Java's":    {"PLAIN", "x required;", map[string]string{"sasl.client.callback.handler.class": "com.example.Handler"}, "sasl.client.callback.handler.class: a class of Java's cannot be loaded"},
		"a login class":        {"PLAIN", "x required;", map[string]string{"sasl.login.class": "com.example.Login"}, "sasl.login.class: a class of Java's cannot be loaded"},
		"another handler":      {"OAUTHBEARER", oauth + ";", map[string]string{handlerKey: "com.example.Handler"}, handlerKey + ": com.example.Handler is not there: tokens come from sasl.oauthbearer.token.endpoint.url"},
		"another retriever":    {"OAUTHBEARER", oauth + ";", map[string]string{retrieverKey: "org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever"}, retrieverKey + ": "},
		"no source of tokens":  {"OAUTHBEARER", oauth + ";", nil, endpointKey + ": it is missing"},
		"no address":           {"OAUTHBEARER", oauth + ";", map[string]string{endpointKey: "auth.example/token"}, endpointKey + `: "auth.example/token" is not of the form https://host/path`},
		"no token file":        {"OAUTHBEARER", oauth + ";", map[string]string{endpointKey: "file:///none/token"}, endpointKey + ": open /none/token: no such file"},
		"an empty token file":  {"OAUTHBEARER", oauth + ";", map[string]string{endpointKey: "file://" + file("token")}, "token is empty"},
		"no client":            {"OAUTHBEARER", oauth + ";", map[string]string{endpointKey: "https://auth.example/token"}, clientKey + ": it is missing, and clientId in sasl.jaas.config"},
		"no secret":            {"OAUTHBEARER", oauth + " clientId=a;", map[string]string{endpointKey: "https://auth.example/token"}, secretKey + ": it is missing, and clientSecret in sasl.jaas.config"},
		"the endpoint's store": {"OAUTHBEARER", oauth + " clientId=a clientSecret=hush ssl.truststore.location='none.p12';", map[string]string{endpointKey: "https://auth.example/token"}, "sasl.jaas.config: ssl.truststore.location: open none.p12"},
		"a lifetime":           {"OAUTHBEARER", oauth + " unsecuredLoginStringClaim_sub=a unsecuredLoginLifetimeSeconds=long;", nil, "sasl.jaas.config: unsecuredLoginLifetimeSeconds is not a number"},
		"a number":             {"OAUTHBEARER", oauth + " unsecuredLoginStringClaim_sub=a unsecuredLoginNumberClaim_n=x;", nil, "sasl.jaas.config: unsecuredLoginNumberClaim_n is not a number"},
		"no service":           {"GSSAPI", "Krb5LoginModule required;", nil, "sasl.kerberos.service.name: it is missing"},
		"Kafka's own default":  {"", "Krb5LoginModule required;", nil, "sasl.kerberos.service.name: it is missing"},
		"no key table":         {"GSSAPI", "Krb5LoginModule required serviceName=kafka;", nil, "sasl.jaas.config: want keyTab, or useTicketCache=true"},
		"no realm":             {"GSSAPI", "Krb5LoginModule required serviceName=kafka keyTab='/none' principal=buoy;", nil, "sasl.jaas.config: principal: want it with its realm, as name@REALM"},
		"no such key table":    {"GSSAPI", "Krb5LoginModule required serviceName=kafka keyTab='/none/x' principal='buoy@SEA';", nil, "sasl.jaas.config: keyTab: open /none/x"},
		"no such cache":        {"GSSAPI", "Krb5LoginModule required serviceName=kafka useTicketCache=true ticketCache='/none/x';", nil, "sasl.jaas.config: ticketCache: open /none/x"},
	} {
		t.Run(name, func(t *testing.T) {
			props := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": c.mechanism, jaasKey: c.login}
			maps.Copy(props, c.more)
			_, err := newConfig(Options{Props: props})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestKerberos(t *testing.T) {
	keytab, cache := certs.File(t, "x.keytab", nil), certs.File(t, "cache", nil)
	t.Setenv("KRB5_CONFIG", certs.File(t, "krb5.conf", nil))
	t.Setenv("KRB5CCNAME", "FILE:"+cache)
	of := func(login string) sarama.GSSAPIConfig {
		return configOf(t, map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.kerberos.service.name": "kafka",
			jaasKey: "com.sun.security.auth.module.Krb5LoginModule required " + login + ";"}).Net.SASL.GSSAPI
	}
	if c := of(fmt.Sprintf("useKeyTab=true storeKey=true keyTab='%s' principal='buoy/host@SEA.EXAMPLE'", keytab)); c.AuthType != sarama.KRB5_KEYTAB_AUTH ||
		c.KeyTabPath != keytab || c.Username != "buoy/host" || c.Realm != "SEA.EXAMPLE" || c.ServiceName != "kafka" {
		t.Errorf("%+v", c)
	}
	if c := of("useTicketCache=true"); c.AuthType != sarama.KRB5_CCACHE_AUTH || c.CCachePath != cache {
		t.Errorf("%+v", c)
	}
}

// tokenOf gives the token that a configuration logs in with.
func tokenOf(t *testing.T, login string, props map[string]string) (*sarama.AccessToken, error) {
	t.Helper()
	all := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", jaasKey: "OAuthBearerLoginModule required " + login + ";"}
	maps.Copy(all, props)
	return configOf(t, all).Net.SASL.TokenProvider.Token()
}

func TestUnsecuredToken(t *testing.T) {
	got, err := tokenOf(t, `unsecuredLoginStringClaim_sub="buoy" unsecuredLoginNumberClaim_depth=3 unsecuredLoginListClaim_scope=".a.b" unsecuredLoginExtension_x=y`, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(got.Token, ".")
	if len(parts) != 3 || parts[2] != "" {
		t.Fatalf("token %s", got.Token)
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(body, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["exp"].(float64)-claims["iat"].(float64) != time.Hour.Seconds() {
		t.Errorf("claims %v", claims)
	}
	delete(claims, "exp")
	delete(claims, "iat")
	if d := cmp.Diff(map[string]any{"sub": "buoy", "depth": 3.0, "scope": []any{"a", "b"}}, claims); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"x": "y"}, got.Extensions); d != "" {
		t.Error(d)
	}
}

func TestTokenOfAFileThatChanges(t *testing.T) {
	name := certs.File(t, "token", []byte("first\n"))
	conf := configOf(t, map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", jaasKey: "OAuthBearerLoginModule required extension_a=b;", endpointKey: "file://" + name})
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(name, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := conf.Net.SASL.TokenProvider.Token(); err != nil || got.Token != want || got.Extensions["a"] != "b" {
			t.Errorf("%+v (%v), want %s", got, err, want)
		}
	}
}

func TestTokenOfAnEndpoint(t *testing.T) {
	asked := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		user, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		if user != "buoy" || secret != "right" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "kafka images" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"error":"invalid_client","error_description":"hush"}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"access_token":"abc","token_type":"bearer","expires_in":3600}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that does not trust it
	server.StartTLS()
	defer server.Close()
	trusted := certs.Pair{Cert: server.Certificate()}
	store := "ssl.truststore.type=PEM ssl.truststore.location='" + certs.File(t, "trust.pem", []byte(trusted.PEM())) + "'"
	for name, c := range map[string]struct {
		login string
		props map[string]string
	}{
		"keys":    {store, map[string]string{clientKey: "buoy", secretKey: "right", scopeKey: "kafka images"}},
		"options": {store + " clientId=buoy clientSecret=right scope='kafka images'", nil},
	} {
		t.Run(name, func(t *testing.T) {
			asked = 0
			all := map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", endpointKey: server.URL,
				handlerKey: "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
				jaasKey:    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required " + c.login + ";"}
			maps.Copy(all, c.props)
			conf := configOf(t, all)
			for range 3 {
				if got, err := conf.Net.SASL.TokenProvider.Token(); err != nil || got.Token != "abc" {
					t.Errorf("%+v (%v)", got, err)
				}
			}
			if asked != 1 {
				t.Errorf("asked %d times for one token", asked)
			}
		})
	}
	_, err := tokenOf(t, store, map[string]string{endpointKey: server.URL, clientKey: "buoy", secretKey: "hush"})
	if want := "no token from " + server.URL + ": it answers 401 Unauthorized invalid_client: check " + clientKey; err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
		t.Errorf("error %v, want %s", err, want)
	}
	if got := explained(sarama.Wrap(sarama.ErrOutOfBrokers, err), sarama.NewConfig()); !strings.HasPrefix(got.Error(), endpointKey) {
		t.Errorf("error %v", got)
	}
	if _, err := tokenOf(t, "", map[string]string{endpointKey: server.URL, clientKey: "buoy", secretKey: "x"}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an endpoint that is not trusted: %v", err)
	}
}
