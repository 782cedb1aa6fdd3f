package ifcb

import (
	"context"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// future is how far ahead of our clock an instrument's may be. Bins beyond are left until their time has come.
const future = time.Hour

// refresh looks for bins and adds those that are wanted and not settled to the queue.
func (l *timeline) refresh(ctx context.Context) error {
	var bins []ifcb.BinID
	var err error
	if l.planned {
		bins, err = l.since(ctx, l.seen)
	} else {
		bins, err = l.plan(ctx)
	}
	if err != nil {
		return err
	}
	for _, id := range bins {
		if id.Time().After(l.seen) {
			l.seen = id.Time()
		}
	}
	l.queue.add(slices.DeleteFunc(bins, func(id ifcb.BinID) bool {
		return id.Time().Unix() < l.ledger.floor || l.ledger.settled(id)
	}))
	if !l.planned {
		l.queue.reached(l.ledger.bin, l.ledger.progress)
	}
	l.planned = true
	l.offset = l.ledger.offset()
	return nil
}

// plan makes the first list: nbins of the past, and what the last run left open or missed.
func (l *timeline) plan(ctx context.Context) (bins []ifcb.BinID, err error) {
	resumed := l.ledger.floor != 0
	switch {
	case l.opts.nbins < 0 && resumed && !l.opts.once: // what is left of all bins is what the last run left open
	case l.opts.fromOldest || l.opts.nbins < 0:
		bins, err = l.oldest(ctx)
	default:
		bins, err = l.newest(ctx)
	}
	if err != nil {
		return nil, err
	}
	if l.opts.once && resumed && len(bins) > 0 && bins[len(bins)-1].Time().Unix() > l.ledger.reach() {
		// The bins between were never asked for, and a span would take them for settled: a new ledger begins.
		skipped := l.ledger.skipped
		l.ledger, resumed = newLedger(), false
		l.ledger.skipped = skipped
	}
	if resumed && !l.opts.once {
		known := l.ledger.newest()
		if l.ledger.from == l.ledger.to || l.ledger.from > l.ledger.floor { // the backlog was not finished
			known = l.ledger.floor
		}
		missed, err := l.since(ctx, time.Unix(known, 0).UTC())
		if err != nil {
			return nil, err
		}
		// A list reaches further back than was asked for. What is before the floor was not wanted, and still is not.
		bins = append(bins, slices.DeleteFunc(missed, func(id ifcb.BinID) bool { return id.Time().Unix() < l.ledger.floor })...)
	}
	if l.opts.once && !l.ledger.bin.IsZero() && !l.ledger.skipped[l.ledger.bin] {
		bins = append(bins, l.ledger.bin)
	}
	bins = ifcb.NewestFirst(bins)
	floor := int64(1) // an empty dashboard: whatever comes
	if len(bins) > 0 {
		floor = bins[len(bins)-1].Time().Unix()
	} else if l.seen.Unix() > 0 { // none of the past is wanted
		floor = l.seen.Unix() + 1
	}
	if !resumed || floor < l.ledger.floor {
		l.ledger.floor = floor
	}
	return bins, nil
}

// recent is the dashboard's cheap look at its newest bins, newest first.
func (l *timeline) recent(ctx context.Context, since time.Time) ([]ifcb.BinID, bool, error) {
	bins, complete, err := l.site.Recent(ctx, since)
	bins = present(bins)
	if len(bins) > 0 && bins[0].Time().After(l.seen) {
		l.seen = bins[0].Time()
	}
	return bins, complete, err
}

// period lists the bins of some days, newest first.
func (l *timeline) period(ctx context.Context, from, until time.Time) ([]ifcb.BinID, error) {
	bins, err := l.site.Period(ctx, from, until)
	return present(bins), err
}

// newest gives the newest nbins bins: from the cheap look while that is enough, else going back through time in steps
// that double while there is nothing.
func (l *timeline) newest(ctx context.Context) ([]ifcb.BinID, error) {
	bins, complete, err := l.recent(ctx, ifcb.Dawn)
	if err != nil || complete || len(bins) >= l.opts.nbins || len(bins) == 0 {
		return first(bins, l.opts.nbins), err
	}
	earliest, err := l.site.Earliest(ctx)
	if err != nil {
		return nil, err
	}
	until, step := bins[0].Time().Truncate(day), day
	for !until.Before(earliest) && len(bins) < l.opts.nbins {
		from := until.Add(day - step)
		if from.Before(earliest) {
			from = earliest
		}
		more, err := l.period(ctx, from, until)
		if err != nil {
			return nil, err
		}
		before := len(bins)
		if bins = ifcb.NewestFirst(append(bins, more...)); len(bins) == before {
			step *= 2
		}
		until = from.Add(-day)
	}
	return first(bins, l.opts.nbins), nil
}

// oldest gives the oldest nbins bins, or all, going forward through time in steps that double while there is nothing
// (or while everything is wanted anyway).
func (l *timeline) oldest(ctx context.Context) ([]ifcb.BinID, error) {
	bins, complete, err := l.recent(ctx, ifcb.Dawn)
	if err != nil || len(bins) == 0 {
		return nil, err
	}
	if !complete {
		end := bins[0].Time()
		from, err := l.site.Earliest(ctx)
		if err != nil {
			return nil, err
		}
		bins = nil
		for step := day; !from.After(end) && (l.opts.nbins < 0 || len(bins) < l.opts.nbins); {
			until := from.Add(step - day)
			more, err := l.period(ctx, from, until)
			if err != nil {
				return nil, err
			}
			if len(more) == 0 || l.opts.nbins < 0 {
				step = min(2*step, 366*day)
			}
			bins = ifcb.NewestFirst(append(bins, more...))
			from = until.Add(day)
		}
	}
	if l.opts.nbins >= 0 {
		bins = bins[max(len(bins)-l.opts.nbins, 0):]
	}
	return bins, nil
}

// since gives the bins after a time, and of the day before it, for those that a dashboard shows late.
func (l *timeline) since(ctx context.Context, known time.Time) ([]ifcb.BinID, error) {
	bins, complete, err := l.recent(ctx, known)
	if err != nil || complete || len(bins) == 0 {
		return bins, err
	}
	from := known.Add(-day)
	if earliest, err := l.site.Earliest(ctx); err != nil {
		return nil, err
	} else if from.Before(earliest) {
		from = earliest
	}
	more, err := l.period(ctx, from.Truncate(day), bins[0].Time())
	return ifcb.NewestFirst(append(bins, more...)), err
}

// present sorts bins, newest first, and leaves out repeats and those of the future.
func present(bins []ifcb.BinID) []ifcb.BinID {
	limit := time.Now().Add(future)
	return ifcb.NewestFirst(slices.DeleteFunc(bins, func(id ifcb.BinID) bool { return id.Time().After(limit) }))
}

func first[T any](list []T, n int) []T { return list[:min(n, len(list))] }
