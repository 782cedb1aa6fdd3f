package herder

import (
	"fmt"
	goruntime "runtime"
	"testing"
	"testing/synctest"

	"github.com/axiom-data-science/hydraulics/internal/test/race"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// stoppedBytes is what a stopped connector may take of a worker: its configuration, its
// splitter's goroutine and what is known of it.
const stoppedBytes = 20 << 10

// A worker may have a thousand connectors that are stopped.
func TestStoppedConnectorsTakeLittle(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector takes memory for itself")
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHerder(t, new(fakeEngine), "")
		defer closeIt(t, h)
		fill := func(from, to int) uint64 {
			t.Helper()
			for i := from; i < to; i++ {
				if _, err := h.Create(fmt.Sprint("c", i), source("speed", fmt.Sprint(i)), state.TargetStopped); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			goruntime.GC()
			var m goruntime.MemStats
			goruntime.ReadMemStats(&m)
			return m.HeapAlloc + m.StackInuse
		}
		const few, many = 10, 300
		before := fill(0, few)
		if each := (int64(fill(few, many)) - int64(before)) / (many - few); each > stoppedBytes {
			t.Errorf("%d bytes for each, want %d at most", each, stoppedBytes)
		} else {
			t.Logf("%d bytes for each", each)
		}
	})
}
