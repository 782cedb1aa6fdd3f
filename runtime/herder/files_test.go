package herder

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Clauses: F3, K4.
func TestFileManagesItsConnector(t *testing.T) {
	file := config.Connector{Name: "f", File: "dir/flow.yaml", Entries: config.List{
		{Key: "name", Text: "f"}, {Key: "connector.class", Text: "fake-source"}}}
	bad := config.Connector{Name: "b", File: "dir/flow.yaml", Entries: config.List{
		{Key: "name", Text: "b"}, {Key: "connector.class", Text: "fake-source"}, {Key: "speed", Text: "fast"}}}
	kept := filepath.Join(t.TempDir(), "kept.json")
	synctest.Test(t, func(t *testing.T) {
		e := new(fakeEngine)
		h := newHerder(t, e, kept, file, bad)
		if got := states(t, h, "f"); got != "RUNNING RUNNING" {
			t.Errorf("%s", got)
		}
		if s, _ := h.Status("b"); s.Connector.State != state.Failed || !strings.Contains(s.Connector.Trace, "Invalid value fast") {
			t.Errorf("a connector that is not valid: %+v", s)
		}
		_, _, putErr := h.Put("f", source())
		_, patchErr := h.Patch("f", connector.Props{"speed": "2"})
		for _, err := range []error{putErr, patchErr, h.Delete("f")} {
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Reason != Conflict || !strings.Contains(err.Error(), "managed by the file dir/flow.yaml") {
				t.Errorf("%v", err)
			}
		}
		if err := h.SetTarget("f", state.TargetPaused); err != nil {
			t.Error(err)
		}
		closeIt(t, h)
		h = newHerder(t, e, kept, file)
		if got := states(t, h, "f"); got != "PAUSED" {
			t.Errorf("the state of a file's connector is lost: %s", got)
		}
		closeIt(t, h)
	})
}

// initial_state counts until something else is wanted, over starts of the worker.
//
// Clauses: F1, K7.
func TestInitialState(t *testing.T) {
	file := config.Connector{Name: "f", File: "f.json", Initial: state.TargetPaused, Entries: config.List{
		{Key: "name", Text: "f"}, {Key: "connector.class", Text: "fake-source"}}}
	kept := filepath.Join(t.TempDir(), "kept.json")
	synctest.Test(t, func(t *testing.T) {
		for _, step := range []struct {
			want string
			then state.Target
		}{{"PAUSED", ""}, {"PAUSED", state.TargetStarted}, {"RUNNING RUNNING", ""}, {"RUNNING RUNNING", state.TargetPaused}, {"PAUSED", ""}} {
			h := newHerder(t, new(fakeEngine), kept, file)
			if got := states(t, h, "f"); got != step.want {
				t.Errorf("%s, want %s", got, step.want)
			}
			if step.then != "" {
				if err := h.SetTarget("f", step.then); err != nil {
					t.Error(err)
				}
			}
			closeIt(t, h)
		}
	})
}
