package clauses

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// root is the module's.
var root = filepath.Join("..", "..", "..")

// wanted are the clauses that the tables are about.
func wanted() []string {
	var ids []string
	for _, section := range []struct {
		letter string
		first  int
		last   int
	}{{"A", 1, 21}, {"B", 1, 11}, {"C", 1, 9}, {"D", 1, 19}, {"E", 1, 6}, {"F", 1, 4}, {"G", 1, 10}, {"H", 1, 8}, {"I", 1, 1}, {"I", 4, 5}, {"J", 1, 7}, {"K", 1, 15}, {"L", 1, 7}, {"M", 1, 3},
		{"R", 1, 10}, {"T", 1, 9}, {"Y", 1, 7}, {"W", 1, 14}, {"N", 1, 18}} {
		for n := section.first; n <= section.last; n++ {
			ids = append(ids, section.letter+strconv.Itoa(n))
		}
	}
	return ids
}

// TestTable wants a row for each clause, and each test of a row to be there and
// to carry the clause; no other test carries it.
func TestTable(t *testing.T) {
	rows, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	carried := map[string][]string{} // clauses by test
	tests := testsOf(t)
	for _, r := range rows {
		ids = append(ids, r.ID)
		for _, named := range r.Tests {
			at := fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, r.ID, named)
			there, ok := tests[Test{Package: named.Package, Func: named.Func}]
			switch {
			case !ok:
				t.Errorf("%s is not there", at)
			case !slices.Contains(there.clauses, r.ID):
				t.Errorf("%s does not carry the clause: its comment wants a line \"Clauses: %s.\"", at, r.ID)
			case named.Sub != "" && !there.has(t, named.Sub):
				t.Errorf("%s: there is no such subtest", at)
			}
			name := Test{Package: named.Package, Func: named.Func}.String()
			carried[name] = append(carried[name], r.ID)
		}
	}
	if d := cmp.Diff(wanted(), ids); d != "" {
		t.Error(d)
	}
	for name, there := range tests {
		for _, id := range there.clauses {
			if !slices.Contains(carried[name.String()], id) {
				t.Errorf("%s carries %s, whose row does not name it", name, id)
			}
		}
	}
}

// testFunc is a test of the module.
type testFunc struct {
	dir     string
	body    *ast.FuncDecl
	clauses []string
}

var carries = regexp.MustCompile(`(?m)^Clauses: ([A-Z0-9,\s]+)\.$`)

// testsOf gives all tests of the module.
func testsOf(t *testing.T) map[Test]testFunc {
	t.Helper()
	tests := map[Test]testFunc{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "examples") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		pkg, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				tests[Test{Package: filepath.ToSlash(pkg), Func: f.Name.Name}] = testFunc{dir, f, clausesIn(f.Doc.Text())}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// clausesIn gives the clauses that a comment names.
func clausesIn(doc string) []string {
	var ids []string
	for _, m := range carries.FindAllStringSubmatch(doc, -1) {
		ids = append(ids, strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })...)
	}
	return ids
}

// has tells whether a test has a subtest: by a text in the function, or by a
// file of its folder's testdata.
func (f testFunc) has(t *testing.T, sub string) bool {
	t.Helper()
	found := false
	ast.Inspect(f.body, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			value, err := strconv.Unquote(text.Value)
			found = found || err == nil && value == sub
		}
		return !found
	})
	if found {
		return true
	}
	files, err := filepath.Glob(filepath.Join(f.dir, "testdata", sub))
	if err != nil {
		t.Fatal(err)
	}
	return len(files) > 0
}

func TestParse(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{"with tests", "| A1 | what | differs | `runtime.TestX`, `a/b.TestY/a sub, and more` | why |", ""},
		{"missing", "| M3 | what | missing | | why |", ""},
		{"a cell more", "| A1 | what | yes | `a.TestX` | | |", "it has 6 cells, want 5"},
		{"no clause", "| Z1 | what | yes | `a.TestX` | |", `"Z1" is no clause`},
		{"measured", "| W11 | what | measured | | by what |", ""},
		{"measured by nothing", "| W11 | what | measured | | |", `W11: the reason is missing`},
		{"no state", "| A1 | what | done | `a.TestX` | |", `A1: "done" is no state`},
		{"no test", "| A1 | what | yes | | |", "A1: no test holds it"},
		{"a test of what is missing", "| A1 | what | missing | `a.TestX` | why |", "A1: a test holds what is missing"},
		{"no reason", "| A1 | what | part | `a.TestX` | |", "A1: the reason is missing"},
		{"a name that is none", "| A1 | what | yes | `TestX` | |", `A1: "TestX" is no test`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := parse("x.md", "| key |\n| a |\n\n| clause |\n"+tt.line)
			if tt.want == "" && (err != nil || len(rows) != 1) {
				t.Errorf("%v, %v", rows, err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	rows, err := parse("x.md", "| clause |\n"+tests[0].line)
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{{File: "x.md", Line: 2, ID: "A1", What: "what", State: Differs, Note: "why",
		Tests: []Test{{"runtime", "TestX", ""}, {"a/b", "TestY", "a sub, and more"}}}}
	if d := cmp.Diff(want, rows); d != "" {
		t.Error(d)
	}
}
