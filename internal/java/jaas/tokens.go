package jaas

import (
	"slices"
	"strings"
	"unicode"
)

type kind int

const (
	end    kind = iota
	word        // letters, digits and . - _ $
	quoted      // in single or double quotes
	open        // quotes that do not end
	sign        // any other character
)

// tokens takes a text apart as Java's StreamTokenizer does, but for numbers, which
// are words here.
type tokens struct {
	rest []rune
	line int // from 0

	kind kind
	text string
}

func (t *tokens) is(what string) bool { return t.kind == sign && t.text == what }

// next goes to the next token.
func (t *tokens) next() {
	t.skip()
	t.text = ""
	switch {
	case len(t.rest) == 0:
		t.kind = end
	case t.rest[0] == '"' || t.rest[0] == '\'':
		t.quoted()
	case inWord(t.rest[0]):
		n := slices.IndexFunc(t.rest, func(r rune) bool { return !inWord(r) })
		if n < 0 {
			n = len(t.rest)
		}
		t.kind, t.text = word, t.take(n)
	default:
		t.kind, t.text = sign, t.take(1)
	}
}

func inWord(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune(".-_$", r) || r >= 160
}

func (t *tokens) take(n int) string {
	taken := t.rest[:n]
	for _, r := range taken {
		if r == '\n' {
			t.line++
		}
	}
	t.rest = t.rest[n:]
	return string(taken)
}

// skip goes over white space and comments.
func (t *tokens) skip() {
	for len(t.rest) > 0 {
		upTo := func(mark string) int {
			if at := strings.Index(string(t.rest), mark); at >= 0 {
				return len([]rune(string(t.rest)[:at+len(mark)]))
			}
			return len(t.rest)
		}
		switch begin := string(t.rest[:min(2, len(t.rest))]); {
		case t.rest[0] <= ' ':
			t.take(1)
		case begin == "//":
			t.take(upTo("\n"))
		case begin == "/*":
			t.take(upTo("*/"))
		default:
			return
		}
	}
}

// escapes of one letter that stand for another character.
var escapes = map[rune]rune{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// quoted reads a text in quotes, which end on the line that they begin on.
func (t *tokens) quoted() {
	quote := t.rest[0]
	t.take(1)
	var b strings.Builder
	for len(t.rest) > 0 && t.rest[0] != '\n' && t.rest[0] != '\r' {
		r := t.rest[0]
		t.take(1)
		if r == quote {
			t.kind, t.text = quoted, b.String()
			return
		}
		if r == '\\' && len(t.rest) > 0 {
			r = t.escaped()
		}
		b.WriteRune(r)
	}
	t.kind = open
}

// escaped gives what the characters behind a backslash stand for.
func (t *tokens) escaped() rune {
	const octal, longest = "01234567", 3
	n := 0
	for value := rune(0); n < min(longest, len(t.rest)) && strings.ContainsRune(octal, t.rest[n]) && value <= 037; n++ {
		value = value*8 + t.rest[n] - '0'
	}
	if n > 0 {
		var value rune
		for _, r := range t.take(n) {
			value = value*8 + r - '0'
		}
		return value
	}
	r := t.rest[0]
	t.take(1)
	if other, ok := escapes[r]; ok {
		return other
	}
	return r
}
