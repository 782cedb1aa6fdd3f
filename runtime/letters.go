package runtime

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/dlq"
)

// original gives an item as a dead letter has it: the bytes as they were read.
// A source's record has none, so that its letter holds bytes and text as they
// are and everything else as JSON.
func (it *item) original() kafka.Message {
	if it.read != nil {
		return *it.read
	}
	r := it.polled.Record
	m := kafka.Message{Topic: r.Topic, Partition: r.Partition, Timestamp: r.Timestamp, Key: plainBytes(r.Key), Value: plainBytes(r.Value)}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: plainBytes(h.Value)})
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

func plainBytes(v any) []byte {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	b, err := json.Marshal(plainValue(v))
	if err != nil {
		return fmt.Append(nil, v)
	}
	return b
}

// plainValue gives a value as encoding/json can write it.
func plainValue(v any) any {
	switch v := v.(type) {
	case *connector.Struct:
		if v == nil {
			return nil
		}
		m := make(map[string]any, len(v.Schema().Fields()))
		for i, f := range v.Schema().Fields() {
			m[f.Name] = plainValue(v.At(i))
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = plainValue(x)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = plainValue(x)
		}
		return m
	case map[any]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[fmt.Sprint(plainValue(k))] = plainValue(x)
		}
		return m
	case float32:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprint(v)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case connector.Decimal:
		return fmt.Sprint(v)
	}
	return v
}
