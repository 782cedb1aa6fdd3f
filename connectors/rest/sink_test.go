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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// service is a web service that notes what it takes.
type service struct {
	*httptest.Server
	mu    sync.Mutex
	taken []string // method, path and body of what was answered with success
	// answer gives the status for a request; 0 is 200.
	answer func(n int, r *http.Request, body string) int
	n      int
	last   http.Header
	heads  []http.Header // of what was answered with success
	said   string        // with what is no success
}

func newService(t *testing.T, answer func(n int, r *http.Request, body string) int) *service {
	s := &service{answer: answer, said: "no:\n because"}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	s.last = r.Header
	code := http.StatusOK
	if s.answer != nil {
		if c := s.answer(s.n, r, string(body)); c != 0 {
			code = c
		}
	}
	if code == http.StatusOK {
		s.taken = append(s.taken, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
		s.heads = append(s.heads, r.Header)
	}
	if code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "7")
	}
	if code == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(code)
	if code != http.StatusOK {
		_, _ = io.WriteString(w, s.said)
	}
}

func (s *service) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

func start(t *testing.T, reporter connector.ErrantReporter, pairs ...string) *Sink {
	t.Helper()
	props := connector.Props{}
	for i := 0; i < len(pairs); i += 2 {
		props[pairs[i]] = pairs[i+1]
	}
	s := new(Sink)
	c := connectortest.Context(t)
	c.Reporter = reporter
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

var valueSchema = connector.StructOf("v", connector.F("n", connector.Int32Schema), connector.F("at", connector.TimestampSchema), connector.F("b", connector.BytesSchema))

func records(n int) []connector.Record {
	list := make([]connector.Record, n)
	for i := range list {
		v := connector.StructFrom(valueSchema, []any{int32(i), time.UnixMilli(0).UTC(), []byte{1}})
		list[i] = connector.NewRecord("t", connector.StringSchema, fmt.Sprintf("k/%d", i), valueSchema, v)
		list[i].Origin = connector.Origin{Topic: "t", Partition: 1, Offset: int64(i)}
	}
	return list
}

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

// Clauses: N6.
func TestAnswers(t *testing.T) {
	tests := []struct {
		code  int
		path  string
		kind  connector.Kind
		after time.Duration
	}{
		{408, "", connector.KindRetriable, time.Second},
		{429, "", connector.KindRetriable, 7 * time.Second},
		{500, "", connector.KindRetriable, time.Second},
		{503, "", connector.KindRetriable, time.Second},
		{302, "", connector.KindFatal, 0},
		{401, "", connector.KindFatal, 0},
		{403, "", connector.KindFatal, 0},
		{404, "", connector.KindFatal, 0},
		{404, "/${key}", connector.KindData, 0},
		{400, "", connector.KindData, 0},
		{409, "", connector.KindData, 0},
		{422, "", connector.KindData, 0},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.code, test.path), func(t *testing.T) {
			service := newService(t, func(int, *http.Request, string) int { return test.code })
			s := start(t, nil, "url", service.URL+test.path+"?token=secret", "retry.backoff.ms", "1000", "max.retries", "4")
			err := s.Put(t.Context(), records(1))
			if connector.KindOf(err) != test.kind {
				t.Fatalf("%v is %s, want %s", err, connector.KindOf(err), test.kind)
			}
			if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "no: because") || !strings.Contains(err.Error(), fmt.Sprint(test.code)) {
				t.Error(err)
			}
			if mark, ok := err.(*connector.Error); ok && test.kind == connector.KindRetriable && (mark.After != test.after || mark.Attempts != 4) {
				t.Errorf("%+v", mark)
			}
		})
	}
}

// Clauses: N10.
func TestRefusedRecordsAreFound(t *testing.T) {
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		if strings.Contains(body, `"n":3,`) || strings.Contains(body, `"n":8,`) {
			return 422
		}
		return 0
	})
	reporter := new(connectortest.Reporter)
	s := start(t, reporter, "url", service.URL, "batch.size", "100")
	if err := s.Put(t.Context(), records(10)); err != nil {
		t.Fatal(err)
	}
	reported, causes := reporter.Reported()
	if len(reported) != 2 || reported[0].Origin.Offset != 3 || reported[1].Origin.Offset != 8 || !strings.Contains(causes[0].Error(), "record t[1]@3: POST ") {
		t.Errorf("reported %v: %v", reported, causes)
	}
	if all := strings.Join(service.got(), ""); strings.Count(all, `"n":`) != 8 {
		t.Errorf("taken: %s", all)
	}
}

// Clauses: N7.
func TestNothingIsSentTwiceAfterAnOutage(t *testing.T) {
	down := true
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		switch {
		case strings.Contains(body, `"n":1,`):
			return 400
		case down && strings.Contains(body, `"n":3,`):
			return 503
		}
		return 0
	})
	reporter := new(connectortest.Reporter)
	s := start(t, reporter, "url", service.URL)
	batch := records(5)
	if err := s.Put(t.Context(), batch); connector.KindOf(err) != connector.KindRetriable {
		t.Fatalf("got %v", err)
	}
	service.mu.Lock()
	down = false
	service.mu.Unlock()
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, line := range service.got() {
		order = append(order, line[len(`POST / {"n":`):][:1])
	}
	if d := cmp.Diff([]string{"0", "2", "3", "4"}, order); d != "" {
		t.Error(d)
	}
	if reported, _ := reporter.Reported(); len(reported) != 1 {
		t.Errorf("reported %d times", len(reported))
	}
	if err := s.Put(t.Context(), batch[:1]); err != nil || len(service.got()) != 5 {
		t.Error("a record that is put anew was not sent")
	}
}

// Clauses: N10.
func TestUnsendable(t *testing.T) {
	service := newService(t, nil)
	reporter := new(connectortest.Reporter)
	s := start(t, reporter, "url", service.URL+"/${key}")
	batch := records(4)
	batch[0].Key, batch[1].Key, batch[2].Key = "..", nil, []any{}
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if reported, causes := reporter.Reported(); len(reported) != 3 || len(service.got()) != 1 {
		t.Errorf("reported %v", causes)
	}
}

// Clauses: N6.
func TestNoServer(t *testing.T) {
	service := newService(t, nil)
	s := start(t, nil, "url", service.URL+"/?token=secret")
	service.Close()
	if err := s.Put(t.Context(), records(1)); connector.KindOf(err) != connector.KindRetriable || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// Clauses: N6.
func TestSilentServer(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	s := start(t, nil, "url", server.URL, "request.timeout.ms", "50")
	if err := s.Put(t.Context(), records(1)); connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("got %v", err)
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

// Clauses: N6.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "9999999999": 24 * time.Hour,
		"Wed, 01 Jan 2020 00:01:00 GMT": time.Minute, "Tue, 31 Dec 2019 00:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// Clauses: N12.
func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		props connector.Props
		want  []string
	}{
		{"the least", connector.Props{"url": "http://localhost"}, nil},
		{"everything wrong at once", connector.Props{"url": "ftp://x", "method": "GET", "batch.size": "0", "headers": "X", "auth.type": "basic", "format": "raw", "body": "record", "auth.token": "a\nb"},
			[]string{"url must be an http", "method String must be one of", `headers "X" is not a header`, "batch.size Value must be at least 1", "auth.user auth.type=basic needs auth.user", "auth.password auth.type=basic needs", "auth.token it contains a line break", "format format=raw sends values"}},
		{"a password in the URL", connector.Props{"url": "http://u:s3cret@h"}, []string{"url it must not contain a user or password"}},
		{"a key for many", connector.Props{"url": "http://h/${key}", "batch.size": "2"}, []string{"batch.size batch.size is 2, but a URL that is another one for each record takes one record"}},
		{"a header of the connection", connector.Props{"url": "http://h", "headers": "transfer-encoding: chunked"}, []string{"headers Transfer-Encoding is set for each request"}},
		{"the length", connector.Props{"url": "http://h", "headers": "X: 1, Content-Length: 3"}, []string{"headers Content-Length is set for each request"}},
		{"no host", connector.Props{"url": "http://h", "headers": "Host: a b"}, []string{`headers "Host: a b" is not a host`}},
		{"a header that may be there once", connector.Props{"url": "http://h", "headers": "Host: a, host: b"}, []string{"headers Host is there twice"}},
		{"a header that auth.type sets too", connector.Props{"url": "http://h", "headers": "authorization: x", "auth.type": "bearer", "auth.token": "t"}, []string{"headers auth.type=bearer sets Authorization itself"}},
		{"a header that content.type sets too", connector.Props{"url": "http://h", "headers": "Content-Type: a/b", "content.type": "a/c"}, []string{"headers content.type sets Content-Type itself"}},
		{"a token as host", connector.Props{"url": "http://h", "auth.type": "header", "auth.token": "t", "auth.header": "host"}, []string{"auth.header Host cannot hold a token"}},
		{"hosts that are none", connector.Props{"url": "http://h", "redirects.follow": "true", "redirects.hosts": "a,http://b"}, []string{`redirects.hosts "http://b" is not of the form host`}},
		{"hosts without redirects", connector.Props{"url": "http://h", "redirects.hosts": "a"}, []string{"redirects.hosts redirects.hosts has no effect"}},
		{"bearer", connector.Props{"url": "http://h", "auth.type": "bearer"}, []string{"auth.token auth.type=bearer needs auth.token"}},
		{"oauth2", connector.Props{"url": "http://h", "auth.type": "oauth2", "oauth2.token.url": "http://u:s3cret@h"}, []string{"oauth2.token.url must be an http or https URL", "oauth2.client.id auth.type=oauth2 needs", "oauth2.client.secret auth.type=oauth2 needs"}},
		{"a place that is none", connector.Props{"url": "http://h/${kee}"}, []string{"url ${kee} is no place: there are ${topic}"}},
		{"a host from the record", connector.Props{"url": "http://${value.host}/"}, []string{"url must name one host for all records"}},
		{"a method that is none", connector.Props{"url": "http://h", "method": "${header.m"}, []string{"method ${header.m} is no place"}},
		{"a secret header that is none", connector.Props{"url": "http://h", "headers.secret": "s3cret"}, []string{"headers.secret is not a list of headers"}},
		{"a secret header that is there twice", connector.Props{"url": "http://h", "headers": "Authorization: a", "headers.secret": "Authorization: b"}, []string{"headers.secret headers.secret: Authorization is in headers, too"}},
		{"the idempotency header", connector.Props{"url": "http://h", "headers": "idempotency-key: ${offset}", "idempotency.header": "Idempotency-Key"}, []string{"headers idempotency.header sets Idempotency-Key itself"}},
		{"deletes without a key", connector.Props{"url": "http://h/${topic}", "behavior.on.null.values": "delete"}, []string{"behavior.on.null.values behavior.on.null.values=delete needs a url with ${key}"}},
		{"codes that are none", connector.Props{"url": "http://h", "retry.on.status.codes": "404,200-"}, []string{`retry.on.status.codes "200-" is no answer from 400 to 599`}},
		{"a precision that is none", connector.Props{"url": "http://h/?precision=day", "preset": "influxdb"}, []string{"url precision=day is no precision"}},
		{"a proxy and private addresses", connector.Props{"url": "http://h", "private.addresses": "refuse", "proxy.url": "http://p:3128"}, []string{"private.addresses private.addresses=refuse cannot see"}},
		{"a proxy that is none", connector.Props{"url": "http://h", "proxy.url": "s3cret:3128"}, []string{"proxy.url must be an http, https or socks5 URL"}},
		{"two trust stores", connector.Props{"url": "http://h", "tls.ca.file": "a", "ssl.truststore.location": "b"}, []string{"tls.ca.file tls.ca.file and ssl.truststore.* both"}},
		{"a separator of multipart", connector.Props{"url": "http://h", "format": "multipart", "batch.separator": "x"}, []string{"batch.separator batch.separator cannot be chosen"}},
		{"an unknown preset", connector.Props{"url": "http://h", "preset": "x"}, []string{"preset String must be one of"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := connector.CheckPlugin(new(Sink), test.props)
			list := problems.List()
			if len(list) != len(test.want) {
				t.Fatalf("got %v, want %v", list, test.want)
			}
			for i, p := range list {
				key, part, _ := strings.Cut(test.want[i], " ")
				if p.Key != key || !strings.Contains(p.Message, part) || strings.Contains(p.Message, "s3cret") {
					t.Errorf("got %v, want %s", p, test.want[i])
				}
			}
		})
	}
}
