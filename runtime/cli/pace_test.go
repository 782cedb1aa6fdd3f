package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestPercentFor(t *testing.T) {
	for live, want := range map[uint64]int{0: 800, 4 << 20: 800, 5 << 20: 640, 16 << 20: 200, 31 << 20: 103, 32 << 20: 100, 1 << 40: 100} {
		if got := percentFor(live); got != want {
			t.Errorf("a heap of %d MiB may grow by %d %%, want %d", live>>20, got, want)
		}
	}
}

// TestPace collects as a busy program does, and rests.
func TestPace(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(usualPercent) // GOGC of the environment may be another
	t.Cleanup(func() { debug.SetGCPercent(before) })
	paceCollector()
	await := func(what string, ok func(percent uint64) bool, meanwhile func()) {
		t.Helper()
		until := time.Now().Add(30 * time.Second)
		for {
			s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
			metrics.Read(s)
			percent := s[0].Value.Uint64()
			switch {
			case ok(percent):
				return
			case time.Now().After(until):
				t.Fatalf("%s: the heap may grow by %d %%", what, percent)
			}
			meanwhile()
			time.Sleep(time.Millisecond)
		}
	}
	await("busy", func(percent uint64) bool { return percent > usualPercent }, runtime.GC)
	await("at rest", func(percent uint64) bool { return percent == usualPercent }, func() {})
}
