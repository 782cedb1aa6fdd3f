// Package port gives test servers ports that they may leave and come back to.
package port

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Linux gives clients ports from 32768 on, other systems from 49152 on, so that
// nobody is given one of these while its server is away.
const first, last = 15000, 32767

// Lasting gives a port of 127.0.0.1 on which nobody listens.
func Lasting() (int, error) {
	var err error
	for range 100 {
		p := first + rand.IntN(last-first+1)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p)); err == nil {
			return p, l.Close()
		}
	}
	return 0, fmt.Errorf("no port of 127.0.0.1 is free: %w", err)
}
