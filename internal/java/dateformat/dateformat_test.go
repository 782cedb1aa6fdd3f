package dateformat

import (
	"testing"
	"time"
)

// Clauses: D19.
func TestFormat(t *testing.T) {
	at := time.UnixMilli(1483425001864)
	for pattern, want := range map[string]string{
		"yyyy-MM-dd'T'HH:mm:ss.SSSXXX":  "2017-01-03T06:30:01.864Z",
		"EEE, d MMM yy hh 'o''clock' a": "Tue, 3 Jan 17 06 o'clock AM",
		"YYYY-'W'ww-u D F W G zzzz Z":   "2017-W01-2 3 1 1 AD Coordinated Universal Time +0000",
		"''yyyyy''":                     "'02017'",
	} {
		f, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Format(at); got != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
	// The day before the Gregorian calendar, and the year before the first.
	f := MustCompile("G yyyy-MM-dd")
	for day, want := range map[int64]string{-141427: "AD 1582-10-15", -141428: "AD 1582-10-04", -719164: "AD 0001-01-01", -719165: "BC 0001-12-31"} {
		if got := f.Format(time.UnixMilli(day * dayMillis)); got != want {
			t.Errorf("day %d: %q, want %q", day, got, want)
		}
	}
}

func TestBadPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		"b": "Illegal pattern character 'b'", "'x": "Unterminated quote", "XXXX": "invalid ISO 8601 format: length=4",
	} {
		if _, err := Compile(pattern); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", pattern, err, want)
		}
	}
}

// Clauses: D19.
func TestParse(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ pattern, text, want string }{
		{"yyyy-MM-dd", "2017-13-45 and more", "2018-02-14T00:00:00Z"},
		{"yyyyMMdd", "20170103", "2017-01-03T00:00:00Z"},
		{"yyyy-MM-dd HH:mm:ss.SSS", "2017-01-03 24:61:61.8", "2017-01-04T01:02:01.008Z"},
		{"yy-MM-dd", "45-01-01", "2045-01-01T00:00:00Z"},
		{"yy-MM-dd", "46-05-31", "2046-05-31T00:00:00Z"},
		{"yy-MM-dd", "46-06-02", "1946-06-02T00:00:00Z"},
		{"YYYY-'W'ww-u", "2017-W01-2", "2017-01-03T00:00:00Z"},
		{"yyyy-MM-dd HH:mm z", "2017-01-03 06:30 GMT-3:30", "2017-01-03T10:00:00Z"},
		{"yyyy-DDD hh a", "2017-034 12 pm", "2017-02-03T12:00:00Z"},
		{"d MMMM yyyy", "٣ january 2017", "2017-01-03T00:00:00Z"},
		{"yyyy-MM-dd", "2017/01/03", ""},
		{"yyyyMMdd", "201713", ""},
		{"yyyy-MM-dd'T'HHXXX", "2017-01-03T06+25:00", ""},
	} {
		f, err := compileAt(c.pattern, now)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := f.Parse(c.text)
		if ok != (c.want != "") || ok && got.Format(time.RFC3339Nano) != c.want {
			t.Errorf("%s, %s: %v %v, want %s", c.pattern, c.text, got, ok, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2017-01-03T06:30:01.864Z")
	f.Add("YYYY ww u EEE F W", "99999999999 -9 88 Tue 1 1")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		format, err := Compile(pattern)
		if err != nil {
			return
		}
		if at, ok := format.Parse(text); ok {
			_ = format.Format(at)
		}
	})
}
