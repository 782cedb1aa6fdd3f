package protobuf

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/protobuf"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/registry/serde"
	"github.com/axiom-data-science/hydraulics/internal/registry/wire"
)

// Version is what the converter reports.
const Version = "1.0.0"

var (
	_ connector.Converter = (*Converter)(nil)
	_ connector.Validator = (*Converter)(nil)
	_ connector.Closer    = (*Converter)(nil)
	_ connector.Checker   = (*Converter)(nil)
)

func init() { connector.RegisterConverter(func() connector.Converter { return new(Converter) }) }

// Converter converts to and from Protobuf. It is safe for concurrent use.
type Converter struct {
	schemas *serde.Schemas[*reader, *writer]
}

// Info describes the plugin.
func (*Converter) Info() connector.Info {
	return connector.Info{Name: "protobuf", Version: Version, Class: "io.confluent.connect.protobuf.ProtobufConverter",
		Doc: "Converts to and from Protobuf with a schema registry, in Confluent's wire format."}
}

// ConfigDef gives Confluent's keys, and subject.
func (*Converter) ConfigDef() *connector.ConfigDef { return configDef }

// Validate checks what depends on several keys.
func (*Converter) Validate(conf connector.Config, p *connector.Problems) {
	registry.Validate(conf, p)
}

// Configure reads the configuration. It does not connect.
func (c *Converter) Configure(at connector.Context, conf connector.Config, key bool) (err error) {
	c.schemas, err = serde.Open(at, conf, key, registry.Protobuf, format(optionsOf(conf), wire.SettingsOf(conf, key).CacheSize))
	return err
}

// Check looks whether the registry answers.
func (c *Converter) Check(ctx context.Context, _ connector.Context, _ connector.Config, found func(connector.Finding)) {
	c.schemas.Check(ctx, found)
}

// Close ends the connections to the registry.
func (c *Converter) Close() error {
	c.schemas.Close()
	return nil
}

// FromConnect writes a value. Null is null bytes, whatever the schema.
func (c *Converter) FromConnect(ctx context.Context, topic string, schema *connector.Schema, value any) ([]byte, error) {
	if value != nil && schema == nil {
		return nil, connector.Coded("H3010", connector.Data(errors.New("a value without a schema cannot be written as Protobuf, whose fields have types")))
	}
	return c.schemas.Write(ctx, topic, schema, value)
}

// ToConnect reads a value with the schema that it was written with.
func (c *Converter) ToConnect(ctx context.Context, topic string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return nil, nil, nil
	}
	id, rest, err := wire.Split(data)
	if err != nil {
		return nil, nil, connector.Coded("H3009", connector.Data(err))
	}
	indexes, rest, err := splitIndexes(rest)
	if err != nil {
		return nil, nil, connector.Data(fmt.Errorf("topic %s: schema %d: %w", topic, id, err))
	}
	r, err := c.schemas.Reader(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	m, err := r.message(indexes)
	if err == nil {
		var v any
		if v, err = m.value(rest); err == nil {
			return m.schema, v, nil
		}
	}
	return nil, nil, connector.Data(fmt.Errorf("topic %s: schema %d: %w", topic, id, err))
}

// reader reads the messages of a schema.
type reader struct {
	file    protoreflect.FileDescriptor
	options options

	mu       sync.Mutex
	messages map[string]*message // by their indexes
	max      int
}

// message gives the plan of a message.
func (r *reader) message(indexes []int) (*message, error) {
	key := "" // what nearly all are
	if len(indexes) > 0 {
		key = fmt.Sprint(indexes)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.messages[key]; m != nil {
		return m, nil
	}
	d, err := protobuf.Message(r.file, indexes)
	if err != nil {
		return nil, err
	}
	m, err := compile(d, r.options)
	if err != nil {
		return nil, err
	}
	if len(r.messages) >= r.max {
		clear(r.messages)
	}
	r.messages[key] = m
	return m, nil
}

// format is how Protobuf's schemas are read and compiled.
func format(o options, cacheSize int) serde.Format[*reader, *writer] {
	parse := func(s registry.Schema) (protoreflect.FileDescriptor, error) {
		imports := make([]protobuf.Import, len(s.References))
		for i, r := range s.References {
			imports[i] = protobuf.Import{Path: r.Name, Text: r.Text}
		}
		return protobuf.Parse(s.Text, imports...)
	}
	return serde.Format[*reader, *writer]{
		Derive: func(from *connector.Schema) (string, error) { return derive(from, o) },
		Reader: func(s registry.Schema) (*reader, error) {
			file, err := parse(s)
			return &reader{file: file, options: o, messages: map[string]*message{}, max: cacheSize}, err
		},
		Writer: func(s registry.Schema, from *connector.Schema, strict bool) (*writer, error) {
			file, err := parse(s)
			if err != nil {
				return nil, err
			}
			return newWriter(file, from, o, strict)
		},
		Append: func(out []byte, w *writer, _ string, _ *connector.Schema, value any) ([]byte, error) {
			out, err := w.message(append(out, w.indexes...), value)
			return out, connector.Data(err)
		},
	}
}
