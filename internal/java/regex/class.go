package regex

import (
	"fmt"
	"strings"

	"github.com/dlclark/regexp2"
)

// class reads a character class and gives an expression that matches one
// character of it. Java nests and intersects classes ([a-z&&[^b]]); regexp2
// does not, so those become alternatives and look-aheads.
func (p *parser) class() (string, error) {
	if p.depth++; p.depth > maxDepth {
		return "", p.errorf("classes nest deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	p.pos++ // [
	negated := p.peek(0) == '^'
	if negated {
		p.pos++
	}
	var parts []string // of the intersection
	for {
		part, err := p.union(len(parts) == 0)
		if err != nil {
			return "", err
		}
		if part != "" {
			parts = append(parts, part)
		}
		if p.looking("&&") {
			p.pos += 2
			continue
		}
		break
	}
	if p.peek(0) != ']' {
		return "", p.errorf("unclosed character class")
	}
	p.pos++
	if len(parts) == 0 {
		return "", p.errorf("unclosed character class")
	}
	last := parts[len(parts)-1]
	if len(parts) > 1 {
		last = "(?:(?=" + strings.Join(parts[:len(parts)-1], ")(?=") + ")" + last + ")"
	}
	if negated {
		return "(?:(?!" + last + ")" + anyChar + ")", nil
	}
	return last, nil
}

// union reads the items up to ] or &&.
func (p *parser) union(first bool) (string, error) {
	var simple strings.Builder
	var complexParts []string
	for start := true; ; start = false {
		r := p.peek(0)
		switch {
		case r == -1:
			return "", p.errorf("unclosed character class")
		case r == ']' && !(first && start):
			return joinUnion(simple.String(), complexParts), nil
		case p.looking("&&"):
			return joinUnion(simple.String(), complexParts), nil
		case r == '[':
			nested, err := p.class()
			if err != nil {
				return "", err
			}
			complexParts = append(complexParts, nested)
			continue
		}
		low, single, err := p.classItem()
		if err != nil {
			return "", err
		}
		if !single {
			complexParts = append(complexParts, low)
			continue
		}
		if p.peek(0) == '-' && p.peek(1) != ']' && p.peek(1) != '[' && p.peek(1) != -1 && !(p.peek(1) == '&' && p.peek(2) == '&') {
			p.pos++
			high, single, err := p.classItem()
			if err != nil {
				return "", err
			}
			if !single {
				return "", p.errorf("illegal character range")
			}
			low += "-" + high
		}
		simple.WriteString(low)
	}
}

func joinUnion(simple string, parts []string) string {
	if simple != "" {
		parts = append([]string{"[" + simple + "]"}, parts...)
	}
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0]
	}
	return "(?:" + strings.Join(parts, "|") + ")"
}

// classItem reads one item; single tells that it is one character, which may
// start or end a range.
func (p *parser) classItem() (text string, single bool, err error) {
	r := p.peek(0)
	if r != '\\' {
		p.pos++
		return classEscape(r), true, nil
	}
	if strings.ContainsRune("bBX", p.peek(1)) {
		return "", false, p.errorf("illegal escape in a class")
	}
	code, ok, err := p.charEscape()
	if err != nil {
		return "", false, err
	}
	if ok {
		return classEscape(code), true, nil
	}
	text, err = p.escape()
	return text, false, err
}

func classEscape(r rune) string {
	if strings.ContainsRune(`]-^[\`, r) {
		return `\` + string(r)
	}
	return string(r)
}

// escape reads an escape outside a class, or a class of characters inside one.
func (p *parser) escape() (string, error) {
	code, ok, err := p.charEscape()
	if err != nil {
		return "", err
	}
	if ok {
		return regexp2.Escape(string(code)), nil
	}
	r := p.peek(1)
	if set := sets[r]; set != "" {
		p.pos += 2
		return set, nil
	}
	switch {
	case r == 'Q':
		return p.quoted()
	case r == 'p' || r == 'P':
		return p.property()
	case r == 'X':
		p.pos += 2
		return cluster(), nil
	case r >= '1' && r <= '9', r == 'k', strings.ContainsRune("bBAGzZ", r):
		return p.reference()
	}
	return "", p.errorf(`illegal escape \%c`, r)
}

// sets are the predefined classes, ASCII unless Java says otherwise.
var sets = map[rune]string{
	'd': "[0-9]", 'D': "[^0-9]", 'w': "[a-zA-Z_0-9]", 'W': "[^a-zA-Z_0-9]",
	's': `[ \t\n\x0B\f\r]`, 'S': `[^ \t\n\x0B\f\r]`,
	'h': `[ \xA0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000\t]`, 'v': `[\n\x0B\f\r\x85\u2028\u2029]`,
	'R': `(?:\r\n|[\n\x0B\f\r\x85\u2028\u2029])`,
}

// reference reads a back-reference, or copies an anchor, which both engines
// read alike. As in Java a second digit counts where there are so many groups,
// and a group that is not there yet matches nothing.
func (p *parser) reference() (string, error) {
	kind := p.peek(1)
	p.pos += 2
	n := 0
	switch {
	case kind == 'k':
		start := p.pos
		for p.peek(0) != '>' {
			if p.peek(0) == -1 {
				return "", p.errorf("named back-reference is not closed")
			}
			p.pos++
		}
		p.pos++
		name := strings.TrimPrefix(string(p.in[start:p.pos-1]), "<")
		if n = p.names[name]; n == 0 {
			return "", p.errorf("named capturing group <%s> does not exist", name)
		}
	case kind >= '1' && kind <= '9':
		n = int(kind - '0')
		for d := p.peek(0); d >= '0' && d <= '9' && 10*n+int(d-'0') <= p.groups; d = p.peek(0) {
			n = 10*n + int(d-'0')
			p.pos++
		}
	default:
		return `\` + string(kind), nil
	}
	if n > p.groups {
		return "(?!)", nil
	}
	return fmt.Sprintf(`\k<%d>`, n), nil
}

// quoted reads \Q...\E. A quantifier behind it is about its last character.
func (p *parser) quoted() (string, error) {
	p.pos += 2
	start := p.pos
	for p.pos < len(p.in) && !p.looking(`\E`) {
		p.pos++
	}
	text := p.in[start:p.pos]
	if p.pos < len(p.in) {
		p.pos += 2
	}
	if len(text) == 0 {
		return "", nil
	}
	last := len(text) - 1
	quantified, err := p.quantify(regexp2.Escape(string(text[last])))
	return regexp2.Escape(string(text[:last])) + quantified, err
}

var posix = map[string]string{
	"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7F`, "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
	"Punct": "!-/:-@\\[-`{-~", "Graph": "!-~", "Print": " -~", "Blank": ` \t`, "Cntrl": `\x00-\x1F\x7F`,
	"XDigit": "0-9a-fA-F", "Space": ` \t\n\x0B\f\r`,
}

// property reads \p{Name}: a POSIX class, or a Unicode category or script in
// the ways Java writes them.
func (p *parser) property() (string, error) {
	negated := p.peek(1) == 'P'
	p.pos += 2
	var name string
	if p.peek(0) == '{' {
		end := p.pos
		for end < len(p.in) && p.in[end] != '}' {
			end++
		}
		if end == len(p.in) {
			return "", p.errorf("unclosed character family")
		}
		name = string(p.in[p.pos+1 : end])
		p.pos = end + 1
	} else if p.peek(0) != -1 {
		name = string(p.peek(0))
		p.pos++
	}
	open := "["
	if negated {
		open = "[^"
	}
	if set, ok := posix[name]; ok {
		return open + set + "]", nil
	}
	for _, prefix := range []string{"In", "block=", "blk="} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			set, ok := block(short)
			if !ok {
				return "", p.errorf("unknown character block name {%s}", short)
			}
			return open + set + "]", nil
		}
	}
	if len(name) > 2 && !strings.HasPrefix(name, "Is") && !strings.HasPrefix(name, "java") && !strings.Contains(name, "=") {
		return "", p.errorf("unknown character property name {%s}", name) // a script needs its Is
	}
	for _, prefix := range []string{"Is", "general_category=", "gc=", "script=", "sc="} {
		name = strings.TrimPrefix(name, prefix)
	}
	switch name {
	case "Alphabetic", "javaLetter":
		name = "L"
	case "javaLowerCase", "Lowercase":
		name = "Ll"
	case "javaUpperCase", "Uppercase":
		name = "Lu"
	}
	text := open + `\p{` + name + "}]"
	if _, err := regexp2.Compile(text, regexp2.None); err != nil {
		return "", p.errorf("unknown character property name {%s}", name)
	}
	return text, nil
}
