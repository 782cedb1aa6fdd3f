package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
)

// Kafka is the store of a cluster of workers, the configuration topic of Kafka
// Connect. Every worker of the cluster follows it; only the one that leads the
// cluster is to append.
type Kafka struct {
	name  string
	topic *compacted.Topic
	log   *slog.Logger

	appending sync.Mutex // one at a time, until its records were read; before mu
	mu        sync.Mutex
	state     State
	offset    int64 // behind the last record that was read, -1 before the first
	tell      func(Record)
	unread    map[string]error // the newest records that cannot be read, by key
}

var _ Store = (*Kafka)(nil)

// OpenKafka makes sure of a configuration topic, reads it to its end, and follows
// it until Close. A topic is refused that holds what cannot be read of a
// connector's configuration or of what it is to do, as its newest record: the
// connector would not be there, or run otherwise, and nobody would notice.
func OpenKafka(ctx context.Context, o compacted.Options) (*Kafka, error) {
	k := &Kafka{name: o.Topic, log: o.Log, offset: -1, unread: map[string]error{}}
	var err error
	if k.topic, err = compacted.Open(ctx, o, k.take); err != nil {
		return nil, err
	}
	k.mu.Lock()
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(k.unread)) {
		errs = append(errs, k.unread[key])
	}
	k.mu.Unlock()
	if len(errs) > 0 {
		k.Close()
		return nil, errors.Join(errs...)
	}
	return k, nil
}

// take applies a record that was read. One that cannot be read changes nothing:
// what is wanted of the connector stays as it was.
func (k *Kafka) take(in compacted.Record) {
	key := string(in.Key)
	r, err := Decode(key, in.Value)
	if err != nil {
		k.refuse(key, in, err)
		return
	}
	k.mu.Lock()
	k.offset = in.Offset + 1
	delete(k.unread, key)
	told, tell := k.state.Apply(r), k.tell
	k.mu.Unlock()
	if told && tell != nil {
		tell(r)
	}
}

func (k *Kafka) refuse(key string, in compacted.Record, err error) {
	k.mu.Lock()
	k.offset = in.Offset + 1
	k.mu.Unlock()
	err = fmt.Errorf("topic %s partition %d offset %d: %w", k.name, in.Partition, in.Offset, err)
	switch {
	case essential(key):
		err = fmt.Errorf("%w; write this key with a right value, or with none to remove what it stands for", err)
		k.mu.Lock()
		k.unread[key] = err
		k.mu.Unlock()
		k.log.Error("configuration record does not count", "error", err.Error())
	case errors.Is(err, errNull): // it was removed by hand
	default:
		k.log.Warn("configuration record is ignored", "error", err.Error())
	}
}

// Append writes records and waits until they were read: they are there for every
// worker that looks from then on. After an error some of them may be there, or
// come within half a minute; where they do, the listener hears of them.
func (k *Kafka) Append(ctx context.Context, records ...Record) error {
	list := make([]compacted.Record, len(records))
	for i, r := range records {
		key, value, err := Encode(r)
		if err != nil {
			return fmt.Errorf("configuration record %s: %w", key, err)
		}
		list[i] = compacted.Record{Key: []byte(key), Value: value}
	}
	k.appending.Lock()
	defer k.appending.Unlock()
	return k.topic.Write(ctx, list...)
}

// ToEnd waits until everything was applied that is in the topic by now.
func (k *Kafka) ToEnd(ctx context.Context) error { return k.topic.ToEnd(ctx) }

// Listen has tell hear of every record from now on.
func (k *Kafka) Listen(tell func(Record)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tell = tell
}

// Manage does nothing: the topic keeps all connectors.
func (k *Kafka) Manage([]config.Connector) {}

// Connectors gives the names of all connectors.
func (k *Kafka) Connectors() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state.Connectors()
}

// Connector gives what is wanted of a connector.
func (k *Kafka) Connector(name string) (Connector, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state.Connector(name)
}

// Snapshot gives how far the topic was read, as Kafka Connect counts it, and how many
// tasks each connector has by then.
func (k *Kafka) Snapshot() (offset int64, tasks map[string]int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	tasks = make(map[string]int, len(k.state.connectors))
	for name, c := range k.state.connectors {
		tasks[name] = len(c.Tasks)
	}
	return k.offset, tasks
}

// Offset is that of Snapshot alone.
func (k *Kafka) Offset() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.offset
}

// SessionKey gives the newest session key, and whether there is one.
func (k *Kafka) SessionKey() (SessionKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state.SessionKey()
}

// Close ends the following. It is safe twice.
func (k *Kafka) Close() { k.topic.Close() }
