package runtime

import (
	"sync"
	"time"
)

// limit bounds what a task does between two polls, as max.poll.interval.ms does
// in Kafka's consumer; but for the time in which a retry is awaited: then the
// task is known to be alive. The zero limit bounds nothing.
type limit struct {
	most  time.Duration
	waits *errorStats
	over  func() // called once for what is held too long, in the timer's goroutine
}

// hold does something, and calls over meanwhile if that takes too long.
func (l *limit) hold(do func() error) error {
	if l.most <= 0 {
		return do()
	}
	h := &held{limit: l, began: time.Now()}
	h.mu.Lock()
	h.timer = time.AfterFunc(l.most, h.look)
	h.mu.Unlock()
	defer h.end()
	return do()
}

// held is something that a limit bounds.
type held struct {
	limit *limit
	began time.Time
	mu    sync.Mutex // guards the following
	timer *time.Timer
	ended bool
}

// look calls over if it is time to.
func (h *held) look() {
	h.mu.Lock()
	left := h.limit.most - time.Since(h.limit.waits.alive(h.began))
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
