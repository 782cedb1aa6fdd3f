package wire

import (
	"net/url"
	"strings"
)

// KeyScrub is the configuration key of names that are made to fit.
const KeyScrub = "scrub.invalid.names"

// Scrub makes a name of letters, digits and _ as Confluent's converters do: what
// a web address would escape is escaped, and every other character that is left
// is _. A name begins with a letter, or with _ where that may be.
func Scrub(name string, underscore bool) string {
	begins := func(s string) bool {
		c := s[0]
		return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || underscore && c == '_'
	}
	odd := func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_')
	}
	if name == "" || begins(name) && !strings.ContainsFunc(name, odd) {
		return name
	}
	escaped := javaEscapes.Replace(url.QueryEscape(name))
	if !begins(escaped) {
		escaped = "x" + escaped
	}
	return strings.Map(func(r rune) rune {
		if odd(r) {
			return '_'
		}
		return r
	}, escaped)
}

// javaEscapes are the two characters that Java's URLEncoder escapes in another
// way than Go does.
var javaEscapes = strings.NewReplacer("%2A", "*", "~", "%7E")
