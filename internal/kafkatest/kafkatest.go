// Package kafkatest gives tests an in-process Kafka broker.
package kafkatest

import (
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
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
