package mutations

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

//go:embed mutations.txt
var list string

// root is the module's.
var root = filepath.Join("..", "..", "..")

// promises are what mutations break; each is to be broken by one at least.
var promises = []string{
	"invariant 1", "invariant 2", "invariant 3", "invariant 4", "invariant 5",
	"retriable", "data", "fatal",
	"order of source", "order of sink", "order of stream",
}

// mutation is one mistake.
type mutation struct {
	line     int // in mutations.txt
	name     string
	breaks   []string
	file     string // within the module
	pkg      string // of the test
	test     string
	old, new string
}

// mutations reads the list.
func mutations(t *testing.T) []*mutation {
	t.Helper()
	var all []*mutation
	m := new(mutation)
	for i, line := range strings.Split(list, "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case key == "mutation":
			m = &mutation{line: i + 1, name: value}
			all = append(all, m)
		case key == "breaks":
			m.breaks = strings.Split(value, ", ")
		case key == "file":
			m.file = value
		case key == "test":
			m.pkg, m.test, _ = strings.Cut(value, " ")
		case line[0] == '-':
			m.old += "\n" + line[1:]
		case line[0] == '+':
			m.new += "\n" + line[1:]
		default:
			t.Fatalf("mutations.txt:%d: %s", i+1, line)
		}
	}
	for _, m := range all {
		m.old, m.new = strings.TrimPrefix(m.old, "\n"), strings.TrimPrefix(m.new, "\n")
	}
	return all
}

// mutated gives the file with the mistake in it.
func (m *mutation) mutated() (string, error) {
	data, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(data), m.old); n != 1 || m.old == m.new {
		return "", fmt.Errorf("stale: its text is %d times in %s, want once:\n%s", n, m.file, m.old)
	}
	return strings.Replace(string(data), m.old, m.new, 1), nil
}

// TestListFits finds mutations whose code or test has changed, and promises that
// none breaks.
func TestListFits(t *testing.T) {
	all := mutations(t)
	if len(all) < 30 {
		t.Errorf("only %d mutations", len(all))
	}
	var broken []string
	for _, m := range all {
		if _, err := m.mutated(); err != nil {
			t.Errorf("mutations.txt:%d: %s: %v", m.line, m.name, err)
		}
		if !m.hasTest(t) {
			t.Errorf("mutations.txt:%d: %s: %s has no test %s", m.line, m.name, m.pkg, m.test)
		}
		for _, p := range m.breaks {
			if !slices.Contains(promises, p) {
				t.Errorf("mutations.txt:%d: %s: %q is no promise", m.line, m.name, p)
			}
		}
		broken = append(broken, m.breaks...)
	}
	for _, p := range promises {
		if !slices.Contains(broken, p) {
			t.Errorf("no mutation breaks %s", p)
		}
	}
}

// hasTest tells whether the test is there: go test does not mind one that is not.
func (m *mutation) hasTest(t *testing.T) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, m.pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(name string) bool {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(data), "\nfunc "+m.test+"(t *testing.T)")
	})
}
