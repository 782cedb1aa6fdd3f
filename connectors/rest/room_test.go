package rest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// countedConn counts what is written.
type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// TestRequestIsOneWrite has a request of common size leave at once, whatever stands
// around its records.
func TestRequestIsOneWrite(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer service.Close()
	for _, format := range []string{"json", "ndjson", "raw", "form"} {
		t.Run(format, func(t *testing.T) {
			s := start(t, nil, "url", service.URL, "format", format, "batch.size", "100")
			var writes atomic.Int64
			transport := s.client.Transport.(*http.Transport)
			dial := transport.DialContext
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := dial(ctx, network, address)
				return countedConn{c, &writes}, err
			}
			batch := texts(300, 300)
			if format == "form" {
				batch = records(300)
			}
			if err := s.Put(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if n := writes.Load(); n != 3 {
				t.Errorf("3 requests were %d writes", n)
			}
		})
	}
}

// TestPutsInTurn has Puts of several sizes use each other's room.
func TestPutsInTurn(t *testing.T) {
	var bodies []string
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(body))
	}))
	defer service.Close()
	s := start(t, nil, "url", service.URL, "format", "raw", "batch.size", "3")
	var want []string
	put := func(letter string, sizes ...int) {
		var batch []connector.Record
		var lines []string
		for _, n := range sizes {
			lines = append(lines, strings.Repeat(letter, n))
			batch = append(batch, connector.NewRecord("t", nil, nil, connector.StringSchema, lines[len(lines)-1]))
		}
		for from := 0; from < len(lines); from += 3 {
			want = append(want, strings.Join(lines[from:min(from+3, len(lines))], "\n")+"\n")
		}
		if err := s.Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	put("a", 5, 6, 7, 8, 9)
	put("b", 1)
	put("c", leastSplice-1, leastSplice-2, leastSplice-3) // more than a write
	if s.spare.flat != nil {
		t.Error("the room of a body that was not copied is used again")
	}
	put("d", 10, 11, 12, 13, 14, 15, 16)
	put("e", leastSplice, 1, leastSplice) // not copied into it
	put("f", 2, 3)
	if cap(s.spare.flat) == 0 {
		t.Error("there is no room")
	}
	put("g", 20, 1, 1, 1, 1)
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}
