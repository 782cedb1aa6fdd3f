package avro

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/avro"
	"github.com/axiom-data-science/hydraulics/internal/registry"
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
	client   *registry.Client
	settings wire.Settings
	from     avro.FromOptions

	mu     sync.Mutex
	reads  map[int]*avro.Schema
	writes map[writing]*target
	newest map[string]newest // by subject
}

// writing is what decides how a value is written.
type writing struct {
	topic  string
	schema *connector.Schema // by identity
}

// target is the schema that values are written with, and the bytes before each
// of them.
type target struct {
	prefix  [wire.PrefixSize]byte
	schema  *avro.Schema
	size    atomic.Int64 // of the value before, which the next one is likely to need
	fetched time.Time    // of a newest version
}

type newest struct {
	schema  *avro.Schema
	id      int
	fetched time.Time
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
	if c.client, err = registry.New(options); err != nil {
		return err
	}
	c.settings = wire.SettingsOf(conf, key)
	c.from = avro.FromOptions{Enhanced: conf.Bool(keyEnhanced), NoMetadata: !conf.Bool(keyMetadata)}
	c.reads, c.writes, c.newest = map[int]*avro.Schema{}, map[writing]*target{}, map[string]newest{}
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
	t, err := c.target(ctx, topic, schema)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, t.size.Load()), t.prefix[:]...)
	if out, err = t.schema.Append(out, value); err != nil {
		return nil, err
	}
	t.size.Store(int64(len(out)))
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
	s, err := c.reader(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.Decode(value)
	if err != nil {
		return nil, nil, connector.Data(fmt.Errorf("schema %d: %w", id, err))
	}
	return s.Connect(), v, nil
}

// reader gives the schema with an id.
func (c *Converter) reader(ctx context.Context, id int) (*avro.Schema, error) {
	c.mu.Lock()
	s := c.reads[id]
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	got, err := c.client.ByID(ctx, id)
	if err != nil {
		return nil, err
	}
	if s, err = avro.Parse(got.Text, got.References...); err != nil {
		return nil, connector.Data(fmt.Errorf("schema %d: %w", id, err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.reads) >= c.settings.CacheSize {
		clear(c.reads)
	}
	c.reads[id] = s
	return s, nil
}

// target gives the schema to write a value with.
func (c *Converter) target(ctx context.Context, topic string, schema *connector.Schema) (*target, error) {
	key := writing{topic, schema}
	c.mu.Lock()
	t := c.writes[key]
	c.mu.Unlock()
	if t != nil && !c.settings.Stale(t.fetched) {
		return t, nil
	}
	t, err := c.newTarget(ctx, topic, schema)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.writes) >= c.settings.CacheSize {
		clear(c.writes)
	}
	c.writes[key] = t
	return t, nil
}

func (c *Converter) newTarget(ctx context.Context, topic string, schema *connector.Schema) (*target, error) {
	subject, err := c.settings.Subjects.Of(topic, schema)
	if err != nil {
		return nil, connector.Data(err)
	}
	if c.settings.UseLatest {
		return c.latestTarget(ctx, subject, schema)
	}
	text, err := avro.FromConnect(schema, c.from)
	if err != nil {
		return nil, err
	}
	ask := c.client.Lookup
	if c.settings.AutoRegister {
		ask = c.client.Register
	}
	got, err := ask(ctx, subject, text)
	if err != nil {
		return nil, err
	}
	parsed, err := avro.Parse(text) // the field order is that of the Connect schema
	if err != nil {
		return nil, connector.Data(err)
	}
	return newTarget(got.ID, parsed), nil
}

func newTarget(id int, s *avro.Schema) *target {
	return &target{prefix: wire.Prefix(id), schema: s}
}

func (c *Converter) latestTarget(ctx context.Context, subject string, schema *connector.Schema) (*target, error) {
	c.mu.Lock()
	n, ok := c.newest[subject]
	c.mu.Unlock()
	if !ok || c.settings.Stale(n.fetched) {
		got, err := c.client.Latest(ctx, subject)
		if err != nil {
			return nil, err
		}
		parsed, err := avro.Parse(got.Text, got.References...)
		if err != nil {
			return nil, connector.Data(fmt.Errorf("subject %s: %w", subject, err))
		}
		n = newest{parsed, got.ID, time.Now()}
		c.mu.Lock()
		c.newest[subject] = n
		c.mu.Unlock()
	}
	if c.settings.Strict {
		if err := n.schema.Check(schema); err != nil {
			return nil, connector.Data(fmt.Errorf("subject %s: %w (%s=false leaves it to the values)", subject, err, wire.KeyStrict))
		}
	}
	t := newTarget(n.id, n.schema)
	t.fetched = n.fetched
	return t, nil
}
