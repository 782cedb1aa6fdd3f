package file

import (
	"context"
	"time"
)

// idle is how long Poll waits at most for a file to appear or grow.
const idle = time.Second

// began is what beats are counted from.
var began = time.Now()

// beat gives how long it is until the next beat, so long after began. All files that
// have nothing are looked at again at a beat: a process that follows many of them
// wakes up once for all, in place of once for each.
func beat(since time.Duration) time.Duration { return idle - since%idle }

// rest waits for the next beat.
func rest(ctx context.Context) {
	t := time.NewTimer(beat(time.Since(began)))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
