package dateformat

// field is a field of Java's Calendar.
type field int

const (
	era field = iota
	year
	month // from 0
	weekOfYear
	weekOfMonth
	dayOfMonth
	dayOfYear
	dayOfWeek // Sunday is 1
	dayOfWeekInMonth
	amPM
	hour // of half a day, from 0
	hourOfDay
	minute
	second
	millisecond
	zoneOffset // in milliseconds
	weekYear
	fieldCount
)

const (
	dayMillis = 24 * 60 * 60 * 1000
	sunday    = 1
	// epoch is 1970-01-01 as a day number: 1 is the day 0001-01-01 of the Gregorian calendar.
	epoch = 719163
	// cutover is 1582-10-15, the first day of the Gregorian calendar.
	cutover     = 577736
	cutoverYear = 1582
)

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

func leap(y int64, julian bool) bool {
	return floorMod(y, 4) == 0 && (julian || floorMod(y, 100) != 0 || floorMod(y, 400) == 0)
}

var monthStart = [...]int64{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

// daysBefore gives the days of a year before a month, which counts from 0.
func daysBefore(y int64, m int, julian bool) int64 {
	d := monthStart[m]
	if m > 1 && leap(y, julian) {
		d++
	}
	return d
}

// dayNumber gives the day number of the first day of a month.
func dayNumber(y int64, m int, julian bool) int64 {
	p := y - 1
	n := 365*p + floorDiv(p, 4) + daysBefore(y, m, julian) + 1
	if julian {
		return n - 2
	}
	return n - floorDiv(p, 100) + floorDiv(p, 400)
}

// civil gives year and month of a day number and the day of the month.
func civil(day int64, julian bool) (y int64, m int, d int64) {
	// Within a year of the right one at first.
	if julian {
		y = floorDiv(4*(day+1), 1461) + 1
	} else {
		y = floorDiv(400*(day-1), 146097) + 1
	}
	for dayNumber(y, 0, julian) > day {
		y--
	}
	for dayNumber(y+1, 0, julian) <= day {
		y++
	}
	for m = 11; dayNumber(y, m, julian) > day; m-- {
	}
	return y, m, day - dayNumber(y, m, julian) + 1
}

// weekday gives the day of the week of a day number.
func weekday(day int64) int64 { return floorMod(day, 7) + 1 }

// onOrBefore gives the last day of this day of the week that is not after day.
func onOrBefore(day, of int64) int64 { return day - floorMod(weekday(day)-of, 7) }

// weekNumber counts the weeks, which start on Sundays, from the one that has first.
func weekNumber(first, day int64) int64 {
	return floorDiv(day-onOrBefore(first, sunday), 7) + 1
}

// fieldsOf gives the fields of an instant in UTC.
func fieldsOf(millis int64) [fieldCount]int64 {
	var f [fieldCount]int64
	day := floorDiv(millis, dayMillis) + epoch
	ms := floorMod(millis, dayMillis)
	julian := day < cutover
	y, m, d := civil(day, julian)
	jan1, first := dayNumber(y, 0, julian), dayNumber(y, m, julian)
	if y == cutoverYear && !julian { // the year lacks ten days, and its October does
		jan1 = dayNumber(y, 0, true)
		if m == 9 {
			first = dayNumber(y, m, true)
		}
	}
	f[era], f[year] = 1, y
	if y <= 0 {
		f[era], f[year] = 0, 1-y
	}
	f[month], f[dayOfMonth], f[dayOfYear], f[dayOfWeek] = int64(m), d, day-jan1+1, weekday(day)
	f[weekOfMonth], f[dayOfWeekInMonth] = weekNumber(first, day), (day-first)/7+1
	f[weekOfYear], f[weekYear] = weekNumber(jan1, day), y
	if next := dayNumber(y+1, 0, julian); day >= onOrBefore(next, sunday) {
		f[weekOfYear], f[weekYear] = 1, y+1
	}
	f[hourOfDay], f[minute], f[second], f[millisecond] = ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000
	f[amPM], f[hour] = f[hourOfDay]/12, f[hourOfDay]%12
	return f
}

// builder collects the fields of a text. Which ones count where they say
// different things depends on the order in which they were set.
type builder struct {
	value [fieldCount]int64
	stamp [fieldCount]int // when it was set, 0 is not
	next  int
}

func (b *builder) set(f field, v int64) {
	b.next++
	b.value[f], b.stamp[f] = v, b.next
}

func (b *builder) has(f field) bool { return b.stamp[f] > 0 }

// both gives when a pair was complete, 0 when it is not.
func (b *builder) both(f, g field) int {
	if b.stamp[f] == 0 || b.stamp[g] == 0 {
		return 0
	}
	return max(b.stamp[f], b.stamp[g])
}

// millis gives the instant that the fields say: GregorianCalendar.computeTime.
func (b builder) millis() int64 {
	if b.has(weekYear) && b.stamp[weekYear] > b.stamp[year] {
		b.setWeekDate()
	}
	y := int64(1970)
	if b.has(year) {
		y = b.value[year]
	}
	if b.has(era) && b.value[era] == 0 {
		y = 1 - y
	}
	ms := b.timeOfDay()
	days := floorDiv(ms, dayMillis)
	ms = floorMod(ms, dayMillis)
	by := b.dateFields()
	julian := days + b.day(y, by, true)
	day := days + b.day(y, by, false)
	if y < cutoverYear || day < cutover || by == byDayOfYear && y == cutoverYear || by == byWeekOfYear && y == cutoverYear {
		day = julian // also for what neither calendar has
	}
	return (day-epoch)*dayMillis + ms - b.value[zoneOffset]
}

func (b *builder) timeOfDay() int64 {
	hours := b.value[hourOfDay]
	half := b.both(hour, amPM)
	if best := max(half, b.stamp[hourOfDay]); best == 0 || best != b.stamp[hourOfDay] {
		if b.has(hour) || b.has(amPM) {
			hours = b.value[hour] + 12*b.value[amPM]
		}
	}
	return ((hours*60+b.value[minute])*60+b.value[second])*1000 + b.value[millisecond]
}

// setWeekDate makes a date of a year of weeks, its week and day.
func (b *builder) setWeekDate() {
	week, day := int64(1), int64(sunday)
	if b.has(weekOfYear) {
		week = b.value[weekOfYear]
	}
	if b.has(dayOfWeek) {
		day = b.value[dayOfWeek]
	}
	if day < 1 || day > 7 {
		if day >= 8 {
			day--
			week += day / 7
			day = day%7 + 1
		} else {
			n := (7 - day) / 7
			day += 7 * n
			week -= n
		}
		day = day%7 + 1 // a number of 'u', which starts on Mondays
	}
	y := b.value[weekYear]
	julian := y <= cutoverYear
	date := onOrBefore(dayNumber(y, 0, julian), sunday) + day - sunday + 7*(week-1)
	cy, cm, cd := civil(date, date < cutover)
	b.set(era, 1)
	b.set(year, cy)
	b.set(month, int64(cm))
	b.set(dayOfMonth, cd)
}

// dateBy says which fields determine the date.
type dateBy int

const (
	byDayOfMonth dateBy = iota
	byWeekOfMonth
	byDayOfWeekInMonth
	byDayOfYear
	byWeekOfYear
)

// dateFields is GregorianCalendar.selectFields: the fields that were set last
// count, those that are complete before others.
func (b *builder) dateFields() dateBy {
	dom, doy := b.stamp[dayOfMonth], b.stamp[dayOfYear]
	wom, dowim, woy := b.both(weekOfMonth, dayOfWeek), b.both(dayOfWeekInMonth, dayOfWeek), b.both(weekOfYear, dayOfWeek)
	best := max(dom, wom, dowim, doy, woy)
	if best == 0 {
		wom, woy = b.stamp[weekOfMonth], b.stamp[weekOfYear]
		dowim = max(b.stamp[dayOfWeekInMonth], b.stamp[dayOfWeek])
		best = max(wom, dowim, woy)
		if best == 0 {
			return byDayOfMonth
		}
	}
	switch {
	case best == dom:
		return byDayOfMonth
	case best == wom && b.stamp[weekOfMonth] >= b.stamp[weekOfYear], best == dowim && b.stamp[dayOfWeekInMonth] >= b.stamp[weekOfYear]:
		if wom == dowim && b.stamp[weekOfMonth] >= b.stamp[dayOfWeekInMonth] || wom != dowim && best == wom {
			return byWeekOfMonth
		}
		return byDayOfWeekInMonth
	case best == doy:
		return byDayOfYear
	}
	return byWeekOfYear
}

// day gives the number of the day in one of the calendars: GregorianCalendar.getFixedDate.
func (b *builder) day(y int64, by dateBy, julian bool) int64 {
	if by == byDayOfYear {
		return dayNumber(y, 0, julian) + b.value[dayOfYear] - 1
	}
	weekday := int64(sunday)
	if b.has(dayOfWeek) {
		weekday = b.value[dayOfWeek]
	}
	if by == byWeekOfYear {
		return onOrBefore(onOrBefore(dayNumber(y, 0, julian), sunday)+6, weekday) + 7*(b.value[weekOfYear]-1)
	}
	m := b.value[month]
	y += floorDiv(m, 12)
	m = floorMod(m, 12)
	first := dayNumber(y, int(m), julian)
	switch by {
	case byWeekOfMonth:
		return onOrBefore(onOrBefore(first, sunday)+6, weekday) + 7*(b.value[weekOfMonth]-1)
	case byDayOfWeekInMonth:
		n := int64(1)
		if b.has(dayOfWeekInMonth) {
			n = b.value[dayOfWeekInMonth]
		}
		if n >= 0 {
			return onOrBefore(first+7*n-1, weekday)
		}
		return onOrBefore(dayNumber(y+floorDiv(m+1, 12), int(floorMod(m+1, 12)), julian)-1+7*(n+1), weekday)
	}
	if b.has(dayOfMonth) {
		first += b.value[dayOfMonth] - 1
	}
	return first
}
