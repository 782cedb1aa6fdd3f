package runtime

import (
	"sync"
	"sync/atomic"
	"time"
)

// limit bounds what a task does between two polls, as max.poll.interval.ms does
// in Kafka's consumer; but for the time in which a retry is awaited or state is
// restored, however long that takes: then the task is known to be alive. The zero
// limit bounds nothing.
type limit struct {
	most      time.Duration
	waits     *errorStats
	restoring *atomic.Bool
	restored  *atomic.Int64 // when that has ended, Unix nanoseconds
	over      func()        // called once for what is held too long, in the timer's goroutine
}

// hold does something, and calls over meanwhile if that takes too long.
func (l *limit) hold(do func() error) error {
	defer l.begin()()
	return do()
}

// begin is hold until what it gives is called.
func (l *limit) begin() (end func()) {
	if l.most <= 0 {
		return func() {}
	}
	h := &held{limit: l, from: time.Now()}
	h.mu.Lock()
	h.timer = time.AfterFunc(l.most, h.look)
	h.mu.Unlock()
	return h.end
}

// held is something that a limit bounds.
type held struct {
	limit *limit
	mu    sync.Mutex // guards the following
	from  time.Time  // when it began, or was surely alive
	timer *time.Timer
	ended bool
}

// look calls over if it is time to.
func (h *held) look() {
	h.mu.Lock()
	from := h.from
	h.mu.Unlock()
	from = h.limit.waits.alive(from)
	if at := time.Unix(0, h.limit.restored.Load()); at.After(from) {
		from = at
	}
	if h.limit.restoring.Load() {
		from = time.Now()
	}
	h.mu.Lock()
	h.from = from
	left := h.limit.most - time.Since(from)
	due := !h.ended && left <= 0
	if !h.ended && !due {
		h.timer.Reset(left)
	}
	h.mu.Unlock()
	if due {
		h.limit.over()
	}
}

func (h *held) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.timer.Stop()
}
