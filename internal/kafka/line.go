package kafka

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// errLineEnded says that a line was ended by its owner.
var errLineEnded = errors.New("connection to the group coordinator was closed")

// line is a connection to the coordinator of a group, looked up and opened
// when needed. It is safe for concurrent use; requests go one after the other.
type line struct {
	client   *Client
	conf     *sarama.Config // of the connection
	group    string
	patience time.Duration // how long an answer may take; 0 is the client's time-out

	open   sync.Mutex // held while connecting
	mu     sync.Mutex
	broker *sarama.Broker
	wire   *wire
	ended  bool
}

// get gives an open connection.
func (l *line) get() (*sarama.Broker, error) {
	l.open.Lock()
	defer l.open.Unlock()
	l.mu.Lock()
	b, ended := l.broker, l.ended
	l.mu.Unlock()
	if ended {
		return nil, errLineEnded
	}
	if b != nil {
		if ok, _ := b.Connected(); ok {
			return b, nil
		}
		l.drop()
	}
	return l.connect()
}

func (l *line) connect() (*sarama.Broker, error) {
	c := l.client.client
	if err := c.RefreshCoordinator(l.group); err != nil {
		return nil, err
	}
	known, err := c.Coordinator(l.group)
	if err != nil {
		return nil, err
	}
	b, w, err := dial(l.config(), known.Addr())
	if err != nil {
		return nil, fmt.Errorf("group coordinator %s: %w", known.Addr(), err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		w.cut()
		_ = b.Close()
		return nil, errLineEnded
	}
	l.broker, l.wire = b, w
	return b, nil
}

// config is the line's, for an answer that may take its patience.
func (l *line) config() sarama.Config {
	conf := *l.conf
	if l.patience > 0 {
		conf.Net.ReadTimeout = l.patience
		conf.Net.Proxy.Dialer = &net.Dialer{Timeout: conf.Net.DialTimeout} // its silence says nothing
	}
	return conf
}

// dial opens a connection to a broker that can be cut.
func dial(conf sarama.Config, address string) (*sarama.Broker, *wire, error) {
	w := &wire{dialer: conf.Net.Proxy.Dialer}
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, w
	b := sarama.NewBroker(address)
	if err := b.Open(&conf); err != nil {
		return nil, nil, err
	}
	if ok, err := b.Connected(); !ok || err != nil {
		_ = b.Close()
		return nil, nil, errors.Join(err, sarama.ErrNotConnected)
	}
	return b, w, nil
}

// drop closes the connection; what is under way on it fails. The next request
// looks the coordinator up.
func (l *line) drop() {
	l.mu.Lock()
	b, w := l.broker, l.wire
	l.broker, l.wire = nil, nil
	l.mu.Unlock()
	if b != nil {
		w.cut() // sarama's Close alone waits for the answers
		_ = b.Close()
	}
}

// end is drop for good.
func (l *line) end() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.drop()
}

// connects is how sarama connects.
type connects interface {
	Dial(network, address string) (net.Conn, error)
}

// wire dials for one sarama broker and can cut the connection below it.
type wire struct {
	dialer connects
	mu     sync.Mutex
	conn   net.Conn
	gone   bool
	broken atomic.Bool // reading or writing has failed
}

// sound tells that the connection has not failed: what was asked was answered.
func (w *wire) sound() bool { return !w.broken.Load() }

// wired is the connection of a wire.
type wired struct {
	net.Conn
	wire *wire
}

// Read notes whether it works.
func (c wired) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.note(err)
	return n, err
}

// Write notes whether it works.
func (c wired) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.note(err)
	return n, err
}

func (c wired) note(err error) {
	if err != nil {
		c.wire.broken.Store(true)
	}
}

// Dial is sarama's way to connect.
func (w *wire) Dial(network, address string) (net.Conn, error) {
	conn, err := w.dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		_ = conn.Close()
		return nil, errLineEnded
	}
	w.conn = conn
	return wired{conn, w}, nil
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	if w.conn != nil {
		_ = w.conn.Close()
	}
}
