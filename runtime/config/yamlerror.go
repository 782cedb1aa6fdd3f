package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

var (
	yamlLine    = regexp.MustCompile(`^yaml: line (\d+): `)
	yamlAnchor  = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	tabbed      = regexp.MustCompile(`(?m)^ *\t`)
	valueBegins = regexp.MustCompile(`:(\s|$)`)
)

// What the YAML library says of texts that a person writes by mistake.
const (
	yamlNoKey    = "did not find expected key"
	yamlNoItem   = "did not find expected '-' indicator"
	yamlNoDoc    = "did not find expected <document start>"
	yamlNoList   = "did not find expected ',' or ']'"
	yamlNoMap    = "did not find expected ',' or '}'"
	yamlNoNode   = "did not find expected node content"
	yamlSecond   = "mapping values are not allowed in this context"
	yamlNoToken  = "found character that cannot start any token"
	yamlTab      = "found a tab character that violates indentation"
	yamlTag      = "found undefined tag handle"
	yamlControls = "control characters are not allowed"
)

// yamlWords says in words what the library finds, where one sentence will do.
var yamlWords = map[string]string{
	yamlNoItem:                       `does not go on with the list before it: its items begin with "- ", one below the other`,
	yamlNoDoc:                        `is no key of the file: keys of the file begin in one column, and end in a colon`,
	yamlNoList:                       `the list that begins here with [ has no ] at its end, or no comma between two items`,
	yamlNoMap:                        `the keys that begin here with { have no } at their end, or no comma between two of them`,
	yamlNoNode:                       `an item is missing between two commas or brackets`,
	"could not find expected ':'":    `is neither a key nor a value: a key ends in a colon and a space, as in "topics: a"`,
	"found unexpected end of stream": `the text in quotes that begins here has no quote at its end`,
	"found unknown escape character": `a backslash between double quotes begins an escape, and there is none of this kind: write \\, or use single quotes`,
	"did not find expected alphabetic or numeric character":  `a text that begins with * or & must be in quotes`,
	"block sequence entries are not allowed in this context": `a list does not begin behind a key: write [a, b], or each "- " item on a line of its own`,
	"did not find expected comment or line break":            `nothing may follow | or > on its line: the text begins on the next one`,
	yamlTag: `a text that begins with ! must be in quotes`,
	"did not find expected whitespace or line break":               `a text that begins with ! must be in quotes`,
	"found a tab character where an indentation space is expected": `is indented with a tab: YAML wants spaces`,
	"found unexpected document indicator":                          `a text in quotes goes on over the line that begins with --- or ...`,
}

// syntaxProblem says where a text is no YAML, and in words why.
func syntaxProblem(file string, data []byte) Problem {
	line, message := yamlFault(data)
	p := Problem{File: file, Line: line}
	lines := strings.Split(string(data), "\n")
	text := ""
	if line > 0 && line <= len(lines) {
		text = lines[line-1]
	}
	p.Message = message
	if words, ok := yamlWords[message]; ok {
		p.Message = words
	}
	indented := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	rest := strings.TrimSpace(text)
	switch {
	case strings.Contains(indented, "\t"):
		p.Message = "is indented with a tab: YAML wants spaces"
	case message == yamlNoToken && rest != "":
		p.Message = `a text that begins with @, %, ` + "`" + ` or a tab must be in quotes`
	case message == yamlNoNode && rest == "" && lastLine(lines, len(lines)) < line:
		p.Line, p.Message = lastLine(lines, line), "a [ or { is not closed before the end of the file"
	case message == yamlSecond && len(valueBegins.FindAllString(rest, -1)) > 1:
		p.Message = `has two colons with a space behind: put a text with ": " in quotes`
	case (message == yamlSecond || message == yamlNoKey) && keyless(lines, line):
		p.Line, p.Message = lastLine(lines, line-1), "has no colon at its end, though keys follow below it"
	case message == yamlNoKey && astray(lines[:max(line-1, 0)], len(indented)):
		p.Message = "is indented otherwise than the keys and items before it"
	case message == yamlNoKey:
		p.Message = "more follows a text in quotes or a bracket that has ended: put all of it in quotes"
	case message == yamlSecond:
		p.Message = "is indented further than the line before it, which has a value already"
	}
	return p
}

// yamlFault gives the line of the first fault and the library's word for it.
// Line 0 is the file as a whole.
func yamlFault(data []byte) (line int, message string) {
	// The library says no line for the first one, and counts from 0 what its
	// parser finds and from 1 what its scanner does: with a line before, the
	// parser's are right, and the scanner's one too many.
	err := decodeYAML(append([]byte("#\n"), bytes.TrimPrefix(data, []byte("\ufeff"))...))
	if err == nil {
		return 0, "cannot be read"
	}
	message = err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	message = strings.TrimPrefix(message, "yaml: ")
	switch message {
	case yamlNoKey, yamlNoItem: // said of where the mapping or list begins
		lines := bytes.SplitAfter(data, []byte("\n"))
		return 1 + sort.Search(len(lines)-1, func(n int) bool {
			err := decodeYAML(bytes.Join(lines[:n+1], nil))
			return err != nil && strings.HasSuffix(err.Error(), message)
		}), message
	case yamlNoDoc, yamlNoList, yamlNoMap, yamlNoNode, yamlTag:
		return line, message
	case yamlTab: // said of the line before it
		if at := tabbed.FindIndex(data); at != nil {
			return lineOf(data, at), message
		}
	}
	if m := yamlAnchor.FindStringSubmatch(message); m != nil {
		at := regexp.MustCompile(`(?m)(^|[\s\[{,])\*` + regexp.QuoteMeta(m[1]) + `([\s\]},]|$)`).FindIndex(data)
		return lineOf(data, at), fmt.Sprintf("*%s stands for an anchor &%s, which is not set before: put a text that begins with * in quotes", m[1], m[1])
	}
	if i := invalidByte(data); i >= 0 && line == 0 {
		return lineOf(data, []int{i, i}), "is not UTF-8: save the file in this encoding"
	}
	if message == yamlControls {
		i := bytes.IndexFunc(data, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f })
		return lineOf(data, []int{i, i}), "holds a control character"
	}
	return max(line-1, 0), message
}

// decodeYAML decodes all documents of a text.
func decodeYAML(data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		if err := dec.Decode(new(yaml.Node)); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func invalidByte(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// lineOf gives the line where a match ends, 0 without one.
func lineOf(data []byte, at []int) int {
	if at == nil || at[1] < 0 {
		return 0
	}
	return 1 + bytes.Count(bytes.TrimRight(data[:at[1]], "\n"), []byte("\n"))
}

// astray tells that a line of such an indentation goes on with nothing that these
// lines began.
func astray(lines []string, indent int) bool {
	var open []int
	for _, l := range lines {
		text := strings.TrimLeft(l, " ")
		if text == "" || text[0] == '#' {
			continue
		}
		n := len(l) - len(text)
		for len(open) > 0 && open[len(open)-1] > n {
			open = open[:len(open)-1]
		}
		if len(open) == 0 || open[len(open)-1] < n {
			open = append(open, n)
		}
		for strings.HasPrefix(text, "- ") { // what is in an item begins behind its dash
			rest := strings.TrimLeft(text[2:], " ")
			n += len(text) - len(rest)
			open, text = append(open, n), rest
		}
	}
	return len(open) > 0 && indent < open[len(open)-1] && !slices.Contains(open, indent)
}

// keyless tells that a line stands below one that should be its key, but has no
// colon.
func keyless(lines []string, line int) bool {
	before := lastLine(lines, line-1)
	if before == 0 || line > len(lines) || valueBegins.MatchString(lines[before-1]) {
		return false
	}
	indent := func(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }
	return indent(lines[line-1]) >= indent(lines[before-1]) && !strings.HasPrefix(strings.TrimSpace(lines[before-1]), "- ")
}

// lastLine gives the number of the last line up to one that says something.
func lastLine(lines []string, upTo int) int {
	for n := min(upTo, len(lines)); n > 0; n-- {
		if text := strings.TrimSpace(lines[n-1]); text != "" && text[0] != '#' {
			return n
		}
	}
	return 0
}
