package runtime

import (
	"sync"
	"time"
)

// windowLength is how long observations count for what is said of the last ones,
// at least; at most it is twice that. It is Kafka's: metrics.sample.window.ms and
// two samples.
const windowLength = 30 * time.Second

// Recent sums up the observations of the last 30 to 60 seconds.
type Recent struct {
	Count    int64
	Sum, Max float64
	Span     time.Duration // in which they were made, the empty time before them too
}

// Rate is the sum per second.
func (r Recent) Rate() float64 {
	if r.Span <= 0 {
		return 0
	}
	return r.Sum / r.Span.Seconds()
}

// window keeps observations as Kafka's metrics do: those of a span of time and
// of the one before it. It is safe for use from several goroutines; its zero
// value is empty.
type window struct {
	mu        sync.Mutex
	last, now Recent
	began     time.Time // of now
}

// observe adds an observation.
func (w *window) observe(v float64) { w.observeAt(v, time.Now()) }

func (w *window) observeAt(v float64, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(at)
	if w.now.Count == 0 || v > w.now.Max {
		w.now.Max = v
	}
	w.now.Count++
	w.now.Sum += v
}

// turn begins new spans when their time has come.
func (w *window) turn(at time.Time) {
	switch age := at.Sub(w.began); {
	case w.began.IsZero():
		w.began = at
	case age >= 2*windowLength:
		w.last, w.now, w.began = Recent{}, Recent{}, at
	case age >= windowLength:
		w.last, w.now, w.began = w.now, Recent{}, w.began.Add(windowLength)
		w.last.Span = windowLength
	}
}

// get sums up both spans.
func (w *window) get() Recent { return w.getAt(time.Now()) }

func (w *window) getAt(at time.Time) Recent {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(at)
	r := w.now
	r.Count += w.last.Count
	r.Sum += w.last.Sum
	if r.Max = w.now.Max; w.last.Count > 0 && (w.now.Count == 0 || w.last.Max > r.Max) {
		r.Max = w.last.Max
	}
	// As Kafka does, so that the first records make no enormous rate.
	r.Span = max(windowLength, at.Sub(w.began)+w.last.Span)
	return r
}
