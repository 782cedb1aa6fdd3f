package runtime

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// watch knows which calls of a task have not returned, and says in the log when
// one takes long and when it has ended after all. It is safe for use from
// several goroutines; a nil watch sees nothing.
type watch struct {
	log *slog.Logger

	mu    sync.Mutex
	after time.Duration // task.stalled.ms; 0 is that nothing is long
	calls []*underway   // in the order they began
}

// rarely is how often at least a call that does not return is logged again.
const rarely = time.Hour

// underway is a call that has not returned.
type underway struct {
	w     *watch
	what  string
	began time.Time
	life  atomic.Int64  // its last sign of life: a time.Duration after it began
	parts int           // done between two of them; its caller's
	next  time.Duration // it is logged after so long a silence
	said  bool
	timer *time.Timer // logs; it ends with the call
}

// call notes that something is called, such as "sink (postgres)". The caller
// ends it.
func (w *watch) call(what string) *underway {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	u := &underway{w: w, what: what, began: time.Now(), next: w.after}
	w.calls = append(w.calls, u)
	if w.after > 0 {
		u.timer = time.AfterFunc(w.after, u.say)
	}
	return u
}

// Parts that take no time need not all look at the clock, which takes as long as
// they do: so many of them are brief for so many to be done in between.
const (
	brief    = time.Millisecond
	maxParts = 4
)

// alive notes that a call of many parts goes on. It takes no lock, and gives how many
// parts may be done before it is called again.
func (u *underway) alive() int {
	if u == nil {
		return maxParts
	}
	now := time.Since(u.began)
	u.parts = min(2*u.parts, maxParts)
	if last := u.life.Swap(int64(now)); u.parts == 0 || now-time.Duration(last) > brief {
		u.parts = 1
	}
	return u.parts
}

// since gives the time of its last sign of life.
func (u *underway) since() time.Time { return u.began.Add(time.Duration(u.life.Load())) }

// end notes that the call has returned.
func (u *underway) end() {
	if u == nil {
		return
	}
	w := u.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = slices.DeleteFunc(w.calls, func(c *underway) bool { return c == u })
	if u.timer != nil {
		u.timer.Stop()
	}
	if u.said {
		w.log.Info(u.what+" has returned", "after", time.Since(u.began).Round(time.Millisecond))
	}
}

// say logs that the call takes long: once, and then at longer and longer
// intervals.
func (u *underway) say() {
	w := u.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.calls, u) {
		return // it has just returned
	}
	waited := time.Since(u.since())
	if waited >= u.next {
		w.log.Warn(u.what+" has not returned", "for", waited.Round(time.Millisecond))
		u.said, u.next = true, waited+min(waited, rarely)
	}
	u.timer.Reset(u.next - waited)
}

// longest gives the innermost of the calls that have given no sign of life for
// at least that long.
func (w *watch) longest(least time.Duration) (what string, since time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range slices.Backward(w.calls) {
		if since := u.since(); time.Since(since) >= least {
			return u.what, since, true
		}
	}
	return "", time.Time{}, false
}

// stalled gives task.stalled.ms.
func (w *watch) stalled() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.after
}

func (w *watch) limit(after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.after = after
}
