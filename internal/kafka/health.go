package kafka

import (
	"net"
	"sync"
	"time"
)

// Trouble is something that Kafka does not do at the moment, though it is asked.
type Trouble struct {
	What  string
	Since time.Time
}

const (
	// silence is how long a broker may leave a request unanswered, beyond the
	// time for which a fetch may wait, before that is trouble.
	silence = 5 * time.Second
	// fades is how long what once failed counts while nobody tries it again.
	fades = 90 * time.Second
)

// health knows what a client, and all that was made of it, waits for. A broker
// that accepts connections and does not answer is found by its connections, long
// before a request times out. It is safe for concurrent use.
type health struct {
	patience time.Duration // for an answer

	mu       sync.Mutex
	asking   map[*heard]struct{}    // connections whose last request is not answered
	silent   map[string]quiet       // brokers by address, since a connection was closed for that
	troubles map[*trouble]time.Time // those that are on, and when they were noted last
}

// quiet is since when and until when a broker did not answer.
type quiet struct{ since, until time.Time }

func newHealth() *health {
	return &health{patience: silence, asking: map[*heard]struct{}{}, silent: map[string]quiet{}, troubles: map[*trouble]time.Time{}}
}

// trouble gives the trouble that has lasted longest.
func (h *health) trouble() (worst Trouble, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	add := func(what string, since time.Time) {
		if !ok || since.Before(worst.Since) {
			worst, ok = Trouble{what, since}, true
		}
	}
	now := time.Now()
	for c := range h.asking {
		if now.Sub(c.since) > h.patience {
			add("broker "+c.address+" does not answer", c.since)
		}
	}
	for t, noted := range h.troubles {
		if now.Sub(noted) < fades {
			add(t.text, t.since)
		}
	}
	return worst, ok
}

// dialer makes connections that are listened to.
type dialer struct {
	net.Dialer
	health *health
}

// Dial is sarama's way to connect.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := d.Dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return &heard{Conn: conn, health: d.health, address: address}, nil
}

// heard is a connection on which each request is to be answered.
type heard struct {
	net.Conn
	health  *health
	address string
	since   time.Time // the first request that is not answered; the health's mu guards it
}

// Write asks.
func (c *heard) Write(b []byte) (int, error) {
	h := c.health
	h.mu.Lock()
	if c.since.IsZero() {
		c.since = time.Now()
		if q, ok := h.silent[c.address]; ok && c.since.Sub(q.until) < fades {
			c.since = q.since // it did not answer before either
		}
		h.asking[c] = struct{}{}
	}
	h.mu.Unlock()
	return c.Conn.Write(b)
}

// Read hears an answer.
func (c *heard) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		h := c.health
		h.mu.Lock()
		if !c.since.IsZero() {
			c.since = time.Time{}
			delete(h.asking, c)
			delete(h.silent, c.address)
		}
		h.mu.Unlock()
	}
	return n, err
}

// Close ends the waiting; that there was no answer is remembered for the next
// connection to the broker.
func (c *heard) Close() error {
	h := c.health
	h.mu.Lock()
	if now := time.Now(); !c.since.IsZero() {
		if now.Sub(c.since) > h.patience {
			h.silent[c.address] = quiet{c.since, now}
		}
		c.since = time.Time{}
		delete(h.asking, c)
	}
	h.mu.Unlock()
	return c.Conn.Close()
}
