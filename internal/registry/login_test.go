package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/oauth"
	"github.com/axiom-data-science/hydraulics/internal/test/certs"
)

// options reads a configuration of the registry.
func options(t *testing.T, props connector.Props) (Options, error) {
	t.Helper()
	conf, err := connector.NewConfigDef(Keys()...).Parse(props)
	if err != nil {
		t.Fatal(err)
	}
	return OptionsOf(conf)
}

// provider gives tokens that live so many seconds, for a client's secret "hush".
func provider(t *testing.T, lifetime int, asked *[]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		if secret != "hush" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"error":"invalid_client","error_description":"who is that?"}`)
			return
		}
		*asked = append(*asked, r.FormValue("grant_type")+" "+r.FormValue("scope"))
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, len(*asked), lifetime)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/token"
}

// heard serves nothing and remembers a header of each request.
func heard(t *testing.T, name string, got *[]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*got = append(*got, r.Header.Get(name))
		_, _ = fmt.Fprint(w, `[]`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestLogins(t *testing.T) {
	var tokens []string
	for name, c := range map[string]struct {
		props  connector.Props
		header string
		want   string
	}{
		"user info":     {connector.Props{"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "u:p:q"}, "Authorization", "Basic dTpwOnE="},
		"its old name":  {connector.Props{"basic.auth.credentials.source": "USER_INFO", "schema.registry.basic.auth.user.info": "u:p"}, "Authorization", "Basic dTpw"},
		"Kafka's login": {connector.Props{"basic.auth.credentials.source": "SASL_INHERIT", "sasl.jaas.config": `org.x.PlainLoginModule required username="u" password='p';`}, "Authorization", "Basic dTpw"},
		"a token":       {connector.Props{"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.token": "t"}, "Authorization", "Bearer t"},
		"no token":      {nil, "Authorization", ""},
		"OAuth": {connector.Props{"bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.issuer.endpoint.url": provider(t, 3600, &tokens), "bearer.auth.client.id": "c",
			"bearer.auth.client.secret": "hush", "bearer.auth.scope": "a b"}, "Authorization", "Bearer token-1"},
		"a cluster": {connector.Props{"bearer.auth.logical.cluster": "lsrc-1"}, "target-sr-cluster", "lsrc-1"},
		"a pool":    {connector.Props{"bearer.auth.identity.pool.id": "pool-1"}, "Confluent-Identity-Pool-Id", "pool-1"},
		"a header":  {connector.Props{"request.header.X-Tenant": "ocean"}, "X-Tenant", "ocean"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			props := connector.Props{KeyURL: heard(t, c.header, &got)}
			for k, v := range c.props {
				props[k] = v
			}
			o, err := options(t, props)
			if err != nil {
				t.Fatal(err)
			}
			client := client(t, o)
			for range 2 {
				if _, err := client.Subjects(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff([]string{c.want, c.want}, got); d != "" {
				t.Error(d)
			}
			if text := fmt.Sprintf("%v %+v", o, o); strings.Contains(text, "hush") || strings.Contains(text, "ocean") {
				t.Errorf("a secret is printed: %s", text)
			}
		})
	}
	if d := cmp.Diff([]string{"client_credentials a b"}, tokens); d != "" {
		t.Errorf("tokens: %s", d)
	}
}

func TestRefusedTokensAreForgotten(t *testing.T) {
	var asked, got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	client := client(t, Options{URLs: []string{s.URL}, OAuth: &oauth.Settings{TokenURL: provider(t, 3600, &asked), ClientID: "c", Secret: "hush"}})
	for range 2 {
		if _, err := client.Subjects(t.Context()); connector.KindOf(err) != connector.KindFatal {
			t.Errorf("%v", err)
		}
	}
	if d := cmp.Diff([]string{"Bearer token-1", "Bearer token-2"}, got); d != "" {
		t.Error(d)
	}
}

func TestTokensThatCannotBeHad(t *testing.T) {
	var asked []string
	keys := oauth.Keys{TokenURL: keyIssuer, ClientID: keyClientID, Secret: keyClientSecret, Scope: keyScope}
	for want, c := range map[string]struct {
		o    oauth.Settings
		kind connector.Kind
	}{
		"invalid_client who is that?: check bearer.auth.client.id": {oauth.Settings{TokenURL: provider(t, 1, &asked), ClientID: "c", Secret: "other-hush", Keys: keys}, connector.KindFatal},
		"/token: dial tcp": {oauth.Settings{TokenURL: closedPort(t) + "/token", ClientID: "c", Secret: "other-hush", Keys: keys}, connector.KindRetriable},
		"503":              {oauth.Settings{TokenURL: answering(t, 503, "").URL, ClientID: "c", Secret: "other-hush", Keys: keys}, connector.KindRetriable},
	} {
		t.Run(want, func(t *testing.T) {
			_, err := client(t, Options{URLs: []string{closedPort(t)}, OAuth: &c.o}).Subjects(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) || connector.KindOf(err) != c.kind {
				t.Errorf("%v is %s, want %s with %s", err, connector.KindOf(err), c.kind, want)
			}
			if err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}

func TestLoginsThatAreNone(t *testing.T) {
	for want, props := range map[string]connector.Props{
		`sasl.jaas.config: with basic.auth.credentials.source=SASL_INHERIT it must have username`: {"basic.auth.credentials.source": "SASL_INHERIT"},
		`bearer.auth.client.id: it must be set with bearer.auth.credentials.source=OAUTHBEARER`:   {"bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.issuer.endpoint.url": "http://h/t"},
		"proxy.port: it must be set": {"proxy.host": "proxy"},
		"no certificate in PEM form": {"schema.registry.ssl.truststore.certificates": "none"},
		"schema.registry.ssl.keystore.certificate.chain: no certificate in PEM form": {"schema.registry.ssl.keystore.certificate.chain": "none"},
	} {
		t.Run(want, func(t *testing.T) {
			all := connector.Props{KeyURL: "http://h:1"}
			for k, v := range props {
				all[k] = v
			}
			if _, err := options(t, all); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// certificate gives a certificate that is signed by itself, and its key, in PEM form.
func certificate(t *testing.T) (chain, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	text := func(name string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: name, Bytes: b}))
	}
	return text("CERTIFICATE", der), text("PRIVATE KEY", private)
}

// A registry that asks for a client's certificate gets it, and is itself trusted
// by the one it is given.
func TestMutualTLS(t *testing.T) {
	chain, key := certificate(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `[]`) }))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	s.TLS.ClientCAs.AppendCertsFromPEM([]byte(chain))
	authority := certs.Authority(t)
	s.TLS.ClientCAs.AddCert(authority.Cert)
	s.StartTLS()
	t.Cleanup(s.Close)
	trusted := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const ssl = "schema.registry.ssl."
	other := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	for name, c := range map[string]struct {
		url   string
		props connector.Props
		want  string
	}{
		"files": {s.URL, connector.Props{ssl + "truststore.location": file("trust.pem", trusted), ssl + "keystore.location": file("own.pem", chain+key)}, ""},
		"a JKS and a PKCS12": {s.URL, connector.Props{ssl + "truststore.type": "JKS", ssl + "truststore.password": "opensesame",
			ssl + "truststore.location": file("trust.jks", string(certs.Pair{Cert: s.Certificate()}.TrustStore(t, "JKS", "opensesame"))), ssl + "keystore.password": "opensesame",
			ssl + "keystore.location": file("own.p12", string(authority.Issue(t, "client").KeyStore(t, "PKCS12", "opensesame")))}, ""},
		"inline":                  {s.URL, connector.Props{ssl + "truststore.certificates": trusted, ssl + "keystore.certificate.chain": chain, ssl + "keystore.key": key}, ""},
		"without its certificate": {s.URL, connector.Props{ssl + "truststore.certificates": trusted}, "certificate required"},
		"without trust":           {s.URL, connector.Props{ssl + "keystore.certificate.chain": chain, ssl + "keystore.key": key}, "unknown authority"},
		"another host":            {other, connector.Props{ssl + "truststore.certificates": trusted, ssl + "keystore.certificate.chain": chain, ssl + "keystore.key": key}, "not localhost"},
		"any host": {other, connector.Props{ssl + "truststore.certificates": trusted, ssl + "keystore.certificate.chain": chain, ssl + "keystore.key": key,
			ssl + "endpoint.identification.algorithm": ""}, ""},
		"any host without trust": {other, connector.Props{ssl + "keystore.certificate.chain": chain, ssl + "keystore.key": key, ssl + "endpoint.identification.algorithm": ""}, "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			props := connector.Props{KeyURL: c.url}
			for k, v := range c.props {
				props[k] = v
			}
			o, err := options(t, props)
			if err != nil {
				t.Fatal(err)
			}
			_, err = client(t, o).Subjects(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
