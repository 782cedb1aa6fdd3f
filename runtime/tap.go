package runtime

import (
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// tapSize is how many records a tap remembers.
const tapSize = 60

// Tapped is a record that a tap has seen.
type Tapped struct {
	Time   time.Time // when the tap saw it
	Record connector.Record
}

// tap remembers the last records that passed it. All tasks of a connector in a
// worker share one.
type tap struct {
	mu   sync.Mutex
	ring [tapSize]Tapped
	next int // where the next one goes
	n    int
}

func (t *tap) see(items []item) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := max(0, len(items)-tapSize); i < len(items); i++ {
		if items[i].fate != alive {
			continue
		}
		t.ring[t.next] = Tapped{Time: now, Record: items[i].record}
		t.next = (t.next + 1) % tapSize
		t.n = min(t.n+1, tapSize)
	}
}

// records gives what the tap remembers, the newest first.
func (t *tap) records() []Tapped {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Tapped, t.n)
	for i := range list {
		list[i] = t.ring[(t.next-1-i+2*tapSize)%tapSize]
	}
	return list
}
