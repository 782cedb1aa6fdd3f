package rest

import (
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// Clauses: N14.
func TestSinkPromises(t *testing.T) {
	for name, more := range map[string]connector.Props{"one by one": {}, "in batches": {"batch.size": "7", "format": "ndjson"}} {
		t.Run(name, func(t *testing.T) {
			connectortest.Sink(t, connectortest.SinkCase{
				New:    func() connector.Sink { return new(Sink) },
				System: func(t testing.TB) connectortest.SinkSystem { return system(t, more) },
				Record: func(n int) connector.Record {
					return connector.NewRecord("t", nil, nil, connector.StringSchema, fmt.Sprint("text ", n))
				},
				Item: func(r connector.Record) string { return fmt.Sprintf("%q", r.Value) },
			})
		})
	}
}

// system is a web service for the suite: it can be away, and hang.
func system(t testing.TB, more connector.Props) connectortest.SinkSystem {
	var mu sync.Mutex
	var away bool
	var hang chan struct{}
	set := func(isAway bool, hanging chan struct{}) {
		mu.Lock()
		defer mu.Unlock()
		away, hang = isAway, hanging
	}
	var taken []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		hanging := hang
		mu.Unlock()
		if hanging != nil {
			<-hanging
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if away || err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		taken = append(taken, strings.FieldsFunc(string(body), func(r rune) bool { return r == '\n' })...)
	}))
	t.Cleanup(server.Close)
	props := connector.Props{"url": server.URL}
	maps.Copy(props, more)
	return connectortest.SinkSystem{
		Props: props,
		Held: func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(taken)
		},
		Break: func() func() { set(true, nil); return func() { set(false, nil) } },
		Hang: func() func() {
			release := make(chan struct{})
			set(false, release)
			return func() { set(false, nil); close(release) }
		},
	}
}

// Clauses: N2.
func TestBodies(t *testing.T) {
	const zero = `{"n":0,"at":"1970-01-01T00:00:00.000Z","b":"AQ=="}`
	const one = `{"n":1,"at":"1970-01-01T00:00:00.000Z","b":"AQ=="}`
	text := records(2)
	for i := range text {
		text[i].ValueSchema, text[i].Value = connector.StringSchema, fmt.Sprint("line ", i)
	}
	headed := records(1)
	headed[0].Headers = headed[0].Headers.With("h", connector.Int32Schema, int32(3))
	headed[0].Timestamp = 5
	tests := []struct {
		name    string
		props   []string
		records []connector.Record
		want    []string
		kind    string
	}{
		{"one by one", nil, records(2), []string{"POST / " + zero, "POST / " + one}, "application/json"},
		{"array", []string{"batch.size", "10"}, records(2), []string{"POST / [" + zero + "," + one + "]"}, "application/json"},
		{"array of one", []string{"batch.size", "10"}, records(1), []string{"POST / [" + zero + "]"}, "application/json"},
		{"lines", []string{"batch.size", "10", "format", "ndjson"}, records(2), []string{"POST / " + zero + "\n" + one + "\n"}, "application/x-ndjson"},
		{"two and one", []string{"batch.size", "2", "method", "PUT"}, records(3)[:2], []string{"PUT / [" + zero + "," + one + "]"}, "application/json"},
		{"bounded bytes", []string{"batch.size", "10", "batch.max.bytes", "60"}, records(2), []string{"POST / [" + zero + "]", "POST / [" + one + "]"}, "application/json"},
		{"raw", []string{"format", "raw", "content.type", "text/csv"}, text, []string{"POST / line 0", "POST / line 1"}, "text/csv"},
		{"raw lines", []string{"format", "raw", "batch.size", "5"}, text, []string{"POST / line 0\nline 1\n"}, "text/plain; charset=utf-8"},
		{"text is JSON too", nil, text[:1], []string{`POST / "line 0"`}, "application/json"},
		{"whole record", []string{"body", "record"}, headed,
			[]string{`POST / {"topic":"t","partition":1,"offset":0,"timestamp":5,"key":"k/0","value":` + zero + `,"headers":[{"key":"h","value":3}]}`}, "application/json"},
		{"null", nil, []connector.Record{connector.NewRecord("t", nil, nil, nil, nil)}, []string{"POST / null"}, "application/json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			service := newService(t, nil)
			s := start(t, nil, append([]string{"url", service.URL}, test.props...)...)
			if err := s.Put(t.Context(), test.records); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, service.got()); d != "" {
				t.Error(d)
			}
			if got := service.last.Get("Content-Type"); got != test.kind {
				t.Errorf("content type %s, want %s", got, test.kind)
			}
		})
	}
}

// Clauses: N1, N4.
func TestURLAndHeaders(t *testing.T) {
	service := newService(t, nil)
	s := start(t, nil, "url", service.URL+"/${topic}/${key}?k=${key}", "headers", "X-One: 1, X-Two:2", "auth.type", "basic", "auth.user", "u", "auth.password", "p")
	r := records(1)
	r[0].Topic, r[0].Key = "a b", "x/y&z?"
	if err := s.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := service.got()[0]; !strings.HasPrefix(got, "POST /a%20b/x%2Fy%26z%3F?k=x%2Fy%26z%3F ") {
		t.Error(got)
	}
	if h := service.last; h.Get("X-One") != "1" || h.Get("X-Two") != "2" || h.Get("Authorization") != "Basic dTpw" {
		t.Error(h)
	}
	for auth, want := range map[string]string{"bearer": "Authorization: Bearer secret", "header": "X-Key: secret"} {
		s := start(t, nil, "url", service.URL, "auth.type", auth, "auth.token", "secret", "auth.header", "X-Key")
		if err := s.Put(t.Context(), records(1)); err != nil {
			t.Fatal(err)
		}
		name, value, _ := strings.Cut(want, ": ")
		if got := service.last.Get(name); got != value {
			t.Errorf("%s: got %q", auth, got)
		}
	}
}

// Clauses: N5.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	server.Config.ErrorLog = nil
	if err := start(t, nil, "url", server.URL).Put(t.Context(), records(1)); connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "tls.ca.file") {
		t.Errorf("an unknown authority: %v", err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := start(t, nil, "url", server.URL, "tls.ca.file", file).Put(t.Context(), records(1)); err != nil {
		t.Errorf("a trusted one: %v", err)
	}
}
