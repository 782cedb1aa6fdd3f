package kafka

import (
	"log/slog"
	"sync"
)

// trouble logs that something does not work once, and once that it works again,
// however often it was tried. It is safe for concurrent use.
type trouble struct {
	log *slog.Logger
	mu  sync.Mutex
	on  bool
}

func (t *trouble) note(what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.on && err != nil {
		t.on = true
		t.log.Warn(what, "error", err.Error())
	}
}

func (t *trouble) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.on {
		t.on = false
		t.log.Info("Kafka answers again")
	}
}
