// Package offset keeps the source offsets of a worker: for each connector and
// source partition, where to go on.
package offset

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
)

// Entry is the offset of one source partition. A nil Offset removes it.
type Entry = connector.SourceOffset

// Store keeps source offsets. It is safe for use from several goroutines.
type Store interface {
	// Offset gives the offset of one source partition of a connector, nil
	// without one. All numbers in it are json.Number.
	Offset(ctx context.Context, connector string, partition map[string]any) (map[string]any, error)
	// List gives all offsets of a connector, sorted by the partition's key.
	List(ctx context.Context, connector string) ([]Entry, error)
	// Commit sets or removes offsets. When it returns nil they survive a crash;
	// after an error any of them may be there, each as it was given or as before.
	Commit(ctx context.Context, connector string, entries []Entry) error
	Close() error
}

// Key gives the key of a source partition as Kafka Connect's offset topic has
// it: the JSON array ["connector",{partition}], with the names of objects
// sorted and numbers as they were written.
func Key(connector string, partition map[string]any) (string, error) {
	b, err := canonical([]any{connector, partition})
	if err != nil {
		return "", fmt.Errorf("source partition of %s: %w", connector, err)
	}
	return string(b), nil
}

// parseKey takes a key apart.
func parseKey(key string) (connector string, partition map[string]any, err error) {
	var parts []any
	if err := decode([]byte(key), &parts); err != nil {
		return "", nil, fmt.Errorf("offset key %s: %w", key, err)
	}
	name, ok := "", len(parts) == 2
	if ok {
		name, ok = parts[0].(string)
	}
	if ok && parts[1] != nil {
		partition, ok = parts[1].(map[string]any)
	}
	if !ok {
		return "", nil, fmt.Errorf("offset key %s: want [\"connector\",{partition}]", key)
	}
	return name, partition, nil
}

// canonical gives JSON without HTML escapes; encoding/json sorts map keys.
func canonical(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decode reads JSON with numbers kept as they are written: an offset may be
// larger than a float64 can hold exactly.
func decode(data []byte, into any) error {
	return wholejson.Unmarshal(data, into)
}

// Reader gives a connector's view of a store, for its tasks' Context.
func Reader(s Store, name string) connector.OffsetReader { return reader{s, name} }

type reader struct {
	store Store
	name  string
}

// Offset gives the committed offset of one source partition, nil without one.
func (r reader) Offset(ctx context.Context, partition map[string]any) (map[string]any, error) {
	return r.store.Offset(ctx, r.name, partition)
}
