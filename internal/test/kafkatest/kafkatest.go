// Package kafkatest gives tests an in-process Kafka broker that can be stopped,
// started again and made to fail.
package kafkatest

import (
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
)

// Start runs a broker in memory until the test ends and gives its address. Group
// members may ask for session time-outs from 100 ms on.
func Start(t testing.TB) string {
	t.Helper()
	b, err := broker.Start(broker.Options{MinSessionTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b.Addr()
}

// Fault says which requests fail; see [broker.Fault].
type Fault = broker.Fault

// Numbers of requests for [Fault].
const (
	Produce         int16 = 0
	Fetch           int16 = 1
	ListOffsets     int16 = 2
	Metadata        int16 = 3
	OffsetCommit    int16 = 8
	OffsetFetch     int16 = 9
	FindCoordinator int16 = 10
	JoinGroup       int16 = 11
	Heartbeat       int16 = 12
	LeaveGroup      int16 = 13
	SyncGroup       int16 = 14
	CreateTopics    int16 = 19
	InitProducerID  int16 = 22
	DescribeConfigs int16 = 32
)

// Broker is a broker that keeps its records when it is stopped. It is used from
// the test's goroutine.
type Broker struct {
	*broker.Broker // fails requests with Fail and Cut; another one after Restart
	t              testing.TB
	options        broker.Options
}

// New runs a broker in a folder of the test's until the test ends.
func New(t testing.TB) *Broker {
	t.Helper()
	place, err := port.Lasting()
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{t: t, options: broker.Options{Dir: t.TempDir(), Port: place, MinSessionTimeout: 100 * time.Millisecond}}
	b.Restart()
	t.Cleanup(func() { b.Stop() })
	return b
}

// Move starts the broker again after Stop, on another port.
func (b *Broker) Move(port int) {
	b.t.Helper()
	b.options.Port = port
	b.Restart()
}

// Restart starts the broker again after Stop, on the same address.
func (b *Broker) Restart() {
	b.t.Helper()
	started, err := broker.Start(b.options)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Broker = started
}
