// Package clauses reads the tables of what is there by clause, of Kafka Connect and
// of its sinks for databases and web services, and which tests hold each clause.
package clauses

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// files are the documents within the module whose tables have a column clause.
var files = []string{"docs/kafka-connect.md", "docs/postgres.md", "docs/rest.md"}

// The states of a clause.
const (
	Yes     = "yes"
	Differs = "differs"
	Part    = "part"
	Missing = "missing"
	// Measured is of a rate, which is no test's: the note names the benchmark, and where its output is.
	Measured = "measured"
)

// Row is a clause.
type Row struct {
	File  string
	Line  int
	ID    string
	What  string
	State string
	Tests []Test
	Note  string
}

// Test names a test by its package's folder within the module, its function
// and, where it is one, its subtest.
type Test struct{ Package, Func, Sub string }

// String gives the test as the table has it.
func (t Test) String() string {
	name := t.Package + "." + t.Func
	if t.Sub != "" {
		name += "/" + t.Sub
	}
	return name
}

// ParseTest reads a test as the table has it.
func ParseTest(text string) (Test, error) {
	m := testName.FindStringSubmatch(text)
	if m == nil {
		return Test{}, fmt.Errorf("%q is no test: want package.TestName or package.TestName/subtest", text)
	}
	return Test{m[1], m[2], m[3]}, nil
}

var (
	testName = regexp.MustCompile(`^([a-z][a-z0-9/]*)\.(Test\w+)(?:/(.+))?$`)
	clauseID = regexp.MustCompile(`^[A-NRTWY][1-9][0-9]?$`)
)

// IsID tells whether a text has the form of a clause's id.
func IsID(text string) bool { return clauseID.MatchString(text) }

// Read gives the rows of all tables; root is the module's folder.
func Read(root string) ([]Row, error) {
	var rows []Row
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return nil, err
		}
		more, err := parse(file, string(data))
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// parse reads the tables of a document that begin with a column clause.
func parse(file, text string) ([]Row, error) {
	var rows []Row
	within := false
	for i, line := range strings.Split(text, "\n") {
		head := strings.HasPrefix(line, "| clause |")
		within = head || within && strings.HasPrefix(line, "|")
		if !within || head || strings.HasPrefix(line, "|---") {
			continue
		}
		r, err := parseRow(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		r.File, r.Line = file, i+1
		rows = append(rows, r)
	}
	return rows, nil
}

func parseRow(line string) (Row, error) {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	if len(cells) != 5 {
		return Row{}, fmt.Errorf("it has %d cells, want 5", len(cells))
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	r := Row{ID: cells[0], What: cells[1], State: cells[2], Note: cells[4]}
	if !IsID(r.ID) {
		return r, fmt.Errorf("%q is no clause", r.ID)
	}
	if !slices.Contains([]string{Yes, Differs, Part, Missing, Measured}, r.State) {
		return r, fmt.Errorf("%s: %q is no state", r.ID, r.State)
	}
	for _, quoted := range regexp.MustCompile("`[^`]+`").FindAllString(cells[3], -1) {
		t, err := ParseTest(strings.Trim(quoted, "`"))
		if err != nil {
			return r, fmt.Errorf("%s: %w", r.ID, err)
		}
		r.Tests = append(r.Tests, t)
	}
	untested := r.State == Missing || r.State == Measured
	switch {
	case untested && len(r.Tests) > 0:
		return r, fmt.Errorf("%s: a test holds what is %s", r.ID, r.State)
	case !untested && len(r.Tests) == 0:
		return r, fmt.Errorf("%s: no test holds it", r.ID)
	case r.State != Yes && r.Note == "":
		return r, fmt.Errorf("%s: the reason is missing", r.ID)
	}
	return r, nil
}
