// Package regex matches with regular expressions written for
// java.util.regex, which Go's own package reads differently: look-around,
// back-references, possessive quantifiers, class intersections, \Q...\E. It
// rewrites the pattern for github.com/dlclark/regexp2, a backtracking engine.
package regex

import (
	"fmt"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// timeout bounds one match: a backtracking engine can take for ever.
const timeout = 10 * time.Second

// Regexp is a compiled pattern. It is safe for concurrent use.
type Regexp struct {
	source string
	text   string          // rewritten for regexp2
	whole  *regexp2.Regexp // the pattern, anchored at both ends
	groups int             // the capturing ones
	names  map[string]int
}

// Compile reads a Java pattern. The error names the pattern and the place.
func Compile(pattern string) (*Regexp, error) {
	p := &parser{in: []rune(pattern), names: map[string]int{}}
	text, err := p.translate()
	if err != nil {
		return nil, fmt.Errorf("regex %q: %w", pattern, err)
	}
	re, err := regexp2.Compile(`\A(?:`+text+`)\z`, regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("regex %q: %w", pattern, err)
	}
	re.MatchTimeout = timeout
	return &Regexp{source: pattern, text: text, whole: re, groups: p.groups, names: p.names}, nil
}

// String gives the Java pattern.
func (r *Regexp) String() string { return r.source }

// MatchAll tells whether the whole text matches, as Matcher.matches. Its error
// says that the match took too long.
func (r *Regexp) MatchAll(text string) (bool, error) {
	ok, err := r.whole.MatchString(text)
	if err != nil {
		return false, fmt.Errorf("regex %q: no answer after %s: %w", r.source, timeout, err)
	}
	return ok, nil
}

// MatchString tells whether the whole text matches. A match that takes too long
// counts as none.
func (r *Regexp) MatchString(text string) bool {
	ok, err := r.MatchAll(text)
	return ok && err == nil
}

// translate rewrites a Java pattern for regexp2.
func (p *parser) translate() (string, error) {
	out, err := p.alternation()
	if err != nil {
		return "", err
	}
	if p.pos < len(p.in) {
		return "", p.errorf("unmatched closing ')'")
	}
	return out, nil
}

type parser struct {
	in     []rune
	pos    int
	dotAll bool
	// asciiCase tells that case counts but for ASCII: (?i) without u.
	asciiCase bool
	depth     int
	groups    int            // capturing ones so far
	names     map[string]int // the numbers of those that have names
}

// maxDepth bounds the nesting of groups and classes.
const maxDepth = 200

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("%s near index %d", fmt.Sprintf(format, args...), p.pos)
}

func (p *parser) peek(ahead int) rune {
	if p.pos+ahead >= len(p.in) {
		return -1
	}
	return p.in[p.pos+ahead]
}

func (p *parser) looking(at string) bool {
	for i, r := range []rune(at) {
		if p.peek(i) != r {
			return false
		}
	}
	return true
}

// alternation reads up to a closing parenthesis or the end.
func (p *parser) alternation() (string, error) {
	if p.depth++; p.depth > maxDepth {
		return "", p.errorf("groups nest deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	var out strings.Builder
	for p.pos < len(p.in) {
		switch p.peek(0) {
		case ')':
			return out.String(), nil
		case '|':
			p.pos++
			out.WriteByte('|')
			continue
		}
		atom, err := p.atom()
		if err != nil {
			return "", err
		}
		quantified, err := p.quantify(atom)
		if err != nil {
			return "", err
		}
		out.WriteString(quantified)
	}
	return out.String(), nil
}

// quantify reads the quantifier behind an atom; a possessive one becomes an
// atomic group. As in Java a second one in braces is about nothing.
func (p *parser) quantify(atom string) (string, error) {
	quant, err := p.quantifier()
	if err != nil || quant == "" {
		return atom, err
	}
	switch p.peek(0) {
	case '+':
		p.pos++
		atom = "(?>" + atom + quant + ")"
	case '?':
		p.pos++
		atom += quant + "?"
	default:
		atom += quant
	}
	if p.peek(0) == '{' {
		_, err = p.quantify("")
	}
	return atom, err
}

func (p *parser) quantifier() (string, error) {
	switch p.peek(0) {
	case '*', '+', '?':
		p.pos++
		return string(p.in[p.pos-1]), nil
	case '{':
		start := p.pos
		if r := p.peek(1); r < '0' || r > '9' {
			return "", p.errorf("illegal repetition")
		}
		for p.peek(0) != '}' {
			if r := p.peek(1); r == -1 || r != ',' && r != '}' && (r < '0' || r > '9') {
				return "", p.errorf("illegal repetition")
			}
			p.pos++
		}
		p.pos++
		return string(p.in[start:p.pos]), nil
	}
	return "", nil
}

func (p *parser) atom() (string, error) {
	switch r := p.peek(0); r {
	case '(':
		return p.group()
	case '[':
		return p.class()
	case '\\':
		return p.escape()
	case '*', '+', '?':
		return "", p.errorf("dangling meta character '%c'", r)
	case '.':
		p.pos++
		if p.dotAll {
			return anyChar, nil
		}
		return "[^\\n\\r\\u0085\\u2028\\u2029]", nil
	case '^', '$':
		p.pos++
		return string(r), nil
	case '{':
		return "", p.errorf("illegal repetition")
	default:
		p.pos++
		if r >= 0x80 && p.asciiCase {
			return "(?-i:" + regexp2.Escape(string(r)) + ")", nil
		}
		return regexp2.Escape(string(r)), nil
	}
}

// anyChar matches one character, whatever it is.
const anyChar = `[\s\S]`

func (p *parser) group() (string, error) {
	dotAll, asciiCase := p.dotAll, p.asciiCase
	open, flagsOnly, err := p.groupStart()
	if err != nil || flagsOnly {
		return open, err
	}
	body, err := p.alternation()
	if err != nil {
		return "", err
	}
	if p.peek(0) != ')' {
		return "", p.errorf("unclosed group")
	}
	p.pos++
	p.dotAll, p.asciiCase = dotAll, asciiCase
	return open + body + ")", nil
}

// groupStart reads an opening parenthesis and what makes the group special.
func (p *parser) groupStart() (open string, flagsOnly bool, err error) {
	for _, special := range []string{"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"} {
		if p.looking(special) {
			p.pos += len(special)
			return special, false, nil
		}
	}
	if p.looking("(?<") {
		end := p.pos + 3
		for end < len(p.in) && p.in[end] != '>' {
			end++
		}
		if end == len(p.in) {
			return "", false, p.errorf("named capturing group is missing trailing '>'")
		}
		name := string(p.in[p.pos+3 : end])
		if !isGroupName(name) {
			return "", false, p.errorf("capturing group name %q is not letters and digits", name)
		}
		if p.names[name] != 0 {
			return "", false, p.errorf("named capturing group <%s> is already defined", name)
		}
		p.pos = end + 1
		open = p.capturing()
		p.names[name] = p.groups
		return open, false, nil
	}
	if !p.looking("(?") {
		p.pos++
		return p.capturing(), false, nil
	}
	return p.flags()
}

// capturing opens a capturing group by its number: regexp2 would count those
// with names behind those without.
func (p *parser) capturing() string {
	p.groups++
	return fmt.Sprintf("(?<%d>", p.groups)
}

func isGroupName(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

// flags reads (?i-s) or (?i-s: . The flags d, u and U say how Java sees Unicode
// and line ends and have no counterpart.
func (p *parser) flags() (open string, flagsOnly bool, err error) {
	p.pos += 2
	on, all := true, false
	set, unset := "", ""
	for {
		switch r := p.peek(0); r {
		case ')', ':':
			p.pos++
			p.asciiCase = !all && (p.asciiCase || strings.Contains(set, "i"))
			open = "(?" + set
			if unset != "" {
				open += "-" + unset
			}
			if open == "(?" && r == ')' {
				return "", true, nil
			}
			return open + string(r), r == ')', nil
		case '-':
			on = false
		case 's':
			p.dotAll = on
		case 'i', 'm', 'x':
			if on {
				set += string(r)
			} else {
				unset += string(r)
			}
		case 'u', 'U':
			all = all || on
		case 'd':
		case -1:
			return "", false, p.errorf("unclosed group")
		default:
			return "", false, p.errorf("unknown inline modifier '%c'", r)
		}
		p.pos++
	}
}
