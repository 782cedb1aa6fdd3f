package rest

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/certs"
)

// Clauses: N4.
func TestLogins(t *testing.T) {
	service := newService(t, nil)
	for _, tt := range []struct {
		name   string
		props  []string
		header string
		want   string
	}{
		{"basic", []string{"auth.type", "basic", "auth.user", "u", "auth.password", "p"}, "Authorization", "Basic dTpw"},
		{"bearer", []string{"auth.type", "bearer", "auth.token", "t0ken"}, "Authorization", "Bearer t0ken"},
		{"header", []string{"auth.type", "header", "auth.token", "t0ken", "auth.header", "x-key"}, "X-Key", "t0ken"},
		{"secret headers", []string{"headers.secret", "X-Key: t0ken, X-Other: a"}, "X-Key", "t0ken"},
		{"none", nil, "Authorization", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := start(t, nil, append([]string{"url", service.URL}, tt.props...)...).Put(t.Context(), texts(1, 1)); err != nil {
				t.Fatal(err)
			}
			if got := service.last.Get(tt.header); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.header, got, tt.want)
			}
		})
	}
}

// Tokens are got once, and anew when the service refuses one.
//
// Clauses: N4.
func TestOAuth2(t *testing.T) {
	var asked []string
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, secret, _ := r.BasicAuth()
		asked = append(asked, strings.Join([]string{r.FormValue("grant_type"), user, secret, r.FormValue("client_id"), r.FormValue("client_secret"), r.FormValue("scope")}, ","))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer"}`, len(asked))
	}))
	defer provider.Close()
	valid := "Bearer token-1"
	service := newService(t, func(_ int, r *http.Request, _ string) int {
		if r.Header.Get("Authorization") != valid {
			return http.StatusUnauthorized
		}
		return 0
	})
	props := []string{"url", service.URL, "format", "raw", "auth.type", "oauth2", "oauth2.token.url", provider.URL, "oauth2.client.id", "c", "oauth2.client.secret", "hush", "oauth2.client.scope", "a b"}
	s := start(t, nil, props...)
	put := func() error { return s.Put(t.Context(), texts(2, 2)) }
	if err := put(); err != nil {
		t.Fatal(err)
	}
	valid = "Bearer token-2"
	if err := put(); err != nil {
		t.Fatal(err)
	}
	valid = "no token"
	if err := put(); connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "401 Unauthorized") {
		t.Errorf("got %v", err)
	}
	if err := start(t, nil, append(props, "oauth2.client.auth.mode", "url")...).Put(t.Context(), texts(1, 1)); connector.KindOf(err) != connector.KindFatal {
		t.Errorf("got %v", err)
	}
	header, form := "client_credentials,c,hush,,,a b", "client_credentials,,,c,hush,a b"
	if d := cmp.Diff([]string{header, header, header, form, form}, asked); d != "" {
		t.Error(d)
	}
	if len(service.got()) != 4 {
		t.Errorf("taken: %v", service.got())
	}
}

// A provider's faults are the environment's, its refusals the configuration's; no
// record is to blame.
//
// Clauses: N4, N12, N14.
func TestOAuth2WithoutToken(t *testing.T) {
	for _, tt := range []struct {
		name   string
		code   int
		answer string
		kind   connector.Kind
		want   string
	}{
		{"wrong JSON", 200, "<html>welcome</html>", connector.KindRetriable, "oauth2.token.url http"},
		{"no token in it", 200, `{"ok":true}`, connector.KindRetriable, "access_token"},
		{"busy", 503, "", connector.KindRetriable, "503"},
		{"another secret", 401, `{"error":"invalid_client","error_description":"not hush-hush"}`, connector.KindFatal, "invalid_client not [hidden]: check oauth2.client.id, oauth2.client.secret and oauth2.client.scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.code)
				_, _ = fmt.Fprint(w, tt.answer)
			}))
			defer provider.Close()
			reporter := new(connectortest.Reporter)
			s := start(t, reporter, "url", "http://localhost", "auth.type", "oauth2", "oauth2.token.url", provider.URL, "oauth2.client.id", "c", "oauth2.client.secret", "hush-hush", "max.retries", "7")
			err := s.Put(t.Context(), texts(1, 1))
			if connector.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v is %s, want %s with %s", err, connector.KindOf(err), tt.kind, tt.want)
			}
			if tt.kind == connector.KindFatal && connector.CodeOf(err) != "H6011" {
				t.Errorf("%v has the code %q", err, connector.CodeOf(err))
			}
			if mark, ok := err.(*connector.Error); ok && tt.kind == connector.KindRetriable && mark.Attempts != 7 {
				t.Errorf("%d attempts", mark.Attempts)
			}
			if reported, _ := reporter.Reported(); len(reported) > 0 {
				t.Error("a good record was refused")
			}
		})
	}
}

// A password that was changed behind its reference is taken when the service refuses
// the old one.
//
// Clauses: N4.
func TestChangedPassword(t *testing.T) {
	valid := "Bearer old-token"
	service := newService(t, func(_ int, r *http.Request, _ string) int {
		if r.Header.Get("Authorization") != valid {
			return http.StatusUnauthorized
		}
		return 0
	})
	props := connector.Props{"url": service.URL, "format": "raw", "auth.type": "bearer", "auth.token": "old-token"}
	s, c := new(Sink), connectortest.Context(t)
	c.Configs = func() (connector.Config, error) { return connectortest.Configure(t, s, props), nil }
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	if err := s.Put(t.Context(), texts(1, 1)); err != nil {
		t.Fatal(err)
	}
	valid = "Bearer new-token"
	props = connector.Props{"url": service.URL, "format": "raw", "auth.type": "bearer", "auth.token": "new-token"}
	if err := s.Put(t.Context(), texts(1, 1)); err != nil {
		t.Fatal(err)
	}
	valid = "Bearer other-token"
	if err := s.Put(t.Context(), texts(1, 1)); connector.KindOf(err) != connector.KindFatal || service.n != 4 {
		t.Errorf("%d requests: %v", service.n, err)
	}
}

// Clauses: N5.
func TestClientCertificates(t *testing.T) {
	ca := certs.Authority(t)
	served, own := ca.Issue(t, "service", "127.0.0.1"), ca.Issue(t, "worker")
	var who []string
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who = append(who, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	service.TLS = &tls.Config{Certificates: []tls.Certificate{served.TLS()}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
	service.StartTLS()
	defer service.Close()
	trust := certs.File(t, "ca.pem", []byte(ca.PEM()))
	put := func(props ...string) error {
		t.Helper()
		return start(t, nil, append([]string{"url", service.URL, "format", "raw"}, props...)...).Put(t.Context(), texts(1, 1))
	}
	for name, props := range map[string][]string{
		"PEM":    {"tls.ca.file", trust, "ssl.keystore.type", "PEM", "ssl.keystore.certificate.chain", own.PEM(), "ssl.keystore.key", own.KeyPEM(t)},
		"PKCS12": {"ssl.truststore.location", certs.File(t, "trust.p12", ca.TrustStore(t, "PKCS12", "changeit")), "ssl.truststore.password", "changeit", "ssl.keystore.location", certs.File(t, "own.p12", own.KeyStore(t, "PKCS12", "changeit")), "ssl.keystore.password", "changeit"},
		"JKS":    {"tls.ca.file", trust, "ssl.keystore.location", certs.File(t, "own.jks", own.KeyStore(t, "JKS", "changeit")), "ssl.keystore.password", "changeit"},
	} {
		if err := put(props...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d := cmp.Diff([]string{"worker", "worker", "worker"}, who); d != "" {
		t.Error(d)
	}
	if err := put("tls.ca.file", trust); err == nil {
		t.Error("the service took records without a certificate")
	}
	if err := put("ssl.keystore.type", "PEM", "ssl.keystore.certificate.chain", own.PEM(), "ssl.keystore.key", own.KeyPEM(t)); connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "check url, tls.ca.file and ssl.*") {
		t.Errorf("an authority that is not trusted: %v", err)
	}
	s := new(Sink)
	err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"url": service.URL, "tls.ca.file": certs.File(t, "none.pem", []byte("none"))}))
	if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "tls.ca.file") {
		t.Errorf("no certificates: %v", err)
	}
}
