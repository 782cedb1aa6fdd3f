// Package properties reads Java's properties format.
package properties

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Property is a key with its text, and where it stands.
type Property struct {
	Key, Text string
	Line      int // from 1
}

// Error says what is wrong with a line.
type Error struct {
	Line int
	Key  string // empty where the key itself is wrong
	Text string
}

// Error gives the line and what is wrong with it.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// Parse reads the format: comments with # and !, separators =, : and white space,
// lines that go on after a backslash, escapes. The bytes are UTF-8 or, where they
// are not valid UTF-8, ISO 8859-1, which is what Java takes them for. An error is
// an [Error].
func Parse(data []byte) ([]Property, error) {
	text := string(data)
	if !utf8.ValidString(text) {
		text = latin1(data)
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if at := strings.IndexByte(text, 0); at >= 0 {
		return nil, &Error{Line: 1 + strings.Count(text[:at], "\n"), Text: "holds a zero byte: save the file in UTF-8"}
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	lines := strings.Split(text, "\n")
	var list []Property
	for i := 0; i < len(lines); i++ {
		line, first := strings.TrimLeft(lines[i], " \t\f"), i
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		var whole strings.Builder
		for goesOn(line) {
			whole.WriteString(line[:len(line)-1])
			line = ""
			if i++; i < len(lines) {
				line = strings.TrimLeft(lines[i], " \t\f")
			}
		}
		whole.WriteString(line)
		key, value := splitProperty(whole.String())
		k, err := unescape(key)
		if err != nil {
			return nil, &Error{Line: first + 1, Text: err.Error()}
		}
		v, err := unescape(value)
		if err != nil {
			return nil, &Error{Line: first + 1, Key: k, Text: err.Error()}
		}
		list = append(list, Property{Key: k, Text: v, Line: first + 1})
	}
	return list, nil
}

func latin1(data []byte) string {
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	return string(runes)
}

// goesOn tells whether a line ends in an odd number of backslashes.
func goesOn(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// splitProperty splits at the first separator that is not escaped.
func splitProperty(line string) (key, value string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
			continue
		}
		if strings.IndexByte("=: \t\f", line[i]) >= 0 {
			end = i
			break
		}
	}
	rest := strings.TrimLeft(line[end:], " \t\f")
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], " \t\f")
	}
	return line[:end], rest
}

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			r, n, err := unicodeEscape(s[i+1:])
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			i += n
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// unicodeEscape reads what follows \u: four hexadecimal digits, or two such
// escapes that are a surrogate pair.
func unicodeEscape(s string) (r rune, length int, err error) {
	unit := func(s string) (rune, bool) {
		if len(s) < 4 {
			return 0, false
		}
		n, err := strconv.ParseUint(s[:4], 16, 16)
		return rune(n), err == nil
	}
	r, ok := unit(s)
	if !ok {
		return 0, 0, fmt.Errorf(`\u wants four hexadecimal digits`)
	}
	const high, low, end = 0xd800, 0xdc00, 0xe000
	if r >= high && r < low && strings.HasPrefix(s[4:], `\u`) {
		if second, ok := unit(s[6:]); ok && second >= low && second < end {
			return (r-high)<<10 + (second - low) + 0x10000, 10, nil
		}
	}
	return r, 4, nil
}
