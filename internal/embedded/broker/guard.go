package broker

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"

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
	return &guardedConn{Conn: c, guard: g}, nil
}

// headSize is the size of a request, its key and its version: 4, 2 and 2 bytes.
const headSize = 8

// guardedConn passes requests through once it has seen their heads.
type guardedConn struct {
	net.Conn
	guard  *guard
	head   [headSize]byte
	have   int // bytes of the head that have arrived
	given  int // bytes of the head that were passed on
	remain int // bytes of the body that are still to come
	broken error
}

// Read passes on the bytes of checked requests.
func (c *guardedConn) Read(p []byte) (int, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	if len(p) == 0 {
		return 0, nil
	}
	for c.have < headSize {
		n, err := c.Conn.Read(c.head[c.have:])
		c.have += n
		if err != nil {
			return 0, err
		}
		if c.have == headSize {
			if c.broken = c.check(); c.broken != nil {
				c.guard.log.Warn("connection to the embedded broker refused", "from", c.RemoteAddr().String(), "reason", c.broken.Error())
				return 0, c.broken
			}
		}
	}
	if c.given < headSize {
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
	size := int64(binary.BigEndian.Uint32(c.head[:4]))
	key := int16(binary.BigEndian.Uint16(c.head[4:]))
	version := int16(binary.BigEndian.Uint16(c.head[6:]))
	if size < headSize || size > int64(c.guard.limit) {
		return fmt.Errorf("%w: a request of %d bytes", ErrNotKafka, size)
	}
	req := kmsg.RequestForKey(key) // what kfake would not find it panics on
	if req == nil || version < 0 {
		return fmt.Errorf("%w: request %d version %d", ErrNotKafka, key, version)
	}
	c.remain = int(size) - (headSize - 4)
	return nil
}
