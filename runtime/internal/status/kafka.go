package status

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// again is after how long what could not be written is tried again.
const again = time.Second

// Kafka has the status topic. What is put is written by a goroutine that Close
// ends, as long as it takes: of each key the newest alone. What it gives is what
// the topic has. It is safe for concurrent use.
type Kafka struct {
	name   string
	log    *slog.Logger
	topic  *compacted.Topic
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	statuses map[string]map[int]Status // by connector and task
	uses     map[string]map[string]Use // by connector and topic
	has      map[ID]Status             // what this worker has said of what it has
	waiting  map[string]write          // by key
	writing  map[string]write          // what waited, under way
	changed  chan struct{}             // closed when there is more to write, or nothing
	forgot   func(connector string)    // nil where nobody listens
}

// write is what is to be written of a key.
type write struct {
	value []byte
	id    ID
	safe  *Status // of a status that is not to be written over another worker's newer one
}

// OpenKafka makes sure of a status topic, reads it to its end, and follows it
// until Close.
func OpenKafka(ctx context.Context, o compacted.Options) (*Kafka, error) {
	k := &Kafka{name: o.Topic, log: o.Log, done: make(chan struct{}), changed: make(chan struct{}),
		statuses: map[string]map[int]Status{}, uses: map[string]map[string]Use{}, has: map[ID]Status{}, waiting: map[string]write{}}
	var err error
	if k.topic, err = compacted.Open(ctx, o, k.take); err != nil {
		return nil, err
	}
	ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go k.run(ctx)
	return k, nil
}

// Close gives up what was not written yet. It is safe twice.
func (k *Kafka) Close() {
	k.cancel()
	<-k.done
	k.topic.Close()
}

// take takes up a record that was read. What cannot be read is passed over: the
// status stays as it was until its worker writes the next one.
func (k *Kafka) take(r compacted.Record) {
	key := string(r.Key)
	id, isStatus := parseID(key)
	use, isUse := parseUse(key)
	var err error
	switch {
	case isStatus:
		err = k.takeStatus(id, r.Value)
	case isUse:
		err = k.takeUse(use, r.Value)
	default:
		err = fmt.Errorf("the key is none of Kafka Connect's")
	}
	if err != nil {
		k.log.Warn("status record is ignored", "error", fmt.Sprintf("topic %s partition %d offset %d: %s: %s", k.name, r.Partition, r.Offset, key, err))
	}
}

func (k *Kafka) takeStatus(id ID, value []byte) error {
	if value == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		if delete(k.statuses[id.Connector], id.Task); id.Task == Whole || len(k.statuses[id.Connector]) == 0 {
			delete(k.statuses, id.Connector) // with its tasks
		}
		delete(k.has, id)
		return nil
	}
	s, err := parseStatus(value)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	put(k.statuses, id.Connector, id.Task, s)
	// A worker that was cut off writes late what it has no more: who has it says so again.
	if now, has := k.has[id]; has && s.WorkerID != now.WorkerID && s.Generation < now.Generation {
		w := write{id: id}
		if w.value, err = now.value(); err != nil {
			return err
		}
		k.enqueue(id.key(), w)
	}
	return nil
}

func (k *Kafka) takeUse(use Use, value []byte) error {
	k.mu.Lock()
	if value == nil {
		if delete(k.uses[use.Connector], use.Topic); len(k.uses[use.Connector]) == 0 {
			delete(k.uses, use.Connector)
		}
		forgot := k.forgot
		k.mu.Unlock()
		if forgot != nil {
			forgot(use.Connector)
		}
		return nil
	}
	defer k.mu.Unlock()
	v, err := decode[useValue](value)
	if err == nil {
		use.Task, use.Discovered = v.Topic.Task, v.Topic.Discovered
		put(k.uses, use.Connector, use.Topic, use)
	}
	return err
}

func put[K comparable, V any](m map[string]map[K]V, name string, key K, v V) {
	if m[name] == nil {
		m[name] = map[K]V{}
	}
	m[name][key] = v
}

// Put writes a status whatever there is: the worker has the connector or task, and writes
// it again where one of an earlier generation comes behind it. One that was destroyed is
// removed.
func (k *Kafka) Put(id ID, s Status) error { return k.put(id, s, false) }

// PutSafe writes a status unless a later generation of the cluster has given the
// connector or task to another worker, which has said what it is doing. Where the worker has
// said something of it before, the status is of the generation of that: what it has no more
// it gives up in one in which another worker may have it already, and has said so behind
// what this one has read. What has failed it still has.
func (k *Kafka) PutSafe(id ID, s Status) error { return k.put(id, s, true) }

func (k *Kafka) put(id ID, s Status, safe bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	had, has := k.has[id]
	if safe && has {
		s.Generation = had.Generation
	}
	value, err := s.value()
	if err != nil {
		return fmt.Errorf("%s: %w", id.key(), err)
	}
	w := write{value: value, id: id}
	if safe {
		w.safe = &s
	}
	if delete(k.has, id); s.State != state.Unassigned && s.State != state.Destroyed {
		k.has[id] = s
	}
	if k.mayWrite(w) {
		k.enqueue(id.key(), w)
	}
	return nil
}

// mayWrite tells whether a status is written over no other worker's newer one.
// mu is held.
func (k *Kafka) mayWrite(w write) bool {
	if w.safe == nil {
		return true
	}
	there, ok := k.statuses[w.id.Connector][w.id.Task]
	return !ok || there.WorkerID == w.safe.WorkerID || there.Generation <= w.safe.Generation
}

// PutUse writes that a connector uses a topic, once.
func (k *Kafka) PutUse(u Use) error {
	value, err := u.value()
	if err != nil {
		return fmt.Errorf("%s: %w", u.key(), err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	_, known := k.uses[u.Connector][u.Topic]
	for _, coming := range []map[string]write{k.writing, k.waiting} {
		if w, ok := coming[u.key()]; ok {
			known = w.value != nil
		}
	}
	if !known {
		k.enqueue(u.key(), write{value: value})
	}
	return nil
}

// ForgetUses removes the topics that a connector uses.
func (k *Kafka) ForgetUses(connector string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	used := slices.Collect(maps.Keys(k.uses[connector]))
	for _, coming := range []map[string]write{k.writing, k.waiting} {
		for key := range coming {
			if u, ok := parseUse(key); ok && u.Connector == connector {
				used = append(used, u.Topic)
			}
		}
	}
	for _, topic := range used {
		k.enqueue(Use{Topic: topic, Connector: connector}.key(), write{})
	}
}

// Status gives what a connector or a task is doing.
func (k *Kafka) Status(id ID) (Status, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.statuses[id.Connector][id.Task]
	return s, ok
}

// Tasks gives the numbers of the tasks of a connector that have a status, sorted.
func (k *Kafka) Tasks(connector string) []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	numbers := slices.Sorted(maps.Keys(k.statuses[connector]))
	return slices.DeleteFunc(numbers, func(n int) bool { return n == Whole })
}

// Forgot has fn hear of each connector whose use of a topic was removed, by whatever
// worker. It is called from the goroutine that reads.
func (k *Kafka) Forgot(fn func(connector string)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgot = fn
}

// Connectors gives the names of those that have a status or use topics, sorted.
func (k *Kafka) Connectors() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	names := slices.AppendSeq(slices.Collect(maps.Keys(k.statuses)), maps.Keys(k.uses))
	slices.Sort(names)
	return slices.Compact(names)
}

// Topics gives the names of the topics that a connector uses, sorted.
func (k *Kafka) Topics(connector string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.uses[connector]))
}

// Flush waits until everything that was put is in the topic.
func (k *Kafka) Flush(ctx context.Context) error {
	for {
		k.mu.Lock()
		left, changed := len(k.waiting)+len(k.writing), k.changed
		k.mu.Unlock()
		if left == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-k.done:
			return fmt.Errorf("topic %s: %d statuses were not written", k.name, left)
		case <-ctx.Done():
			return fmt.Errorf("topic %s: %d statuses are not written yet: %w", k.name, left, context.Cause(ctx))
		}
	}
}

// enqueue has a key written. mu is held.
func (k *Kafka) enqueue(key string, w write) {
	k.waiting[key] = w
	k.note()
}

// note wakes those who wait. mu is held.
func (k *Kafka) note() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// run writes what waits, in one go after the other.
func (k *Kafka) run(ctx context.Context) {
	defer close(k.done)
	for ctx.Err() == nil {
		records, changed := k.next()
		if len(records) > 0 {
			k.wrote(ctx, k.topic.Write(ctx, records...))
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// next gives what is to be written now, and what is closed when there is more.
func (k *Kafka) next() (records []compacted.Record, changed <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed = k.changed
	k.writing, k.waiting = k.waiting, map[string]write{}
	for _, key := range slices.Sorted(maps.Keys(k.writing)) {
		if w := k.writing[key]; k.mayWrite(w) {
			records = append(records, compacted.Record{Key: []byte(key), Value: w.value})
		} else {
			delete(k.writing, key)
			k.note()
		}
	}
	return records, changed
}

// wrote takes note of how a writing came out. What failed is tried again, where
// nothing newer waits.
func (k *Kafka) wrote(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		k.log.Warn("statuses are not written, trying on", "error", err.Error())
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		maps.Copy(k.writing, k.waiting)
		k.waiting = k.writing
	}
	k.writing = nil
	k.note()
}
