package ifcb

import (
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// queue holds the bins that are wanted and not settled, each with the attempts made at it.
type queue struct {
	oldestFirst bool
	pending     []waiting // by time, oldest first
}

type waiting struct {
	id ifcb.BinID
	progress
	attempts int
	due      time.Time // not before
	lacks    string    // what it is held for
}

// progress is how far a bin has come.
type progress struct {
	after   int    // the last image that was given
	given   int    // images given so far; counted anew when a run opens the bin
	missing []any  // int64, the images up to there that could not be had; never changed in place, since offsets share it
	why     string // the first of them could not
}

// wants tells whether an image is still to be had.
func (p progress) wants(number int) bool {
	return number > p.after || slices.Contains(p.missing, any(int64(number)))
}

func (q *queue) find(id ifcb.BinID) (int, bool) {
	return slices.BinarySearchFunc(q.pending, id, func(w waiting, id ifcb.BinID) int { return w.id.Compare(id) })
}

// add takes bins that are not in the queue yet, from their first image on. They come newest first: begun at the oldest,
// a long list is appended, not inserted at the front bin by bin.
func (q *queue) add(bins []ifcb.BinID) {
	for _, id := range slices.Backward(bins) {
		if i, there := q.find(id); !there {
			q.pending = slices.Insert(q.pending, i, waiting{id: id})
		}
	}
}

// reached notes how far a bin has come. It never goes back.
func (q *queue) reached(id ifcb.BinID, p progress) {
	if i, there := q.find(id); there && p.after >= q.pending[i].after {
		q.pending[i].progress = p
	}
}

// attempts gives how often a bin was tried.
func (q *queue) attempts(id ifcb.BinID) int {
	if i, there := q.find(id); there {
		return q.pending[i].attempts
	}
	return 0
}

// progress gives how far a bin has come.
func (q *queue) progress(id ifcb.BinID) progress {
	if i, there := q.find(id); there {
		return q.pending[i].progress
	}
	return progress{}
}

func (q *queue) remove(id ifcb.BinID) {
	if i, there := q.find(id); there {
		q.pending = slices.Delete(q.pending, i, i+1)
	}
}

// postpone counts an attempt at a bin and gives the number of attempts made.
func (q *queue) postpone(id ifcb.BinID, until time.Time) int {
	i, there := q.find(id)
	if !there {
		return 0
	}
	q.pending[i].attempts++
	q.pending[i].due = until
	return q.pending[i].attempts
}

// hold lets a bin wait without counting an attempt. It tells whether what it waits for is new.
func (q *queue) hold(id ifcb.BinID, until time.Time, lacks string) bool {
	i, there := q.find(id)
	if !there {
		return false
	}
	before := q.pending[i].lacks
	q.pending[i].due, q.pending[i].lacks = until, lacks
	return before != lacks
}

// next gives the first bin in order that is due; wait is how long until one is, when none is now.
func (q *queue) next(now time.Time) (bin waiting, wait time.Duration, ok bool) {
	for i := range q.pending {
		w := q.pending[i]
		if !q.oldestFirst {
			w = q.pending[len(q.pending)-1-i]
		}
		if !w.due.After(now) {
			return w, 0, true
		}
		if left := w.due.Sub(now); wait == 0 || left < wait {
			wait = left
		}
	}
	return waiting{}, wait, false
}

func (q *queue) bins() []ifcb.BinID {
	bins := make([]ifcb.BinID, len(q.pending))
	for i, w := range q.pending {
		bins[i] = w.id
	}
	return bins
}
