package runtime

import (
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// waits adds to a snapshot what the task waits for. It asks nobody, so that it
// can be told while everything hangs.
func (t *Task) waits(s *Stats) {
	if s.State == state.Paused || s.State.Ended() {
		return
	}
	stalled := t.watch.stalled()
	s.Waits = t.longest(s, stalled)
	if w := s.Waits; w != nil {
		w.Stalled = stalled > 0 && time.Since(w.Since) >= stalled
	}
}

// longest gives the trouble with Kafka or with offsets that has lasted longest;
// then a call that does not return, what is tried again, and last that nothing
// goes on though there is work.
func (t *Task) longest(s *Stats, stalled time.Duration) *Waits {
	worst := t.offsets.waits()
	if k := t.clients.Load(); k != nil {
		if x, ok := k.trouble(); ok && (worst == nil || x.Since.Before(worst.Since)) {
			worst = &Waits{For: "Kafka", Why: "Kafka: " + x.What, Since: x.Since}
		}
	}
	if worst != nil {
		if !s.Errors.Retrying {
			s.Errors.Last, s.Errors.LastTime, s.Errors.Retrying = worst.Why, worst.Since, true
		}
		return worst
	}
	again := t.errors.waits()
	if stalled <= 0 {
		return again
	}
	if what, since, ok := t.watch.longest(stalled); ok {
		if again != nil && again.Since.Before(since) {
			since = again.Since
		}
		return &Waits{For: what, Why: what + " has not returned", Since: since}
	}
	if again != nil {
		return again
	}
	return idle(s, stalled)
}

// idle tells that there is work and nothing goes on.
func idle(s *Stats, least time.Duration) *Waits {
	work := s.Active
	for _, n := range s.Lag {
		work += n
	}
	if work == 0 || s.Restoring || s.State != state.Running {
		return nil
	}
	latest := s.Since
	for _, at := range []time.Time{s.LastIn, s.LastOut, s.Commits.Last} {
		if at.After(latest) {
			latest = at
		}
	}
	if time.Since(latest) < least {
		return nil
	}
	return &Waits{For: "progress", Why: strconv.FormatInt(work, 10) + " records wait and nothing goes on", Since: latest}
}

// trying is something that a task tries on when it fails. It says so in the log
// once, and once when it works again. It is safe for concurrent use.
type trying struct {
	mu    sync.Mutex
	text  string // empty while it works
	since time.Time
}

// note notes how it went.
func (t *trying) note(log *slog.Logger, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil && t.text == "":
		t.text, t.since = err.Error(), time.Now()
		log.Warn("offsets not committed, they will be with the next ones: " + t.text)
	case err != nil:
		t.text = err.Error()
	case t.text != "":
		log.Info("offsets are committed again", "after", time.Since(t.since).Round(time.Millisecond))
		t.text = ""
	}
}

// drop forgets it without a word: it need not work any more.
func (t *trying) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = ""
}

func (t *trying) waits() *Waits {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == "" {
		return nil
	}
	return &Waits{For: "offset commit", Why: "offset commit: " + t.text, Since: t.since}
}
