// Package dateformat writes and reads dates by the patterns of Java's
// SimpleDateFormat, in the locale en_US and the zone UTC, as Kafka Connect's
// transforms do. Reading is lenient, as it is there: 2017-13-45 is a date, text
// behind the last field is ignored, dates before 1582-10-15 are of the Julian
// calendar.
package dateformat

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// letters are the letters of a pattern, in Java's order.
const letters = "GyMdkHmsSEDFwWahKzZYuXL"

// Format is a compiled pattern. It is safe for concurrent use.
type Format struct {
	pattern string
	parts   []part
	century time.Time // where the hundred years of two-digit years begin
}

// part is a literal text or a run of one pattern letter.
type part struct {
	literal []uint16
	letter  byte
	count   int
}

// Compile reads a pattern. The error has Java's words.
func Compile(pattern string) (*Format, error) { return compileAt(pattern, time.Now()) }

// MustCompile is Compile for a pattern that the program chose.
func MustCompile(pattern string) *Format {
	f, err := Compile(pattern)
	if err != nil {
		panic(err)
	}
	return f
}

func compileAt(pattern string, now time.Time) (*Format, error) {
	f := &Format{pattern: pattern, century: now.UTC().AddDate(-80, 0, 0)}
	quoted := false
	text := utf16.Encode([]rune(pattern))
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
			f.literal(c)
		case c == '\'':
			quoted = !quoted
		case quoted || !isLetter(c):
			f.literal(c)
		case !strings.ContainsRune(letters, rune(c)):
			return nil, fmt.Errorf("Illegal pattern character '%c'", rune(c))
		default:
			// A run of a letter goes on behind a quote that held nothing back.
			if n := len(f.parts); n > 0 && f.parts[n-1].letter == byte(c) {
				f.parts[n-1].count++
			} else {
				f.parts = append(f.parts, part{letter: byte(c), count: 1})
			}
		}
	}
	if quoted {
		return nil, fmt.Errorf("Unterminated quote")
	}
	for _, p := range f.parts {
		if p.letter == 'X' && p.count > 3 {
			return nil, fmt.Errorf("invalid ISO 8601 format: length=%d", p.count)
		}
	}
	return f, nil
}

func isLetter(c uint16) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (f *Format) literal(c uint16) {
	if n := len(f.parts); n > 0 && f.parts[n-1].literal != nil {
		f.parts[n-1].literal = append(f.parts[n-1].literal, c)
		return
	}
	f.parts = append(f.parts, part{literal: []uint16{c}})
}

// String gives the pattern.
func (f *Format) String() string { return f.pattern }
