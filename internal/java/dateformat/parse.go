package dateformat

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/axiom-data-science/hydraulics/internal/java/number"
)

// Parse reads the date at the start of a text; what follows it is ignored. ok
// is false for a text that does not start with one.
func (f *Format) Parse(text string) (t time.Time, ok bool) {
	r := &reader{text: utf16.Encode([]rune(text))}
	ambiguous := false
	for i, p := range f.parts {
		switch {
		case p.literal != nil:
			if !slices.Equal(r.ahead(len(p.literal)), p.literal) {
				return t, false
			}
			r.pos += len(p.literal)
		default:
			width := len(r.text)
			if i+1 < len(f.parts) && f.parts[i+1].number() {
				width = p.count // the next number follows at once
			}
			if !r.field(f, p, width, &ambiguous) {
				return t, false
			}
		}
	}
	t = time.UnixMilli(r.build.millis()).UTC()
	if ambiguous && t.Before(f.century) {
		r.build.value[year] += 100
		r.build.value[weekYear] += 100
		t = time.UnixMilli(r.build.millis()).UTC()
	}
	return t, true
}

// number tells whether a part is written in digits.
func (p part) number() bool {
	switch p.letter {
	case 'M', 'L':
		return p.count <= 2
	case 0, 'G', 'E', 'a', 'z', 'Z', 'X':
		return false
	}
	return true
}

type reader struct {
	text  []uint16
	pos   int
	build builder
}

// ahead gives the next n characters, fewer at the end.
func (r *reader) ahead(n int) []uint16 { return r.text[r.pos:min(r.pos+n, len(r.text))] }

// field reads one field: SimpleDateFormat.subParse. It reads at most width
// characters of a number.
func (r *reader) field(f *Format, p part, width int, ambiguous *bool) bool {
	start := r.pos
	for ; ; r.pos++ {
		if r.pos >= len(r.text) {
			return false
		}
		if c := r.text[r.pos]; c != ' ' && c != '\t' {
			break
		}
	}
	if !p.number() {
		return r.name(p, start)
	}
	limit := len(r.text)
	if width < limit { // the width counts from before the spaces
		if limit = start + width; limit > len(r.text) {
			return false
		}
	}
	from := r.pos
	n, ok := r.integer(limit)
	if !ok {
		return false
	}
	value := int64(n)
	switch p.letter {
	case 'y', 'Y':
		if p.count <= 2 && r.pos-from == 2 && isDigit(r.text[from]) && isDigit(r.text[from+1]) {
			begin := int64(f.century.Year())
			*ambiguous = value == begin%100
			value += begin / 100 * 100
			if value < begin {
				value += 100
			}
		}
		if p.letter == 'Y' {
			r.build.set(weekYear, value)
		} else {
			r.build.set(year, value)
		}
	case 'M', 'L':
		r.build.set(month, int64(n-1))
	case 'k':
		r.build.set(hourOfDay, value-24*btoi(value == 24))
	case 'h':
		r.build.set(hour, value-12*btoi(value == 12))
	case 'u':
		if value >= 1 && value <= 7 {
			value = value%7 + 1
		}
		r.build.set(dayOfWeek, value)
	default:
		r.build.set(numbers[p.letter], value)
	}
	return true
}

func btoi(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func isDigit(c uint16) bool { return number.Digit(rune(c)) >= 0 }

// integer reads a number as DecimalFormat does, a part of which the limit cuts
// off: an optional minus, digits, an exponent. It has 32 bits as Number.intValue.
func (r *reader) integer(limit int) (int32, bool) {
	pos := r.pos
	if pos+3 <= limit && string(utf16.Decode(r.text[pos:pos+3])) == "NaN" {
		r.pos += 3
		return 0, true
	}
	negative := pos < limit && r.text[pos] == '-'
	if negative {
		pos++
	}
	if pos < limit && r.text[pos] == '∞' {
		r.pos = pos + 1
		if negative {
			return math.MinInt32, true
		}
		return math.MaxInt32, true
	}
	digits, pos := r.digits(pos, limit)
	if digits == "" {
		return 0, false
	}
	r.pos = pos
	exponent := 0
	if pos < limit && r.text[pos] == 'E' {
		at := pos + 1
		below := at < limit && r.text[at] == '-'
		if below {
			at++
		}
		if e, end := r.digits(at, limit); e != "" && len(e) <= 9 {
			for _, d := range e {
				exponent = 10*exponent + int(d-'0')
			}
			if below {
				exponent = -exponent
			}
			r.pos = end
		}
	}
	return intValue(digits, exponent, negative), true
}

func (r *reader) digits(pos, limit int) (string, int) {
	var out strings.Builder
	for ; pos < limit; pos++ {
		d := number.Digit(rune(r.text[pos]))
		if d < 0 {
			break
		}
		out.WriteByte(byte('0' + d))
	}
	return out.String(), pos
}

// intValue narrows a number: one of 64 bits loses its upper half, a larger one
// is the largest there is.
func intValue(digits string, exponent int, negative bool) int32 {
	digits = strings.TrimLeft(digits, "0")
	whole := len(digits) + exponent
	switch {
	case digits == "" || whole <= 0:
		return 0
	case exponent < 0:
		digits = digits[:whole]
	case whole <= 20:
		digits += strings.Repeat("0", exponent)
	}
	n, _ := new(big.Int).SetString(digits, 10)
	if negative {
		n.Neg(n)
	}
	switch {
	case whole <= 20 && n.IsInt64():
		return int32(n.Int64())
	case negative:
		return math.MinInt32
	}
	return math.MaxInt32
}

// name reads a field that is not a number. Names start where the field does: no
// space is skipped before one.
func (r *reader) name(p part, start int) bool {
	switch p.letter {
	case 'G':
		return r.oneOf(start, era, eras)
	case 'M', 'L':
		return r.oneOf(start, month, short(months), months)
	case 'E':
		return r.oneOf(start, dayOfWeek, short(weekdays), weekdays)
	case 'a':
		return r.oneOf(start, amPM, halves)
	}
	return r.zone(p)
}

func short(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = n[:3]
	}
	return all
}

// oneOf reads the longest of the names that stands there, whatever its case.
func (r *reader) oneOf(start int, f field, lists ...[]string) bool {
	best, value := 0, 0
	for _, names := range lists {
		for i, n := range names {
			if len(n) > best && hasPrefixFold(r.text[start:], n) {
				best, value = len(n), i
			}
		}
	}
	if best == 0 {
		return false
	}
	r.pos = start + best
	if f == dayOfWeek {
		value++
	}
	r.build.set(f, int64(value))
	return true
}

// hasPrefixFold compares with an ASCII text, ignoring case.
func hasPrefixFold(text []uint16, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(string(utf16.Decode(text[:len(prefix)])), prefix)
}
