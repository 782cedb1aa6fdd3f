package rest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// ledger is a service that knows requests by their idempotency key, as those of
// payments do: what comes again changes nothing.
type ledger struct {
	mu   sync.Mutex
	keys map[string]string // the body of each
	rows []string
	// fault is asked for each request before it counts, and after; it may end it.
	before, after func(n int, w http.ResponseWriter, body string) (ended bool)
	n             int
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	if l.before != nil && l.before(l.n, w, string(body)) {
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if was, known := l.keys[key]; !known {
		l.keys[key] = string(body)
		l.rows = append(l.rows, strings.Fields(string(body))...)
	} else if was != string(body) {
		l.rows = append(l.rows, "another body for "+key)
	}
	if l.after != nil {
		l.after(l.n, w, string(body))
	}
}

func newLedger(t *testing.T) (*ledger, string) {
	l := &ledger{keys: map[string]string{}}
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	return l, s.URL
}

// texts are records with numbers as values, and keys of which there are so many.
func texts(n, keys int) []connector.Record {
	list := make([]connector.Record, n)
	for i := range list {
		list[i] = connector.NewRecord("t", connector.StringSchema, fmt.Sprint("key-", i%keys), connector.StringSchema, fmt.Sprintf("%03d", i))
		list[i].Origin = connector.Origin{Topic: "t", Partition: 1, Offset: int64(i)}
	}
	return list
}

// deliver puts a batch as the runtime does, again after each error of the
// environment.
func deliver(t *testing.T, s *Sink, batch []connector.Record) (again int) {
	t.Helper()
	for {
		err := s.Put(t.Context(), batch)
		if err == nil {
			return again
		}
		if connector.KindOf(err) != connector.KindRetriable {
			t.Fatal(err)
		}
		again++
	}
}

func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// An HTTP server fails in each way: nothing is lost, nothing is doubled where the
// service knows requests by their keys, and no good record is refused.
//
// Clauses: N6, N7, N14.
func TestFaults(t *testing.T) {
	answer := func(code int) func(int, http.ResponseWriter, string) bool {
		return func(n int, w http.ResponseWriter, _ string) bool {
			if n%3 != 2 {
				return false
			}
			w.WriteHeader(code)
			return true
		}
	}
	everyThird := func(what func(http.ResponseWriter)) func(int, http.ResponseWriter, string) bool {
		return func(n int, w http.ResponseWriter, _ string) bool {
			if n%3 == 2 {
				what(w)
				return true
			}
			return false
		}
	}
	tests := []struct {
		name          string
		before, after func(int, http.ResponseWriter, string) bool
		props         []string
	}{
		{"it cuts before it counts", everyThird(cut), nil, nil},
		{"it cuts after it has counted", nil, everyThird(cut), nil},
		{"it cuts within an answer of success", nil, everyThird(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_ = http.NewResponseController(w).Flush()
			cut(w)
		}), nil},
		{"429", answer(429), nil, nil},
		{"500 before it counts", answer(500), nil, nil},
		{"500 after it has counted", nil, answer(500), nil},
		{"503", answer(503), nil, nil},
		{"413", func(_ int, w http.ResponseWriter, body string) bool {
			if len(body) > 17 { // four records and their lines' ends, one more is too large
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return true
			}
			return false
		}, everyThird(cut), nil},
		{"no JSON in an answer of success", nil, everyThird(func(w http.ResponseWriter) { _, _ = io.WriteString(w, "{<html>") }), nil},
		{"a proxy's page with 502", nil, everyThird(func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html>{")
		}), nil},
	}
	for _, inFlight := range []string{"1", "4"} {
		for _, tt := range tests {
			t.Run(tt.name+", in flight "+inFlight, func(t *testing.T) {
				l, url := newLedger(t)
				l.before, l.after = tt.before, tt.after
				reporter := new(connectortest.Reporter)
				s := start(t, reporter, "url", url, "format", "raw", "batch.size", "10", "idempotency.header", "Idempotency-Key", "retry.backoff.ms", "0", "max.in.flight.requests", inFlight)
				batch := texts(100, 100)
				deliver(t, s, batch[:60])
				deliver(t, s, batch[60:])
				want := make([]string, len(batch))
				for i := range batch {
					want[i] = batch[i].Value.(string)
				}
				slices.Sort(l.rows)
				if d := cmp.Diff(want, l.rows); d != "" {
					t.Error(d)
				}
				if reported, why := reporter.Reported(); len(reported) > 0 {
					t.Errorf("good records were refused: %v", why)
				}
			})
		}
	}
}

// A server that never answers, or not in time, is the environment's fault.
//
// Clauses: N6, N14.
func TestServerThatHangs(t *testing.T) {
	release := make(chan struct{})
	l, url := newLedger(t)
	defer close(release)
	l.after = func(n int, w http.ResponseWriter, _ string) bool {
		if n == 1 {
			l.mu.Unlock()
			<-release
			l.mu.Lock()
		}
		return true
	}
	s := start(t, nil, "url", url, "format", "raw", "batch.size", "10", "idempotency.header", "Idempotency-Key", "retry.backoff.ms", "0", "request.timeout.ms", "300")
	if again := deliver(t, s, texts(5, 5)); again == 0 {
		t.Error("nothing was repeated")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := cmp.Diff([]string{"000", "001", "002", "003", "004"}, l.rows); d != "" {
		t.Error(d)
	}
}

// Clauses: N7.
func TestIdempotencyKeys(t *testing.T) {
	service := newService(t, nil)
	keysOf := func(name string, batch []connector.Record, props ...string) []string {
		t.Helper()
		s := start(t, nil, append([]string{"url", service.URL, "format", "raw", "idempotency.header", "X-Request-Id"}, props...)...)
		s.name = name
		service.heads = nil
		if err := s.Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, h := range service.heads {
			keys = append(keys, h.Get("X-Request-Id"))
		}
		return keys
	}
	one := keysOf("c", texts(3, 3))
	if len(one) != 3 || one[0] == one[1] || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(one[0]) {
		t.Errorf("%v are no UUIDs of version 5", one)
	}
	if d := cmp.Diff(one, keysOf("c", texts(3, 3))); d != "" {
		t.Errorf("the next task has other keys: %s", d)
	}
	if other := keysOf("d", texts(3, 3)); other[0] == one[0] {
		t.Error("another connector has the same keys")
	}
	if batch := keysOf("c", texts(3, 3), "batch.size", "3"); len(batch) != 1 || slices.Contains(one, batch[0]) {
		t.Errorf("a batch's key: %v of %v", batch, one)
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
