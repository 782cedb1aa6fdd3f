package regex

import "strconv"

var controls = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': '\a', 'e': 0x1B}

// charEscape reads an escape that stands for one character; ok false leaves it
// unread, since it stands for something else.
func (p *parser) charEscape() (code rune, ok bool, err error) {
	r := p.peek(1)
	if c, is := controls[r]; is {
		p.pos += 2
		return c, true, nil
	}
	switch {
	case r == -1:
		return 0, false, p.errorf("pattern ends with a backslash")
	case r == '0':
		p.pos += 2
		return p.digits(8, 1, 3)
	case r == 'u':
		p.pos += 2
		return p.digits(16, 4, 4)
	case r == 'x' && p.peek(2) == '{':
		p.pos += 3
		code, ok, err = p.digits(16, 1, 6)
		if err == nil && p.peek(0) != '}' {
			return 0, false, p.errorf("unclosed hexadecimal escape sequence")
		}
		p.pos++
		return code, ok, err
	case r == 'x':
		p.pos += 2
		return p.digits(16, 2, 2)
	case r == 'N' && p.peek(2) == '{':
		end := p.pos + 3
		for end < len(p.in) && p.in[end] != '}' {
			end++
		}
		name := string(p.in[p.pos+3 : end])
		code, known := named(name)
		if end == len(p.in) || !known {
			return 0, false, p.errorf("unknown character name [%s]", name)
		}
		p.pos = end + 1
		return code, true, nil
	case r == 'c' && p.peek(2) != -1:
		p.pos += 3
		return p.in[p.pos-1] ^ 64, true, nil
	case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '1' && r <= '9':
		return 0, false, nil
	}
	p.pos += 2
	return r, true, nil
}

func (p *parser) digits(base, least, most int) (rune, bool, error) {
	start := p.pos
	for p.pos-start < most && p.peek(0) != -1 {
		if _, err := strconv.ParseUint(string(p.peek(0)), base, 8); err != nil {
			break
		}
		p.pos++
	}
	n, err := strconv.ParseUint(string(p.in[start:p.pos]), base, 32)
	if err != nil || p.pos-start < least || n > 0x10FFFF {
		return 0, false, p.errorf("illegal number in an escape")
	}
	return rune(n), true, nil
}
