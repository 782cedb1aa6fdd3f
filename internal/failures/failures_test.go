package failures

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TestTable looks whether each code is in order, of an area, and has all that a user
// is to read.
func TestTable(t *testing.T) {
	before := ""
	for _, f := range table {
		if f.Code <= before {
			t.Errorf("%s follows %s", f.Code, before)
		}
		before = f.Code
		if !slices.ContainsFunc(Areas(), func(a Area) bool { return strings.HasPrefix(f.Code, a.Begins) }) {
			t.Errorf("%s is of no area", f.Code)
		}
		if f.Title == "" || !strings.HasSuffix(f.Cause, ".") || !strings.HasSuffix(f.Remedy, ".") {
			t.Errorf("%s lacks a title, or sentences of its cause and its remedy", f.Code)
		}
	}
}

// TestCodesAreRaised compares the table with the codes that the program's errors are
// given, both ways.
func TestCodesAreRaised(t *testing.T) {
	raised := map[string]string{}
	code := regexp.MustCompile(`^"H\d{4}"$`)
	const root = "../.."
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name != root && strings.HasPrefix(d.Name(), ".") || d.Name() == "failures" || d.Name() == "static" {
				return filepath.SkipDir
			}
			return nil
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && code.MatchString(text.Value) {
				raised[strings.Trim(text.Value, `"`)] = name
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range table {
		if raised[f.Code] == "" {
			t.Errorf("%s (%s): no error has this code", f.Code, f.Title)
		}
		delete(raised, f.Code)
	}
	for code, file := range raised {
		t.Errorf("%s gives errors the code %s, which is not documented", file, code)
	}
}

func TestFind(t *testing.T) {
	for _, f := range table {
		for _, code := range []string{f.Code, strings.ToLower(f.Code)} {
			if got, ok := Find(code); !ok || got != f {
				t.Errorf("%s: %v, %t", code, got, ok)
			}
		}
	}
	if f, ok := Find("H9999"); ok {
		t.Error(f)
	}
}

func TestIn(t *testing.T) {
	var got []string
	for _, f := range In("a [H2001]\nb [H5001], c [H2001] and [H9999]") {
		got = append(got, f.Code)
	}
	if !slices.Equal(got, []string{"H2001", "H5001"}) {
		t.Error(got)
	}
}

func TestText(t *testing.T) {
	plain := errors.New("a")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"none", plain, "a"},
		{"a code", connector.Coded("H2001", plain), "a [H2001]"},
		{"within", fmt.Errorf("b: %w", connector.Fatal(connector.Coded("H2001", plain))), "b: a [H2001]"},
		{"the first one stays", connector.Coded("H8000", fmt.Errorf("b: %w", connector.Coded("H2001", plain))), "b: a [H2001]"},
		{"several lines", connector.Coded("H2001", errors.New("a\nb")), "a [H2001]\nb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.err); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
