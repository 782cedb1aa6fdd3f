package postgres

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// line is a way to a server that can be cut.
type line struct {
	url string // goes over the line
	to  string

	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
	wait  sync.WaitGroup
}

func newLine(t testing.TB, address string) *line {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{to: u.Host, conns: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	l.url = u.String()
	l.wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed by the end of the test
			}
			l.wait.Go(func() { l.carry(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
		l.wait.Wait()
	})
	return l
}

// carry copies both ways until an end is closed.
func (l *line) carry(near net.Conn) {
	defer func() { _ = near.Close() }()
	if !l.add(near) {
		return
	}
	far, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	if !l.add(far) {
		return
	}
	l.wait.Go(func() {
		_, _ = io.Copy(far, near)
		_ = far.Close()
	})
	_, _ = io.Copy(near, far)
}

func (l *line) add(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = true
	return !l.down
}

// cut closes all connections, and new ones at once, until mend.
func (l *line) cut() (mend func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for conn := range l.conns {
		_ = conn.Close()
	}
	clear(l.conns)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.down = false
	}
}
