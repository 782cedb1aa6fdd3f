package primitive

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// Version is what the converters report.
const Version = "1.0.0"

// codec is one type of value: its schema and its bytes.
type codec struct {
	name   string // ours
	class  string // Java's
	noun   string // in Kafka's messages
	schema *connector.Schema
	encode func(v any) ([]byte, bool)
	decode func(b []byte) (any, bool)
}

var codecs = []codec{
	{"bytes", "org.apache.kafka.connect.converters.ByteArrayConverter", "bytes", connector.OptionalBytesSchema,
		func(v any) ([]byte, bool) { b, ok := v.([]byte); return b, ok },
		func(b []byte) (any, bool) { return b, true }},
	{"boolean", "org.apache.kafka.connect.converters.BooleanConverter", "boolean", connector.OptionalBooleanSchema,
		func(v any) ([]byte, bool) {
			b, ok := v.(bool)
			if b {
				return []byte{1}, ok
			}
			return []byte{0}, ok
		},
		func(b []byte) (any, bool) {
			ok := len(b) == 1 && b[0] <= 1
			return ok && b[0] == 1, ok
		}},
	{"int16", "org.apache.kafka.connect.converters.ShortConverter", "short", connector.OptionalInt16Schema,
		func(v any) ([]byte, bool) {
			n, ok := v.(int16)
			return binary.BigEndian.AppendUint16(nil, uint16(n)), ok
		},
		sized(2, func(b []byte) any { return int16(binary.BigEndian.Uint16(b)) })},
	{"int32", "org.apache.kafka.connect.converters.IntegerConverter", "integer", connector.OptionalInt32Schema,
		func(v any) ([]byte, bool) {
			n, ok := v.(int32)
			return binary.BigEndian.AppendUint32(nil, uint32(n)), ok
		},
		sized(4, func(b []byte) any { return int32(binary.BigEndian.Uint32(b)) })},
	{"int64", "org.apache.kafka.connect.converters.LongConverter", "long", connector.OptionalInt64Schema,
		func(v any) ([]byte, bool) {
			n, ok := v.(int64)
			return binary.BigEndian.AppendUint64(nil, uint64(n)), ok
		},
		sized(8, func(b []byte) any { return int64(binary.BigEndian.Uint64(b)) })},
	{"float32", "org.apache.kafka.connect.converters.FloatConverter", "float", connector.OptionalFloat32Schema,
		func(v any) ([]byte, bool) {
			f, ok := v.(float32)
			if f != f {
				return []byte{0x7f, 0xc0, 0, 0}, ok // the one NaN that Java writes
			}
			return binary.BigEndian.AppendUint32(nil, math.Float32bits(f)), ok
		},
		sized(4, func(b []byte) any { return math.Float32frombits(binary.BigEndian.Uint32(b)) })},
	{"float64", "org.apache.kafka.connect.converters.DoubleConverter", "double", connector.OptionalFloat64Schema,
		func(v any) ([]byte, bool) {
			f, ok := v.(float64)
			if f != f {
				return []byte{0x7f, 0xf8, 0, 0, 0, 0, 0, 0}, ok
			}
			return binary.BigEndian.AppendUint64(nil, math.Float64bits(f)), ok
		},
		sized(8, func(b []byte) any { return math.Float64frombits(binary.BigEndian.Uint64(b)) })},
}

func sized(n int, decode func([]byte) any) func([]byte) (any, bool) {
	return func(b []byte) (any, bool) {
		if len(b) != n {
			return nil, false
		}
		return decode(b), true
	}
}

func init() {
	for i := range codecs {
		connector.RegisterConverter(func() connector.Converter { return &Converter{codec: &codecs[i]} })
		connector.RegisterHeaderConverter(func() connector.HeaderConverter { return &Converter{codec: &codecs[i]} })
	}
}

var (
	_ connector.Converter       = (*Converter)(nil)
	_ connector.HeaderConverter = (*Converter)(nil)
)

// Converter converts values of one primitive type. Null is null bytes.
type Converter struct {
	*codec
}

// Info describes the plugin.
func (c *Converter) Info() connector.Info {
	return connector.Info{Name: c.name, Version: Version, Class: c.class, Doc: "Converts single values of type " + c.name + "."}
}

// typeKey is the key that Kafka Connect itself fills in; it is taken and ignored.
var typeKey = connector.Key{Name: "converter.type", Type: connector.StringKey, Required: true, Importance: connector.Low,
	Doc: "How this converter will be used."}

// ConfigDef gives Kafka's keys.
func (*Converter) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef(typeKey) }

// Configure has nothing to do.
func (*Converter) Configure(connector.Context, connector.Config, bool) error { return nil }

// ConfigureHeaders has nothing to do.
func (*Converter) ConfigureHeaders(connector.Context, connector.Config) error { return nil }

// FromConnect gives a value's bytes. A schema or value of another type is an
// error of the record, in Kafka's words.
func (c *Converter) FromConnect(_ context.Context, _ string, schema *connector.Schema, value any) ([]byte, error) {
	class := c.class[strings.LastIndexByte(c.class, '.')+1:]
	byType := c.noun == "bytes" || c.noun == "boolean" // the others look at the value alone
	if byType && schema != nil && schema.Type() != c.schema.Type() {
		return nil, dataf("Invalid schema type for %s: %s", class, strings.ToUpper(schema.Type().String()))
	}
	if value == nil {
		return nil, nil
	}
	data, ok := c.encode(value)
	switch {
	case ok:
		return data, nil
	case byType:
		return nil, dataf("%s is not compatible with objects of type class %s", class, tostring.Class(value))
	}
	return nil, dataf("Failed to serialize to %s (was class %s): it is not a value of type %s", c.noun, tostring.Class(value), c.name)
}

// ToConnect gives the value of some bytes, with an optional schema.
func (c *Converter) ToConnect(_ context.Context, _ string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return c.schema, nil, nil
	}
	v, ok := c.decode(data)
	if !ok {
		return nil, nil, dataf("Failed to deserialize %s: %d bytes are not a value of type %s", c.noun, len(data), c.name)
	}
	return c.schema, v, nil
}

// FromConnectHeader is FromConnect.
func (c *Converter) FromConnectHeader(topic, _ string, schema *connector.Schema, value any) ([]byte, error) {
	return c.FromConnect(context.Background(), topic, schema, value)
}

// ToConnectHeader is ToConnect.
func (c *Converter) ToConnectHeader(topic, _ string, data []byte) (*connector.Schema, any, error) {
	return c.ToConnect(context.Background(), topic, data)
}

func dataf(format string, args ...any) error { return connector.Data(fmt.Errorf(format, args...)) }
