package storetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Run checks a form of a store. open opens it at the same place each time, as
// a worker that starts again does, with the connectors of the worker's files.
func Run(t *testing.T, place func(t *testing.T) (open func(managed ...config.Connector) store.Store)) {
	t.Run("connectors", func(t *testing.T) { connectors(t, place(t)()) })
	t.Run("tasks count with their commit", func(t *testing.T) { tasks(t, place(t)()) })
	t.Run("what listeners hear", func(t *testing.T) { events(t, place(t)()) })
	t.Run("opened again", func(t *testing.T) { again(t, place(t)) })
}

func write(t *testing.T, s store.Store, records ...store.Record) {
	t.Helper()
	if err := s.Append(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func want(t *testing.T, s store.Store, name string) store.Connector {
	t.Helper()
	c, ok := s.Connector(name)
	if !ok {
		t.Fatalf("there is no connector %s", name)
	}
	return c
}

func connectors(t *testing.T, s store.Store) {
	write(t, s, store.ConnectorConfig{Connector: "b", Config: connector.Props{"k": "1"}})
	write(t, s, store.TargetState{Connector: "a-1", Target: state.TargetPaused}, store.ConnectorConfig{Connector: "a-1", Config: connector.Props{"k": nil}})
	same(t, "in the order they were made", []string{"b", "a-1"}, s.Connectors())
	same(t, "it is to run", store.Connector{Config: connector.Props{"k": "1"}, Target: state.TargetStarted}, want(t, s, "b"))
	same(t, "a target that came first", store.Connector{Config: connector.Props{"k": nil}, Target: state.TargetPaused}, want(t, s, "a-1"))
	write(t, s, store.ConnectorConfig{Connector: "b", Config: connector.Props{"k": "2"}})
	same(t, "changed", connector.Props{"k": "2"}, want(t, s, "b").Config)
	write(t, s, store.TargetState{Connector: "a-1", Target: state.TargetStopped})
	write(t, s, store.ConnectorConfig{Connector: "b"}, store.TargetState{Connector: "b"})
	if c, ok := s.Connector("b"); ok {
		t.Errorf("a removed connector is there: %v", c)
	}
	write(t, s, store.ConnectorConfig{Connector: "b", Config: connector.Props{}})
	same(t, "made again", []string{"a-1", "b"}, s.Connectors())
	same(t, "stopped", state.TargetStopped, want(t, s, "a-1").Target)
}

func tasks(t *testing.T, s store.Store) {
	first, second := connector.Props{"v": "1"}, connector.Props{"v": "2"}
	write(t, s, store.ConnectorConfig{Connector: "c", Config: first})
	write(t, s, store.TaskConfig{Connector: "c", Task: 0, Config: connector.Props{"part": "a"}})
	same(t, "without a commit", store.Connector{Config: first, Target: state.TargetStarted}, want(t, s, "c"))
	two := []connector.Props{{"part": "a"}, {"part": "b"}}
	write(t, s, store.Tasks("c", two)...)
	write(t, s, store.ConnectorConfig{Connector: "c", Config: second})
	c := want(t, s, "c")
	same(t, "the tasks", two, c.Tasks)
	same(t, "they were made of the configuration of then", first, c.Applied)
	write(t, s, store.TaskConfig{Connector: "c", Task: 0, Config: connector.Props{"part": "x"}}, store.TaskCommit{Connector: "c", Tasks: 2})
	lacking := want(t, s, "c")
	if len(lacking.Tasks) != 0 || !lacking.Inconsistent || lacking.Generation <= c.Generation {
		t.Errorf("a task is lacking: %+v", lacking)
	}
	write(t, s, store.Tasks("c", two[:1])...)
	mended := want(t, s, "c")
	same(t, "complete again", two[:1], mended.Tasks)
	same(t, "of the configuration", second, mended.Applied)
	if mended.Inconsistent || mended.Generation <= lacking.Generation {
		t.Errorf("complete again: %+v", mended)
	}
	write(t, s, store.Tasks("c", nil)...)
	if none := want(t, s, "c"); len(none.Tasks) != 0 || none.Inconsistent {
		t.Errorf("no tasks: %+v", none)
	}
	write(t, s, store.TaskConfig{Connector: "c", Task: 0, Config: two[0]}, store.ConnectorConfig{Connector: "c"},
		store.ConnectorConfig{Connector: "c", Config: first}, store.TaskCommit{Connector: "c", Tasks: 1})
	if c := want(t, s, "c"); !c.Inconsistent {
		t.Errorf("a task of a removed connector counts for the next one: %+v", c)
	}
}

func events(t *testing.T, s store.Store) {
	write(t, s, store.ConnectorConfig{Connector: "c", Config: connector.Props{}}, store.RestartRequest{Connector: "c"})
	heard := make(chan store.Record, 20)
	s.Listen(func(r store.Record) {
		if names := s.Connectors(); len(names) > 1 { // it can be read while it tells
			t.Errorf("there are %v", names)
		}
		heard <- r
	})
	restart := store.RestartRequest{Connector: "c", IncludeTasks: true, OnlyFailed: true}
	key := store.SessionKey{Key: "\x00\xffk", Algorithm: "HmacSHA256", Created: time.UnixMilli(1795488107249).UTC()}
	level := store.LoggerLevel{Namespace: "a.b", Level: "DEBUG"}
	write(t, s, append(store.Tasks("c", []connector.Props{{}}), restart, key)...)
	write(t, s, store.TargetState{Connector: "c", Target: state.TargetPaused}, level)
	write(t, s, store.ConnectorConfig{Connector: "c"}, store.TargetState{Connector: "c"})
	write(t, s, store.Tasks("c", []connector.Props{{}})...)
	close(heard)
	var got []store.Record
	for r := range heard {
		got = append(got, r)
	}
	same(t, "heard", []store.Record{store.TaskCommit{Connector: "c", Tasks: 1}, restart, key,
		store.TargetState{Connector: "c", Target: state.TargetPaused}, level, store.ConnectorConfig{Connector: "c"}}, got)
}

func again(t *testing.T, open func(managed ...config.Connector) store.Store) {
	managed := config.Connector{Name: "of-a-file", File: "flow.yaml", Entries: config.List{{Key: "k", Text: "v"}}}
	s := open(managed)
	same(t, "from the file", connector.Props{"k": "v"}, want(t, s, "of-a-file").Config)
	write(t, s, store.ConnectorConfig{Connector: "made", Config: connector.Props{"a": "1", "n": nil}})
	write(t, s, store.TargetState{Connector: "of-a-file", Target: state.TargetStopped})
	s = open(managed)
	same(t, "made before", connector.Props{"a": "1", "n": nil}, want(t, s, "made").Config)
	same(t, "it runs", state.TargetStarted, want(t, s, "made").Target)
	same(t, "stopped before", state.TargetStopped, want(t, s, "of-a-file").Target)
	write(t, s, store.ConnectorConfig{Connector: "made"}, store.TargetState{Connector: "made"})
	same(t, "removed", []string{"of-a-file"}, open(managed).Connectors())
}
