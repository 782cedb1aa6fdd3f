// Package serde is what converters that use a schema registry do alike, whatever the format of their values: it decides
// which schema a value is read or written with, asks the registry for it once, and keeps what is compiled of it.
package serde

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/registry/wire"
)

// Format says how the schemas of one format are read and compiled: R reads
// values, W writes them.
type Format[R, W any] struct {
	// Derive gives the text of the schema that a Connect schema maps to.
	Derive func(from *connector.Schema) (string, error)
	// Reader compiles what reads values of a schema.
	Reader func(s registry.Schema) (R, error)
	// Writer compiles what writes values of a Connect schema, which may be nil,
	// into a schema: field by field into one that somebody else wrote, strict if
	// what can never fit is an error at once.
	Writer func(s registry.Schema, from *connector.Schema, strict bool) (W, error)
	// As compiles what reads values that were written with one schema as those of
	// another, the newest one of its subject; nil reads them as they were written.
	As func(written, newest R) (R, error)
	// Connect gives the Connect schema of what a reader reads; needed with As.
	Connect func(r R) *connector.Schema
	// Append adds a value, which is not nil, to its prefix.
	Append func(out []byte, w W, topic string, schema *connector.Schema, value any) ([]byte, error)
}

// Schemas are the schemas of one converter. They are safe for concurrent use.
type Schemas[R, W any] struct {
	client   *registry.Client
	settings wire.Settings
	format   Format[R, W]
	preview  *connector.Preview // nil of tasks

	mu     sync.Mutex
	reads  map[int]R
	as     map[[2]int]R // by the ids of the schema written with and of the newest
	writes map[writing]*target[W]
	newest map[string]newest // by subject
}

// writing is what decides how a value is written.
type writing struct {
	topic  string
	schema *connector.Schema // by identity
}

type newest struct {
	schema  registry.Schema
	fetched time.Time
}

// target is the schema that values are written with.
type target[W any] struct {
	prefix  [wire.PrefixSize]byte // of each value
	writer  W
	size    atomic.Int64 // of the value before, which the next one is likely to need
	fetched time.Time    // of a newest version
}

// Open makes the schemas of a converter, of keys or of values, by its
// configuration. It does not connect. In a preview it registers nothing.
func Open[R, W any](c connector.Context, conf connector.Config, key bool, typ registry.Type, format Format[R, W]) (*Schemas[R, W], error) {
	o, err := registry.OptionsOf(conf)
	if err != nil {
		return nil, connector.Fatal(err)
	}
	settings := wire.SettingsOf(conf, key)
	o.Type, o.Normalize = typ, settings.Normalize
	client, err := registry.New(o)
	if err != nil {
		return nil, err
	}
	return &Schemas[R, W]{client: client, settings: settings, format: format, preview: c.Preview,
		reads: map[int]R{}, as: map[[2]int]R{}, writes: map[writing]*target[W]{}, newest: map[string]newest{}}, nil
}

// Close ends the connections to the registry. Schemas that were not opened have
// none.
func (s *Schemas[R, W]) Close() {
	if s != nil {
		s.client.Close()
	}
}

// Check looks whether the registry answers.
func (s *Schemas[R, W]) Check(ctx context.Context, found func(connector.Finding)) {
	found(s.client.Check(ctx))
}

// Write gives the bytes of a value. Null is null bytes, whatever the schema.
func (s *Schemas[R, W]) Write(ctx context.Context, topic string, schema *connector.Schema, value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	t, err := s.target(ctx, topic, schema)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, t.size.Load()), t.prefix[:]...)
	if out, err = s.format.Append(out, t.writer, topic, schema, value); err != nil {
		return nil, err
	}
	t.size.Store(int64(len(out)))
	return out, nil
}

// Reader gives what reads values of the schema with an id.
func (s *Schemas[R, W]) Reader(ctx context.Context, id int) (R, error) {
	s.mu.Lock()
	r, ok := s.reads[id]
	s.mu.Unlock()
	if ok {
		return r, nil
	}
	got, err := s.client.ByID(ctx, id)
	if err != nil {
		return r, err
	}
	if r, err = s.format.Reader(got); err != nil {
		return r, connector.Data(fmt.Errorf("schema %d: %w", id, err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keep(s.reads, s.settings.CacheSize, id, r)
	return r, nil
}

// ReaderFor is Reader for a value in a topic: with use.latest.version, where the format
// can do so, it reads it as one of the newest schema of its subject.
func (s *Schemas[R, W]) ReaderFor(ctx context.Context, topic string, id int) (R, error) {
	r, err := s.Reader(ctx, id)
	if err != nil || !s.settings.UseLatest || s.format.As == nil {
		return r, err
	}
	subject, err := s.settings.Subjects.Of(topic, s.format.Connect(r))
	if err != nil {
		return r, connector.Data(err)
	}
	n, err := s.latest(ctx, subject)
	if err != nil || n.schema.ID == id {
		return r, err
	}
	key := [2]int{id, n.schema.ID}
	s.mu.Lock()
	as, ok := s.as[key]
	s.mu.Unlock()
	if ok {
		return as, nil
	}
	newest, err := s.Reader(ctx, n.schema.ID)
	if err != nil {
		return r, err
	}
	if as, err = s.format.As(r, newest); err != nil {
		return r, connector.Data(fmt.Errorf("schema %d, as the newest of subject %s: %w", id, subject, err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keep(s.as, s.settings.CacheSize, key, as)
	return as, nil
}

// keep adds to a cache, which begins anew when it is full.
func keep[K comparable, V any](cache map[K]V, most int, k K, v V) {
	if len(cache) >= most {
		clear(cache)
	}
	cache[k] = v
}

// target gives what writes values of a schema into a topic.
func (s *Schemas[R, W]) target(ctx context.Context, topic string, schema *connector.Schema) (*target[W], error) {
	key := writing{topic, schema}
	s.mu.Lock()
	t := s.writes[key]
	s.mu.Unlock()
	if t != nil && !s.settings.Stale(t.fetched) {
		return t, nil
	}
	t, err := s.choose(ctx, topic, schema)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keep(s.writes, s.settings.CacheSize, key, t)
	return t, nil
}

// choose asks the registry for the schema that values are to be written with.
func (s *Schemas[R, W]) choose(ctx context.Context, topic string, schema *connector.Schema) (*target[W], error) {
	if s.settings.UseID >= 0 {
		got, err := s.client.ByID(ctx, s.settings.UseID)
		if err != nil {
			return nil, err
		}
		return s.compile(got, schema, s.settings.IDStrict, fmt.Sprintf("schema %d", got.ID), wire.KeyIDStrict)
	}
	subject, err := s.settings.Subjects.Of(topic, schema)
	if err != nil {
		return nil, connector.Data(err)
	}
	if s.settings.UseLatest {
		n, err := s.latest(ctx, subject)
		if err != nil {
			return nil, err
		}
		t, err := s.compile(n.schema, schema, s.settings.Strict, "subject "+subject, wire.KeyStrict)
		if err == nil {
			t.fetched = n.fetched
		}
		return t, err
	}
	text, err := s.format.Derive(schema)
	if err != nil {
		return nil, connector.Data(err)
	}
	ask := s.client.Lookup
	switch {
	case s.settings.AutoRegister && s.preview != nil:
		ask = s.wouldRegister
	case s.settings.AutoRegister:
		ask = s.client.Register
	}
	got, err := ask(ctx, subject, text)
	if err != nil {
		return nil, err
	}
	// What the registry has may say the same in another order: the text is our own.
	return s.compile(registry.Schema{ID: got.ID, Text: text}, schema, false, "subject "+subject, "")
}

// compile makes a target. The key is the one that leaves what does not fit to the values.
func (s *Schemas[R, W]) compile(got registry.Schema, schema *connector.Schema, strict bool, place, key string) (*target[W], error) {
	w, err := s.format.Writer(got, schema, strict)
	switch {
	case err == nil:
		return &target[W]{prefix: wire.Prefix(got.ID), writer: w}, nil
	case strict && key != "":
		return nil, connector.Coded("H3008", connector.Data(fmt.Errorf("%s: %w (%s=false leaves it to the values)", place, err, key)))
	}
	return nil, connector.Data(fmt.Errorf("%s: %w", place, err))
}

// latest gives the newest schema of a subject, asked for again when it is stale.
func (s *Schemas[R, W]) latest(ctx context.Context, subject string) (newest, error) {
	s.mu.Lock()
	n, ok := s.newest[subject]
	s.mu.Unlock()
	if ok && !s.settings.Stale(n.fetched) {
		return n, nil
	}
	got, err := s.client.Latest(ctx, subject)
	if err != nil {
		return n, err
	}
	n = newest{got, time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	keep(s.newest, s.settings.CacheSize, subject, n)
	return n, nil
}
