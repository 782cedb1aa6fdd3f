package keepbest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
)

// Version is what the transform reports.
const Version = "1.0.0"

var _ connector.StatefulTransform = (*Transform)(nil)
var _ connector.Validator = (*Transform)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// The policies: which classification of an image counts.
const (
	keepBest = "keep-best"
	latest   = "latest"
	perModel = "per-model"
)

// Transform replaces the fields of a classification by the best one known.
type Transform struct {
	policy string
	key    []string // fields; none is the record's key
	model  string   // field that is part of the key, with the policy per-model
	score  string
	prefix string // of headers that are kept
	fields []string
	store  connector.StoreSpec
}

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "keep-best", Version: Version, Doc: "Keeps the classification with the highest score for each key."}
}

// Configure takes the settings.
func (t *Transform) Configure(_ connector.Context, conf connector.Config) error {
	t.policy, t.key, t.score, t.fields = conf.String("policy"), conf.List("key"), conf.String("score"), conf.List("fields")
	t.model, t.prefix = conf.String("model.field"), conf.String("header.prefix")
	retention, err := parseRetention(conf.String("retention"))
	t.store = connector.StoreSpec{Name: conf.String("store"), Retention: retention}
	return connector.Fatal(err)
}

// Store describes the store.
func (t *Transform) Store() connector.StoreSpec { return t.store }

// Apply fails: without a store there is nothing to compare with.
func (*Transform) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	return r, false, connector.Fatal(fmt.Errorf("keep-best needs a store, which only stream connectors have"))
}

// entry is what the store holds.
type entry struct {
	Score  float64          `json:"score"`
	Fields map[string]typed `json:"fields"`
	// Headers are those of the classification, without the prefix.
	Headers []header `json:"headers,omitempty"`
}

// header is a header as the store has it.
type header struct {
	Name string `json:"name"`
	typed
}

// ApplyStateful compares a record with the best one known. A record without a
// value passes as it is.
func (t *Transform) ApplyStateful(_ context.Context, store connector.Store, r connector.Record) (connector.Record, bool, error) {
	if r.Value == nil || t.policy == latest { // the record at hand was classified last
		return r, true, nil
	}
	in, err := fields.Of(r.Value)
	if err != nil {
		return r, false, connector.Data(err)
	}
	key, err := t.keyOf(r, in)
	if err != nil {
		return r, false, connector.Data(err)
	}
	score, err := scoreOf(t.score, in)
	if err != nil {
		return r, false, connector.Data(err)
	}
	stored, known, err := store.Get(key)
	if err != nil {
		return r, false, err
	}
	var best entry
	if known {
		if err := json.Unmarshal(stored, &best); err != nil {
			return r, false, connector.Data(fmt.Errorf("the store's entry for %s is damaged (%w): give the transform another store", key, err))
		}
	}
	if !known || score > best.Score {
		value, err := t.encode(score, in, r.Headers)
		if err != nil {
			return r, false, connector.Data(err)
		}
		return r, true, store.Put(key, value)
	}
	if err := t.restore(&r, best); err != nil {
		return r, false, connector.Data(fmt.Errorf("the best classification of %s: %w; give the transform another store if its fields have changed", key, err))
	}
	return r, true, nil
}

// keyOf gives the store's key of a record: JSON of the key's parts.
func (t *Transform) keyOf(r connector.Record, in fields.Reader) ([]byte, error) {
	parts := make([]any, 0, len(t.key))
	for _, name := range t.key {
		v := in.Get(name)
		if v == nil {
			return nil, fmt.Errorf("field %s of the key is missing or null; without the setting key the record's own key is used", name)
		}
		parts = append(parts, v)
	}
	if len(t.key) == 0 {
		switch k := r.Key.(type) {
		case nil:
			return nil, fmt.Errorf("the record has no key, and the setting key names no fields")
		case *connector.Struct:
			parts = append(parts, k.Values()...)
		default:
			parts = append(parts, k)
		}
	}
	if t.policy == perModel {
		v := in.Get(t.model)
		if v == nil {
			return nil, fmt.Errorf("field %s with the model is missing or null: transform classify gives it, and must come before keep-best", t.model)
		}
		parts = append(parts, v)
	}
	list := make([]typed, len(parts))
	for i, v := range parts {
		var err error
		if list[i], err = typedOf(v); err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		// The same number is the same key, whatever its width.
		if strings.HasPrefix(list[i].Type, "int") || list[i].Type == "number" {
			list[i].Type = "int"
		}
	}
	return json.Marshal(list)
}

// scoreOf gives the score.
func scoreOf(name string, in fields.Reader) (float64, error) {
	v := in.Get(name)
	if v == nil {
		return 0, fmt.Errorf("field %s with the score is missing or null: transform classify gives it, and must come before keep-best", name)
	}
	f, ok := fields.Float64(v)
	if !ok {
		return 0, fmt.Errorf("field %s: expected a number, got %T", name, v)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("field %s: %g is no score", name, f)
	}
	return f, nil
}

// encode gives the store's value for the classification at hand.
func (t *Transform) encode(score float64, in fields.Reader, headers connector.Headers) ([]byte, error) {
	e := entry{Score: score, Fields: make(map[string]typed, len(t.fields))}
	for _, name := range t.fields {
		v, ok := in.Lookup(name)
		if !ok {
			return nil, fmt.Errorf("field %s is missing", name)
		}
		var err error
		if e.Fields[name], err = typedOf(v); err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
	}
	for _, h := range headers {
		name, ours := strings.CutPrefix(h.Key, t.prefix)
		if !ours {
			continue
		}
		v, err := typedOf(h.Value)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.Key, err)
		}
		e.Headers = append(e.Headers, header{name, v})
	}
	return json.Marshal(e)
}

// restore puts a stored classification into a copy of the record's value.
func (t *Transform) restore(r *connector.Record, best entry) error {
	values := make(map[string]any, len(t.fields))
	for _, name := range t.fields {
		stored, ok := best.Fields[name]
		if !ok {
			return fmt.Errorf("it has no field %s", name)
		}
		v, err := stored.value()
		if err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		values[name] = v
	}
	if err := t.restoreHeaders(r, best.Headers); err != nil {
		return err
	}
	switch x := r.Value.(type) {
	case map[string]any:
		m := maps.Clone(x)
		maps.Copy(m, values)
		r.Value = m
	case *connector.Struct:
		s := x.Clone()
		for name, v := range values {
			if err := s.Put(name, v); err != nil {
				return err
			}
		}
		r.Value = s
	}
	return nil
}

// restoreHeaders puts the stored classification's headers in the place of those
// of the one at hand.
func (t *Transform) restoreHeaders(r *connector.Record, stored []header) error {
	var headers connector.Headers
	for _, h := range r.Headers {
		if !strings.HasPrefix(h.Key, t.prefix) {
			headers = append(headers, h)
		}
	}
	for _, h := range stored {
		v, err := h.value()
		if err != nil {
			return fmt.Errorf("header %s: %w", t.prefix+h.Name, err)
		}
		headers = append(headers, connector.Header{Key: t.prefix + h.Name, Schema: h.schema(), Value: v})
	}
	r.Headers = headers
	return nil
}
