package herder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// inFile gives a connector of a file, with further keys.
func inFile(file, name string, extra ...string) config.Connector {
	c := config.Connector{Name: name, File: file, Entries: config.List{{Key: "name", Text: name}, {Key: "connector.class", Text: "fake-source"}}}
	for i := 0; i < len(extra); i += 2 {
		c.Entries = append(c.Entries, config.Entry{Key: extra[i], Text: extra[i+1]})
	}
	return c
}

func TestReload(t *testing.T) {
	before := []config.Connector{inFile("d/a.yaml", "one"), inFile("d/a.yaml", "two")}
	tests := []struct {
		name    string
		now     []config.Connector
		want    Changes
		starts  int // of tasks
		running string
	}{
		{"nothing differs", before, Changes{}, 0, "one two rest"},
		{"another line and file of the folder", []config.Connector{inFile("d/b.yaml", "two"), inFile("d/a.yaml", "one")}, Changes{}, 0, "one two rest"},
		{"a key", []config.Connector{before[0], inFile("d/a.yaml", "two", "speed", "3")}, Changes{Changed: []string{"two"}}, 1, "one two rest"},
		{"a connector more", append(before[:2:2], inFile("d/a.yaml", "three")), Changes{Added: []string{"three"}}, 1, "one two rest three"},
		{"a connector less", before[1:], Changes{Removed: []string{"one"}}, 0, "two rest"},
		{"a name", []config.Connector{before[0], inFile("d/a.yaml", "deux")}, Changes{Added: []string{"deux"}, Removed: []string{"two"}}, 1, "one rest deux"},
		{"another folder", []config.Connector{before[0], inFile("e/a.yaml", "two")}, Changes{Changed: []string{"two"}}, 1, "one two rest"},
		{"none", nil, Changes{Removed: []string{"one", "two"}}, 0, "rest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kept := filepath.Join(t.TempDir(), "kept.json")
			synctest.Test(t, func(t *testing.T) {
				e := new(fakeEngine)
				h := newHerder(t, e, kept, before...)
				if _, err := h.Create("rest", source(), state.TargetStarted); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				n := e.count()
				got, err := h.Reload(tt.now)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Error(d)
				}
				for _, name := range strings.Fields(tt.running) {
					if got := states(t, h, name); got != "RUNNING RUNNING" {
						t.Errorf("%s is %s", name, got)
					}
				}
				if names := strings.Join(h.Connectors(), " "); names != tt.running {
					t.Errorf("there are %s, want %s", names, tt.running)
				}
				if e.count()-n != tt.starts {
					t.Errorf("%d tasks started, want %d", e.count()-n, tt.starts)
				}
				if again, err := h.Reload(tt.now); err != nil || !again.None() {
					t.Errorf("a second time: %+v, %v", again, err)
				}
				for _, c := range tt.now {
					if i, err := h.Info(c.Name); err != nil || i.File != c.File {
						t.Errorf("%s is managed by %q, %v", c.Name, i.File, err)
					}
				}
				if err := h.SetTarget("rest", state.TargetPaused); err != nil { // has the store written
					t.Error(err)
				}
				closeIt(t, h)

				h = newHerder(t, e, kept, tt.now...) // a connector of files that were kept would be there twice
				if len(h.Connectors()) != len(tt.now)+1 {
					t.Errorf("after the next start there are %v", h.Connectors())
				}
				closeIt(t, h)
			})
		})
	}
}

func TestReloadThatIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		before := []config.Connector{inFile("a.yaml", "one")}
		h := newHerder(t, e, filepath.Join(dir, "kept.json"), before...)
		if _, err := h.Create("rest", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		unchanged := func(err error, why string) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%v, want %s", err, why)
			}
			if i, err := h.Info("one"); err != nil || i.File != "a.yaml" || len(h.Connectors()) != 2 {
				t.Errorf("%+v, %v, %v", i, err, h.Connectors())
			}
			if changes, err := h.Reload(before); err != nil || !changes.None() {
				t.Errorf("%+v, %v", changes, err)
			}
		}
		_, err := h.Reload([]config.Connector{inFile("b.yaml", "one", "speed", "3"), inFile("b.yaml", "rest")})
		unchanged(err, "b.yaml: connector rest was made over REST too")
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		_, err = h.Reload([]config.Connector{inFile("b.yaml", "one", "speed", "3"), inFile("b.yaml", "two")})
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		unchanged(err, "no such file")
		closeIt(t, h)
		if _, err := h.Reload(before); err == nil || !strings.Contains(err.Error(), "the worker is stopping") {
			t.Errorf("%v", err)
		}
	})
}
