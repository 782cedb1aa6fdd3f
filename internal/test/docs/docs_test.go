package docs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
