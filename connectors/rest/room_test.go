package rest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
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
	for protocol := 1; protocol <= 2; protocol++ {
		t.Run(fmt.Sprintf("HTTP/%d", protocol), func(t *testing.T) {
			testPutsInTurn(t, protocol)
		})
	}
}

func testPutsInTurn(t *testing.T, protocol int) {
	var mu sync.Mutex
	var bodies []string
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ProtoMajor != protocol {
			t.Errorf("%s: %v", r.Proto, err)
		}
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, string(body))
	}))
	service.EnableHTTP2 = protocol == 2
	service.StartTLS()
	defer service.Close()
	s := start(t, nil, "url", service.URL, "format", "raw", "batch.size", "3")
	s.client.Transport.(*http.Transport).TLSClientConfig = service.Client().Transport.(*http.Transport).TLSClientConfig
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
	put("d", 10, 11, 12, 13, 14, 15, 16)
	put("e", leastSplice, 1, leastSplice) // not copied into it
	put("f", 2, 3)
	if protocol == 1 && cap(s.spare.flat)*cap(s.spare.joined) == 0 {
		t.Error("there is no room")
	}
	put("g", 20, 1, 1, 1, 1)
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

// TestRequestsAtOnce has requests that are made at once share the room of a Put. Every
// other one is refused and sent again in halves, for which there is none.
func TestRequestsAtOnce(t *testing.T) {
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		var first int
		if _, err := fmt.Sscanf(body, `[{"n":%d,`, &first); err != nil {
			t.Error(err)
		}
		if first%8 == 0 && strings.Count(body, "{") == 4 {
			return http.StatusUnprocessableEntity
		}
		return 0
	})
	s := start(t, nil, "url", service.URL, "format", "json", "batch.size", "4", "max.in.flight.requests", "4")
	var want []string
	for put := range 5 {
		batch := records(40 + 8*put)
		for from, size := 0, 0; from < len(batch); from += size {
			var values []string
			if size = 4; from%8 < 4 {
				size = 2
			}
			for i := range size {
				values = append(values, fmt.Sprintf(`{"n":%d,"at":"1970-01-01T00:00:00.000Z","b":"AQ=="}`, from+i))
			}
			want = append(want, "POST / ["+strings.Join(values, ",")+"]")
		}
		if err := s.Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	got := service.got()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

// early answers a request before it is sent.
type early struct{}

func (early) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// The room of a request that was answered before it was sent is not used again: it may
// still be read.
func TestRoomOfAnEarlyAnswer(t *testing.T) {
	service := newService(t, nil)
	s := start(t, nil, "url", service.URL, "format", "raw", "batch.size", "3")
	transport := s.client.Transport
	s.client.Transport = early{}
	if err := s.Put(t.Context(), texts(3, 3)); err != nil {
		t.Fatal(err)
	}
	if s.spare.flat != nil || s.spare.joined != nil {
		t.Error("the room of a body that may be read is used again")
	}
	s.client.Transport = transport
	if err := s.Put(t.Context(), texts(3, 3)); err != nil {
		t.Fatal(err)
	}
	if s.spare.flat == nil || s.spare.joined == nil {
		t.Error("the room of a body that was read is not used again")
	}
}
