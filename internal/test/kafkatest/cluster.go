package kafkatest

import (
	"crypto/tls"
	"io"
	"sync/atomic"
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
	return newCluster(t, kfake.NumBrokers(brokers))
}

// NewClusterWithTLS runs one broker that speaks TLS, at a port of 127.0.0.1.
func NewClusterWithTLS(t testing.TB, conf *tls.Config) *Cluster {
	t.Helper()
	return newCluster(t, kfake.NumBrokers(1), kfake.TLS(conf))
}

func newCluster(t testing.TB, options ...kfake.Opt) *Cluster {
	t.Helper()
	c, err := kfake.NewCluster(options...)
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

// HangUp has brokers end the connection in place of so many answers to requests of a
// number, in TLS as it is to be ended. left gives how many are still to come.
func (c *Cluster) HangUp(request int16, times int32) (left func() int32) {
	var n atomic.Int32
	n.Store(times)
	c.ControlKey(request, func(kmsg.Request) (kmsg.Response, error, bool) {
		if n.Load() == 0 {
			return nil, nil, false
		}
		n.Add(-1)
		c.KeepControl()
		return nil, io.EOF, true
	})
	return n.Load
}

// PreferReplica has leaders give nothing to those that name a rack, but for the broker
// that they are to ask instead.
func (c *Cluster) PreferReplica(broker int32) {
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.FetchRequest)
		if req.Rack == "" {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		for _, asked := range req.Topics {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
			for _, p := range asked.Partitions {
				answer := kmsg.NewFetchResponseTopicPartition()
				answer.Partition, answer.HighWatermark, answer.LastStableOffset = p.Partition, p.FetchOffset+1, p.FetchOffset+1
				answer.PreferredReadReplica, answer.RecordBatches = broker, []byte{}
				topic.Partitions = append(topic.Partitions, answer)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	})
}
