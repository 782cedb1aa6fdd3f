package version

import (
	"errors"
	"strings"
)

// Range is a set of versions. Its zero value, of Kafka Connect's "latest", has all
// of them.
type Range struct{ sets []set }

// set is one of a range's; an empty bound is none.
type set struct {
	low, high         string
	withLow, withHigh bool // the bounds themselves
	one               bool // low and high are the same one, which may be empty
}

// Requirement reads what a plugin's version has to be: a version, sets of them such
// as [1.0,2.0), or latest. Errors have Java's texts.
func Requirement(text string) (Range, error) {
	if text == "latest" {
		return Range{}, nil
	}
	text = strings.TrimSpace(text)
	r, rest, err := sets(text)
	if err != nil || len(r.sets) > 0 {
		return r, err
	}
	r, _, err = sets("[" + rest + "]") // no other version will do
	return r, err
}

// sets reads the sets that a text begins with; where there are any nothing may follow.
func sets(text string) (r Range, rest string, err error) {
	rest = text
	for strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "(") {
		end := strings.IndexAny(rest, ")]")
		if end < 0 {
			return r, "", errors.New("Unbounded range: " + text)
		}
		s, err := setOf(rest[:end+1])
		if err != nil {
			return r, "", err
		}
		if n := len(r.sets); n > 0 && r.sets[n-1].high != "" && (s.low == "" || Compare(s.low, r.sets[n-1].high) < 0) {
			return r, "", errors.New("Ranges overlap: " + text)
		}
		r.sets = append(r.sets, s)
		rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest[end+1:]), ","))
	}
	if rest != "" && len(r.sets) > 0 {
		return r, "", errors.New("Only fully-qualified sets allowed in multiple set scenario: " + text)
	}
	return r, rest, nil
}

func setOf(text string) (set, error) {
	s := set{withLow: text[0] == '[', withHigh: strings.HasSuffix(text, "]")}
	low, high, two := strings.Cut(text[1:len(text)-1], ",")
	s.low, s.high = strings.TrimSpace(low), strings.TrimSpace(high)
	if !two {
		if !s.withLow || !s.withHigh {
			return s, errors.New("Single version must be surrounded by []: " + text)
		}
		s.high, s.one = s.low, true
		return s, nil
	}
	if s.low != "" && s.high != "" {
		if c := Compare(s.high, s.low); c < 0 || c == 0 && (!s.withLow || !s.withHigh) {
			return s, errors.New("Range defies version ordering: " + text)
		}
	}
	return s, nil
}

// Has tells whether a version is in the range.
func (r Range) Has(version string) bool {
	for _, s := range r.sets {
		low, high := Compare(version, s.low), Compare(version, s.high)
		above := s.low == "" && !s.one || low > 0 || low == 0 && s.withLow
		below := s.high == "" && !s.one || high < 0 || high == 0 && s.withHigh
		if above && below {
			return true
		}
	}
	return len(r.sets) == 0
}

// String gives the range as Java prints it.
func (r Range) String() string {
	var b strings.Builder
	for i, s := range r.sets {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte(map[bool]byte{true: '[', false: '('}[s.withLow])
		b.WriteString(s.low + "," + s.high)
		b.WriteByte(map[bool]byte{true: ']', false: ')'}[s.withHigh])
	}
	return b.String()
}
