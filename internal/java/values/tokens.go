package values

import "strings"

// tokens splits a text at the delimiters of arrays, maps and quoted texts. A
// delimiter is a token of its own, unless a backslash stands before it.
type tokens struct {
	text     string
	pos      int
	next     string // the token before pos, when it was looked at and not taken
	peeked   bool
	previous string
}

func (t *tokens) mark() int { return t.pos - len(t.next) }

func (t *tokens) rewind(pos int) { t.pos, t.next, t.peeked, t.previous = pos, "", false, "" }

func (t *tokens) hasNext() bool { return t.peeked || t.pos < len(t.text) }

// take gives the next token.
func (t *tokens) take() string {
	if t.peeked {
		t.previous, t.next, t.peeked = t.next, "", false
	} else {
		t.previous = t.scan()
	}
	return t.previous
}

// takeAll gives the text of the next n tokens; ok is false where there are fewer.
func (t *tokens) takeAll(n int) (text string, ok bool) {
	start := t.mark()
	for range n {
		if !t.hasNext() {
			t.rewind(start)
			return "", false
		}
		t.take()
	}
	return t.text[start:t.pos], true
}

func (t *tokens) scan() string {
	escaped := false
	start := t.pos
	for ; t.pos < len(t.text); t.pos++ {
		c := t.text[t.pos]
		switch {
		case c == '\\':
			escaped = !escaped
		case strings.IndexByte(`:,{}[]"`, c) >= 0 && !escaped:
			if start == t.pos {
				t.pos++
			}
			return t.text[start:t.pos]
		default:
			escaped = false
		}
	}
	return t.text[start:]
}

// consume takes the next token if it is this one, spaces around it aside.
func (t *tokens) consume(expected string) bool {
	if !t.peeked {
		if !t.hasNext() {
			return false
		}
		t.next, t.peeked = t.scan(), true
	}
	for trim(t.next) == "" && t.pos < len(t.text) {
		t.next = t.scan()
	}
	if trim(t.next) != expected {
		return false
	}
	t.next, t.peeked = "", false
	return true
}

// trim is String.trim.
func trim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }
