package runtime

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// simpleHeaderConverter is what Kafka Connect uses where a configuration names
// no header converter.
const simpleHeaderConverter = "org.apache.kafka.connect.storage.SimpleHeaderConverter"

// headerConverter gives the configured header converter. Kafka Connect's
// default is SimpleHeaderConverter.
func (b *builder) headerConverter(prefix string) (headerCodec, *stage, error) {
	const word, java = "header converter", "HEADER_CONVERTER"
	class, props := b.choice("header", prefix+"header.converter", "header.converter")
	if class == simpleHeaderConverter {
		if _, ok := b.registry.Lookup(connector.HeaderConverterType, class); !ok {
			return textHeaders{}, &stage{place: word + " (text)", java: java, class: simpleHeaderConverter,
				rule: rule{unmarked: connector.KindData, tolerable: true}}, nil
		}
	}
	plugin, s, err := b.plugin(connector.HeaderConverterType, word, java, class)
	if err != nil {
		return nil, nil, err
	}
	c, ok := plugin.(connector.HeaderConverter)
	if !ok {
		return nil, nil, connector.Fatal(fmt.Errorf("%s: %s is no header converter", word, class))
	}
	err = b.configure(s, plugin, props, func(conf connector.Config) error { return c.ConfigureHeaders(b.context, conf) })
	return c, s, err
}

func (b *builder) headerReader(prefix string) (*stage, error) {
	c, s, err := b.headerConverter(prefix)
	if err != nil {
		return nil, err
	}
	s.one = func(_ context.Context, it *item) error {
		if len(it.read.Headers) == 0 {
			return nil
		}
		headers := make(connector.Headers, len(it.read.Headers))
		for i, h := range it.read.Headers {
			schema, value, err := c.ToConnectHeader(it.read.Topic, h.Key, h.Value)
			if err != nil {
				return fmt.Errorf("header %s: %w", h.Key, err)
			}
			headers[i] = connector.Header{Key: h.Key, Schema: schema, Value: value}
		}
		it.record.Headers = headers
		return nil
	}
	return s, nil
}

func (b *builder) headerWriter() (*stage, error) {
	c, s, err := b.headerConverter("")
	if err != nil {
		return nil, err
	}
	s.one = func(_ context.Context, it *item) error {
		r := &it.record
		it.out.Topic, it.out.Partition, it.out.Timestamp = r.Topic, r.Partition, r.Timestamp
		if r.Topic == "" {
			return connector.Data(errors.New("the record has no topic"))
		}
		if len(r.Headers) == 0 {
			return nil
		}
		it.out.Headers = make([]kafka.Header, len(r.Headers))
		for i, h := range r.Headers {
			value, err := c.FromConnectHeader(r.Topic, h.Key, h.Schema, h.Value)
			if err != nil {
				return fmt.Errorf("header %s: %w", h.Key, err)
			}
			it.out.Headers[i] = kafka.Header{Key: h.Key, Value: value}
		}
		return nil
	}
	return s, nil
}

// headerCodec is what the stages need of a header converter.
type headerCodec interface {
	FromConnectHeader(topic, key string, schema *connector.Schema, value any) ([]byte, error)
	ToConnectHeader(topic, key string, data []byte) (*connector.Schema, any, error)
}

// textHeaders stands in for SimpleHeaderConverter in a worker without it:
// header values are text.
type textHeaders struct{}

// FromConnectHeader writes text, bytes, numbers and booleans as text.
func (textHeaders) FromConnectHeader(_, _ string, _ *connector.Schema, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	case bool:
		return strconv.AppendBool(nil, v), nil
	case int8, int16, int32, int64:
		return fmt.Append(nil, v), nil
	case float32:
		return strconv.AppendFloat(nil, float64(v), 'g', -1, 32), nil
	case float64:
		return strconv.AppendFloat(nil, v, 'g', -1, 64), nil
	}
	return nil, connector.Data(fmt.Errorf("a %T needs a header.converter", value))
}

// ToConnectHeader gives the bytes as text.
func (textHeaders) ToConnectHeader(_, _ string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return nil, nil, nil
	}
	return connector.StringSchema, string(data), nil
}
