package topics

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
)

// Decoder reads the keys and values of a topic. Without a converter they are text, or
// base64.
type Decoder struct{ Key, Value connector.Converter }

// Close closes the converters.
func (d Decoder) Close() {
	for _, c := range []connector.Converter{d.Key, d.Value} {
		if c, ok := c.(connector.Closer); ok {
			_ = c.Close() // nothing was written
		}
	}
}

// Decode reads a record.
func (d Decoder) Decode(ctx context.Context, m kafka.Message) *Record {
	x := &Record{Message: m}
	x.Key = d.part(ctx, x, "key", d.Key, m.Key)
	x.Value = d.part(ctx, x, "value", d.Value, m.Value)
	return x
}

// part reads the key or value of a record, which keeps the error.
func (Decoder) part(ctx context.Context, of *Record, what string, c connector.Converter, data []byte) Part {
	p, err := decode(ctx, c, of.Message.Topic, data)
	if err != nil {
		of.Errors = append(of.Errors, fmt.Sprintf("%s: %v", what, err))
	}
	return p
}

// Part is a key or a value.
type Part struct {
	Schema *connector.Schema
	Value  any             // text or bytes where there is no converter, bytes where it failed
	JSON   json.RawMessage // the same for people and programs
}

// decode reads bytes: as the converter does, or without one as text. What cannot be
// read is shown as bytes, beside the error.
func decode(ctx context.Context, c connector.Converter, topic string, data []byte) (Part, error) {
	asBytes := func() Part {
		var v any
		if data != nil {
			v = data
		}
		b := output.BytesOf(data)
		text, _ := json.Marshal(b) // of texts alone
		if c == nil && b != nil && b.Base64 == "" {
			text, _ = json.Marshal(b.Text)
			v = b.Text
		}
		return Part{Value: v, JSON: text}
	}
	if c == nil {
		return asBytes(), nil
	}
	schema, v, err := c.ToConnect(ctx, topic, data)
	if err != nil {
		return asBytes(), err
	}
	text, err := plainjson.Append(nil, schema, v)
	if err != nil {
		return asBytes(), err
	}
	return Part{schema, v, text}, nil
}

// Text gives JSON to people: texts without their quotes.
func Text(v json.RawMessage) string {
	var text string
	if json.Unmarshal(v, &text) == nil && string(v) != "null" {
		return text
	}
	return string(v)
}
