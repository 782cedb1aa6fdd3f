package pg

import (
	"net"
	"time"
)

// dialer gives what makes connections: they end when the other side has not
// acknowledged what it was sent, or the probes of a silent line, for a time. Who
// acknowledges and never answers is the matter of [Patience].
func dialer(connect, acknowledge time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: connect, Control: acknowledgeWithin(acknowledge),
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: acknowledge / 2, Interval: max(acknowledge/6, time.Second), Count: 3}}
}
