package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/watch"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// follow shows a task's progress until it has ended, or stops it: when ctx ends,
// and when it has tried again for as long as patience without any progress.
func follow(ctx context.Context, task *runtime.Task, patience time.Duration, show *progress) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var s stall
	for {
		var why error
		select {
		case <-task.Done():
			return nil
		case <-ctx.Done():
			why = errors.New("interrupted: the same command goes on from here")
		case now := <-tick.C:
			stats := task.Snapshot()
			show.update(stats)
			why = s.judge(stats, now, patience)
		}
		if why != nil {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), watch.StopTime)
			defer cancel()
			return errors.Join(why, task.Stop(last))
		}
	}
}

// stall knows since when a task is in trouble without progress.
type stall struct {
	done  [2]int64
	since time.Time // zero without trouble
}

// judge gives an error when a task has been in trouble for too long: it waits
// to try again, or Kafka takes nothing. A slow download is no trouble.
func (s *stall) judge(stats runtime.Stats, now time.Time, patience time.Duration) error {
	done := [2]int64{stats.RecordsOut, stats.RecordsIn}
	trouble := stats.Errors.Retrying || stats.Active > 0
	switch {
	case done != s.done:
		s.done, s.since = done, time.Time{}
	case s.since.IsZero() && trouble:
		s.since = now
	case trouble && now.Sub(s.since) >= patience:
		why := stats.Errors.Last
		if !stats.Errors.Retrying {
			why = fmt.Sprintf("kafka has not taken %d images", stats.Active)
		}
		return fmt.Errorf("given up after %v without progress: %s; when that is cured the same command goes on from here", patience, why)
	}
	return nil
}

// progress is a bar on a terminal, and nothing but the log's lines elsewhere.
type progress struct {
	bar  *progressbar.ProgressBar // nil without a terminal
	logs io.Writer
}

func newProgress(out, logs io.Writer) *progress {
	p := &progress{logs: logs}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("bins"),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	}
	return p
}

// log gives the task's log: the program's, but on a terminal without what the bar
// shows.
func (p *progress) log() *slog.Logger {
	if p.bar == nil {
		return slog.Default()
	}
	return slog.New(slog.NewTextHandler(p, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// Write puts lines of the log above the bar.
func (p *progress) Write(b []byte) (int, error) {
	if err := p.bar.Clear(); err != nil {
		return 0, err
	}
	return p.logs.Write(b)
}

// update draws the bar anew. The number of bins is known once they are listed,
// and may grow.
func (p *progress) update(s runtime.Stats) {
	if p.bar == nil {
		return
	}
	done := int64(watch.Sample(s, "ifcb_bins_total") + watch.Sample(s, "ifcb_bins_failed_total"))
	if all := done + int64(watch.Sample(s, "ifcb_bins_pending")); all > done {
		p.bar.ChangeMax64(all)
	}
	p.bar.Describe(fmt.Sprintf("%d images, bins", s.RecordsOut))
	_ = p.bar.Set64(done) // a terminal that is gone: the images still go out
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
