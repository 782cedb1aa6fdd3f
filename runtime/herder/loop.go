package herder

import (
	"context"
	"time"
)

// loop is how a goroutine works: whenever it is woken or a time has come, until
// its owner cancels it.
type loop struct {
	wake   chan struct{}
	quit   context.Context
	cancel context.CancelFunc
}

func newLoop() loop {
	l := loop{wake: make(chan struct{}, 1)}
	l.quit, l.cancel = context.WithCancel(context.Background())
	l.poke()
	return l
}

// poke wakes the goroutine.
func (l *loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default: // it will wake anyway
	}
}

// run calls step, which gives the time when it is to be called again at the
// latest, zero for never.
func (l *loop) run(step func() time.Time) {
	var next time.Time
	for l.sleep(next) {
		next = step()
	}
}

// sleep waits until the goroutine is woken or the time has come. It tells false
// when it is to end.
func (l *loop) sleep(until time.Time) bool {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-l.wake:
	case <-timer:
	case <-l.quit.Done():
	}
	return l.quit.Err() == nil
}
