package broker

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// guard is a listener whose connections end when they send what is not a Kafka
// request: kfake would allocate what a stray HTTP request seems to ask for (a
// gigabyte), and panic on an unknown request key.
type guard struct {
	net.Listener
	limit int // of a request, bytes
	log   *slog.Logger
}

// Accept gives the next connection, guarded.
func (g *guard) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	guarded := &guardedConn{Conn: c, guard: g, waiting: map[uint32]bool{}}
	guarded.answered.L = &guarded.mu
	return guarded, nil
}

// A request's head is its size, key, version and correlation: 4, 2, 2 and 4
// bytes. It is judged once the first three are there. An answer begins with its
// size and the correlation.
const (
	sizeSize = 4
	judged   = sizeSize + 4
	headSize = judged + 4
)

// guardedConn passes requests through once it has seen their heads.
//
// It keeps the end of a connection back while a group's member waits on it for
// the answer to its JoinGroup or SyncGroup: kfake starts the session of a member
// with that answer, and leaves one whose connection has ended without a session,
// to keep its partitions for ever. Kafka starts it in either case.
type guardedConn struct {
	net.Conn
	guard  *guard
	head   [headSize]byte
	have   int // bytes of the head that have arrived
	given  int // bytes of the head that were passed on
	remain int // bytes of the body that are still to come
	broken error

	mu       sync.Mutex
	answered sync.Cond
	waiting  map[uint32]bool // correlations of a member's requests that have no answer yet
	closed   bool
}

// Read passes on the bytes of checked requests.
func (c *guardedConn) Read(p []byte) (int, error) {
	n, err := c.read(p)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for len(c.waiting) > 0 && !c.closed {
			c.answered.Wait()
		}
	}
	return n, err
}

// Write sends an answer, which kfake gives whole.
func (c *guardedConn) Write(p []byte) (int, error) {
	if len(p) >= sizeSize+4 {
		c.mu.Lock()
		delete(c.waiting, binary.BigEndian.Uint32(p[sizeSize:]))
		c.answered.Broadcast()
		c.mu.Unlock()
	}
	return c.Conn.Write(p)
}

// Close ends the connection.
func (c *guardedConn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.answered.Broadcast()
	c.mu.Unlock()
	return c.Conn.Close()
}

func (c *guardedConn) read(p []byte) (int, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	if len(p) == 0 {
		return 0, nil
	}
	for c.have < headSize {
		before := c.have
		n, err := c.Conn.Read(c.head[c.have:])
		c.have += n
		if err != nil {
			return 0, err
		}
		if before < judged && c.have >= judged {
			if c.broken = c.check(); c.broken != nil {
				c.guard.log.Warn("connection to the embedded broker refused", "from", c.RemoteAddr().String(), "reason", c.broken.Error())
				return 0, c.broken
			}
		}
	}
	if c.given < headSize {
		if c.given == 0 {
			c.expect()
		}
		n := copy(p, c.head[c.given:])
		c.given += n
		c.endOfRequest()
		return n, nil
	}
	n, err := c.Conn.Read(p[:min(len(p), c.remain)])
	c.remain -= n
	c.endOfRequest()
	return n, err
}

func (c *guardedConn) endOfRequest() {
	if c.given == headSize && c.remain == 0 {
		c.have, c.given = 0, 0
	}
}

func (c *guardedConn) check() error {
	size := int64(binary.BigEndian.Uint32(c.head[:]))
	key := int16(binary.BigEndian.Uint16(c.head[sizeSize:]))
	version := int16(binary.BigEndian.Uint16(c.head[6:]))
	if size < headSize-sizeSize || size > int64(c.guard.limit) {
		return fmt.Errorf("%w: a request of %d bytes", ErrNotKafka, size)
	}
	req := kmsg.RequestForKey(key) // what kfake would not find it panics on
	if req == nil || version < 0 {
		return fmt.Errorf("%w: request %d version %d", ErrNotKafka, key, version)
	}
	c.remain = int(size) - (headSize - sizeSize)
	return nil
}

// expect notes that a member waits for an answer, if that is what its request is for.
func (c *guardedConn) expect() {
	if key := kmsg.Key(binary.BigEndian.Uint16(c.head[sizeSize:])); key == kmsg.JoinGroup || key == kmsg.SyncGroup {
		c.mu.Lock()
		c.waiting[binary.BigEndian.Uint32(c.head[judged:])] = true
		c.mu.Unlock()
	}
}
