package herder

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// The REST API answers until the tasks have stopped.
func TestDeleteWhileTheWorkerStops(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.json")
	synctest.Test(t, func(t *testing.T) {
		h := newHerder(t, new(fakeEngine), file)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		closeIt(t, h)
		if err := h.Delete("c"); err != nil {
			t.Error(err)
		}
		closeIt(t, h)

		h = newHerder(t, new(fakeEngine), file)
		if names := h.Connectors(); len(names) != 0 {
			t.Errorf("there are %v", names)
		}
		closeIt(t, h)
	})
}

// A connector that is deleted while its predecessor still stops never starts.
func TestDeletedBeforeItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 10 { // what is ready at once is chosen at random
			e := new(fakeEngine)
			h := newHerder(t, e, "")
			if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			e.last().stuck = true
			for range 2 {
				if err := h.Delete("c"); err != nil {
					t.Fatal(err)
				}
				if _, err := h.Create("c", source("speed", "2"), state.TargetStarted); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute) // beyond the patience with the stuck task
			synctest.Wait()
			if n := e.count(); n != 2 {
				t.Errorf("%d starts, want those of the first and the last", n)
			}
			closeIt(t, h)
			e.starts[0].become(state.Stopped, nil)
			synctest.Wait()
		}
	})
}

func TestFileOfNulls(t *testing.T) {
	for _, text := range []string{"null", `{"connectors":null,"targets":null}`} {
		file := filepath.Join(t.TempDir(), "kept.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			h := newHerder(t, new(fakeEngine), file)
			if _, err := h.Create("c", source(), state.TargetPaused); err != nil {
				t.Error(err)
			}
			closeIt(t, h)
		})
	}
}
