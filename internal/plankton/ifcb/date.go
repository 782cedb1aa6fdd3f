package ifcb

import (
	"fmt"
	"time"
)

// Dawn is before the first bin of any instrument.
var Dawn = time.Date(2005, time.January, 1, 0, 0, 0, 0, time.UTC)

// dateLayouts are the spellings of a time that dashboards use: Django's JSON writes Z (milliseconds if there are any),
// its timestamp_iso and zip metadata +00:00, generation 1 takes bare dates and times as UTC.
var dateLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02",
}

// ParseDate reads a time as dashboards write it; one without a zone is UTC.
func ParseDate(s string) (time.Time, error) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("date %q: want a form like 2019-07-28T21:26:39Z, 2019-07-28T21:26:39+00:00 or 2019-07-28", s)
}

// ParseEnd reads the end of a period, the time that is no longer of it. A day includes the day.
func ParseEnd(s string) (time.Time, error) {
	t, err := ParseDate(s)
	if err == nil && len(s) == len(time.DateOnly) {
		t = t.AddDate(0, 0, 1)
	}
	return t, err
}
