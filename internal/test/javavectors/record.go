package javavectors

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
)

type record struct {
	Kind          string   `json:"kind"`
	Topic         *string  `json:"topic"`
	Partition     *int32   `json:"partition"`
	Timestamp     *string  `json:"timestamp"`
	Key           pair     `json:"key"`
	Value         pair     `json:"value"`
	Headers       []header `json:"headers"`
	Offset        string   `json:"offset"`
	TimestampType string   `json:"timestampType"`
}

type pair struct {
	Schema json.RawMessage `json:"schema"`
	Value  json.RawMessage `json:"value"`
}

type header struct {
	Key string `json:"key"`
	pair
}

// Record decodes a record. A sink's has an Origin, a source's has none.
func Record(raw json.RawMessage) (connector.Record, error) {
	var in record
	if err := json.Unmarshal(raw, &in); err != nil {
		return connector.Record{}, err
	}
	r := connector.Record{Partition: connector.AnyPartition, Timestamp: connector.NoTimestamp}
	if in.Topic != nil {
		r.Topic = *in.Topic
	}
	if in.Partition != nil {
		r.Partition = *in.Partition
	}
	if in.Timestamp != nil {
		ms, err := strconv.ParseInt(*in.Timestamp, 10, 64)
		if err != nil {
			return r, err
		}
		r.Timestamp = ms
	}
	switch in.TimestampType {
	case "CreateTime":
		r.TimestampType = connector.CreateTime
	case "LogAppendTime":
		r.TimestampType = connector.LogAppendTime
	}
	if in.Kind == "sink" {
		off, err := strconv.ParseInt(in.Offset, 10, 64)
		if err != nil {
			return r, err
		}
		r.Origin = connector.Origin{Topic: cmp.Or(r.Topic, "origin"), Partition: r.Partition, Offset: off}
	}
	var err error
	if r.KeySchema, r.Key, err = in.Key.decode(); err != nil {
		return r, fmt.Errorf("key: %w", err)
	}
	if r.ValueSchema, r.Value, err = in.Value.decode(); err != nil {
		return r, fmt.Errorf("value: %w", err)
	}
	for _, h := range in.Headers {
		s, v, err := h.decode()
		if err != nil {
			return r, fmt.Errorf("header %s: %w", h.Key, err)
		}
		r.Headers = append(r.Headers, connector.Header{Key: h.Key, Schema: s, Value: v})
	}
	return r, nil
}

func (p pair) decode() (*connector.Schema, any, error) {
	s, err := Schema(p.Schema)
	if err != nil {
		return nil, nil, err
	}
	v, err := Value(s, p.Value)
	return s, v, err
}

// Diff tells how two records differ, "" when they do not. The place in Kafka
// counts but for Origin.
func Diff(got, want connector.Record) string {
	switch {
	case got.Topic != want.Topic || got.Partition != want.Partition || got.Timestamp != want.Timestamp:
		return fmt.Sprintf("place %s/%d@%d, want %s/%d@%d", got.Topic, got.Partition, got.Timestamp, want.Topic, want.Partition, want.Timestamp)
	case !got.KeySchema.Equal(want.KeySchema):
		return fmt.Sprintf("key schema %+v, want %+v", got.KeySchema, want.KeySchema)
	case !connector.ValuesEqual(got.Key, want.Key):
		return fmt.Sprintf("key %#v, want %#v", got.Key, want.Key)
	case !got.ValueSchema.Equal(want.ValueSchema):
		return fmt.Sprintf("value schema %+v, want %+v", got.ValueSchema, want.ValueSchema)
	case !connector.ValuesEqual(got.Value, want.Value):
		return fmt.Sprintf("value %#v, want %#v", got.Value, want.Value)
	case len(got.Headers) != len(want.Headers):
		return fmt.Sprintf("%d headers, want %d", len(got.Headers), len(want.Headers))
	}
	for i, h := range got.Headers {
		w := want.Headers[i]
		if h.Key != w.Key || !h.Schema.Equal(w.Schema) || !connector.ValuesEqual(h.Value, w.Value) {
			return fmt.Sprintf("header %d is %+v, want %+v", i, h, w)
		}
	}
	return ""
}

// Bytes decodes the bytes of a converter's case: {"utf8"}, {"base64"} or null.
func Bytes(raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var in struct {
		UTF8   *string `json:"utf8"`
		Base64 string  `json:"base64"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.UTF8 != nil {
		return []byte(*in.UTF8), nil
	}
	return base64.StdEncoding.DecodeString(in.Base64)
}

// Converted is the input of a converter's case, with its operation:
// fromConnectData, toConnectData or the same of a header.
type Converted struct {
	Op    string          `json:"op"`
	Key   bool            `json:"isKey"`
	Bytes json.RawMessage `json:"bytes"`
	pair
}

// Pair decodes a schema and a value that stand together.
func (c Converted) Pair() (*connector.Schema, any, error) { return c.decode() }
