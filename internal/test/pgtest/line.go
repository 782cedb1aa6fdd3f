package pgtest

import (
	"net"
	"sync"
	"testing"
)

// Line is a way to a server that can be made to carry nothing while it stays up.
type Line struct {
	net.Listener
	mu     sync.Mutex
	open   *sync.Cond
	frozen bool
}

// NewLine gives a line to an address. It ends with the test.
func NewLine(t testing.TB, to string) *Line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Line{Listener: l}
	s.open = sync.NewCond(&s.mu)
	t.Cleanup(func() { s.Freeze(false); _ = l.Close() })
	go func() { // ends with the listener
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go s.carry(near, far)
			go s.carry(far, near)
		}
	}()
	return s
}

// carry ends with either connection.
func (s *Line) carry(from, to net.Conn) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		s.mu.Lock()
		for s.frozen {
			s.open.Wait()
		}
		s.mu.Unlock()
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// Freeze has the line carry nothing, or what there is.
func (s *Line) Freeze(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = on
	s.open.Broadcast()
}
