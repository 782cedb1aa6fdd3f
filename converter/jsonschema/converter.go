package jsonschema

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/jsonschema"
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

// Converter converts to and from JSON with a JSON Schema. It is safe for concurrent use.
type Converter struct {
	schemas *serde.Schemas[*reader, *writer]
}

// reader reads values of a schema.
type reader struct {
	plan      *plan
	validator *jsonschema.Validator // nil: nothing is validated
}

// writer writes values.
type writer struct {
	options   options
	validator *jsonschema.Validator
}

// Info describes the plugin.
func (*Converter) Info() connector.Info {
	return connector.Info{Name: "json-schema", Version: Version, Class: "io.confluent.connect.json.JsonSchemaConverter",
		Doc: "Converts to and from JSON with a JSON Schema in a schema registry, in Confluent's wire format."}
}

// ConfigDef gives Confluent's keys, and subject.
func (*Converter) ConfigDef() *connector.ConfigDef { return configDef }

// Validate checks what depends on several keys.
func (*Converter) Validate(conf connector.Config, p *connector.Problems) {
	registry.Validate(conf, p)
}

// Configure reads the configuration. It does not connect.
func (c *Converter) Configure(at connector.Context, conf connector.Config, key bool) (err error) {
	c.schemas, err = serde.Open(at, conf, key, registry.JSON, format(optionsOf(conf)))
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

// append adds a value to its prefix.
func (w *writer) append(out []byte, topic string, schema *connector.Schema, value any) ([]byte, error) {
	out, err := w.options.append(out, schema, value)
	if err != nil {
		return nil, connector.Data(err)
	}
	if w.validator != nil {
		if err := w.validator.Validate(out[wire.PrefixSize:]); err != nil {
			return nil, connector.Coded("H3011", connector.Data(fmt.Errorf("topic %s: the value does not fit its JSON Schema %w", topic, err)))
		}
	}
	return out, nil
}

// ToConnect reads a value with the schema that it was written with.
func (c *Converter) ToConnect(ctx context.Context, topic string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return nil, nil, nil
	}
	id, text, err := wire.Split(data)
	if err != nil {
		return nil, nil, connector.Coded("H3009", connector.Data(err))
	}
	r, err := c.schemas.Reader(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	v, err := r.read(text)
	if err != nil {
		return nil, nil, connector.Data(fmt.Errorf("topic %s: schema %d: %w", topic, id, err))
	}
	return r.plan.schema, v, nil
}

func (r *reader) read(text []byte) (any, error) {
	if r.validator != nil {
		if err := r.validator.Validate(text); err != nil {
			return nil, fmt.Errorf("the value does not fit its JSON Schema %w", err)
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("the value is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the value is not JSON: something follows it")
	}
	return r.plan.value(v)
}

// format is how JSON Schemas are read and compiled.
func format(o options) serde.Format[*reader, *writer] {
	parse := func(s registry.Schema) (*jsonschema.Schema, *jsonschema.Validator, error) {
		references := make([]jsonschema.Reference, len(s.References))
		for i, r := range s.References {
			references[i] = jsonschema.Reference{Name: r.Name, Text: r.Text}
		}
		parsed, err := jsonschema.Parse(s.Text, references...)
		if err != nil || !o.validate {
			return parsed, nil, err
		}
		validator, err := jsonschema.Compile(s.Text, references...)
		return parsed, validator, err
	}
	return serde.Format[*reader, *writer]{
		Derive: func(from *connector.Schema) (string, error) { return derive(from, o) },
		Reader: func(s registry.Schema) (*reader, error) {
			parsed, validator, err := parse(s)
			if err != nil {
				return nil, err
			}
			p, err := compile(parsed, o)
			return &reader{p, validator}, err
		},
		Writer: func(s registry.Schema, from *connector.Schema, strict bool) (*writer, error) {
			parsed, validator, err := parse(s)
			if err == nil && strict && from != nil {
				err = check(parsed, from, o)
			}
			return &writer{o, validator}, err
		},
		Append: func(out []byte, w *writer, topic string, schema *connector.Schema, value any) ([]byte, error) {
			return w.append(out, topic, schema, value)
		},
	}
}

// check tells whether all that a Connect schema allows fits a schema, as Confluent's serializer does.
func check(parsed *jsonschema.Schema, from *connector.Schema, o options) error {
	text, err := derive(from, o)
	if err != nil {
		return err
	}
	own, err := jsonschema.Parse(text)
	if err != nil {
		return err
	}
	if found := jsonschema.Incompatibilities(own, parsed); len(found) > 0 {
		return fmt.Errorf("it does not allow all that the value's schema does: %s", strings.Join(found, "; "))
	}
	return nil
}
