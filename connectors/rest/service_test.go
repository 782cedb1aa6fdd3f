package rest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

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
