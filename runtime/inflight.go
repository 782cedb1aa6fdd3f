package runtime

import (
	"reflect"
	"sync"

	"github.com/axiom-data-science/hydraulics/runtime/offset"
)

// inflight is the queue of source records that are on their way. It alone
// knows which source offsets may be committed.
//
// Invariant 1: an offset is given out only when its record and every earlier
// record of its source partition is acknowledged by Kafka, dropped by a
// transform, or tolerated. Acknowledgements come in any order.
type inflight struct {
	connector string

	mu    sync.Mutex
	lanes map[string]*lane // by offset.Key
	byMap map[uintptr]*lane
	// dirty lanes have an offset that was not committed yet.
	dirty map[*lane]struct{}
}

// lane is one source partition.
type lane struct {
	partition map[string]any
	queue     []*flight // in the order they were polled, the first one not done
	head      int       // queue[:head] has left already
	offset    map[string]any
	version   int // counts changes of offset
}

// flight is one record on its way.
type flight struct {
	queue  *inflight
	lane   *lane // nil for a record without source partition
	offset map[string]any
	done   bool
}

// maxKnownMaps bounds the short cut from a partition map to its lane.
const maxKnownMaps = 1024

func newInflight(connector string) *inflight {
	return &inflight{connector: connector, lanes: map[string]*lane{}, byMap: map[uintptr]*lane{}, dirty: map[*lane]struct{}{}}
}

// add notes a record in the order it was polled. It fails when the partition
// is no JSON value.
func (q *inflight) add(f *flight, partition, at map[string]any) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	f.queue, f.offset = q, at
	if partition != nil {
		l, err := q.lane(partition)
		if err != nil {
			return err
		}
		f.lane = l
		l.queue = append(l.queue, f)
	}
	return nil
}

// lane finds the lane of a partition. Sources give the same map with many
// records, and maps that were handed over do not change, so its address stands
// for its content for as long as the lane keeps it alive.
func (q *inflight) lane(partition map[string]any) (*lane, error) {
	address := reflect.ValueOf(partition).Pointer()
	if l, ok := q.byMap[address]; ok {
		return l, nil
	}
	key, err := offset.Key(q.connector, partition)
	if err != nil {
		return nil, err
	}
	l, ok := q.lanes[key]
	if !ok {
		l = &lane{partition: partition}
		q.lanes[key] = l
		// Only the lane's own map is certain to stay alive.
		if len(q.byMap) < maxKnownMaps {
			q.byMap[address] = l
		}
	}
	return l, nil
}

// settle marks a record as acknowledged, dropped or tolerated. It is safe from
// any goroutine; a second call is a mistake in the runtime.
func (f *flight) settle() {
	q := f.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if f.done {
		panic("runtime: a source record was settled twice")
	}
	f.done = true
	if f.lane != nil {
		q.advance(f.lane)
	}
}

// advance takes settled records off the front of a lane.
func (q *inflight) advance(l *lane) {
	moved := false
	for l.head < len(l.queue) && l.queue[l.head].done {
		if at := l.queue[l.head].offset; at != nil {
			l.offset, moved = at, true
		}
		l.queue[l.head] = nil
		l.head++
	}
	switch {
	case l.head == len(l.queue):
		l.queue, l.head = l.queue[:0], 0
	case l.head > 64 && l.head > len(l.queue)/2:
		n := copy(l.queue, l.queue[l.head:])
		clear(l.queue[n:])
		l.queue, l.head = l.queue[:n], 0
	}
	if moved {
		l.version++
		q.dirty[l] = struct{}{}
	}
}

// commitment is a set of offsets that may be committed.
type commitment struct {
	entries  []offset.Entry
	lanes    []*lane
	versions []int
}

// committable gives the offsets that may be committed and were not yet.
func (q *inflight) committable() commitment {
	q.mu.Lock()
	defer q.mu.Unlock()
	var c commitment
	for l := range q.dirty {
		c.entries = append(c.entries, offset.Entry{Partition: l.partition, Offset: l.offset})
		c.lanes = append(c.lanes, l)
		c.versions = append(c.versions, l.version)
	}
	return c
}

// committed notes that a commitment is durable. Lanes that went on meanwhile
// stay committable.
func (q *inflight) committed(c commitment) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, l := range c.lanes {
		if l.version == c.versions[i] {
			delete(q.dirty, l)
		}
	}
}
