package dateformat

const minuteMillis = 60_000

// zoneNames are the names of zones that are read, with their minutes from UTC.
// A name that Java's list has and this one has not is refused when it comes.
var zoneNames = map[string]int64{
	"UTC": 0, "Coordinated Universal Time": 0, "WET": 0, "WEST": 60, "BST": 60,
	"CET": 60, "CEST": 120, "Central European Standard Time": 60, "Central European Summer Time": 120,
	"EET": 120, "EEST": 180, "MSK": 180,
	"NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
	"MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600,
	"Eastern Standard Time": -300, "Eastern Daylight Time": -240, "Central Standard Time": -360, "Central Daylight Time": -300,
	"Mountain Standard Time": -420, "Mountain Daylight Time": -360, "Pacific Standard Time": -480, "Pacific Daylight Time": -420,
	"JST": 540, "KST": 540, "Japan Standard Time": 540,
}

// zone reads a zone: z and Z take GMT, GMT+h:mm, +hhmm and names, X what ISO 8601 has.
func (r *reader) zone(p part) bool {
	at := func() uint16 {
		if r.pos < len(r.text) {
			return r.text[r.pos]
		}
		return 0
	}
	sign := func() int64 {
		switch at() {
		case '+':
			return 1
		case '-':
			return -1
		}
		return 0
	}
	s := sign()
	switch {
	case p.letter == 'X' && at() == 'Z':
		r.pos++
		r.build.set(zoneOffset, 0)
		return true
	case p.letter == 'X':
		return s != 0 && r.offset(s, p.count, p.count == 3)
	case s != 0:
		return r.offset(s, 0, false)
	case hasPrefixFold(r.text[r.pos:], "GMT"):
		r.pos += 3
		if s = sign(); s == 0 {
			r.build.set(zoneOffset, 0)
			return true
		}
		return r.offset(s, 0, true)
	}
	best := ""
	for name := range zoneNames {
		if len(name) > len(best) && hasPrefixFold(r.text[r.pos:], name) {
			best = name
		}
	}
	if best == "" {
		return false
	}
	r.pos += len(best)
	r.build.set(zoneOffset, zoneNames[best]*minuteMillis)
	return true
}

// offset reads hours and minutes behind a sign: SimpleDateFormat.subParseNumericZone.
func (r *reader) offset(sign int64, count int, colon bool) bool {
	pos := r.pos + 1
	next := func() int64 {
		if pos >= len(r.text) || r.text[pos] < '0' || r.text[pos] > '9' {
			return -1
		}
		pos++
		return int64(r.text[pos-1] - '0')
	}
	hours := next()
	if hours < 0 {
		return false
	}
	if d := next(); d >= 0 {
		hours = 10*hours + d
	} else if count > 0 || !colon || pos >= len(r.text) {
		return false
	}
	minutes := int64(0)
	if count != 1 {
		if colon {
			if pos >= len(r.text) || r.text[pos] != ':' {
				return false
			}
			pos++
		}
		tens, ones := next(), next()
		if tens < 0 || ones < 0 {
			return false
		}
		minutes = 10*tens + ones
	}
	if hours > 23 || minutes > 59 {
		return false
	}
	r.pos = pos
	r.build.set(zoneOffset, sign*(60*hours+minutes)*minuteMillis)
	return true
}
