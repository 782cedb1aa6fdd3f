package kafkatest

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Cluster is several brokers in memory, whose partitions change their leaders.
type Cluster struct {
	*kfake.Cluster
	t testing.TB
}

// NewCluster runs brokers until the test ends.
func NewCluster(t testing.TB, brokers int) *Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(brokers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &Cluster{c, t}
}

// Move has another broker lead a partition from now on.
func (c *Cluster) Move(topic string, partition, broker int32) {
	c.t.Helper()
	if err := c.MoveTopicPartition(topic, partition, broker); err != nil {
		c.t.Fatal(err)
	}
}

// Hang leaves the next request of a number unanswered until release is called.
// hangs is closed when it has come.
func (c *Cluster) Hang(request int16) (hangs <-chan struct{}, release func()) {
	came, end := make(chan struct{}), make(chan struct{})
	c.ControlKey(request, func(kmsg.Request) (kmsg.Response, error, bool) {
		c.SleepControl(func() {
			for c.CurrentNode() >= 0 { // one that is closed before it has put the request aside never ends
				time.Sleep(time.Millisecond)
			}
			close(came)
			<-end
		})
		return nil, nil, false
	})
	return came, func() { close(end) }
}
