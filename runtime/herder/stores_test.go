package herder

import (
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store/storetest"
)

// overStores runs a test over every form of the store. open opens it anew, as a
// worker that starts again does, after the one before was closed.
func overStores(t *testing.T, run func(t *testing.T, open func() (kept store.Store, closed func()))) {
	t.Run("file", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "kept.json")
		synctest.Test(t, func(t *testing.T) {
			run(t, func() (store.Store, func()) {
				f, err := store.OpenFile(name, nil)
				if err != nil {
					t.Fatal(err)
				}
				return f, func() {}
			})
		})
	})
	t.Run("log", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			topic := storetest.NewTopic()
			run(t, func() (store.Store, func()) {
				l, err := topic.Open()
				if err != nil {
					t.Fatal(err)
				}
				return l, l.Close
			})
		})
	})
}
