package mutations

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/clauses"
)

//go:embed mutations.txt clauses.txt
var lists embed.FS

// root is the module's.
var root = filepath.Join("..", "..", "..")

// leastClauses is how many clauses are to be broken.
const leastClauses = 20

// promises are what mutations break, beside clauses; each is to be broken by one
// at least.
var promises = []string{
	"invariant 1", "invariant 2", "invariant 3", "invariant 4", "invariant 5",
	"retriable", "data", "fatal",
	"order of source", "order of sink", "order of stream",
}

// mutation is one mistake.
type mutation struct {
	place    string // file and line of the list
	name     string
	breaks   []string
	file     string // within the module
	pkg      string // of the test
	test     string // with its subtest
	old, new string
}

// mutations reads the lists.
func mutations(t *testing.T) []*mutation {
	t.Helper()
	var all []*mutation
	for _, name := range []string{"mutations.txt", "clauses.txt"} {
		data, err := lists.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parse(t, name, string(data))...)
	}
	return all
}

func parse(t *testing.T, file, list string) []*mutation {
	t.Helper()
	var all []*mutation
	m := new(mutation)
	for i, line := range strings.Split(list, "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case key == "mutation":
			m = &mutation{place: fmt.Sprintf("%s:%d: %s", file, i+1, value), name: value}
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
			t.Fatalf("%s:%d: %s", file, i+1, line)
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
	rows, err := clauses.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	var broken []string
	for _, m := range all {
		if _, err := m.mutated(); err != nil {
			t.Errorf("%s: %v", m.place, err)
		}
		if !m.hasTest(t) {
			t.Errorf("%s: %s has no test %s", m.place, m.pkg, m.test)
		}
		for _, p := range m.breaks {
			switch {
			case clauses.IsID(p):
				if !m.isOf(rows, p) {
					t.Errorf("%s: %s has no row with the test %s", m.place, p, m.test)
				}
			case !slices.Contains(promises, p):
				t.Errorf("%s: %q is no promise", m.place, p)
			}
		}
		broken = append(broken, m.breaks...)
	}
	ids := slices.Compact(slices.Sorted(slices.Values(broken)))
	if n := len(slices.DeleteFunc(ids, func(p string) bool { return !clauses.IsID(p) })); n < leastClauses {
		t.Errorf("only %d clauses are broken, want %d", n, leastClauses)
	}
	for _, p := range promises {
		if !slices.Contains(broken, p) {
			t.Errorf("no mutation breaks %s", p)
		}
	}
}

// isOf tells whether the row of a clause names the mutation's test.
func (m *mutation) isOf(rows []clauses.Row, id string) bool {
	name := strings.TrimPrefix(m.pkg, "./") + "." + m.test
	return slices.ContainsFunc(rows, func(r clauses.Row) bool {
		return r.ID == id && slices.ContainsFunc(r.Tests, func(t clauses.Test) bool { return t.String() == name || strings.HasPrefix(name, t.String()+"/") })
	})
}

// hasTest tells whether the test is there: go test does not mind one that is not.
func (m *mutation) hasTest(t *testing.T) bool {
	t.Helper()
	function, _, _ := strings.Cut(m.test, "/")
	files, err := filepath.Glob(filepath.Join(root, m.pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(name string) bool {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(data), "\nfunc "+function+"(t *testing.T)")
	})
}
