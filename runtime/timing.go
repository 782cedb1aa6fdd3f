package runtime

import (
	"slices"
	"sync"
	"time"
)

// Buckets are the upper bounds of the calls that Timing counts apart.
var Buckets = [...]time.Duration{time.Millisecond, 5 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond,
	500 * time.Millisecond, 2500 * time.Millisecond, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}

// Timing sums up calls.
type Timing struct {
	Count int64
	Total time.Duration
	Max   time.Duration
	// Counts are the calls of each of Buckets that are in none before; the last
	// are above all.
	Counts [len(Buckets) + 1]int64
	Recent Recent // in seconds
}

// timing counts calls. It is safe for use from several goroutines.
type timing struct {
	mu     sync.Mutex
	all    Timing
	recent window
}

func (t *timing) observe(d time.Duration) {
	i, _ := slices.BinarySearch(Buckets[:], d)
	t.recent.observe(d.Seconds())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all.Count++
	t.all.Total += d
	t.all.Max = max(t.all.Max, d)
	t.all.Counts[i]++
}

func (t *timing) get() Timing {
	t.mu.Lock()
	all := t.all
	t.mu.Unlock()
	all.Recent = t.recent.get()
	return all
}
