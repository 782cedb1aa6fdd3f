package ifcb

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

func binAt(minute int) ifcb.BinID {
	id, err := ifcb.NewBinID(104, time.Date(2024, 5, 1, 0, minute, 0, 0, time.UTC))
	if err != nil {
		panic(err)
	}
	return id
}

// through writes a ledger as an offset and reads it, as a restart does.
func through(t interface{ Fatal(...any) }, l *ledger) *ledger {
	text, err := json.Marshal(l.offset())
	if err != nil {
		t.Fatal(err)
	}
	var offset map[string]any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&offset); err != nil {
		t.Fatal(err)
	}
	again, err := readLedger(offset)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// In whatever order bins are settled, the ledger says of every known bin whether it is, also after a restart, and it
// stays small when the order is a simple one.
func TestLedgerKnowsWhatIsSettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "bins")
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		shape := rapid.SampledFrom([]string{"oldest first", "newest first", "any"}).Draw(t, "order")
		switch shape {
		case "newest first":
			slices.Reverse(order)
		case "any":
			order = rapid.Permutation(order).Draw(t, "permutation")
		}
		stop := rapid.IntRange(0, n).Draw(t, "settled")
		l, settled := newLedger(), map[int]bool{}
		for i, minute := range order[:stop] {
			settled[minute] = true
			var pending []ifcb.BinID
			for _, other := range order[i+1:] {
				pending = append(pending, binAt(other))
			}
			l.settle(binAt(minute), pending)
			if i%97 == 0 {
				l = through(t, l)
			}
		}
		l = through(t, l)
		for minute := range n {
			if got := l.settled(binAt(minute)); got != settled[minute] {
				t.Fatalf("%s: bin %d of %d settled: %v, want %v (span %d to %d, %d named)", shape, minute, n, got, settled[minute], l.from, l.to, len(l.done))
			}
		}
		if shape != "any" && len(l.done) > lookback {
			t.Fatalf("%s: %d bins are named one by one", shape, len(l.done))
		}
	})
}

// A bin that a dashboard shows late is not taken for settled while it is among the newest hundred.
func TestLedgerLeavesRoomForLateBins(t *testing.T) {
	l := newLedger()
	for minute := 0; minute < 600; minute += 2 {
		l.settle(binAt(minute), nil)
	}
	if late := binAt(599 - lookback); l.settled(late) {
		t.Errorf("%s is taken for settled", late)
	}
}

func TestLedgerRefusesForeignOffsets(t *testing.T) {
	for name, offset := range map[string]map[string]any{
		"text for a number": {"from": "yesterday"},
		"no bin":            {"done": []any{"whale"}},
		"no skipped bin":    {"skipped": []any{"whale"}},
		"no current bin":    {"bin": "whale", "roi": json.Number("3")},
	} {
		if _, err := readLedger(offset); err == nil || !strings.Contains(err.Error(), "reset the connector's offsets") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
