package declared

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// faulty is a worker that refuses to change a connector.
type faulty struct {
	there   map[string]client.Connector
	secret  map[string]string // the key that is a password, by class
	refuses string
	did     []string
}

func (f *faulty) Connectors(context.Context) (map[string]client.Connector, error) {
	return f.there, nil
}

func (f *faulty) Validate(_ context.Context, c client.Config) ([]client.Check, error) {
	return []client.Check{{Definition: &client.Key{Name: f.secret[c.Text("connector.class")], Type: "PASSWORD"}}}, nil
}

func (f *faulty) do(what, name string) error {
	if name == f.refuses {
		return errors.New("connector " + name + ": not now")
	}
	f.did = append(f.did, what+" "+name)
	return nil
}

func (f *faulty) Create(_ context.Context, name string, _ client.Config, _ state.Target) error {
	return f.do("create", name)
}

func (f *faulty) Put(_ context.Context, name string, _ client.Config) error {
	return f.do("put", name)
}

func (f *faulty) Delete(_ context.Context, name string) error { return f.do("delete", name) }

// newFaulty is a worker with a connector of the set.
func newFaulty(refuses string) *faulty {
	c := client.Config{}
	for k, v := range map[string]string{"name": "old", "connector.class": "Old", "pin": "hush", config.SetKey: "it"} {
		c[k] = &v
	}
	return &faulty{there: map[string]client.Connector{"old": {Info: client.Info{Name: "old", Config: c}}}, secret: map[string]string{"Old": "pin"}, refuses: refuses}
}

func connectors(t *testing.T, text string) []config.Connector {
	t.Helper()
	s := new(config.Setup)
	if err := s.Add("flow.yaml", []byte(text), config.AnyRole); err != nil {
		t.Fatal(err)
	}
	return s.Connectors
}

// What fails keeps nothing from being made, and everything from being deleted.
func TestNothingIsDeletedAfterAFailure(t *testing.T) {
	for refuses, want := range map[string][]string{"": {"create a", "create b", "delete old"}, "a": {"create b"}} {
		w := newFaulty(refuses)
		plan, err := Plan(t.Context(), w, connectors(t, "connectors:\n  b: {connector.class: B}\n  a: {connector.class: A}\n"), Options{Set: "it"})
		if err != nil {
			t.Fatal(err)
		}
		err = Apply(t.Context(), w, plan, func(Change) error { return nil })
		if d := cmp.Diff(want, w.did); d != "" {
			t.Errorf("refusing %q: %s", refuses, d)
		}
		if refuses != "" && (err == nil || !strings.Contains(err.Error(), "connector old: it was not deleted")) {
			t.Errorf("refusing %q: %v", refuses, err)
		}
	}
}

// A secret of the plugin that a connector had before is not shown either.
func TestFormerSecretsAreHidden(t *testing.T) {
	w := newFaulty("")
	plan, err := Plan(t.Context(), w, connectors(t, "connectors:\n  old: {connector.class: New}\n"), Options{Set: "it"})
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) *string { return &s }
	want := []KeyChange{{Key: "connector.class", Old: text("Old"), New: text("New")}, {Key: "pin", Old: text(config.Hidden)}}
	if d := cmp.Diff(want, plan[0].Keys); d != "" {
		t.Error(d)
	}
}
