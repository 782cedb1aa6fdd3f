package docs

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/axiom-data-science/hydraulics/internal/test/exceptions"
)

// TestEachCommandHasAPlace looks for commands of the documents that nothing
// runs, and for those of the list that are gone from the documents.
func TestEachCommandHasAPlace(t *testing.T) {
	blocks, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	places, err := Places()
	if err != nil {
		t.Fatal(err)
	}
	if err := Compare(blocks, places); err != nil {
		t.Error(err)
	}
	for _, place := range []string{Test, Integration} {
		if len(RunBy(place, places)) == 0 {
			t.Errorf("%s runs no command", place)
		}
	}
}

// mostMarked is how many blocks of commands or configuration may be run by nothing.
const mostMarked = 20

// TestBlocksAreRun counts the blocks that nothing runs, and checks their syntax.
func TestBlocksAreRun(t *testing.T) {
	blocks, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	places, err := Places()
	if err != nil {
		t.Fatal(err)
	}
	tests := tests(t)
	marked := Marked(blocks, places, func(test string) bool { return tests[test] })
	if len(marked) > mostMarked {
		t.Errorf("%d blocks are run by nothing, %d may be", len(marked), mostMarked)
	}
	for _, b := range marked {
		t.Logf("%s: %s %s", b.At(), b.Language, b.Reason)
	}
	for _, b := range blocks {
		var err error
		switch b.Language {
		case "sh":
			cmd := exec.CommandContext(t.Context(), "sh", "-n")
			cmd.Stdin = strings.NewReader(b.Text)
			var out []byte
			if out, err = cmd.CombinedOutput(); err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
		case "yaml":
			err = yaml.Unmarshal([]byte(b.Text), new(any))
		case "json":
			for d := json.NewDecoder(strings.NewReader(b.Text)); err == nil && d.More(); { // or several, one after the other
				err = d.Decode(new(any))
			}
			if b.Reason == "" && b.Document != "docs/rest-api.md" {
				t.Errorf("%s: nothing runs it: say why behind the fence", b.At())
			}
		case "", "text":
			for line := range strings.Lines(b.Text) {
				if typed.MatchString(line) {
					t.Errorf("%s: a command, such as %q, is in a block of the language sh", b.At(), line)
				}
			}
		case "go", "http": // TestSignatures, and the examples of connectors/rest
		default:
			t.Errorf("%s: no test knows the language %s", b.At(), b.Language)
		}
		if err != nil {
			t.Errorf("%s: %v", b.At(), err)
		}
	}
}

// typed is how a line begins that a reader would type.
var typed = regexp.MustCompile(`^(\$ |bin/|make |go (test|build|run) |curl )`)

// tests gives the names of the module's tests.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test[A-Z]\w*)\(`)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestMarked(t *testing.T) {
	there := func(test string) bool { return test == "TestA" }
	places := exceptions.List{"make a": Test, "make b": "TestA runs it", "make c": "TestGone runs it", "make d": "it takes hours"}
	tests := []struct {
		name   string
		block  Block
		marked bool
	}{
		{"run by make test", Block{Language: "sh", Text: "make a"}, false},
		{"run by a test", Block{Language: "sh", Text: "make a\nmake b"}, false},
		{"of a test that is gone", Block{Language: "sh", Text: "make a\nmake c"}, true},
		{"with a reason", Block{Language: "sh", Text: "make d"}, true},
		{"a configuration", Block{Language: "yaml", Text: "a: b"}, false},
		{"a part of one", Block{Language: "yaml", Reason: "a part", Text: "a: b"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := len(Marked([]Block{tt.block}, places, there)) > 0; got != tt.marked {
				t.Errorf("%t, want %t", got, tt.marked)
			}
		})
	}
}

func TestParse(t *testing.T) {
	got, err := Parse("a.md", "# a\n\n```sh\nmake a\n```\n```\na -> b\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{{Document: "a.md", Line: 4, Language: "sh", Text: "make a\n"}, {Document: "a.md", Line: 7, Text: "a -> b\n"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := Parse("a.md", "```sh\nmake a\n"); err == nil || err.Error() != "a.md:2: the block is not closed" {
		t.Errorf("a block without an end: %v", err)
	}
}

func TestCommands(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"lines", "make a\n\n  make b\n", []string{"make a", "make b"}},
		{"comments", "# first\nmake a   # then\nmake b\t# last\n", []string{"make a", "make b"}},
		{"no comments", "curl 'a # b' \"# c\" d#e\n", []string{"curl 'a # b' \"# c\" d#e"}},
		{"one on two lines", "make \\\na\n", []string{"make  a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, Block{Language: "sh", Text: tt.text}.Commands()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	blocks := []Block{{Document: "a.md", Line: 4, Language: "sh", Text: "make a\nmake b\nmake b\n"}, {Document: "a.md", Line: 9, Text: "make c\n"}}
	tests := []struct {
		name   string
		places exceptions.List
		want   string
	}{
		{"all", exceptions.List{"make a": Test, "make b": "it has a reason"}, ""},
		{"one that nothing runs", exceptions.List{"make a": Test}, `a.md:4: nothing runs "make b": say in commands.txt where it is run, or why not`},
		{"one that is gone", exceptions.List{"make a": Test, "make b": Integration, "make c": Test}, `commands.txt: no document has "make c" any more`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := Compare(blocks, tt.places); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestRunBy(t *testing.T) {
	got := RunBy(Test, exceptions.List{"make b": Test, "make a": Test, "make c": Integration})
	if strings.Join(got, ", ") != "make a, make b" {
		t.Error(got)
	}
}
