package regex

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// Replacement is a replacement text with references to groups, $1 and ${name}.
type Replacement struct {
	regex *Regexp
	first *regexp2.Regexp
	parts []replacementPart
	err   error // what is wrong with the text from here on
}

// replacementPart is a text or, with group 0 and more, what a group matched.
type replacementPart struct {
	text  string
	group int
}

// Replacement reads a replacement text as Matcher.replaceFirst does: $1, or $11
// where there are so many groups, ${name}, and a backslash before what stands
// for itself. What is wrong with it is an error of [Replacement.First], as in Java.
func (r *Regexp) Replacement(text string) (*Replacement, error) {
	first, err := regexp2.Compile(r.text, regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("regex %q: %w", r.source, err)
	}
	first.MatchTimeout = timeout
	re := &Replacement{regex: r, first: first}
	for rest := text; rest != "" && re.err == nil; {
		switch rest[0] {
		case '\\':
			if len(rest) == 1 {
				re.err = errors.New("character to be escaped is missing")
				break
			}
			_, n := utf8.DecodeRuneInString(rest[1:])
			n++
			re.parts = append(re.parts, replacementPart{text: rest[1:n], group: -1})
			rest = rest[n:]
		case '$':
			var group int
			group, rest, re.err = r.group(rest[1:])
			re.parts = append(re.parts, replacementPart{group: group})
		default:
			n := strings.IndexAny(rest, `\$`)
			if n < 0 {
				n = len(rest)
			}
			re.parts = append(re.parts, replacementPart{text: rest[:n], group: -1})
			rest = rest[n:]
		}
	}
	return re, nil
}

// group reads a reference behind its $ and gives what follows it.
func (r *Regexp) group(text string) (n int, rest string, err error) {
	switch {
	case text == "":
		return 0, "", errors.New("Illegal group reference: group index is missing")
	case text[0] == '{':
		end := 1
		for end < len(text) && (isGroupName(text[end:end+1]) || text[end] >= '0' && text[end] <= '9') {
			end++
		}
		name := text[1:end]
		switch n, ok := r.names[name]; {
		case name == "":
			return 0, "", errors.New("named capturing group has 0 length name")
		case end == len(text) || text[end] != '}':
			return 0, "", errors.New("named capturing group is missing trailing '}'")
		case name[0] <= '9':
			return 0, "", fmt.Errorf("capturing group name {%s} starts with digit character", name)
		case !ok:
			return 0, "", fmt.Errorf("No group with name {%s}", name)
		default:
			return n, text[end+1:], nil
		}
	case text[0] < '0' || text[0] > '9':
		return 0, "", errors.New("Illegal group reference")
	}
	n = int(text[0] - '0')
	end := 1
	for end < len(text) && text[end] >= '0' && text[end] <= '9' && 10*n+int(text[end]-'0') <= r.groups {
		n = 10*n + int(text[end]-'0')
		end++
	}
	if n > r.groups {
		return 0, "", fmt.Errorf("No group %d", n)
	}
	return n, text[end:], nil
}

// First replaces the first match, which may be a part of the text.
func (re *Replacement) First(text string) (string, error) {
	m, err := re.first.FindStringMatch(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("regex %q: no answer after %s: %w", re.regex.source, timeout, err)
	case m == nil:
		return text, nil
	case re.err != nil:
		return "", re.err
	}
	runes := []rune(text)
	var out strings.Builder
	out.WriteString(string(runes[:m.Index]))
	for _, p := range re.parts {
		if p.group < 0 {
			out.WriteString(p.text)
		} else if g := m.GroupByNumber(p.group); g != nil && len(g.Captures) > 0 {
			out.WriteString(g.String())
		}
	}
	out.WriteString(string(runes[m.Index+m.Length:]))
	return out.String(), nil
}
