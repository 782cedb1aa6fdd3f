package javavectors

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/converter/all"
	_ "github.com/axiom-data-science/hydraulics/transforms/all"
)

// kinds counts the cases of testdata by kind.
func kinds(t *testing.T) (map[string]int, map[string]Case) {
	t.Helper()
	cases, err := read(sub(testdata, "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	count, byID := map[string]int{}, map[string]Case{}
	for _, c := range cases {
		if _, twice := byID[c.ID]; twice {
			t.Errorf("%s is there twice", c.ID)
		}
		count[c.Kind()]++
		byID[c.ID] = c
	}
	return count, byID
}

// TestEveryKindIsRead finds the kinds that no test replays: they stand on the
// list of what is not there yet, with the number of their cases.
func TestEveryKindIsRead(t *testing.T) {
	missing, err := absent()
	if err != nil {
		t.Fatal(err)
	}
	count, _ := kinds(t)
	tests := replayingTests(t)
	unread := map[string]int{}
	for kind, n := range count {
		if !strings.Contains(tests, `"`+kind+`"`) {
			unread[kind] = n
		}
	}
	if d := cmp.Diff(missing, unread); d != "" {
		t.Errorf("absent.txt (-) is not what no test replays (+):\n%s", d)
	}
}

// replayingTests gives the text of all tests of the module that replay cases.
func replayingTests(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(filepath.Join("..", "..", ".."), func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && len(d.Name()) > 2 && d.Name()[0] == '.':
			return filepath.SkipDir // what git and make keep
		case !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(text), "javavectors.Replay(") {
			all.Write(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestAbsentPluginsAreAbsent reminds of the cases of a plugin that is new.
func TestAbsentPluginsAreAbsent(t *testing.T) {
	missing, err := absent()
	if err != nil {
		t.Fatal(err)
	}
	for kind := range missing {
		group, name, _ := strings.Cut(kind, ".")
		types := map[string]connector.PluginType{"smt": connector.TransformType, "predicate": connector.PredicateType, "converter": connector.HeaderConverterType}
		typ, ok := types[group]
		if !ok {
			continue
		}
		if group == "converter" {
			name += "Converter"
		}
		for _, class := range []string{name, name + "$Value"} {
			if _, there := connector.Plugins.Lookup(typ, class); there {
				t.Errorf("%s is there: replay its cases and take it off absent.txt", class)
			}
		}
	}
}

func TestExceptionsAreOfCases(t *testing.T) {
	missing, err := absent()
	if err != nil {
		t.Fatal(err)
	}
	_, cases := kinds(t)
	for id, why := range listed(t) {
		c, ok := cases[id]
		if !ok {
			t.Errorf("exceptions.txt: %s (%s) is no case", id, why)
		}
		if missing[c.Kind()] > 0 {
			t.Errorf("exceptions.txt: %s: no test replays %s", id, c.Kind())
		}
	}
}

func TestAbsentLines(t *testing.T) {
	for _, bad := range []string{"smt.Cast\n", "smt.Cast many\n", "smt.Cast 1\nsmt.Cast 2\n"} {
		if _, err := parseAbsent(bad); err == nil {
			t.Errorf("absent %q is taken", bad)
		}
	}
}

// TestReadOthers reads vectors that are not compressed, as Env names them.
func TestReadOthers(t *testing.T) {
	line := func(id string) []byte { return []byte(`{"id":"` + id + `","component":"smt.Example$Value"}` + "\n") }
	cases, err := read(fstest.MapFS{"b.jsonl": {Data: line("b")}, "a.jsonl": {Data: append(line("a"), line("a2")...)}, "README.md": {Data: []byte("#")}})
	if err != nil || len(cases) != 3 || cases[0].ID != "a" || cases[0].Kind() != "smt.Example" {
		t.Errorf("%+v, %v", cases, err)
	}
	for name, files := range map[string]fstest.MapFS{"none": {}, "no JSON": {"a.jsonl": {Data: []byte("{")}}, "not compressed": {"a.jsonl.gz": {Data: line("a")}}} {
		if cases, err := read(files); err == nil {
			t.Errorf("%s: %d cases", name, len(cases))
		}
	}
}
