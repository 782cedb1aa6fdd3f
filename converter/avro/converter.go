package avro

import (
	"context"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/avro"
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
)

func init() { connector.RegisterConverter(func() connector.Converter { return new(Converter) }) }

// Converter converts to and from Avro. It is safe for concurrent use.
type Converter struct {
	client  *registry.Client
	schemas *serde.Schemas[*avro.Schema, *avro.Schema]
}

// Info describes the plugin.
func (*Converter) Info() connector.Info {
	return connector.Info{Name: "avro", Version: Version, Class: "io.confluent.connect.avro.AvroConverter",
		Doc: "Converts to and from Avro with a schema registry, in Confluent's wire format."}
}

// ConfigDef gives Confluent's keys, and subject.
func (*Converter) ConfigDef() *connector.ConfigDef { return configDef }

// Validate checks what depends on several keys.
func (*Converter) Validate(conf connector.Config, p *connector.Problems) {
	registry.Validate(conf, p)
}

// Configure reads the configuration. It does not connect.
func (c *Converter) Configure(_ connector.Context, conf connector.Config, key bool) error {
	options, err := registry.OptionsOf(conf)
	if err != nil {
		return connector.Fatal(err)
	}
	settings := wire.SettingsOf(conf, key)
	options.Normalize = settings.Normalize
	if c.client, err = registry.New(options); err != nil {
		return err
	}
	c.schemas = serde.New(c.client, settings, format(avro.FromOptions{Enhanced: conf.Bool(keyEnhanced), NoMetadata: !conf.Bool(keyMetadata)}))
	return nil
}

// Close ends the connections to the registry.
func (c *Converter) Close() error {
	if c.client != nil {
		c.client.Close()
	}
	return nil
}

// FromConnect writes a value. Null is null bytes, whatever the schema.
func (c *Converter) FromConnect(ctx context.Context, topic string, schema *connector.Schema, value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	t, err := c.schemas.Target(ctx, topic, schema)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, t.Size.Load()), t.Prefix[:]...)
	if out, err = t.Writer.Append(out, value); err != nil {
		return nil, err
	}
	t.Size.Store(int64(len(out)))
	return out, nil
}

// ToConnect reads a value with the schema that it was written with.
func (c *Converter) ToConnect(ctx context.Context, _ string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return nil, nil, nil
	}
	id, value, err := wire.Split(data)
	if err != nil {
		return nil, nil, connector.Data(err)
	}
	s, err := c.schemas.Reader(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.Decode(value)
	if err != nil {
		return nil, nil, connector.Data(fmt.Errorf("schema %d: %w", id, err))
	}
	return s.Connect(), v, nil
}

// format is how Avro's schemas are read and compiled.
func format(options avro.FromOptions) serde.Format[*avro.Schema, *avro.Schema] {
	return serde.Format[*avro.Schema, *avro.Schema]{
		Derive: func(from *connector.Schema) (string, error) { return avro.FromConnect(from, options) },
		Reader: func(s registry.Schema) (*avro.Schema, error) { return avro.Parse(s.Text, s.Referred()...) },
		Writer: func(s registry.Schema, from *connector.Schema, strict bool) (*avro.Schema, error) {
			parsed, err := avro.Parse(s.Text, s.Referred()...)
			if err == nil && strict {
				err = parsed.Check(from)
			}
			return parsed, err
		},
	}
}
