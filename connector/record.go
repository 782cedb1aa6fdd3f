package connector

// NoTimestamp is the timestamp of a record that has none. It is no time that a
// record can have: -1, which Kafka has for none, is the last millisecond of 1969
// to a transform, and none when the record is written.
const NoTimestamp int64 = -1 << 62

// AnyPartition is the partition of a record that leaves the choice to Kafka's
// partitioner: by key, or round robin without one.
const AnyPartition int32 = -1

// TimestampType says what a record's timestamp means.
type TimestampType int8

// The timestamp types; the names are Kafka's.
const (
	NoTimestampType TimestampType = iota
	CreateTime
	LogAppendTime
)

// Record is one message on its journey. It is a value: a transform changes its
// copy and gives it back. See the package comment on who owns what it refers to.
type Record struct {
	// Topic is where the record goes (source, stream) or came from (sink);
	// transforms may change it. Origin keeps where it really came from.
	Topic string
	// Partition is the Kafka partition, or AnyPartition.
	Partition int32
	// KeySchema and ValueSchema may be nil: a schemaless value.
	KeySchema   *Schema
	Key         any
	ValueSchema *Schema
	Value       any
	Headers     Headers
	// Timestamp is in milliseconds since 1970 UTC, or NoTimestamp.
	Timestamp     int64
	TimestampType TimestampType
	// Origin is set by the runtime on records that were read from Kafka.
	Origin Origin
}

// NewRecord makes a record for a topic that Kafka's partitioner places, with
// no timestamp of its own.
func NewRecord(topic string, keySchema *Schema, key any, valueSchema *Schema, value any) Record {
	return Record{Topic: topic, Partition: AnyPartition, KeySchema: keySchema, Key: key,
		ValueSchema: valueSchema, Value: value, Timestamp: NoTimestamp}
}

// Origin is the place in Kafka that a record was read from.
type Origin struct {
	Topic     string
	Partition int32
	Offset    int64
}

// IsZero tells that the record was not read from Kafka: it is a source's.
func (o Origin) IsZero() bool { return o.Topic == "" }

// Header is one header of a record.
type Header struct {
	Key    string
	Schema *Schema
	Value  any
}

// Headers are a record's headers in order; a key may repeat. The slice is not
// changed once it was handed over.
type Headers []Header

// Last gives the last header with this key, as Kafka Connect's lastWithName.
func (h Headers) Last(key string) (Header, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Key == key {
			return h[i], true
		}
	}
	return Header{}, false
}

// With gives a copy with one more header at the end.
func (h Headers) With(key string, schema *Schema, value any) Headers {
	return append(h[:len(h):len(h)], Header{Key: key, Schema: schema, Value: value})
}

// Without gives a copy without any header of this key.
func (h Headers) Without(key string) Headers {
	var kept Headers
	for _, x := range h {
		if x.Key != key {
			kept = append(kept, x)
		}
	}
	return kept
}

// SourceRecord is a record and the place in the source system it came from.
type SourceRecord struct {
	Record
	// SourcePartition and SourceOffset hold JSON values only: they are kept as
	// JSON in Connect's offset topic. Records of one partition are in order.
	SourcePartition map[string]any
	SourceOffset    map[string]any
}

// TopicPartition names a Kafka partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// RecordMetadata is where Kafka put a record.
type RecordMetadata struct {
	TopicPartition
	Offset    int64
	Timestamp int64
}
