package runtime

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
)

// PreviewInput is a record that a preview is given, as "topics tail -o json" prints
// it. A key or value comes behind the converter that reads it, with the schema or
// without one, unless it is given as the bytes that it has in Kafka.
type PreviewInput struct {
	Topic     string     `json:"topic,omitempty"`
	Partition int32      `json:"partition,omitempty"`
	Offset    *int64     `json:"offset,omitempty"`
	Timestamp *time.Time `json:"timestamp,omitempty"`

	Key         json.RawMessage `json:"key,omitempty"`
	KeySchema   json.RawMessage `json:"key_schema,omitempty"` // as Kafka Connect's JSON has it
	KeyBytes    *output.Bytes   `json:"key_bytes,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueSchema json.RawMessage `json:"value_schema,omitempty"`
	ValueBytes  *output.Bytes   `json:"value_bytes,omitempty"`

	Headers []PreviewHeader `json:"headers,omitempty"`
	// Errors are why a topic's record could not be decoded.
	Errors []string `json:"errors,omitempty"`
}

// PreviewHeader is a header of a record that a preview is given, as in Kafka.
type PreviewHeader struct {
	Key   string        `json:"key"`
	Value *output.Bytes `json:"value"`
}

// decoded tells which parts of a record need not be read by a converter.
type decoded struct{ key, value bool }

func (d decoded) any() bool { return d.key || d.value }

// given gives a stage that leaves alone what was given as it is.
func (p *previewing) given(s *stage) *stage {
	var part func(decoded) bool
	switch s {
	case p.parts.readKey:
		part = func(d decoded) bool { return d.key }
	case p.parts.readValue:
		part = func(d decoded) bool { return d.value }
	default:
		return s
	}
	return &stage{place: s.place, java: s.java, class: s.class, rule: s.rule, one: func(ctx context.Context, it *item) error {
		if part(p.decoded[it]) {
			return nil
		}
		return s.one(ctx, it)
	}}
}

// take makes a batch of the records that were given.
func (p *previewing) take(ctx context.Context) error {
	p.batch.items = make([]item, len(p.o.Input))
	for i := range p.o.Input {
		if err := p.takeOne(ctx, i, &p.o.Input[i], &p.batch.items[i]); err != nil {
			return fmt.Errorf("record %d given: %w", i+1, err)
		}
	}
	return nil
}

func (p *previewing) takeOne(ctx context.Context, i int, in *PreviewInput, it *item) error {
	if len(in.Errors) > 0 {
		return fmt.Errorf("it could not be decoded when it was read (%s): read it with its converters, or as bytes", in.Errors[0])
	}
	m := &kafka.Message{Topic: in.Topic, Partition: in.Partition, Offset: int64(i), Timestamp: connector.NoTimestamp}
	if m.Topic == "" {
		m.Topic = "input"
		if len(p.set.topics) > 0 {
			m.Topic = p.set.topics[0]
		}
	}
	if in.Offset != nil {
		m.Offset = *in.Offset
	}
	if in.Timestamp != nil {
		m.Timestamp, m.TimestampType = in.Timestamp.UnixMilli(), connector.CreateTime
	}
	var err error
	if m.Key, err = bytesOf(in.KeyBytes); err != nil {
		return fmt.Errorf("key_bytes: %w", err)
	}
	if m.Value, err = bytesOf(in.ValueBytes); err != nil {
		return fmt.Errorf("value_bytes: %w", err)
	}
	for _, h := range in.Headers {
		b, err := bytesOf(h.Value)
		if err != nil {
			return fmt.Errorf("header %s: %w", h.Key, err)
		}
		m.Headers = append(m.Headers, kafka.Header{Key: h.Key, Value: b})
	}
	it.take(m)
	r := &it.record
	d := decoded{key: in.KeyBytes == nil, value: in.ValueBytes == nil}
	if d.key {
		if r.KeySchema, r.Key, err = p.connect(ctx, in.KeySchema, in.Key); err != nil {
			return fmt.Errorf("key: %w", err)
		}
	}
	if d.value {
		if r.ValueSchema, r.Value, err = p.connect(ctx, in.ValueSchema, in.Value); err != nil {
			return fmt.Errorf("value: %w", err)
		}
	}
	p.decoded[it] = d
	if p.t.spec.Kind == KindSource {
		p.asPolled(it, in)
	}
	return nil
}

// asPolled makes a record that was given one that a source gave.
func (p *previewing) asPolled(it *item, in *PreviewInput) {
	r := it.record
	r.Topic, r.Partition = in.Topic, connector.AnyPartition
	if in.KeyBytes != nil {
		r.KeySchema, r.Key = connector.BytesSchema, it.read.Key
	}
	if in.ValueBytes != nil {
		r.ValueSchema, r.Value = connector.BytesSchema, it.read.Value
	}
	for _, h := range it.read.Headers {
		r.Headers = r.Headers.With(h.Key, connector.OptionalStringSchema, string(h.Value))
	}
	it.read = nil
	it.poll(&connector.SourceRecord{Record: r})
}

// bytesOf gives the bytes that a record has in Kafka.
func bytesOf(b *output.Bytes) ([]byte, error) {
	switch {
	case b == nil:
		return nil, nil
	case b.Base64 != "":
		return base64.StdEncoding.DecodeString(b.Base64)
	}
	return []byte(b.Text), nil
}

// connect makes a value of JSON, as the converter for it does.
func (p *previewing) connect(ctx context.Context, schema, value json.RawMessage) (*connector.Schema, any, error) {
	if len(value) == 0 {
		return nil, nil, nil
	}
	plugin, err := p.t.options.Plugins.New(connector.ConverterType, "json")
	if err != nil {
		return nil, nil, fmt.Errorf("records are given as JSON: %w", err)
	}
	c, ok := plugin.(connector.Converter)
	if !ok {
		return nil, nil, errors.New("records are given as JSON: the plugin json is no converter")
	}
	props := connector.Props{"converter.type": "value", "schemas.enable": "false", "strict": "true"}
	if len(schema) > 0 {
		props["schemas.enable"] = "true"
		if value, err = json.Marshal(map[string]json.RawMessage{"schema": schema, "payload": value}); err != nil {
			return nil, nil, err
		}
	}
	conf, err := connector.ParsePlugin(plugin, props)
	if err == nil {
		err = c.Configure(p.context, conf, false)
	}
	if err != nil {
		return nil, nil, err
	}
	return c.ToConnect(ctx, "", value)
}
