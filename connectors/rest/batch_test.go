package rest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

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
