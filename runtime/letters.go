package runtime

import (
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// original gives an item as a dead letter has it: the bytes as they were read.
// A source's record has none, so that its letter holds bytes and text as they
// are and everything else as JSON.
func (it *item) original() kafka.Message {
	if it.read != nil {
		return *it.read
	}
	r := it.polled.Record
	m := kafka.Message{Topic: r.Topic, Partition: r.Partition, Timestamp: r.Timestamp, Key: plainBytes(r.KeySchema, r.Key), Value: plainBytes(r.ValueSchema, r.Value)}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: plainBytes(h.Schema, h.Value)})
	}
	return m
}

// failure gives why an item failed, for its dead letter.
func (it *item) failure(at place) dlq.Failure {
	f := dlq.Failure{Connector: at.connector, Task: at.task, Stage: it.failed.stage.java, Class: it.failed.stage.class,
		Cause: it.failed.cause, Trace: Trace(it.failed.err)}
	if it.read == nil {
		f.SourcePartition, f.SourceOffset = jsonText(it.polled.SourcePartition), jsonText(it.polled.SourceOffset)
	}
	return f
}

// plainBytes gives bytes and text as they are and other values as JSON.
func plainBytes(schema *connector.Schema, v any) []byte {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	b, err := plainjson.Append(nil, schema, v)
	if err != nil {
		return fmt.Append(nil, v)
	}
	return b
}
