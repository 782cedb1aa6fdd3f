package httpd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// Clauses: K14.
func TestHosts(t *testing.T) {
	loopback, everywhere := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8083}, &net.TCPAddr{IP: net.IPv6unspecified, Port: 8083}
	for _, c := range []struct {
		at    net.Addr
		names []string
		host  string
		want  int
	}{
		{loopback, nil, "127.0.0.1:8083", 200}, {loopback, nil, "localhost:18083", 200}, {loopback, nil, "LOCALHOST.", 200}, {loopback, nil, "[::1]:8083", 200},
		{loopback, nil, "[::1]", 200}, {loopback, nil, "127.1.2.3", 200}, {loopback, nil, "[::ffff:127.0.0.1]:1", 200}, {loopback, nil, "", 200},
		{&net.TCPAddr{IP: net.IPv6loopback}, nil, "localhost", 200},
		{loopback, nil, "elsewhere.example:8083", 403}, {loopback, nil, "localhost.example", 403}, {loopback, nil, "127.0.0.1.example", 403},
		{loopback, nil, "notlocalhost", 403}, {loopback, nil, "192.0.2.1:8083", 403}, {loopback, nil, "0.0.0.0:8083", 403}, {&net.TCPAddr{IP: net.IPv6loopback}, nil, "elsewhere.example", 403},
		{loopback, []string{"connect.example"}, "Connect.Example:80", 200}, {loopback, []string{"connect.example"}, "example", 403},
		{loopback, []string{"connect.example:443", "192.0.2.1"}, "192.0.2.1:8083", 200}, {loopback, []string{"connect.example:443"}, "connect.example", 200},
		{loopback, []string{AnyHost}, "elsewhere.example", 200},
		{everywhere, nil, "elsewhere.example", 200},
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			r := httptest.NewRequest(method, "/connectors", nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			Server(c.at, c.names, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil).Handler.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s to %s at %s with %q: %d, want %d", method, c.host, c.at, c.names, w.Code, c.want)
			}
		}
	}
}

// serve serves a handler with little patience and gives a connection to it.
func serve(t *testing.T, patience time.Duration, h http.HandlerFunc) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, done := serverOf(l.Addr(), nil, h, nil, patience), make(chan struct{})
	go func() { // ends with the server
		defer close(done)
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(conn.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		<-done
	})
	return conn
}

func TestBodyThatDoesNotCome(t *testing.T) {
	got := make(chan error, 1)
	conn := serve(t, time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		got <- err
	})
	if _, err := fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nbeginning"); err != nil {
		t.Fatal(err)
	}
	if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the body ends with %v", err)
	}
	if _, err := io.ReadAll(conn); err != nil { // the server hangs up
		t.Error(err)
	}
}

func TestBodyThatIsNotRead(t *testing.T) {
	conn := serve(t, time.Millisecond, func(http.ResponseWriter, *http.Request) {})
	if _, err := fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nbeginning"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Error(err)
	}
}

// TestLongAnswer has an answer that takes longer than the body may: its
// context goes on, and so does the connection.
func TestLongAnswer(t *testing.T) {
	const patience = time.Second
	conn := serve(t, patience, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
		over := time.NewTimer(patience * 6 / 5)
		defer over.Stop()
		select {
		case <-r.Context().Done():
			t.Error("the request was broken off")
		case <-over.C:
		}
		w.WriteHeader(http.StatusNoContent)
	})
	for range 2 {
		if _, err := fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nall"); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, len("HTTP/1.1 204"))
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 204" {
			t.Fatalf("%q, %v", answer, err)
		}
		rest := make([]byte, 1)
		for end := ""; len(end) < 4 || end[len(end)-4:] != "\r\n\r\n"; end += string(rest) {
			if _, err := io.ReadFull(conn, rest); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A request to another name is answered in time, although its body does not come.
func TestRefusedHostWithABodyThatDoesNotCome(t *testing.T) {
	conn := serve(t, 100*time.Millisecond, func(http.ResponseWriter, *http.Request) { t.Error("the request passes") })
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: elsewhere.example\r\nContent-Length: 100\r\n\r\nbeginning"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(wait.Patience)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len("HTTP/1.1 403"))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 403" {
		t.Errorf("%q, %v", answer, err)
	}
}
