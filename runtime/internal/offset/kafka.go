package offset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
)

// Kafka keeps offsets in the offset topic of Kafka Connect.
//
// Java compares the bytes of keys, in which the names of a source partition stand
// in the order of its map. Here the same names and values are the same partition,
// in any order: an offset is written under each of the keys that the partition
// has in the topic, so that a Java worker finds it, too, and under [Key] where it
// has none.
type Kafka struct {
	name  string
	log   *slog.Logger
	topic *compacted.Topic

	mu      sync.Mutex
	offsets map[string]*kept // by Key
}

// kept is what the topic has of one source partition.
type kept struct {
	values map[string]json.RawMessage // by the bytes of the key; nil is a tombstone
	last   string                     // the key that was written last
	at     int64                      // when, in milliseconds
	place  string                     // where
}

var _ Store = (*Kafka)(nil)

// OpenKafka makes sure of an offset topic, reads it to its end, and follows it
// until Close.
func OpenKafka(ctx context.Context, o compacted.Options) (*Kafka, error) {
	k := &Kafka{name: o.Topic, log: o.Log, offsets: map[string]*kept{}}
	var err error
	k.topic, err = compacted.Open(ctx, o, k.take)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// take takes up a record that was read. A key that is of no source partition
// belongs to no connector, and Kafka Connect passes over it, too.
func (k *Kafka) take(r compacted.Record) {
	place := fmt.Sprintf("topic %s partition %d offset %d", k.name, r.Partition, r.Offset)
	inner, err := payload(r.Key)
	var key string
	if err == nil {
		key, err = sameKey(inner)
	}
	if err != nil {
		k.log.Warn("source offset is ignored", "error", fmt.Sprintf("%s: %s", place, err))
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.offsets[key]
	if e == nil {
		e = &kept{values: map[string]json.RawMessage{}}
		k.offsets[key] = e
	}
	e.values[string(r.Key)] = r.Value
	// Different keys are in different partitions, of which neither comes first.
	if string(r.Key) == e.last || r.Timestamp >= e.at {
		e.last, e.at, e.place = string(r.Key), r.Timestamp, place
	}
	if forgotten(e) {
		delete(k.offsets, key)
	}
}

// sameKey gives the key that all spellings of a source partition share.
func sameKey(key []byte) (string, error) {
	name, partition, err := parseKey(string(key))
	if err != nil {
		return "", err
	}
	return Key(name, partition)
}

// forgotten tells that nothing is left of a source partition but tombstones.
func forgotten(e *kept) bool {
	for _, v := range e.values {
		if v != nil {
			return false
		}
	}
	return true
}

// offset decodes what counts, nil where the source partition was removed.
func (e *kept) offset(key string) (offset map[string]any, err error) {
	value, err := payload(e.values[e.last])
	if err == nil {
		err = decode(value, &offset)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: offset of %s: %w; write this key with a right value, or with none to begin anew", e.place, key, err)
	}
	return offset, nil
}

// Offset gives the offset of one source partition, nil without one, as of all
// that is in the topic by now: another worker may have written it.
func (k *Kafka) Offset(ctx context.Context, connector string, partition map[string]any) (map[string]any, error) {
	key, err := Key(connector, partition)
	if err != nil {
		return nil, err
	}
	if err := k.topic.ToEnd(ctx); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.offsets[key]
	if !ok {
		return nil, nil
	}
	return e.offset(key)
}

// List gives all offsets of a connector, sorted by key.
func (k *Kafka) List(ctx context.Context, connector string) ([]Entry, error) {
	if err := k.topic.ToEnd(ctx); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []Entry
	for _, key := range slices.Sorted(maps.Keys(k.offsets)) {
		name, partition, err := parseKey(key)
		if err != nil {
			return nil, err
		}
		if name != connector {
			continue
		}
		offset, err := k.offsets[key].offset(key)
		if err != nil {
			return nil, err
		}
		if offset != nil {
			list = append(list, Entry{Partition: partition, Offset: offset})
		}
	}
	return list, nil
}

// Commit sets or removes offsets and waits until they were read back. After an
// error some of them may be there.
func (k *Kafka) Commit(ctx context.Context, connector string, entries []Entry) error {
	var records []compacted.Record
	var errs []error
	for _, e := range entries {
		key, err := Key(connector, e.Partition)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var value []byte
		if e.Offset != nil {
			if value, err = canonical(e.Offset); err != nil {
				errs = append(errs, fmt.Errorf("offset of %s: %w", key, err))
				continue
			}
		}
		for _, spelling := range k.spellings(key) {
			records = append(records, compacted.Record{Key: []byte(spelling), Value: value})
		}
	}
	if err := errors.Join(errs...); err != nil || len(records) == 0 {
		return err
	}
	return k.topic.Write(ctx, records...)
}

// spellings gives the keys under which a source partition is in the topic.
func (k *Kafka) spellings(key string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, ok := k.offsets[key]; ok {
		return slices.Sorted(maps.Keys(e.values))
	}
	return []string{key}
}

// Close ends the following. It is safe twice.
func (k *Kafka) Close() error {
	k.topic.Close()
	return nil
}
