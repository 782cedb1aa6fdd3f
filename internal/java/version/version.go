// Package version orders versions as Maven does, and reads its ranges of them, which
// Kafka Connect takes for the versions of plugins.
package version

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Compare says how a is to b: below (-1), as high as (0), above (1).
func Compare(a, b string) int { return parse(a).compare(parse(b)) }

// kind is a sort of parts, in the order in which different ones compare.
type kind int

const (
	word   kind = iota // rc
	list               // what follows a hyphen, or a change between digits and letters
	number             // 10
)

// part is a part of a version.
type part struct {
	kind  kind
	text  string   // of words
	value *big.Int // of numbers
	parts []*part  // of lists
}

// parse takes a version apart.
func parse(text string) *part {
	text = strings.ToLower(text)
	root := &part{kind: list}
	at, lists := root, []*part{root}
	add := func(p *part) { at.parts = append(at.parts, p) }
	deeper := func() {
		next := &part{kind: list}
		add(next)
		at, lists = next, append(lists, next)
	}
	beside := func() { // 1.rc is 1-rc
		if len(at.parts) > 0 {
			deeper()
		}
	}
	start, digits := 0, false
	for i, c := range text {
		switch isDigit := '0' <= c && c <= '9'; {
		case c == '.' || c == '-':
			if i == start {
				add(partOf("0", true))
			} else {
				add(partOf(text[start:i], digits))
			}
			start = i + 1
			if c == '-' {
				deeper()
			}
		case isDigit:
			if !digits && i > start {
				beside()
				add(&part{text: numbered(text[start:i])})
				start = i
				deeper()
			}
			digits = true
		default:
			if digits && i > start {
				add(partOf(text[start:i], true))
				start = i
				deeper()
			}
			digits = false
		}
	}
	if start < len(text) {
		if !digits {
			beside()
		}
		add(partOf(text[start:], digits))
	}
	for _, l := range slices.Backward(lists) {
		l.normalize()
	}
	return root
}

func partOf(text string, digits bool) *part {
	if n, ok := new(big.Int).SetString(text, 10); digits && ok {
		return &part{kind: number, value: n}
	}
	return &part{text: text}
}

// numbered gives the word that a letter before a number stands for.
func numbered(text string) string {
	switch text {
	case "a":
		return "alpha"
	case "b":
		return "beta"
	case "m":
		return "milestone"
	}
	return text
}

// normalize leaves out what does not count at the end, such as .0; lists are
// passed over.
func (p *part) normalize() {
	for i, last := range slices.Backward(p.parts) {
		if last.compare(nil) == 0 && (last.kind != list || len(last.parts) == 0) {
			p.parts = slices.Delete(p.parts, i, i+1)
		} else if last.kind != list {
			return
		}
	}
}

// compare orders parts; nil is the end of a version.
func (p *part) compare(o *part) int {
	switch {
	case p == nil && o == nil:
		return 0
	case p == nil:
		return -o.compare(nil)
	case o == nil && p.kind == number:
		return p.value.Sign()
	case o == nil && p.kind == word:
		return strings.Compare(rank(p.text), rank(""))
	case o == nil:
		return compareLists(p.parts, nil)
	case p.kind != o.kind:
		return cmp.Compare(p.kind, o.kind)
	case p.kind == number:
		return p.value.Cmp(o.value)
	case p.kind == word:
		return strings.Compare(rank(p.text), rank(o.text))
	}
	return compareLists(p.parts, o.parts)
}

func compareLists(a, b []*part) int {
	at := func(l []*part, i int) *part {
		if i < len(l) {
			return l[i]
		}
		return nil
	}
	for i := range max(len(a), len(b)) {
		if c := at(a, i).compare(at(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

// rank gives what orders words: those before a release, a release, those after it.
func rank(text string) string {
	switch text {
	case "ga", "final", "release":
		text = ""
	case "cr":
		text = "rc"
	}
	known := []string{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"}
	if i := slices.Index(known, text); i >= 0 {
		return strconv.Itoa(i)
	}
	return strconv.Itoa(len(known)) + "-" + text
}
