package runtime

import (
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	// tapSize is how many records a tap remembers at most.
	tapSize = 60
	// tapBytes bounds what they were in Kafka; the newest one is kept however
	// large it is.
	tapBytes = 16 << 20
)

// Tapped is a record that a tap has seen.
type Tapped struct {
	Time   time.Time // when the tap saw it
	Task   int       // that it passed through
	Before string    // the stage that it came to
	Record connector.Record
}

// tap remembers the last records that passed it. All tasks of a connector in a
// worker share one.
type tap struct {
	mu   sync.Mutex
	ring [tapSize]tapped
	next int // where the next one goes
	n    int
	size int // of all, bytes
}

type tapped struct {
	Tapped
	size int
}

// see remembers a record that had size bytes in Kafka.
func (t *tap) see(r Tapped, size int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.n == tapSize || t.n > 0 && t.size+size > tapBytes {
		t.forget()
	}
	t.ring[t.next] = tapped{r, size}
	t.next = (t.next + 1) % tapSize
	t.n++
	t.size += size
}

// forget drops the oldest record.
func (t *tap) forget() {
	oldest := &t.ring[(t.next-t.n+tapSize)%tapSize]
	t.size -= oldest.size
	*oldest = tapped{}
	t.n--
}

// records gives what the tap remembers, the newest first.
func (t *tap) records() []Tapped {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Tapped, t.n)
	for i := range list {
		list[i] = t.ring[(t.next-1-i+2*tapSize)%tapSize].Tapped
	}
	return list
}
