package ifcb_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	source "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// fatal polls until the source ends, and gives the error that it ends with.
func (r run) fatal(t *testing.T) error {
	t.Helper()
	_, err := r.until(t, func([]connector.SourceRecord) bool { return false })
	if connector.KindOf(err) != connector.KindFatal {
		t.Errorf("the source ends with %v, want a fatal error", err)
	}
	return err
}

// A dashboard that wants a login gets it with every request; without, the error says which key is missing.
func TestLogin(t *testing.T) {
	tests := []struct {
		name  string
		wants string // the value of Authorization, or of X-Key
		props []string
		bad   string
	}{
		{"basic", "Basic YW5uOnMzY3JldA==", []string{"auth.type", "basic", "auth.user", "ann", "auth.password", "s3cret"}, ""},
		{"token", "Token abc", []string{"auth.type", "header", "auth.token", "Token abc"}, ""},
		{"bearer", "Bearer abc", []string{"auth.type", "bearer", "auth.token", "abc"}, ""},
		{"a header of its own", "abc", []string{"auth.type", "header", "auth.token", "abc", "auth.header", "x-key"}, ""},
		{"none", "Token abc", nil, "the dashboard answers 401 Unauthorized: it wants a login: set auth.type"},
		{"wrong", "Token abc", []string{"auth.type", "bearer", "auth.token", "s3cret"}, "it refuses the login: check auth.type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBins(t, dashboard.Options{Generation: 2}, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") == tt.wants || r.Header.Get("X-Key") == tt.wants {
					return false
				}
				w.WriteHeader(http.StatusUnauthorized)
				return true
			})
			id := b.take(t, "2024-05-01T10:00:00Z")[0]
			s := start(t, b.props(tt.props...), nil)
			if tt.bad != "" {
				if err := s.fatal(t); !strings.Contains(err.Error(), tt.bad) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("error %v, want %s", err, tt.bad)
				}
				return
			}
			if diff := cmp.Diff(b.imagesOf(t, id), keys(s.drain(t))); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

// A redirect is followed on the dashboard's own host and to those that are named, which get no login; one to a login
// page is named as such.
func TestRedirects(t *testing.T) {
	for _, elsewhere := range []string{"", "localhost"} {
		other := newBins(t, dashboard.Options{Generation: 2}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("X-Key") != "" || r.Header.Get("Authorization") != "" {
				t.Errorf("the other host is told the login")
			}
			return false
		})
		id := other.take(t, "2024-05-01T10:00:00Z")[0]
		target := strings.Replace(other.url, "127.0.0.1", "localhost", 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Key") != "abc" {
				t.Error("the dashboard is not told the login")
			}
			http.Redirect(w, r, target+r.URL.RequestURI(), http.StatusFound)
		}))
		t.Cleanup(server.Close)
		s := start(t, other.props("dashboard.url", server.URL+"/"+dataset, "redirect.hosts", elsewhere,
			"auth.type", "header", "auth.header", "X-Key", "auth.token", "abc"), nil)
		if elsewhere == "" {
			if err := s.fatal(t); !strings.Contains(err.Error(), "it redirects to another host, "+target) || !strings.Contains(err.Error(), "redirect.hosts") {
				t.Errorf("another host: %v", err)
			}
			continue
		}
		if diff := cmp.Diff(other.imagesOf(t, id), keys(s.drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	}
	for name, tt := range map[string]struct{ to, bad string }{
		"login":      {"/accounts/login/?next=/", "it redirects to a login page, "},
		"sign in":    {"https://sso.example.org/saml/signin", "it redirects to a login page, https://sso.example.org/saml/signin: it wants a login: set auth.type"},
		"round":      {"/round", "it redirects more than 10 times"},
		"plain text": {"ftp://127.0.0.1/x", "which is not encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBins(t, dashboard.Options{Generation: 2}, func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, tt.to, http.StatusFound)
				return true
			})
			if err := start(t, b.props(), nil).fatal(t); !strings.Contains(err.Error(), tt.bad) {
				t.Errorf("error %v, want %s", err, tt.bad)
			}
		})
	}
}

// A dashboard with a certificate of its own, below a path, behind a proxy that wants a login.
func TestCertificatePathAndProxy(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	want := b.imagesOf(t, b.take(t, "2024-05-01T10:00:00Z")[0])
	secure := httptest.NewTLSServer(http.StripPrefix("/ships/ifcb", b.handler))
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	at := secure.URL + "/ships/ifcb/" + dataset + "/"
	if diff := cmp.Diff(want, keys(start(t, b.props("dashboard.url", at, "tls.ca.file", ca), nil).drain(t))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if err := start(t, b.props("dashboard.url", at), nil).fatal(t); !strings.Contains(err.Error(), "tls.ca.file") {
		t.Errorf("without the certificate: %v", err)
	}

	asked := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") == "" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		asked++
		b.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	far := "http://dashboard.invalid/" + dataset
	if err := start(t, b.props("dashboard.url", far, "proxy.url", through.String()), nil).fatal(t); !strings.Contains(err.Error(), "the proxy wants a login") {
		t.Errorf("without a login: %v", err)
	}
	through.User = url.UserPassword("ann", "s3cret")
	if diff := cmp.Diff(want, keys(start(t, b.props("dashboard.url", far, "proxy.url", through.String()), nil).drain(t))); diff != "" || asked == 0 {
		t.Errorf("%d requests through the proxy, keys (-want +got):\n%s", asked, diff)
	}
}

func TestAccessKeys(t *testing.T) {
	for _, tt := range []struct{ name, key, value, want string }{
		{"kind", "auth.type", "digest", "auth.type"},
		{"basic without user", "auth.type", "basic", "auth.type=basic needs auth.user"},
		{"bearer without token", "auth.type", "bearer", "auth.type=bearer needs auth.token"},
		{"token with a line break", "auth.token", "s3cret\nx", "auth.token: it contains a line break"},
		{"header's name", "auth.header", "a b", "is not the name of a header"},
		{"proxy", "proxy.url", "ftp://ann:s3cret@proxy", "must be an http, https or socks5 URL"},
		{"user in the URL", "dashboard.url", "https://ann:s3cret@x.example/mvco", "use auth.type=basic"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			props := connector.Props{"topic": "images", "dashboard.url": "http://x.example/mvco", tt.key: tt.value}
			_, err := connector.ParsePlugin(new(source.Source), props)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	c := connector.Context{}
	conf, err := connector.ParsePlugin(new(source.Source), connector.Props{"topic": "images", "dashboard.url": "http://x.example/mvco", "tls.ca.file": filepath.Join(t.TempDir(), "none.pem")})
	if err != nil {
		t.Fatal(err)
	}
	if err := new(source.Source).Start(t.Context(), c, conf); !errors.Is(err, os.ErrNotExist) || connector.KindOf(err) != connector.KindFatal {
		t.Errorf("no certificate: %v", err)
	}
}
