package bench

import (
	"net"
	"net/url"
	"testing"
	"time"
)

// delayed gives the address of a database by a line that takes a while: what goes
// one way arrives after half of a round trip's time, however much is on its way.
func delayed(b *testing.B, address string, roundTrip time.Duration) string {
	u, err := url.Parse(address)
	check(b, err)
	to := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	b.Cleanup(func() { _ = l.Close() })
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
			go carry(near, far, roundTrip/2)
			go carry(far, near, roundTrip/2)
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

// carry ends with either connection.
func carry(from, to net.Conn, delay time.Duration) {
	type piece struct {
		bytes []byte
		due   time.Time
	}
	pieces := make(chan piece, 1024)
	go func() { // ends when all is read
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close()
			}
		}
		_ = to.Close()
	}()
	defer close(pieces)
	for {
		buffer := make([]byte, 1<<16)
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		pieces <- piece{buffer[:n], time.Now().Add(delay)}
	}
}
