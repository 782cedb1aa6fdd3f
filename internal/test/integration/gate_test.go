//go:build integration

package integration

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// gate passes connections on to a server, until it is cut: then it refuses
// them, as a server that is down does.
type gate struct {
	t            *testing.T
	addr, target string

	mu       sync.Mutex
	listener net.Listener // nil while it is cut
	conns    map[net.Conn]bool
	watch    func(request []byte) // what clients send, if not nil
	all      sync.WaitGroup
}

// newGate opens a gate, which is closed when the test ends.
func newGate(t *testing.T, addr, target string) *gate {
	t.Helper()
	g := &gate{t: t, addr: addr, target: target, conns: map[net.Conn]bool{}}
	g.open()
	t.Cleanup(func() {
		g.cut()
		g.all.Wait()
	})
	return g
}

// open lets connections through.
func (g *gate) open() {
	g.t.Helper()
	l, err := net.Listen("tcp", g.addr)
	check(g.t, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addr, g.listener = l.Addr().String(), l
	g.all.Go(func() { // until the gate is cut
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.all.Go(func() { g.pass(c) })
		}
	})
}

// cut ends all connections and refuses new ones.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener == nil {
		return
	}
	err := g.listener.Close()
	g.listener = nil
	for c := range g.conns {
		err = errors.Join(err, c.Close())
	}
	clear(g.conns)
	if err != nil {
		g.t.Error(err)
	}
}

// keep notes a connection; false is that the gate was cut meanwhile.
func (g *gate) keep(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener == nil {
		return false
	}
	g.conns[c] = true
	return true
}

func (g *gate) end(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conns[c] {
		delete(g.conns, c)
		_ = c.Close() // the other side may have closed it
	}
}

// see has a function see what clients send, before it is passed on; nil ends that.
func (g *gate) see(watch func(request []byte)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.watch = watch
}

// watched is a client's connection whose requests are seen.
type watched struct {
	net.Conn
	g *gate
}

func (w watched) Read(b []byte) (n int, err error) {
	n, err = w.Conn.Read(b)
	w.g.mu.Lock()
	watch := w.g.watch
	w.g.mu.Unlock()
	if watch != nil && n > 0 {
		watch(b[:n])
	}
	return n, err
}

func (g *gate) pass(in net.Conn) {
	out, err := net.Dial("tcp", g.target)
	if err != nil {
		_ = in.Close()
		return
	}
	if !g.keep(in) || !g.keep(out) {
		g.end(in)
		_, _ = in.Close(), out.Close()
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, watched{in, g}}} {
		both.Go(func() { // until one side closes
			_, _ = io.Copy(way[0], way[1])
			g.end(in)
			g.end(out)
		})
	}
	both.Wait()
}
