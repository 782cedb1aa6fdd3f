package herder

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// stuckTask makes a connector whose task does not stop.
func stuckTask(t *testing.T, h *Herder, e *fakeEngine, name string) *fakeTask {
	t.Helper()
	if _, err := h.Create(name, source(), state.TargetStarted); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	e.last().stuck = true
	return e.last()
}

// Two changes while a task is being stopped leave one task of each number to be
// seen, the one that is there.
//
// Clauses: A1.
func TestOneTaskOfEachNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		task := stuckTask(t, h, e, "c")
		for _, speed := range []string{"2", "3"} {
			if _, _, err := h.Put("c", source("speed", speed)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if got := states(t, h, "c"); got != "RUNNING RUNNING" {
			t.Errorf("the status is %s", got)
		}
		info, err := h.Info("c")
		tasks, err2 := h.Tasks("c")
		if n := len(h.Snapshots()); err != nil || err2 != nil || len(info.Tasks) != 1 || len(tasks) != 1 || n != 1 {
			t.Errorf("%v, %v, %d snapshots (%v, %v)", info.Tasks, tasks, n, err, err2)
		}
		time.Sleep(time.Minute) // beyond the patience
		closeIt(t, h)
		task.become(state.Stopped, nil)
	})
}

// A connector that has gone from its file is not STOPPED when it is made anew.
func TestTargetGoesWithItsConnector(t *testing.T) {
	name := filepath.Join(t.TempDir(), "kept.json")
	synctest.Test(t, func(t *testing.T) {
		file := config.Connector{Name: "c", File: "flow.yaml", Entries: config.List{{Key: "name", Text: "c"}, {Key: "connector.class", Text: "fake-source"}}}
		h := newHerder(t, new(fakeEngine), name, file)
		if err := h.SetTarget("c", state.TargetStopped); err != nil {
			t.Fatal(err)
		}
		closeIt(t, h)
		h = newHerder(t, new(fakeEngine), name, file)
		if got := states(t, h, "c"); got != "STOPPED" {
			t.Errorf("as long as the file has it, it is %s", got)
		}
		closeIt(t, h)
		closeIt(t, newHerder(t, new(fakeEngine), name)) // the file has it no more
		h = newHerder(t, new(fakeEngine), name)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		if got := states(t, h, "c"); got != "RUNNING RUNNING" {
			t.Errorf("made anew it is %s", got)
		}
		closeIt(t, h)
	})
}

// A task that is to start again, and is waited for, does not start once its
// connector has been deleted or stopped, or the worker ends.
func TestNothingStartsAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(*Herder) error{
		"deleted": func(h *Herder) error { return h.Delete("c") },
		"stopped": func(h *Herder) error { return h.SetTarget("c", state.TargetStopped) },
		"closed": func(h *Herder) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			began := time.Now()
			if err := h.Close(ctx); err == nil {
				return errors.New("Close says nothing of the task that was broken off")
			}
			if took := time.Since(began); took > time.Second {
				return errors.New("Close took " + took.String())
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := new(fakeEngine)
				h := newHerder(t, e, "")
				task := stuckTask(t, h, e, "c")
				if err := h.RestartTask("c", 0); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if err := end(h); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				if n := e.count(); n != 1 {
					t.Errorf("%d starts", n)
				}
				_ = h.Close(t.Context())
				task.become(state.Stopped, nil)
			})
		})
	}
}

// A connector that is paused while its task is waited for starts paused.
func TestPausedWhileItStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		task := stuckTask(t, h, e, "c")
		if err := h.RestartTask("c", 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := h.SetTarget("c", state.TargetPaused); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if n := e.count(); n != 2 || !e.last().spec.Paused {
			t.Errorf("%d starts, the last one paused: %t", n, e.last().spec.Paused)
		}
		closeIt(t, h)
		task.become(state.Stopped, nil)
	})
}

// half is a store that once appends but the first of several records.
type half struct {
	store.Store
	broken bool
}

func (s *half) Append(ctx context.Context, records ...store.Record) error {
	if s.broken && len(records) > 1 {
		s.broken = false
		return errors.Join(s.Store.Append(ctx, records[:1]...), errors.New("half way"))
	}
	return s.Store.Append(ctx, records...)
}

// A stop of which only the commit of no tasks is written is no stop.
func TestStopHalfWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, err := store.OpenFile("", nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &half{Store: kept}
		h := newHerderOn(t, new(fakeEngine), s)
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.broken = true
		if err := h.SetTarget("c", state.TargetStopped); err == nil {
			t.Error("the stop succeeds")
		}
		if got := states(t, h, "c"); got != "RUNNING RUNNING" {
			t.Errorf("it is %s", got)
		}
		closeIt(t, h)
	})
}

// A connector is deleted of which only the first record is written, as is told:
// it is gone, and the next one of its name is not stopped as it was.
func TestDeleteHalfWay(t *testing.T) {
	overStores(t, func(t *testing.T, open func() (store.Store, func())) {
		kept, closed := open()
		s := &half{Store: kept}
		h := newHerderOn(t, new(fakeEngine), s)
		if _, err := h.Create("c", source(), state.TargetStopped); err != nil {
			t.Fatal(err)
		}
		s.broken = true
		if err := h.Delete("c"); err == nil {
			t.Error("the removal succeeds")
		}
		if names := h.Connectors(); len(names) != 0 {
			t.Errorf("there are %v", names)
		}
		if _, err := h.Create("c", source(), ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := states(t, h, "c"); got != "RUNNING RUNNING" {
			t.Errorf("it is %s", got)
		}
		closeIt(t, h)
		closed()
	})
}

// hooked is a store that does something at the nth reading of a connector from
// now on.
type hooked struct {
	store.Store
	readings atomic.Int32
	hook     func()
}

func (s *hooked) Connector(name string) (store.Connector, bool) {
	if s.readings.Add(-1) == 0 {
		s.hook()
	}
	return s.Store.Connector(name)
}

// A configuration that is replaced while it is split, and put back before the
// next step, is split again.
func TestPutBackWhileItIsSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, err := store.OpenFile("", nil)
		if err != nil {
			t.Fatal(err)
		}
		s, e := &hooked{Store: kept}, new(fakeEngine)
		h := newHerderOn(t, e, s)
		put := func(speed string) {
			if _, _, err := h.Put("c", source("speed", speed)); err != nil {
				t.Error(err)
			}
		}
		put("1")
		synctest.Wait()
		s.hook = func() { put("2") }
		e.split = func(spec runtime.TaskSpec, _ int) ([]connector.Props, error) {
			put("3")
			s.readings.Store(2) // publish looks whether this is still wanted, then the next step what is
			e.split = nil
			return []connector.Props{spec.Props}, nil
		}
		put("2")
		synctest.Wait()
		if want, _ := h.o.Store.Connector("c"); !want.Split() || want.Tasks[0]["speed"] != "2" {
			t.Errorf("the tasks are %v of %v", want.Tasks, want.Config)
		}
		closeIt(t, h)
	})
}

// What the page has kept of a deleted connector is forgotten, also where one of
// the same name has been made by then.
func TestDeletedConnectorIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, "")
		task := stuckTask(t, h, e, "c")
		if err := h.Delete("c"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Create("c", source(), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		e.mu.Lock()
		forgot := len(e.forgot)
		e.mu.Unlock()
		if n := e.count(); forgot != 1 || n != 2 {
			t.Errorf("forgot %d, %d starts", forgot, n)
		}
		closeIt(t, h)
		task.become(state.Stopped, nil)
	})
}
