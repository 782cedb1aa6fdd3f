package rest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestHeadersArriveAsConfigured(t *testing.T) {
	var host string
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host, got = r.Host, r.Header }))
	defer server.Close()
	s := start(t, nil, "url", server.URL, "headers", "host: ingest.example.org:81, X-Tag: a, x-tag: b, User-Agent: buoy, Content-Type: text/x, X-Empty:")
	if err := s.Put(t.Context(), records(1)); err != nil {
		t.Fatal(err)
	}
	if host != "ingest.example.org:81" {
		t.Errorf("host %s", host)
	}
	for name, want := range map[string][]string{"X-Tag": {"a", "b"}, "User-Agent": {"buoy"}, "Content-Type": {"text/x"}, "X-Empty": {""}} {
		if d := cmp.Diff(want, got[name]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Clauses: N11, N14.
func TestRedirects(t *testing.T) {
	var mu sync.Mutex
	var got []string
	take := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %s %q %s%s", r.Method, r.URL.Path, body, r.Header.Get("Authorization"), r.Header.Get("Referer")))
	}
	other := httptest.NewServer(http.HandlerFunc(take))
	defer other.Close()
	otherHost := strings.TrimPrefix(other.URL, "http://")
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/taken", http.StatusTemporaryRedirect)
	}))
	defer secure.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/taken", take)
	for path, to := range map[string]string{"/near": "/taken?token=secret", "/far": other.URL + "/taken?token=secret", "/round": "/round", "/nowhere": ""} {
		for _, code := range []int{302, 307, 308} {
			mux.HandleFunc(fmt.Sprint(path, code), func(w http.ResponseWriter, _ *http.Request) {
				if path == "/round" {
					to = fmt.Sprint("/round", code)
				}
				if to != "" {
					w.Header().Set("Location", to)
				}
				w.WriteHeader(code)
			})
		}
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	follow := []string{"redirects.follow", "true"}
	tests := []struct {
		name, url string
		props     []string
		want, err string
	}{
		{"307 unasked", server.URL + "/near307", nil, "", "307 Temporary Redirect: it leads to " + server.URL + "/taken: set url to it, or redirects.follow=true"},
		{"307", server.URL + "/near307", follow, `POST /taken "x" Bearer t`, ""},
		{"308", server.URL + "/near308", append([]string{"method", "PUT"}, follow...), `PUT /taken "x" Bearer t`, ""},
		{"302 is another method", server.URL + "/near302", follow, "", server.URL + "/taken and may turn POST into GET"},
		{"another host", server.URL + "/far308", follow, "", "another host: set url to it, or name it in redirects.hosts"},
		{"a host that is named", server.URL + "/far307", append([]string{"redirects.hosts", otherHost}, follow...), `POST /taken "x" Bearer t`, ""},
		{"a host with any port", server.URL + "/far308", append([]string{"redirects.hosts", "127.0.0.1"}, follow...), `POST /taken "x" Bearer t`, ""},
		{"for ever", server.URL + "/round307", follow, "", "the last of 11 redirects in a row"},
		{"nowhere", server.URL + "/nowhere308", follow, "", "308 Permanent Redirect: check url"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got = nil
			s := start(t, nil, append([]string{"url", tt.url + "?key=secret", "format", "raw", "auth.type", "bearer", "auth.token", "t"}, tt.props...)...)
			r := connector.NewRecord("t", nil, nil, connector.StringSchema, "x")
			err := s.Put(t.Context(), []connector.Record{r})
			if tt.err == "" && err != nil || tt.err != "" && (connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("%v, want %s", err, tt.err)
			}
			if all := strings.Join(got, "; "); all != tt.want {
				t.Errorf("got %s, want %s", all, tt.want)
			}
		})
	}
	t.Run("out of TLS", func(t *testing.T) {
		s := start(t, nil, "url", secure.URL, "redirects.follow", "true", "redirects.hosts", otherHost)
		s.client.Transport = secure.Client().Transport
		if err := s.Put(t.Context(), records(1)); connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "without TLS") {
			t.Errorf("got %v", err)
		}
	})
}

// Clauses: N6.
func TestRefusedRecordsWaitForAnotherAnswer(t *testing.T) {
	type step struct {
		post, head int    // what the service answers
		token      string // what is configured
		requests   string // what it gets
	}
	tests := []struct {
		name  string
		steps []step // starts of the task by the policy, one after the other
	}{
		{"until it is let in", []step{{401, 401, "a", "POST"}, {401, 401, "a", "HEAD"}, {401, 503, "a", "HEAD"}, {200, 200, "a", "HEAD POST"}}},
		{"until the password is another", []step{{403, 403, "a", "POST"}, {403, 403, "a", "HEAD"}, {200, 200, "b", "POST"}}},
		{"a redirect", []step{{308, 308, "a", "POST"}, {308, 308, "a", "HEAD"}, {200, 405, "a", "HEAD POST"}}},
		{"a question that says nothing counts once", []step{{401, 200, "a", "POST"}, {401, 200, "a", "HEAD POST"}, {401, 200, "a", "HEAD"}, {401, 404, "a", "HEAD POST"}, {401, 404, "a", "HEAD"}}},
		{"another error", []step{{400, 400, "a", "POST"}, {400, 400, "a", "POST"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var now step
			var got []string
			service := newService(t, func(_ int, r *http.Request, body string) int {
				got = append(got, r.Method)
				if r.Method == http.MethodHead {
					if body != "" {
						t.Errorf("HEAD brings %q", body)
					}
					return now.head
				}
				return now.post
			})
			var failed error
			for i, step := range tt.steps {
				now, got = step, nil
				s, c := new(Sink), connectortest.Context(t)
				c.Failed, c.Reporter = failed, nil
				conf := connectortest.Configure(t, s, connector.Props{"url": service.URL, "auth.type": "bearer", "auth.token": step.token})
				if failed = s.Start(t.Context(), c, conf); failed == nil {
					failed = s.Put(t.Context(), records(1))
				}
				if d := cmp.Diff(strings.Fields(step.requests), got); d != "" {
					t.Errorf("start %d: %s", i+1, d)
				}
				if refused := step.post >= 300; refused != (failed != nil) || refused && !strings.Contains(failed.Error(), service.URL) {
					t.Errorf("start %d: %v", i+1, failed)
				}
				if failed != nil {
					failed = fmt.Errorf("c/0: %w", failed)
				}
				if err := s.Stop(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
