package runtime

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// changelogs is what stores need of Kafka.
type changelogs interface {
	CreateTopic(ctx context.Context, spec kafka.TopicSpec) error
	Partitions(ctx context.Context, topic string) (int32, error)
	ReadPartition(ctx context.Context, tp connector.TopicPartition, from int64, fn func(kafka.Message) error) error
}

// stores are the stores of one stateful transform, one per input partition.
// They are used from one goroutine at a time.
type stores struct {
	place     string // of the transform
	topic     string // the changelog
	retention time.Duration
	replicas  int16
	// partitions is the number of partitions of inputs and changelog, 0 until
	// they were compared.
	partitions int32
	live       map[int32]*store
	parked     map[int32]*store // given up in a rebalance, for the time until it ends
}

func newStores(place, topic string, retention time.Duration, replicas int16) *stores {
	return &stores{place: place, topic: topic, retention: retention, replicas: replicas,
		live: map[int32]*store{}, parked: map[int32]*store{}}
}

// open gives the store of an input partition, which prepare has restored.
func (s *stores) open(partition int32) (*store, error) {
	st, ok := s.live[partition]
	if !ok {
		return nil, connector.Fatal(fmt.Errorf("the store of partition %d was not restored", partition))
	}
	return st, nil
}

// prepare makes sure of the changelog topic, which has a partition for each of
// the input's, and restores the stores of these partitions.
func (s *stores) prepare(ctx context.Context, k changelogs, inputs []string, partitions []int32) error {
	for _, p := range partitions {
		if p >= s.partitions { // not yet known, or the inputs have grown
			if err := s.changelog(ctx, k, inputs); err != nil {
				return err
			}
		}
		if _, ok := s.live[p]; ok {
			continue
		}
		st, ok := s.parked[p]
		if !ok {
			st = newStore(p, s.retention)
		}
		delete(s.parked, p)
		if err := st.restore(ctx, k, s.topic); err != nil {
			s.parked[p] = st // the next one goes on where this one ended
			return err
		}
		s.live[p] = st
	}
	return nil
}

// changelog creates the changelog topic and refuses one that does not fit the
// inputs: with another number of partitions a key's state lies elsewhere.
func (s *stores) changelog(ctx context.Context, k changelogs, inputs []string) error {
	count, first := int32(0), ""
	for _, topic := range inputs {
		n, err := k.Partitions(ctx, topic)
		if err != nil {
			return environment(err)
		}
		if first == "" {
			count, first = n, topic
		}
		if n != count {
			return connector.Coded("H4003", connector.Fatal(fmt.Errorf("topic %s has %d partitions and %s has %d: a stateful transform needs the same number in each of its topics; repartition one of them with a stream of its own",
				topic, n, first, count)))
		}
	}
	config := map[string]string{"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"}
	if s.retention > 0 {
		config["cleanup.policy"] = "compact,delete"
		config["retention.ms"] = fmt.Sprint(s.retention.Milliseconds())
	}
	err := k.CreateTopic(ctx, kafka.TopicSpec{Name: s.topic, Partitions: count, Replication: s.replicas, Config: config})
	if err != nil {
		return environment(err)
	}
	n, err := k.Partitions(ctx, s.topic)
	if err != nil {
		return environment(err)
	}
	if n != count {
		return connector.Coded("H4004", connector.Fatal(fmt.Errorf("topic %s has %d partitions, but the state in %s was made with %d and keys have moved since: give the connector another name, so that it starts anew with its own state, or restore the number of partitions",
			first, count, s.topic, n)))
	}
	s.partitions = n
	return nil
}

// expire forgets what has outlived the retention.
func (s *stores) expire() {
	for _, st := range s.live {
		st.expire()
	}
}

// park puts the stores of partitions aside that are given up. Should they come
// back with the next assignment, only what is new in the changelog is read.
func (s *stores) park(partitions []int32) {
	for _, p := range partitions {
		if st, ok := s.live[p]; ok {
			clear(st.overlay)
			s.parked[p] = st
			delete(s.live, p)
		}
	}
}

// forget drops what is parked and not among the partitions assigned now.
func (s *stores) forget(assigned map[int32]bool) {
	for p := range s.parked {
		if !assigned[p] {
			delete(s.parked, p)
		}
	}
}

// drop forgets partitions that others may have written meanwhile.
func (s *stores) drop(partitions []int32) {
	for _, p := range partitions {
		delete(s.live, p)
		delete(s.parked, p)
	}
}

// entry is a value in a store.
type entry struct {
	value []byte
	at    int64 // when it was put, in milliseconds
	gone  bool  // deleted; in overlays only
	write int64 // the number of its storeWrite; in overlays only
}

// put is one put in the order of time, for expiry.
type put struct {
	key string
	at  int64
}

// storeWrite is one change that becomes durable with its record's output. A
// nil value is a deletion.
type storeWrite struct {
	stores *stores
	store  *store
	key    []byte
	value  []byte
	at     int64
	number int64 // among the store's
}

// store is the keyed store of one partition. base equals the fold of the
// changelog up to next; writes stay in the overlay until they are in the changelog,
// and in record until the record at hand is through.
type store struct {
	partition int32
	retention int64 // milliseconds, 0 is for ever
	now       func() int64

	base    map[string]entry
	puts    []put
	next    int64 // where to go on in the changelog
	overlay map[string]entry
	record  []storeWrite
	writes  int64 // so far
}

var _ connector.Store = (*store)(nil)

func newStore(partition int32, retention time.Duration) *store {
	return &store{partition: partition, retention: retention.Milliseconds(), base: map[string]entry{}, overlay: map[string]entry{},
		now: func() int64 { return time.Now().UnixMilli() }}
}

// Get gives a value and whether the key is there.
func (s *store) Get(key []byte) ([]byte, bool, error) {
	for i := len(s.record) - 1; i >= 0; i-- {
		if w := s.record[i]; string(w.key) == string(key) {
			return w.value, w.value != nil, nil
		}
	}
	e, ok := s.overlay[string(key)]
	if !ok {
		e, ok = s.base[string(key)]
	}
	if !ok || e.gone || s.expired(e.at) {
		return nil, false, nil
	}
	return e.value, true, nil
}

// Put sets a value; it lives from now on for the retention.
func (s *store) Put(key, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	s.record = append(s.record, storeWrite{store: s, key: key, value: value, at: s.now()})
	return nil
}

// Delete removes a key.
func (s *store) Delete(key []byte) error {
	s.record = append(s.record, storeWrite{store: s, key: key, at: s.now()})
	return nil
}

func (s *store) begin()    { s.record = nil }
func (s *store) rollback() { s.record = nil }

// end moves the writes of the record at hand into the overlay and gives them.
func (s *store) end() []storeWrite {
	writes := s.record
	s.record = nil
	for i := range writes {
		w := &writes[i]
		s.writes++
		w.number = s.writes
		s.overlay[string(w.key)] = entry{value: w.value, at: w.at, gone: w.value == nil, write: w.number}
	}
	return writes
}

// durable moves a write that is in the changelog from the overlay to the base,
// unless it was written over meanwhile.
func (s *store) durable(w storeWrite, offset int64) {
	s.apply(w.key, w.value, w.at, offset)
	if s.overlay[string(w.key)].write == w.number {
		delete(s.overlay, string(w.key))
	}
}

// apply folds one changelog record into the store.
func (s *store) apply(key, value []byte, at, offset int64) {
	s.next = max(s.next, offset+1)
	if value == nil || s.expired(at) {
		delete(s.base, string(key))
		return
	}
	k := string(key)
	s.base[k] = entry{value: value, at: at}
	if s.retention > 0 {
		s.puts = append(s.puts, put{k, at})
	}
}

func (s *store) expired(at int64) bool {
	return s.retention > 0 && at+s.retention <= s.now()
}

// expire forgets what has outlived the retention, so that memory is bounded.
func (s *store) expire() {
	n := 0
	for n < len(s.puts) && s.expired(s.puts[n].at) {
		if p := s.puts[n]; s.base[p.key].at == p.at {
			delete(s.base, p.key)
		}
		n++
	}
	s.puts = s.puts[n:]
	if len(s.puts) < 2*len(s.base)+1024 {
		return
	}
	// Keys that are put again and again: keep the latest put of each.
	var latest []put
	for _, p := range s.puts {
		if e, ok := s.base[p.key]; ok && e.at == p.at {
			latest = append(latest, p)
		}
	}
	s.puts = latest
}

// restore reads the changelog from where the store stands to its end.
func (s *store) restore(ctx context.Context, k changelogs, topic string) error {
	clear(s.overlay)
	tp := connector.TopicPartition{Topic: topic, Partition: s.partition}
	err := k.ReadPartition(ctx, tp, s.next, func(m kafka.Message) error {
		// The value is a part of everything that was fetched with it.
		s.apply(m.Key, bytes.Clone(m.Value), m.Timestamp, m.Offset)
		return nil
	})
	if err != nil {
		return environment(err)
	}
	return nil
}
