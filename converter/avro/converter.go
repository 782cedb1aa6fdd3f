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
	_ connector.Checker   = (*Converter)(nil)
)

func init() { connector.RegisterConverter(func() connector.Converter { return new(Converter) }) }

// Converter converts to and from Avro. It is safe for concurrent use.
type Converter struct {
	schemas *serde.Schemas[*avro.Schema, *avro.Schema]
}

// Info describes the plugin.
func (*Converter) Info() connector.Info {
	return connector.Info{Name: "avro", Version: Version, Class: "io.confluent.connect.avro.AvroConverter",
		Aliases: []string{"AvroConverter", "Avro"}, // not Apicurio's
		Doc:     "Converts to and from Avro with a schema registry, in Confluent's wire format."}
}

// ConfigDef gives Confluent's keys, and subject.
func (*Converter) ConfigDef() *connector.ConfigDef { return configDef }

// Validate checks what depends on several keys.
func (*Converter) Validate(conf connector.Config, p *connector.Problems) {
	registry.Validate(conf, p)
}

// Configure reads the configuration. It does not connect.
func (c *Converter) Configure(at connector.Context, conf connector.Config, key bool) (err error) {
	c.schemas, err = serde.Open(at, conf, key, registry.Avro, format(optionsOf(conf)))
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
	return c.schemas.Write(ctx, topic, schema, value)
}

// ToConnect reads a value with the schema that it was written with: with
// use.latest.version as one of the newest of its subject.
func (c *Converter) ToConnect(ctx context.Context, topic string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return nil, nil, nil
	}
	id, value, err := wire.Split(data)
	if err != nil {
		return nil, nil, connector.Coded("H3009", connector.Data(err))
	}
	s, err := c.schemas.ReaderFor(ctx, topic, id)
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
func format(options avro.Options) serde.Format[*avro.Schema, *avro.Schema] {
	return serde.Format[*avro.Schema, *avro.Schema]{
		Derive: func(from *connector.Schema) (string, error) { return avro.FromConnect(from, options) },
		Reader: func(s registry.Schema) (*avro.Schema, error) { return options.Parse(s.Text, s.Referred()...) },
		Writer: func(s registry.Schema, from *connector.Schema, strict bool) (*avro.Schema, error) {
			parsed, err := options.Parse(s.Text, s.Referred()...)
			if err == nil && strict {
				err = parsed.Check(from)
			}
			return parsed, err
		},
		As:      (*avro.Schema).As,
		Connect: (*avro.Schema).Connect,
		Append: func(out []byte, s *avro.Schema, _ string, _ *connector.Schema, value any) ([]byte, error) {
			return s.Append(out, value)
		},
	}
}
