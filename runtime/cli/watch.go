package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// watchEvery is how often --watch looks at the files. What has changed counts
// when it is the same a second time: it may have been half written.
const watchEvery = time.Second

// asked gives a channel of requests to reload: SIGHUP and, with --watch, files
// that have changed since now. What it starts ends with ctx.
func (s *source) asked(ctx context.Context) <-chan struct{} {
	asked := make(chan struct{})
	ask := func() {
		select {
		case asked <- struct{}{}:
		case <-ctx.Done():
		}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangups)
		for ctx.Err() == nil {
			select {
			case <-hangups:
				ask()
			case <-ctx.Done():
			}
		}
	}()
	if s.watch {
		go watchFiles(ctx, s.files, watchEvery, ask)
	}
	return asked
}

// watchFiles calls changed after the files have changed and then stood still,
// until ctx ends.
func watchFiles(ctx context.Context, names []string, every time.Duration, changed func()) {
	told := contents(names)
	last := told
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := contents(names)
		if now == last && now != told {
			told = now
			changed()
		}
		last = now
	}
}

// contents gives a digest of what the files hold, or of why they cannot be read.
func contents(names []string) [sha256.Size]byte {
	sum := sha256.New()
	for _, name := range names {
		data, err := os.ReadFile(name)
		fmt.Fprintf(sum, "%s %v %d\n%s", name, err, len(data), data)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}
