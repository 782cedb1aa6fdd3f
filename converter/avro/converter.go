package avro

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/avro"
	"github.com/axiom-data-science/hydraulics/internal/registry"
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
	client       *registry.Client
	isKey        bool
	autoRegister bool
	useLatest    bool
	strict       bool
	latestTTL    time.Duration // negative is for ever
	subject      string        // empty: by the strategy
	strategy     string
	from         avro.FromOptions
	cacheSize    int

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

// target is the schema that values are written with, and the five bytes before
// each of them.
type target struct {
	head    [headSize]byte
	schema  *avro.Schema
	size    atomic.Int64 // of the value before, which the next one is likely to need
	fetched time.Time    // of a newest version
}

type newest struct {
	schema  *avro.Schema
	id      int
	fetched time.Time
}

const (
	magic    = 0
	headSize = 5
)

// Info describes the plugin.
func (*Converter) Info() connector.Info {
	return connector.Info{Name: "avro", Version: Version, Class: "io.confluent.connect.avro.AvroConverter",
		Doc: "Converts to and from Avro with a schema registry, in Confluent's wire format."}
}

// ConfigDef gives Confluent's keys, and subject.
func (*Converter) ConfigDef() *connector.ConfigDef { return configDef }

// Validate checks what depends on several keys.
func (*Converter) Validate(conf connector.Config, p *connector.Problems) {
	if len(conf.List(keyURL)) == 0 {
		return // said already
	}
	options, err := registryOptions(conf)
	if err == nil {
		_, err = registry.New(options)
	}
	if err != nil {
		p.Add(keyURL, "%v", err)
	}
}

// Configure reads the configuration. It does not connect.
func (c *Converter) Configure(_ connector.Context, conf connector.Config, key bool) error {
	options, err := registryOptions(conf)
	if err != nil {
		return connector.Fatal(err)
	}
	if c.client, err = registry.New(options); err != nil {
		return err
	}
	c.isKey = key
	c.autoRegister, c.useLatest, c.strict = conf.Bool(keyAutoRegister), conf.Bool(keyUseLatest), conf.Bool(keyStrict)
	c.latestTTL = time.Duration(conf.Int64(keyLatestTTL)) * time.Second
	c.subject = conf.String(keySubject)
	c.strategy = strategyOf(conf.String(keyValueStrategy))
	if key {
		c.strategy = strategyOf(conf.String(keyKeyStrategy))
	}
	c.from = avro.FromOptions{Enhanced: conf.Bool(keyEnhanced), NoMetadata: !conf.Bool(keyMetadata)}
	c.cacheSize = conf.Int(keyCacheSize)
	if n := conf.Int(keyConfluentCache); n > 0 {
		c.cacheSize = n
	}
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
	out := append(make([]byte, 0, t.size.Load()), t.head[:]...)
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
	if len(data) < headSize || data[0] != magic {
		return nil, nil, connector.Data(notAvro(data))
	}
	id := int(int32(binary.BigEndian.Uint32(data[1:])))
	s, err := c.reader(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.Decode(data[headSize:])
	if err != nil {
		return nil, nil, connector.Data(fmt.Errorf("schema %d: %w", id, err))
	}
	return s.Connect(), v, nil
}

func notAvro(data []byte) error {
	switch {
	case len(data) == 0:
		return fmt.Errorf("no bytes at all, expected a zero byte and a schema's id")
	case data[0] == magic:
		return fmt.Errorf("%d bytes, expected a zero byte and a schema's id in 5", len(data))
	case data[0] == '{' || data[0] == '[' || data[0] == '"':
		return fmt.Errorf("the first byte is %q, expected a zero byte and a schema's id: is this JSON? then the converter must be json", data[0])
	}
	return fmt.Errorf("the first byte is %#x, expected a zero byte and a schema's id: this was not written with a schema registry", data[0])
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
	if len(c.reads) >= c.cacheSize {
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
	if t != nil && !c.stale(t.fetched) {
		return t, nil
	}
	t, err := c.newTarget(ctx, topic, schema)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.writes) >= c.cacheSize {
		clear(c.writes)
	}
	c.writes[key] = t
	return t, nil
}

func (c *Converter) stale(fetched time.Time) bool {
	return c.useLatest && c.latestTTL >= 0 && time.Since(fetched) > c.latestTTL
}

func (c *Converter) newTarget(ctx context.Context, topic string, schema *connector.Schema) (*target, error) {
	subject, err := c.subjectOf(topic, schema)
	if err != nil {
		return nil, connector.Data(err)
	}
	if c.useLatest {
		return c.latestTarget(ctx, subject, schema)
	}
	text, err := avro.FromConnect(schema, c.from)
	if err != nil {
		return nil, err
	}
	ask := c.client.Lookup
	if c.autoRegister {
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
	t := &target{schema: s}
	binary.BigEndian.PutUint32(t.head[1:], uint32(id))
	return t
}

func (c *Converter) latestTarget(ctx context.Context, subject string, schema *connector.Schema) (*target, error) {
	c.mu.Lock()
	n, ok := c.newest[subject]
	c.mu.Unlock()
	if !ok || c.stale(n.fetched) {
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
	if c.strict {
		if err := n.schema.Check(schema); err != nil {
			return nil, connector.Data(fmt.Errorf("subject %s: %w (%s=false leaves it to the values)", subject, err, keyStrict))
		}
	}
	t := newTarget(n.id, n.schema)
	t.fetched = n.fetched
	return t, nil
}

// subjectOf gives the subject of a value.
func (c *Converter) subjectOf(topic string, schema *connector.Schema) (string, error) {
	if c.subject != "" {
		return c.subject, nil
	}
	if c.strategy == strategyTopic {
		if c.isKey {
			return topic + "-key", nil
		}
		return topic + "-value", nil
	}
	if schema == nil || schema.Name() == "" {
		return "", fmt.Errorf("%s needs a record with a name, the value's schema has none: set one with the transform SetSchemaMetadata", c.strategy)
	}
	if c.strategy == strategyRecord {
		return schema.Name(), nil
	}
	return topic + "-" + schema.Name(), nil
}
