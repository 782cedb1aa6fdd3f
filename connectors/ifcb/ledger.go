package ifcb

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// lookback is how many of the newest settled bins the ledger names one by one: a bin that a dashboard shows late, after
// newer ones, is still taken when it falls among them.
const lookback = 100

// ledger knows which bins are settled: all their images given, or given up. It is small whatever the number of bins:
// a span of time in which every bin is settled, and the settled bins outside of it.
type ledger struct {
	// floor is the time of the oldest bin that is wanted, unix seconds; 0 before the first plan.
	floor    int64
	from, to int64 // [from, to), unix seconds; equal when there is no span yet
	done     map[ifcb.BinID]bool
	skipped  map[ifcb.BinID]bool // settled because they were flagged to be skipped, and to be asked about again
	// The bin that the last run was at, and how far it came.
	bin ifcb.BinID
	progress
}

func newLedger() *ledger { return &ledger{done: map[ifcb.BinID]bool{}, skipped: map[ifcb.BinID]bool{}} }

func (l *ledger) settled(id ifcb.BinID) bool {
	t := id.Time().Unix()
	return (t >= l.from && t < l.to) || l.done[id]
}

// newest is the time of the newest settled bin, 0 without one.
func (l *ledger) newest() int64 {
	newest := int64(0)
	if l.to > l.from {
		newest = l.to - 1
	}
	for id := range l.done {
		newest = max(newest, id.Time().Unix())
	}
	return newest
}

// reach is the time of the newest bin that was worked on, 0 without one.
func (l *ledger) reach() int64 {
	if l.bin.IsZero() {
		return l.newest()
	}
	return max(l.newest(), l.bin.Time().Unix())
}

// settle notes a bin and widens the span as far as no pending bin (one that failed and is tried again is pending too)
// lies in it.
func (l *ledger) settle(id ifcb.BinID, pending []ifcb.BinID) {
	l.done[id] = true
	if len(l.done) <= lookback {
		return
	}
	times := make([]int64, 0, len(l.done))
	for id := range l.done {
		times = append(times, id.Time().Unix())
	}
	slices.Sort(times)
	from, to := times[0], times[len(times)-lookback]
	hasSpan := l.to > l.from
	if hasSpan {
		from, to = min(from, l.from), max(to, l.to)
	}
	for _, p := range pending {
		t := p.Time().Unix()
		switch {
		case hasSpan && t >= l.to:
			to = min(to, t)
		case hasSpan || t < to:
			from = max(from, t+1)
		}
	}
	if to <= from {
		return
	}
	l.from, l.to = from, to
	for id := range l.done {
		if t := id.Time().Unix(); t >= l.from && t < l.to {
			delete(l.done, id)
		}
	}
}

// offset is the ledger as a source offset.
func (l *ledger) offset() map[string]any {
	offset := map[string]any{"floor": l.floor, "from": l.from, "to": l.to, "done": lids(l.done)}
	if len(l.skipped) > 0 {
		offset["skipped"] = lids(l.skipped)
	}
	return offset
}

// lids are the names of bins, sorted.
func lids(bins map[ifcb.BinID]bool) []any {
	names := make([]string, 0, len(bins))
	for id := range bins {
		names = append(names, id.String())
	}
	slices.Sort(names)
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = name
	}
	return list
}

// readLedger takes up what [ledger.offset] and the source wrote. A nil offset is an empty ledger.
func readLedger(offset map[string]any) (*ledger, error) {
	l := newLedger()
	if offset == nil {
		return l, nil
	}
	number := func(key string) (int64, error) {
		switch v := offset[key].(type) {
		case nil:
			return 0, nil
		case json.Number:
			return v.Int64()
		case int64:
			return v, nil
		case int:
			return int64(v), nil
		case float64:
			return int64(v), nil
		}
		return 0, fmt.Errorf("offset: %s is a %T, want a number: reset the connector's offsets", key, offset[key])
	}
	var roi int64
	for key, to := range map[string]*int64{"floor": &l.floor, "from": &l.from, "to": &l.to, "roi": &roi} {
		n, err := number(key)
		if err != nil {
			return nil, err
		}
		*to = n
	}
	for key, to := range map[string]map[ifcb.BinID]bool{"done": l.done, "skipped": l.skipped} {
		list, _ := offset[key].([]any)
		for _, v := range list {
			lid, _ := v.(string)
			id, err := ifcb.ParseBinID(lid)
			if err != nil {
				return nil, fmt.Errorf("offset: %s: %w: reset the connector's offsets", key, err)
			}
			to[id] = true
		}
	}
	if lid, ok := offset["bin"].(string); ok {
		id, err := ifcb.ParseBinID(lid)
		if err != nil {
			return nil, fmt.Errorf("offset: bin: %w: reset the connector's offsets", err)
		}
		why, _ := offset["why"].(string)
		l.bin, l.progress = id, progress{after: int(roi), why: why}
		missing, _ := offset["missing"].([]any)
		for _, v := range missing {
			n, ok := v.(json.Number)
			number, err := n.Int64()
			if !ok || err != nil {
				return nil, fmt.Errorf("offset: missing: %v is no number of an image: reset the connector's offsets", v)
			}
			l.missing = append(l.missing, number)
		}
	}
	return l, nil
}
