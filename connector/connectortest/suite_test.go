package connectortest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// badCase is a plugin that breaks a promise: the case that must fail, and what it
// must say.
type badCase struct {
	name     string
	promises []promise
	fails    string
	says     string
	waits    bool // the suite has to lose its patience
}

func (b badCase) run(t *testing.T) {
	if b.waits {
		before := patience
		patience = time.Second
		defer func() { patience = before }()
	}
	for _, p := range b.promises {
		if p.name != b.fails {
			continue
		}
		failures, _ := attempt(t, p)
		if text := strings.Join(failures, "\n"); !strings.Contains(text, b.says) || text == "" {
			t.Errorf("the suite says %q, want %q", text, b.says)
		}
		return
	}
	t.Fatalf("%q is not a case of the suite", b.fails)
}

// runBad runs the bad plugins of a kind, each of another name.
func runBad(t *testing.T, cases []badCase) {
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.name] {
			t.Fatalf("%q is there twice", c.name)
		}
		seen[c.name] = true
		t.Run(c.name, c.run)
	}
}

// info is the description of the plugins of these tests.
type info struct{}

func (info) Info() connector.Info {
	return connector.Info{Name: "test", Version: "1", Doc: "A plugin of a test."}
}

func (info) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }

func TestKnownFailures(t *testing.T) {
	kept := promise{"kept", func(testing.TB) {}}
	broken := promise{"broken", func(t testing.TB) { t.Errorf("number %d", 7); t.Fatal("the end"); t.Error("never") }}
	panics := promise{"panics", func(testing.TB) { panic("oh") }}
	absent := promise{"absent", func(t testing.TB) { t.Skip("no such ability") }}

	failures, _ := attempt(t, broken)
	if diff := cmp.Diff([]string{"number 7", "the end"}, failures); diff != "" {
		t.Error(diff)
	}
	if failures, _ := attempt(t, panics); len(failures) != 1 || !strings.HasPrefix(failures[0], "panic: oh\n") {
		t.Errorf("a panic is %q", failures)
	}
	for _, test := range []struct {
		promise promise
		says    string
	}{{broken, ""}, {panics, ""}, {kept, "the promise is kept by now"}, {absent, "the case does not apply"}} {
		failures, skipped := attempt(t, test.promise)
		if got := overdue("why", failures, skipped); !strings.HasPrefix(got, test.says) || (got == "") != (test.says == "") {
			t.Errorf("%s: %q, want %q", test.promise.name, got, test.says)
		}
	}
	want := []string{`known failure "kept" has no reason`, `known failure "other" is not a case of this suite`}
	if diff := cmp.Diff(want, misnamed(map[string]string{"broken": "why", "kept": "", "other": "x"}, []promise{kept, broken})); diff != "" {
		t.Error(diff)
	}
	suite(t, map[string]string{"broken": "it is made so"}, []promise{kept, broken, absent}) // passes
}

func TestCleanupsOfAnAttempt(t *testing.T) {
	var order []string
	_, _ = attempt(t, promise{"p", func(t testing.TB) {
		t.Cleanup(func() { order = append(order, "second") })
		t.Cleanup(func() { order = append(order, "first") })
		t.FailNow()
	}})
	if diff := cmp.Diff([]string{"first", "second"}, order); diff != "" {
		t.Error(diff)
	}
}
