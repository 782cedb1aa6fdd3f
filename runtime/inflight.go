package runtime

import (
	"iter"
	"reflect"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
)

// inflight is the queue of source records that are on their way. It alone
// knows which source offsets may be committed.
//
// Invariant 1: an offset is given out only when its record and every earlier
// record of its source partition is acknowledged by Kafka, dropped by a
// transform, or tolerated. Acknowledgements come in any order.
type inflight struct {
	connector string

	mu         sync.Mutex
	partitions map[string]*sourcePartition // by offset.Key
	byMap      map[uintptr]*sourcePartition
	// dirty partitions have an offset that was not committed yet.
	dirty map[*sourcePartition]struct{}
}

// sourcePartition is one of a source's partitions, whose records keep their order.
type sourcePartition struct {
	id      map[string]any // as the source gives it
	queue   []*flight      // in the order they were polled, the first one not done
	head    int            // queue[:head] has left already
	offset  map[string]any
	version int // counts changes of offset
}

// flight is one record on its way.
type flight struct {
	queue  *inflight
	of     *sourcePartition // nil for a record without one
	offset map[string]any
	done   bool
}

// maxKnownMaps bounds the short cut from a partition's map to it.
const maxKnownMaps = 1024

func newInflight(connector string) *inflight {
	return &inflight{connector: connector, partitions: map[string]*sourcePartition{},
		byMap: map[uintptr]*sourcePartition{}, dirty: map[*sourcePartition]struct{}{}}
}

// add notes records in the order they were polled, each with its flight. It fails
// when a partition is no JSON value.
func (q *inflight) add(flights []flight, records []connector.SourceRecord) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range records {
		r, f := &records[i], &flights[i]
		f.queue, f.offset = q, r.SourceOffset
		if r.SourcePartition == nil {
			continue
		}
		p, err := q.partition(r.SourcePartition)
		if err != nil {
			return err
		}
		f.of = p
		p.queue = append(p.queue, f)
	}
	return nil
}

// partition finds a partition. Sources give the same map with many records, and
// maps that were handed over do not change, so its address stands for its
// content for as long as the partition keeps it alive.
func (q *inflight) partition(id map[string]any) (*sourcePartition, error) {
	address := reflect.ValueOf(id).Pointer()
	if p, ok := q.byMap[address]; ok {
		return p, nil
	}
	key, err := offset.Key(q.connector, id)
	if err != nil {
		return nil, err
	}
	p, ok := q.partitions[key]
	if !ok {
		p = &sourcePartition{id: id}
		q.partitions[key] = p
		// Only the partition's own map is certain to stay alive.
		if len(q.byMap) < maxKnownMaps {
			q.byMap[address] = p
		}
	}
	return p, nil
}

// settle marks records as acknowledged, dropped or tolerated. It is safe from any
// goroutine; a second time is a mistake in the runtime.
func (q *inflight) settle(flights iter.Seq[*flight]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for f := range flights {
		if f.done {
			panic("runtime: a source record was settled twice")
		}
		f.done = true
		if f.of != nil && f.of.queue[f.of.head] == f {
			q.advance(f.of)
		}
	}
}

// settle is the queue's for one record.
func (f *flight) settle() { f.queue.settle(func(yield func(*flight) bool) { yield(f) }) }

// advance takes settled records off the front of a partition's queue.
func (q *inflight) advance(p *sourcePartition) {
	moved := false
	for p.head < len(p.queue) && p.queue[p.head].done {
		if at := p.queue[p.head].offset; at != nil {
			p.offset, moved = at, true
		}
		p.queue[p.head] = nil
		p.head++
	}
	switch {
	case p.head == len(p.queue):
		p.queue, p.head = p.queue[:0], 0
	case p.head > 64 && p.head > len(p.queue)/2:
		n := copy(p.queue, p.queue[p.head:])
		clear(p.queue[n:])
		p.queue, p.head = p.queue[:n], 0
	}
	if moved {
		p.version++
		q.dirty[p] = struct{}{}
	}
}

// commitment is a set of offsets that may be committed.
type commitment struct {
	entries    []offset.Entry
	partitions []*sourcePartition
	versions   []int
}

// committable gives the offsets that may be committed and were not yet.
func (q *inflight) committable() commitment {
	q.mu.Lock()
	defer q.mu.Unlock()
	var c commitment
	for p := range q.dirty {
		c.entries = append(c.entries, offset.Entry{Partition: p.id, Offset: p.offset})
		c.partitions = append(c.partitions, p)
		c.versions = append(c.versions, p.version)
	}
	return c
}

// committed notes that a commitment is durable. Partitions that went on meanwhile
// stay committable.
func (q *inflight) committed(c commitment) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, p := range c.partitions {
		if p.version == c.versions[i] {
			delete(q.dirty, p)
		}
	}
}
