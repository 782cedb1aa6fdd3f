package ifcb

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// maxBatchBytes is when a batch of images is full, whatever their number.
const maxBatchBytes = 8 << 20

// timeline is one source partition: a dataset's newest bins and those to come, or a period of its past. Its bins are read
// one after the other.
type timeline struct {
	opts    options
	address dashboard.Address
	log     *slog.Logger
	metrics metrics
	client  *dashboard.Client
	site    site     // nil until the dashboard's generation is known
	history *history // nil for a live timeline
	ledger  *ledger
	offset  map[string]any // the ledger as it was at the last settled bin
	source  map[string]any // the source partition; one map, since the runtime knows it by its address
	queue   queue
	planned bool
	seen    time.Time // of the newest bin that was listed
	look    time.Time // when to look for bins next
	recheck time.Time // when to ask about skipped bins next; zero before the first time
	current *bin
	hitches int // transient failures at the current bin, in a row
	done    bool
}

func (l *timeline) partition() map[string]any {
	if l.source == nil {
		l.source = map[string]any{"dashboard": l.address.Base, "dataset": l.address.Series()}
		if l.history != nil {
			l.source["backfill"] = l.history.period.String()
		}
	}
	return l.source
}

func (l *timeline) drop() {
	if l.current != nil {
		l.current.close()
		l.current = nil
	}
}

// poll gives the next records. idle is not 0 when there is nothing to do for that long.
func (l *timeline) poll(ctx context.Context) (records []connector.SourceRecord, idle time.Duration, err error) {
	if l.site == nil {
		if l.site, err = l.findSite(ctx); err != nil {
			l.site = nil
			return nil, 0, err
		}
		l.log.Info("bins are of", "url", l.address.Base, "dataset", l.address.Series(), "kind", l.site.Kind())
	}
	if l.current == nil {
		if records, idle, err = l.nextBin(ctx); err != nil || l.current == nil {
			return records, idle, err
		}
	}
	records, err = l.read(ctx)
	return records, 0, err
}

// nextBin opens the next bin that is due. A bin that is left out or given up gives its record.
func (l *timeline) nextBin(ctx context.Context) (records []connector.SourceRecord, idle time.Duration, err error) {
	if err := l.lookForBins(ctx); err != nil {
		return nil, 0, err
	}
	l.askAboutSkipped(ctx)
	next, wait, ok := l.queue.next(time.Now())
	if !ok {
		wait, err = l.idle(wait)
		return nil, wait, err
	}
	b, err := l.openBin(ctx, next)
	var out *leftOut
	var grows *growing
	switch {
	case errors.As(err, &out):
		return l.leaveOut(next.id, out), 0, nil
	case errors.As(err, &grows):
		if l.queue.hold(next.id, time.Now().Add(grows.wait), grows.lacks) {
			l.log.Info("bin is waited for", "bin", next.id.String(), "lacks", grows.lacks)
		}
		return nil, 0, nil
	case err != nil:
		records, err = l.trouble(ctx, next.id, err)
		return records, 0, err
	}
	if l.waitFor(b) {
		b.close()
		return nil, 0, nil
	}
	if b.headless != nil {
		l.log.Warn("header is not to be had, the bin is taken without", "bin", b.id.String(), "err", b.headless)
	}
	l.current, l.hitches = b, 0
	return nil, 0, nil
}

// idle gives how long there is nothing to do, when no bin is due for some time, 0 without one; ErrDone when there will
// be nothing.
func (l *timeline) idle(wait time.Duration) (time.Duration, error) {
	until := func(t time.Time) {
		if left := max(time.Until(t), time.Millisecond); wait == 0 || left < wait {
			wait = left
		}
	}
	if l.history == nil && !l.opts.once {
		until(l.look)
	}
	if !l.opts.once && len(l.watched()) > 0 {
		until(l.recheck)
	}
	if wait == 0 {
		return 0, connector.ErrDone
	}
	return wait, nil
}

// waitFor tells whether a bin that lacks something is to be tried again later.
func (l *timeline) waitFor(b *bin) bool {
	lacks := b.arriving()
	if lacks == nil || l.lastAttempt(b.id) {
		return false
	}
	l.queue.reached(b.id, b.progress)
	made := l.queue.postpone(b.id, time.Now().Add(l.opts.retry))
	l.log.Info("bin is not whole yet", "bin", b.id.String(), "attempt", made, "of", l.opts.attempts, "lacks", lacks)
	return true
}

// lastAttempt tells whether a bin is not tried again.
func (l *timeline) lastAttempt(id ifcb.BinID) bool { return l.queue.attempts(id)+1 >= l.opts.attempts }

// lookForBins lists bins when it is time to.
func (l *timeline) lookForBins(ctx context.Context) error {
	if l.history != nil {
		if err := l.lookBack(ctx); err != nil {
			return listingError(err)
		}
		return nil
	}
	if l.planned && (l.opts.once || time.Now().Before(l.look)) {
		return nil
	}
	if err := l.refresh(ctx); err != nil {
		return listingError(err)
	}
	l.look = time.Now().Add(l.opts.interval)
	return nil
}

// listingError marks what a dashboard in trouble answers in place of a list: a page, a 404. It worked before, or will.
func listingError(err error) error {
	if connector.KindOf(err) == connector.KindUnmarked {
		return connector.Retriable(err)
	}
	return err
}

// trouble decides about a bin that could not be opened or read. An error of the environment is the runtime's to wait
// for; when it comes again and again with this bin while the dashboard is well, the bin is the cause.
func (l *timeline) trouble(ctx context.Context, id ifcb.BinID, err error) ([]connector.SourceRecord, error) {
	if ctx.Err() != nil {
		return nil, nil
	}
	if connector.KindOf(err) == connector.KindFatal {
		return nil, err
	}
	if connector.KindOf(err) == connector.KindRetriable {
		if l.hitches++; l.hitches < l.opts.attempts {
			return nil, err
		}
		if _, _, listErr := l.site.Recent(ctx, time.Time{}); listErr != nil {
			return nil, err
		}
	}
	l.hitches = 0
	l.drop()
	if made := l.queue.postpone(id, time.Now().Add(l.opts.retry)); made < l.opts.attempts {
		l.log.Warn("bin failed, it is tried again", "bin", id.String(), "attempt", made, "of", l.opts.attempts, "err", err)
		return nil, nil
	}
	l.log.Error("bin failed and is given up", "bin", id.String(), "attempts", l.opts.attempts, "err", err)
	l.metrics.failed.Add(1)
	return l.giveUp(ctx, id, err), nil
}

// settle notes that a bin needs no more work.
func (l *timeline) settle(id ifcb.BinID) {
	l.queue.remove(id)
	delete(l.ledger.skipped, id)
	pending := slices.DeleteFunc(l.queue.bins(), l.ledger.settled) // a skipped bin was settled before it came again
	l.ledger.settle(id, pending)
	l.offset = l.ledger.offset()
}

// read gives the next images of the current bin, and behind the last one the bin's own record. The last record's
// offset says that the bin is settled.
func (l *timeline) read(ctx context.Context) ([]connector.SourceRecord, error) {
	b := l.current
	if err := b.check(); err != nil {
		l.drop() // what was given stays given: it goes on behind it
		l.queue.hold(b.id, time.Now().Add(l.opts.settle), err.Error())
		l.log.Info("bin changes while it is read, it is opened again", "bin", b.id.String(), "err", err)
		return nil, nil
	}
	var records []connector.SourceRecord
	for size := 0; b.next < len(b.numbers) && len(records) < l.opts.batch && size < maxBatchBytes; {
		number := b.numbers[b.next]
		img, err := b.image(ctx, number)
		if err != nil && !dashboard.IsGone(err) {
			if len(records) > 0 {
				return records, nil // the next poll meets the error again
			}
			return l.trouble(ctx, b.id, err)
		}
		b.next++
		if err != nil {
			b.lose(number, err)
			l.log.Error("image failed", "bin", b.id.String(), "roi", number, "err", err)
			continue
		}
		l.hitches = 0
		size += len(img.png)
		b.give(number)
		r := l.record(b, img)
		l.queue.reached(b.id, b.progress)
		r.SourceOffset = l.at(b.id, b.progress)
		records = append(records, r)
	}
	l.metrics.images.Add(float64(len(records)))
	if b.next < len(b.numbers) {
		return records, nil
	}
	l.drop()
	if l.waitFor(b) {
		return records, nil
	}
	l.metrics.lost.Add(float64(len(b.missing)))
	l.settle(b.id)
	l.metrics.bins.Add(1)
	l.log.Info("bin done", "bin", b.id.String(), "images", b.given, "failed", len(b.missing))
	if images := len(records); images > 0 && l.opts.binsTopic == "" {
		records[images-1].SourceOffset = l.offset
	}
	return append(records, l.reportDone(b)...), nil
}

// at is the offset behind an image of a bin that is under way.
func (l *timeline) at(id ifcb.BinID, p progress) map[string]any {
	offset := make(map[string]any, len(l.offset)+5)
	for k, v := range l.offset {
		offset[k] = v
	}
	offset["bin"], offset["roi"] = id.String(), int64(p.after)
	if len(p.missing) > 0 {
		offset["missing"], offset["why"] = p.missing, p.why
	}
	return offset
}
