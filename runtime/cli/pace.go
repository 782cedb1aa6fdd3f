package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// usualPercent is Go's own: the collector runs when the heap has doubled.
	usualPercent = 100
	// leastHeap is the heap below which Go does not collect, at usualPercent.
	leastHeap = 4 << 20
	// worthwhile is what a busy program allocates between two collections at least.
	worthwhile = 32 << 20
	// often is how close to one another collections are that cost something, and several
	// how many of them make a program busy: fewer are those of a start.
	often, several = time.Second, 16
)

// pacer keeps a busy program with a small heap from collecting garbage all the time:
// copying records makes it as fast whatever is in use, and a collection costs something
// however little that is. A program at rest has Go's own pace.
type pacer struct {
	mu      sync.Mutex // guards the following
	percent int        // by which the heap may grow until the next collection
	last    time.Time  // a collection was seen
	row     int        // collections that each came soon after the one before
	rest    *time.Timer
}

// paceCollector begins it, for the whole of the process. GOGC of the environment counts
// more, and Go minds the memory limit whatever the pace is.
func paceCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	p := &pacer{percent: usualPercent, last: time.Now()}
	p.rest = time.AfterFunc(often, p.rested)
	p.await()
}

// await has the next collection be seen: nothing uses what is made here.
func (p *pacer) await() { runtime.AddCleanup(new(*byte), (*pacer).collected, p) }

// collected is called behind each collection.
func (p *pacer) collected() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.await()
	now := time.Now()
	if now.Sub(p.last) >= often {
		p.row = 0
	}
	p.last = now
	if p.row++; p.row < several {
		return
	}
	p.set(percentFor(live[0].Value.Uint64()))
	p.rest.Reset(often)
}

// rested is called when no collection has followed the last one for a while: what a
// busy time has left is not kept.
func (p *pacer) rested() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(usualPercent)
}

// set changes the pace, for which Go stops all goroutines for a moment. mu is held.
func (p *pacer) set(percent int) {
	if percent != p.percent {
		debug.SetGCPercent(percent)
		p.percent = percent
	}
}

// percentFor gives by how much a heap may grow while the program is busy.
func percentFor(live uint64) int {
	return max(usualPercent, int(100*worthwhile/max(live, leastHeap)))
}
