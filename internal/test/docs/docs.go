// Package docs reads the fenced blocks of the documents that tell a reader what
// to type, and the list of where each of their commands is run: commands.txt.
package docs

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/test/exceptions"
)

// Where the commands of commands.txt are run.
const (
	Test        = "make test"
	Integration = "make integration"
)

// patterns find the documents, from the root of the module.
var patterns = []string{"README.md", "CONTRIBUTING.md", "docs/*.md", "docs/*/*.md", "examples/*/README.md"}

//go:embed commands.txt
var commands string

// Block is a fenced block of a document.
type Block struct {
	Document string // from the root of the module
	Line     int    // of its first line
	Language string // the first word behind the fence
	// Reason says why nothing runs the block, for what is no whole configuration: the
	// further words behind the fence. Its syntax is checked all the same.
	Reason string
	Text   string
}

// At says where the block begins.
func (b Block) At() string { return fmt.Sprintf("%s:%d", b.Document, b.Line) }

// Read gives the blocks of the documents below root.
func Read(root string) ([]Block, error) {
	var list []Block
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s: no such document", pattern)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				return nil, err
			}
			blocks, err := Parse(filepath.ToSlash(name), string(text))
			if err != nil {
				return nil, err
			}
			list = append(list, blocks...)
		}
	}
	return list, nil
}

// Parse gives the fenced blocks of a document.
func Parse(document, text string) ([]Block, error) {
	const fence = "```"
	var list []Block
	var open *Block
	for i, line := range strings.Split(text, "\n") {
		language, fenced := strings.CutPrefix(strings.TrimSpace(line), fence)
		switch {
		case open == nil && fenced:
			language, reason, _ := strings.Cut(language, " ")
			open = &Block{Document: document, Line: i + 2, Language: language, Reason: strings.TrimSpace(reason)}
		case open != nil && fenced:
			list, open = append(list, *open), nil
		case open != nil:
			open.Text += line + "\n"
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s: the block is not closed", open.At())
	}
	return list, nil
}

// Commands gives the commands of a block of the language sh: its lines, without
// comments; one that ends in a backslash goes on in the next.
func (b Block) Commands() []string {
	var list []string
	for _, line := range strings.Split(strings.ReplaceAll(b.Text, "\\\n", " "), "\n") {
		if command := strings.TrimSpace(uncomment(line)); command != "" {
			list = append(list, command)
		}
	}
	return list
}

// uncomment cuts a comment off a line: behind a # that begins a word and is not
// within quotes.
func uncomment(line string) string {
	quote, before := rune(0), ' '
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == '#' && (before == ' ' || before == '\t'):
			return line[:i]
		}
		before = r
	}
	return line
}

// Places gives where each command is run, by commands.txt: Test, Integration, or
// the reason why it is run by neither.
func Places() (exceptions.List, error) {
	list, err := exceptions.Parse(commands)
	if err != nil {
		return nil, fmt.Errorf("commands.txt: %w", err)
	}
	return list, nil
}

// RunBy gives the commands that one of the two runs, sorted.
func RunBy(place string, places exceptions.List) []string {
	var list []string
	for command, at := range places {
		if at == place {
			list = append(list, command)
		}
	}
	slices.Sort(list)
	return list
}

// named finds the tests that a reason names.
var named = regexp.MustCompile(`\bTest[A-Z]\w*`)

// Run tells whether a command is run: by make test, by make integration, or by tests
// that its reason names, which are there.
func Run(reason string, there func(test string) bool) bool {
	if reason == Test || reason == Integration {
		return true
	}
	tests := named.FindAllString(reason, -1)
	return len(tests) > 0 && !slices.ContainsFunc(tests, func(test string) bool { return !there(test) })
}

// Marked gives the blocks that nothing runs: of commands those with one that is not
// run, of configurations those with a reason.
func Marked(blocks []Block, places exceptions.List, there func(test string) bool) []Block {
	return slices.DeleteFunc(slices.Clone(blocks), func(b Block) bool {
		if b.Language != "sh" {
			return b.Reason == ""
		}
		return !slices.ContainsFunc(b.Commands(), func(c string) bool { return !Run(places[c], there) })
	})
}

// Compare says which commands of the blocks have no place, and which of the list
// no document has any more.
func Compare(blocks []Block, places exceptions.List) error {
	var errs []error
	there := map[string]bool{}
	for _, b := range blocks {
		if b.Language != "sh" {
			continue
		}
		for _, command := range b.Commands() {
			if places[command] == "" && !there[command] {
				errs = append(errs, fmt.Errorf("%s: nothing runs %q: say in commands.txt where it is run, or why not", b.At(), command))
			}
			there[command] = true
		}
	}
	for command := range places {
		if !there[command] {
			errs = append(errs, fmt.Errorf("commands.txt: no document has %q any more", command))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
