package ifcb

import (
	"context"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// maxSkipped bounds the skipped bins that are asked about again: the offset names each.
const maxSkipped = 1000

// rememberSkipped has a bin that was skipped asked about again, while it is not too old for that.
func (l *timeline) rememberSkipped(id ifcb.BinID) {
	if l.isOld(id) {
		return
	}
	skipped := l.ledger.skipped
	skipped[id] = true
	oldest := id
	for other := range skipped {
		switch _, queued := l.queue.find(other); {
		case queued:
		case l.isOld(other):
			delete(skipped, other)
		case other.Time().Before(oldest.Time()):
			oldest = other
		}
	}
	if len(skipped) > maxSkipped {
		delete(skipped, oldest)
	}
	l.offset = l.ledger.offset()
}

func (l *timeline) isOld(id ifcb.BinID) bool { return time.Since(id.Time()) >= l.opts.recheckFor }

// watched are the skipped bins that are asked about again, newest first.
func (l *timeline) watched() []ifcb.BinID {
	var bins []ifcb.BinID
	for id := range l.ledger.skipped {
		if !l.isOld(id) {
			bins = append(bins, id)
		}
	}
	return ifcb.NewestFirst(bins)
}

// askAboutSkipped queues the bins whose flag the dashboard has taken back since they were skipped. It does so when the
// timeline begins and then every so often. What cannot be learnt holds up nothing: it is asked for again.
func (l *timeline) askAboutSkipped(ctx context.Context) {
	begins := l.recheck.IsZero()
	if time.Now().Before(l.recheck) || l.opts.once && !begins {
		return
	}
	if begins && l.ledger.skipped[l.ledger.bin] { // it was on its way when the last run ended
		l.queue.add([]ifcb.BinID{l.ledger.bin})
		l.queue.reached(l.ledger.bin, l.ledger.progress)
	}
	l.recheck = time.Now().Add(l.opts.recheck)
	lifted := l.watched()
	if len(lifted) == 0 {
		return
	}
	if l.opts.skip {
		var err error
		if lifted, err = l.site.Shown(ctx, lifted); err != nil {
			l.recheck = time.Now().Add(min(l.opts.interval, l.opts.recheck))
			l.log.Warn("flags of skipped bins are not to be had, they are asked for again", "dataset", l.address.Series(), "err", err)
			return
		}
	}
	for _, id := range lifted {
		l.log.Info("skipped bin is taken after all", "bin", id.String())
	}
	l.queue.add(ifcb.NewestFirst(lifted))
}
