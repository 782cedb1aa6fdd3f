package ifcb

import (
	"context"
	"fmt"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// period is a part of the past, [start, end). A zero time is open.
type period struct{ start, end time.Time }

// newPeriod reads a start and an end. An end that is a day includes the day.
func newPeriod(start, end string) (p period, err error) {
	if start != "" {
		if p.start, err = ifcb.ParseDate(start); err != nil {
			return period{}, fmt.Errorf("backfill.start: %w", err)
		}
	}
	if end != "" {
		if p.end, err = ifcb.ParseEnd(end); err != nil {
			return period{}, fmt.Errorf("backfill.end: %w", err)
		}
	}
	return p, nil
}

func (p period) isZero() bool { return p.start.IsZero() && p.end.IsZero() }

// String names the period in a source partition.
func (p period) String() string {
	text := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	return text(p.start) + "/" + text(p.end)
}

// history is what a timeline of the past knows beside its bins: how far it has listed them. They are listed piece by
// piece, when those before are done, so that new bins need not wait for a list of years.
type history struct {
	period  period
	live    *timeline // the timeline of the newest bins, which has those from its floor on; nil without
	from    time.Time
	until   time.Time // what is left to list is [from, until)
	planned bool
}

func inPast(live *timeline, p period) func(*timeline) {
	return func(l *timeline) { l.history = &history{period: p, live: live} }
}

// lookBack lists the next piece of the past when no bin is due.
func (l *timeline) lookBack(ctx context.Context) error {
	h := l.history
	if !h.planned {
		if err := l.boundHistory(ctx); err != nil {
			return err
		}
		h.planned = true
	}
	for {
		if _, _, due := l.queue.next(time.Now()); due || !h.from.Before(h.until) {
			return nil
		}
		piece := period{h.from, h.until}
		if size := l.site.Span(); piece.end.Sub(piece.start) > size {
			if l.queue.oldestFirst {
				piece.end = piece.start.Add(size).Truncate(day)
			} else {
				piece.start = piece.end.Add(-size).Truncate(day)
			}
		}
		if err := l.listPiece(ctx, piece); err != nil {
			return err
		}
		if l.queue.oldestFirst {
			h.from = piece.end
		} else {
			h.until = piece.start
		}
	}
}

// boundHistory finds out what an open period means.
func (l *timeline) boundHistory(ctx context.Context) (err error) {
	h := l.history
	h.from, h.until = h.period.start, h.period.end
	if h.from.IsZero() {
		if h.from, err = l.site.Earliest(ctx); err != nil {
			return err
		}
	}
	limit := time.Now().Add(future)
	if h.live != nil {
		limit = time.Unix(h.live.ledger.floor, 0).UTC()
	}
	if h.until.IsZero() || h.until.After(limit) {
		h.until = limit
	}
	l.log.Info("filling in the past", "dataset", l.address.Series(), "from", h.from, "until", h.until)
	return nil
}

// listPiece adds the bins of a piece that are not settled. A piece in which every bin is needs no request.
func (l *timeline) listPiece(ctx context.Context, piece period) error {
	if piece.start.Unix() >= l.ledger.from && piece.end.Unix() <= l.ledger.to {
		return nil
	}
	listed, err := l.period(ctx, piece.start, piece.end.Add(-time.Nanosecond))
	if err != nil {
		return err
	}
	bins := listed[:0]
	for _, id := range listed {
		if t := id.Time(); !t.Before(piece.start) && t.Before(piece.end) && !l.ledger.settled(id) {
			bins = append(bins, id)
		}
	}
	l.queue.add(bins)
	l.queue.reached(l.ledger.bin, l.ledger.progress)
	return nil
}
