package postgrest

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser reads one query parameter.
type parser struct {
	what string // for messages
	text string
	pos  int
}

func newParser(what, text string) *parser { return &parser{what: what, text: text} }

// fail gives the error for what is at the parser's position.
func (p *parser) fail(expected string) *apiError {
	found := "end of input"
	if r, ok := p.peek(); ok {
		found = strconv.Quote(string(r))
	}
	return p.say("unexpected %s expecting %s", found, expected)
}

func (p *parser) say(details string, args ...any) *apiError {
	column := utf8.RuneCountInString(p.text[:p.pos]) + 1
	return failure(http.StatusBadRequest, "PGRST100", `"failed to parse %s (%s)" (line 1, column %d)`, p.what, p.text, column).details(details, args...)
}

func (p *parser) end() bool { return p.pos >= len(p.text) }

func (p *parser) rest() string { return p.text[p.pos:] }

func (p *parser) peek() (rune, bool) {
	if p.end() {
		return 0, false
	}
	r, _ := utf8.DecodeRuneInString(p.rest())
	return r, true
}

// accept takes a text if it comes next.
func (p *parser) accept(s string) bool {
	if !strings.HasPrefix(p.rest(), s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) spaces() {
	for p.accept(" ") || p.accept("\t") {
		continue
	}
}

// while takes characters as long as they are fine.
func (p *parser) while(fine func(rune) bool) string {
	start := p.pos
	for {
		r, size := utf8.DecodeRuneInString(p.rest())
		if size == 0 || !fine(r) {
			return p.text[start:p.pos]
		}
		p.pos += size
	}
}

// quoted takes a text in double quotes, in which a backslash takes the next
// character as it is. It tells false, having taken nothing, when there is none.
func (p *parser) quoted() (string, bool) {
	if !strings.HasPrefix(p.rest(), `"`) {
		return "", false
	}
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.pos = i + 1
			return b.String(), true
		case c == '\\' && i+1 < len(p.text):
			i++
			b.WriteByte(p.text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// name takes the name of a column: in double quotes anything, else letters,
// digits, _, $, spaces within and dashes that begin no arrow.
func (p *parser) name() (string, *apiError) {
	p.spaces()
	if s, ok := p.quoted(); ok {
		if s == "" {
			return "", p.fail("field name (* or [a..z0..9_$])")
		}
		p.spaces()
		return s, nil
	}
	start := p.pos
	for {
		p.while(func(r rune) bool {
			return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_' || r == '$' || r == ' '
		})
		if strings.HasPrefix(p.rest(), "-") && !strings.HasPrefix(p.rest(), "->") {
			p.pos++
			continue
		}
		break
	}
	name := strings.TrimSpace(p.text[start:p.pos])
	if name == "" {
		p.pos = start
		return "", p.fail("field name (* or [a..z0..9_$])")
	}
	return name, nil
}

// path is a column, or a place in a JSON column.
type path struct {
	column string
	steps  []step
}

// step is -> or ->> and a key or an index.
type step struct {
	text    bool // ->>
	key     string
	index   int
	isIndex bool
}

// steps takes the arrows behind a column's name.
func (p *parser) steps() ([]step, *apiError) {
	var steps []step
	for {
		var s step
		switch {
		case p.accept("->>"):
			s.text = true
		case p.accept("->"):
		default:
			return steps, nil
		}
		start := p.pos
		negative := p.accept("-")
		digits := p.while(func(r rune) bool { return r >= '0' && r <= '9' })
		n, err := strconv.ParseInt(digits, 10, 32)
		switch next, more := p.peek(); {
		case digits != "" && err == nil && (!more || strings.ContainsRune(".,:)", next) || strings.HasPrefix(p.rest(), "->")):
			s.isIndex, s.index = true, int(n)
			if negative {
				s.index = -int(n)
			}
		case negative:
			return nil, p.fail("digit")
		default:
			p.pos = start
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			s.key = name
		}
		steps = append(steps, s)
	}
}

func (p *parser) path() (path, *apiError) {
	column, err := p.name()
	if err != nil {
		return path{}, err
	}
	steps, err := p.steps()
	return path{column: column, steps: steps}, err
}
