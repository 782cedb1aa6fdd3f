package broker

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Fault says which requests fail, and how. It is for tests of clients.
type Fault struct {
	Request int16  // Kafka's number of the request, such as 12 for heartbeats
	Topic   string // empty is any
	Group   string // empty is any
	// Code is Kafka's error code. With 7 (request timed out) the broker does what
	// it was asked to and the client does not know: a lost answer.
	Code int16
	// Times is how often; 0 is once, -1 until the fault is lifted.
	Times int
}

// Fail makes requests fail from now on. lift ends that.
func (b *Broker) Fail(f Fault) (lift func()) {
	err, _ := kerr.ErrorForCode(f.Code).(*kerr.Error)
	h := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Key(f.Request)}, Topic: f.Topic, Group: f.Group, Err: err, Count: f.Times})
	return h.Remove
}

// errCut closes a connection of kfake's.
var errCut = errors.New("connection was cut by a test")

// Cut closes the connections on which the next n requests of a number come, in
// place of an answer.
func (b *Broker) Cut(request int16, n int) {
	for range n { // each answers one request
		b.cluster.ControlKey(request, func(kmsg.Request) (kmsg.Response, error, bool) { return nil, errCut, true })
	}
}
