package dateformat

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

var (
	months   = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	weekdays = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	halves   = []string{"AM", "PM"}
	eras     = []string{"BC", "AD"}
)

// numbers are the fields that are written as they are.
var numbers = map[byte]field{'d': dayOfMonth, 'H': hourOfDay, 'm': minute, 's': second, 'S': millisecond, 'D': dayOfYear,
	'F': dayOfWeekInMonth, 'w': weekOfYear, 'W': weekOfMonth, 'K': hour}

// Format writes an instant in UTC.
func (f *Format) Format(t time.Time) string {
	fields := fieldsOf(t.UnixMilli())
	out := make([]byte, 0, len(f.pattern)+8)
	for _, p := range f.parts {
		if p.literal != nil {
			out = append(out, string(utf16.Decode(p.literal))...)
			continue
		}
		out = p.append(out, &fields)
	}
	return string(out)
}

func (p part) append(out []byte, f *[fieldCount]int64) []byte {
	name := func(full []string, n int64) []byte {
		if p.count >= 4 {
			return append(out, full[n]...)
		}
		return append(out, full[n][:3]...)
	}
	switch p.letter {
	case 'G':
		return append(out, eras[f[era]]...)
	case 'y', 'Y':
		y := f[year]
		if p.letter == 'Y' {
			y = f[weekYear]
		}
		if p.count == 2 {
			if y < 0 {
				return padded(append(out, '-'), -y%100, 2)
			}
			y %= 100
		}
		return padded(out, y, p.count)
	case 'M', 'L':
		if p.count >= 3 {
			return name(months, f[month])
		}
		return padded(out, f[month]+1, p.count)
	case 'E':
		return name(weekdays, f[dayOfWeek]-1)
	case 'a':
		return append(out, halves[f[amPM]]...)
	case 'k':
		return padded(out, orElse(f[hourOfDay], 24), p.count)
	case 'h':
		return padded(out, orElse(f[hour], 12), p.count)
	case 'u':
		return padded(out, (f[dayOfWeek]+5)%7+1, p.count)
	case 'z':
		if p.count >= 4 {
			return append(out, "Coordinated Universal Time"...)
		}
		return append(out, "UTC"...)
	case 'Z':
		return append(out, "+0000"...)
	case 'X':
		return append(out, 'Z')
	}
	return padded(out, f[numbers[p.letter]], p.count)
}

// orElse gives n, or another number for 0.
func orElse(n, other int64) int64 {
	if n == 0 {
		return other
	}
	return n
}

func padded(out []byte, n int64, width int) []byte {
	if n < 0 {
		out, n = append(out, '-'), -n
	}
	digits := strconv.FormatInt(n, 10)
	if missing := width - len(digits); missing > 0 {
		out = append(out, strings.Repeat("0", missing)...)
	}
	return append(out, digits...)
}
