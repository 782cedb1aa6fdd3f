package kafka

import (
	"github.com/IBM/sarama"

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

func fromSarama(in *sarama.ConsumerMessage) Message {
	m := Message{Topic: in.Topic, Partition: in.Partition, Offset: in.Offset, Key: in.Key, Value: in.Value,
		Timestamp: connector.NoTimestamp}
	if !in.Timestamp.IsZero() {
		m.Timestamp, m.TimestampType = in.Timestamp.UnixMilli(), connector.CreateTime
	}
	if len(in.Headers) > 0 {
		m.Headers = make([]Header, len(in.Headers))
		for i, h := range in.Headers {
			m.Headers[i] = Header{Key: string(h.Key), Value: h.Value}
		}
	}
	return m
}
