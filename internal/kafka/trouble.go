package kafka

import (
	"log/slog"
	"sync"
	"time"
)

// trouble logs that something does not work once, and once that it works again,
// however often it was tried; meanwhile its client's health knows. It is safe
// for concurrent use.
type trouble struct {
	log    *slog.Logger
	health *health
	mu     sync.Mutex
	on     bool
	text   string    // the health's mu guards this
	since  time.Time // and this
}

// note notes that something was tried in vain and is tried on.
func (t *trouble) note(what string, err error) {
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.health.mu.Lock()
	if !t.on || time.Since(t.health.troubles[t]) >= fades { // what has faded is over
		t.since = time.Now()
	}
	t.text = what + ": " + err.Error()
	t.health.troubles[t] = time.Now()
	t.health.mu.Unlock()
	if !t.on {
		t.on = true
		t.log.Warn(what+", trying on", "error", err.Error())
	}
}

// over notes that it works.
func (t *trouble) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.on {
		t.on = false
		t.log.Info("Kafka answers again")
		t.forget()
	}
}

// end notes that it is not tried any more.
func (t *trouble) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on = false
	t.forget()
}

func (t *trouble) forget() {
	t.health.mu.Lock()
	defer t.health.mu.Unlock()
	delete(t.health.troubles, t)
}
