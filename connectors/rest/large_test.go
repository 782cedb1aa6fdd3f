package rest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// A record that is sent as it is, alone, is not copied.
//
// Clauses: N2.
func TestLargeTextIsNotCopied(t *testing.T) {
	const size = 20 << 20
	taken := int64(0)
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { taken, _ = io.Copy(io.Discard, r.Body) }))
	defer service.Close()
	s := start(t, nil, "url", service.URL, "format", "raw")
	record := connector.NewRecord("t", nil, nil, connector.StringSchema, strings.Repeat("x", size))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := s.Put(t.Context(), []connector.Record{record}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; taken != size || n > size/4 {
		t.Errorf("%d bytes were allocated for a record of %d, of which %d arrived", n, size, taken)
	}
}
