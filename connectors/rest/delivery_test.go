package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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

// Clauses: N8.
func TestOrderOfKeys(t *testing.T) {
	const requests, keys = 120, 7
	var mu sync.Mutex
	var got []string
	busy, most := 0, 0
	busyKeys := map[string]bool{}
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key := r.Header.Get("X-Key")
		mu.Lock()
		if busyKeys[key] {
			t.Errorf("two requests of %s are on their way", key)
		}
		busyKeys[key], busy = true, busy+1
		most = max(most, busy)
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		busyKeys[key], busy = false, busy-1
		got = append(got, key+" "+string(body))
	}))
	defer service.Close()
	s := start(t, nil, "url", service.URL, "format", "raw", "headers", "X-Key: ${key}", "max.in.flight.requests", "5")
	if err := s.Put(t.Context(), texts(requests, keys)); err != nil {
		t.Fatal(err)
	}
	last := map[string]string{}
	for _, line := range got {
		key, value, _ := strings.Cut(line, " ")
		if value < last[key] {
			t.Errorf("%s came after %s of %s", value, last[key], key)
		}
		last[key] = value
	}
	if len(got) != requests || most > 5 {
		t.Errorf("%d requests, at most %d at once", len(got), most)
	}
}

// So many requests are on their way at once, and no more; records without a key wait
// for none.
//
// Clauses: N8.
func TestBoundedConcurrency(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	defer service.Close()
	s := start(t, nil, "url", service.URL, "format", "raw", "max.in.flight.requests", "3")
	batch := texts(6, 1)
	for i := range batch {
		batch[i].Key = nil
	}
	ended := make(chan error)
	go func() { ended <- s.Put(t.Context(), batch) }()
	for range 3 {
		<-arrived
	}
	for range 3 {
		release <- struct{}{}
		<-arrived
	}
	for range 3 {
		release <- struct{}{}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// After an error those that are on their way are waited for, and what waits for the
// key of one that failed is not sent before it.
//
// Clauses: N8.
func TestOrderAfterAnError(t *testing.T) {
	down := true
	var got []string
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		if down && body == "000" {
			down = false
			return 503
		}
		got = append(got, body)
		return 0
	})
	s := start(t, nil, "url", service.URL, "format", "raw", "max.in.flight.requests", "8", "retry.backoff.ms", "0")
	deliver(t, s, texts(40, 4))
	last := map[int]string{}
	for _, body := range got {
		n, _ := strconv.Atoi(body)
		if last[n%4] >= body {
			t.Errorf("%s came after %s", body, last[n%4])
		}
		last[n%4] = body
	}
	if len(got) != 40 {
		t.Errorf("%d of 40 arrived, or more than once: %v", len(got), got)
	}
}

// A request that is too large is halved, and the next ones are smaller at once.
//
// Clauses: N9.
func TestTooLarge(t *testing.T) {
	var sizes []int
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		sizes = append(sizes, strings.Count(body, "\n"))
		if len(body) > 20 {
			return http.StatusRequestEntityTooLarge
		}
		return 0
	})
	reporter := new(connectortest.Reporter)
	s := start(t, reporter, "url", service.URL, "format", "raw", "batch.size", "8")
	batch := texts(16, 16)
	if err := s.Put(t.Context(), batch[:8]); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), batch[8:]); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{8, 4, 4, 4, 4}, sizes); d != "" {
		t.Errorf("records of the requests: %s", d)
	}
	large := texts(1, 1)
	large[0].Value = strings.Repeat("x", 30)
	if err := s.Put(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	if reported, why := reporter.Reported(); len(reported) != 1 || !strings.Contains(why[0].Error(), "413") {
		t.Errorf("reported %v", why)
	}
}

// A request has each text of batch.unique once.
//
// Clauses: N2.
func TestUniqueInABatch(t *testing.T) {
	service := newService(t, nil)
	s := start(t, nil, "url", service.URL, "format", "raw", "batch.size", "10", "batch.unique", "${key}")
	batch := texts(7, 3)
	batch[5].Key = nil // what it may be the same as is not known
	key := connector.StructOf("k", connector.F("id", connector.Int32Schema))
	for i := 1; i < 6; i += 3 { // keys of several fields are told apart, too
		batch[i].KeySchema, batch[i].Key = key, connector.StructFrom(key, []any{int32(1)})
	}
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"POST / 000\n001\n002\n", "POST / 003\n004\n", "POST / 005\n", "POST / 006\n"}, service.got()); d != "" {
		t.Error(d)
	}
}

// So many refusals in a row are not the records' fault; those that are refused among
// others are reported, however many.
//
// Clauses: N10.
func TestLongRunOfRefusals(t *testing.T) {
	tests := []struct {
		name     string
		code     int
		good     string // what the service takes
		kind     connector.Kind
		reported int
	}{
		{"all", 400, "none", connector.KindFatal, 60},
		{"all, by what is theirs", 422, "none", connector.KindUnmarked, 180},
		{"one is taken", 400, "100", connector.KindUnmarked, 179},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			service := newService(t, func(_ int, _ *http.Request, body string) int {
				if strings.TrimSpace(body) == tt.good {
					return 0
				}
				return tt.code
			})
			reporter := new(connectortest.Reporter)
			s := start(t, reporter, "url", service.URL, "format", "raw", "batch.size", "20")
			batch := texts(180, 180)
			err := s.Put(t.Context(), batch[:60])
			for from := 60; from < 180 && err == nil; from += 60 {
				err = s.Put(t.Context(), batch[from:from+60])
			}
			if connector.KindOf(err) != tt.kind || err != nil && !strings.Contains(err.Error(), "120 records in a row were answered with 400 and none was taken") {
				t.Errorf("got %v", err)
			}
			if reported, _ := reporter.Reported(); len(reported) != tt.reported {
				t.Errorf("%d records were reported, want %d", len(reported), tt.reported)
			}
		})
	}
}

// Without a tolerance a refused record ends the task, or is left out where that is
// wanted.
//
// Clauses: N10.
func TestRefusedWithoutTolerance(t *testing.T) {
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		if body == "001" {
			return 422
		}
		return 0
	})
	if err := start(t, nil, "url", service.URL, "format", "raw").Put(t.Context(), texts(3, 3)); connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "record t[1]@1: POST "+service.URL) {
		t.Errorf("got %v", err)
	}
	if err := start(t, nil, "url", service.URL, "format", "raw", "behavior.on.error", "ignore").Put(t.Context(), texts(3, 3)); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"POST / 000", "POST / 000", "POST / 002"}, service.got()); d != "" {
		t.Error(d)
	}
}

// Clauses: N6.
func TestRetriedAnswers(t *testing.T) {
	service := newService(t, func(int, *http.Request, string) int { return 404 })
	for _, tt := range []struct {
		props    []string
		kind     connector.Kind
		attempts int
	}{
		{nil, connector.KindFatal, 0},
		{[]string{"retry.on.status.codes", "410,400-404"}, connector.KindRetriable, extraAttempts},
		{[]string{"retry.on.status.codes", "404-", "max.retries", "3"}, connector.KindRetriable, 3},
	} {
		err := start(t, nil, append([]string{"url", service.URL}, tt.props...)...).Put(t.Context(), texts(1, 1))
		if connector.KindOf(err) != tt.kind {
			t.Errorf("%v: %v", tt.props, err)
		}
		if mark, ok := err.(*connector.Error); ok && tt.kind == connector.KindRetriable && mark.Attempts != tt.attempts {
			t.Errorf("%v: %d attempts, want %d", tt.props, mark.Attempts, tt.attempts)
		}
	}
}

// Clauses: N2.
func TestBatchSizes(t *testing.T) {
	for _, tt := range []struct {
		props  []string
		most   int
		linger time.Duration
	}{
		{nil, 1, 0},
		{[]string{"batch.size", "100"}, 100, 10 * time.Millisecond},
		{[]string{"batch.size", "100", "max.in.flight.requests", "4", "batch.linger.ms", "500"}, 400, 500 * time.Millisecond},
	} {
		s := start(t, nil, append([]string{"url", "http://localhost"}, tt.props...)...)
		if most, linger := s.Batch(); most != tt.most || linger != tt.linger {
			t.Errorf("%v: %d records, %s", tt.props, most, linger)
		}
	}
}

// A Put that is broken off ends, with several requests on their way too.
//
// Clauses: N8.
func TestCancelled(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 9)
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release }))
	defer service.Close()
	defer close(release)
	s := start(t, nil, "url", service.URL, "format", "raw", "max.in.flight.requests", "3")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if err := s.Put(ctx, texts(9, 9)); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}
