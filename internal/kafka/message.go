package kafka

import (
	"github.com/axiom-data-science/hydraulics/connector"
)

// Message is one record in Kafka.
type Message struct {
	Topic         string
	Partition     int32 // connector.AnyPartition leaves the choice to the partitioner
	Offset        int64
	Key, Value    []byte // nil is null
	Headers       []Header
	Timestamp     int64 // milliseconds, or connector.NoTimestamp
	TimestampType connector.TimestampType
}

// From gives the partition that the message was read from.
func (m *Message) From() connector.TopicPartition {
	return connector.TopicPartition{Topic: m.Topic, Partition: m.Partition}
}

// wireNone is the timestamp that stands for none in Kafka's protocol. As in Kafka
// Connect a message that has it is given the time of its sending.
const wireNone = -1

// Header is one header of a message.
type Header struct {
	Key   string
	Value []byte
}

// size is about what a message takes in memory and on the wire.
func (m *Message) size() int64 {
	n := len(m.Key) + len(m.Value) + 100
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value) + 10
	}
	return int64(n)
}
