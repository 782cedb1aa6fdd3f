package regex

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/unicode/runenames"
)

// blocks has Java's blocks of Unicode, one a line: first and last character, and
// the names that it may be called by in upper case. From JDK 17.
//
//go:embed blocks.txt
var blocks string

// graphemes has the characters by what they are to the borders of what a reader
// takes for one, one sort a line. From JDK 17.
//
//go:embed graphemes.txt
var graphemes string

// block gives the characters of a block, for within brackets.
func block(name string) (set string, ok bool) {
	name = strings.ToUpper(name)
	for line := range strings.Lines(blocks) {
		first, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		last, names, _ := strings.Cut(rest, " ")
		for n := range strings.SplitSeq(names, "|") {
			if n == name {
				return between(first + "-" + last), true
			}
		}
	}
	return "", false
}

// between writes a range of characters, given by their numbers, for within brackets.
func between(numbers string) string {
	first, last, isRange := strings.Cut(numbers, "-")
	if !isRange {
		last = first
	}
	return literal(first) + "-" + literal(last)
}

func literal(number string) string {
	n, err := strconv.ParseUint(number, 16, 32)
	if err != nil {
		panic("regex: a number of the tables of Unicode: " + err.Error())
	}
	return classEscape(rune(n))
}

// named gives the character that has a name in Unicode.
func named(name string) (rune, bool) {
	name = strings.ToUpper(strings.TrimSpace(name))
	for r := range rune(0x110000) {
		if runenames.Name(r) == name {
			return r, name != "" && name[0] != '<'
		}
	}
	return 0, false
}

// cluster is \X, one extended grapheme cluster: table 1c of Unicode's annex 29.
var cluster = sync.OnceValue(func() string {
	sets := map[string]string{}
	for line := range strings.Lines(graphemes) {
		parts := strings.Fields(line)
		for _, numbers := range parts[1:] {
			sets[parts[0]] += between(numbers)
		}
	}
	var withoutEnd strings.Builder // syllables of a leading consonant and a vowel
	for r := rune(0xAC00); r <= 0xD7A3; r += 28 {
		withoutEnd.WriteRune(r)
	}
	const zwj = "\u200D"
	after := "[" + sets["Extend"] + sets["SpacingMark"] + zwj + "]*"
	l, v, t := "["+sets["L"]+"]", "["+sets["V"]+"]", "["+sets["T"]+"]"
	lv, any := "["+withoutEnd.String()+"]", `[^`+sets["Control"]+`\r\n]`
	hangul := l + "*(?:" + v + "+|" + lv + v + "*|[\uAC00-\uD7A3])" + t + "*|" + l + "+|" + t + "+"
	picture := "[" + sets["Pictographic"] + "]"
	return `(?>\r\n|[` + sets["Control"] + `\r\n]|[` + sets["Prepend"] + "]*(?:" + hangul + "|[" + sets["RI"] + "]{2}|" +
		picture + "(?:[" + sets["Extend"] + "]*" + zwj + picture + ")*|" + any + ")" + after + ")"
})
