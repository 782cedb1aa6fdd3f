package ifcb

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Header is an .hdr file: keys in the order of the file. Keys compare without regard to case, because firmware
// versions differ in it ("SoftwareVersion", "softwareVersion").
type Header struct {
	keys   []string
	values map[string]string // by lower-case key; the first of a repeated key counts
}

const maxHeaderLines = 10_000

// v1Names are the keys under which the values of an old header are found, by the column names of that file.
var v1Names = map[string]string{
	"Temp": "temperature", "Humidity": "humidity", "BinarizeThresh": "binarizeThreshold",
	"PMT1hv(ssc)": "PMT1hv", "PMT2hv(chl)": "PMT2hv", "BlobSizeThresh": "blobSizeThreshold",
}

var runTimeLine = regexp.MustCompile(`run time\s*=\s*([0-9.eE+-]+)\s*s\D*inhibit time\s*=\s*([0-9.eE+-]+)\s*s`)

// ReadHeader reads an .hdr file of either generation: "key: value" lines, or the old form of quoted lines whose last
// two hold column names and values. Lines that are neither are skipped, and so are those that are too long and what is
// behind too many. An empty file gives an empty header. An error is the reader's; what was read before is returned with it.
func ReadHeader(r io.Reader) (Header, error) {
	h := Header{values: map[string]string{}}
	var quoted []string
	in := lineReader{in: bufio.NewReaderSize(r, maxLine)}
	for in.next() && in.number <= maxHeaderLines {
		if in.long {
			continue
		}
		line := strings.TrimSpace(strings.TrimPrefix(string(in.line), "\ufeff"))
		if m := runTimeLine.FindStringSubmatch(line); m != nil {
			h.add("runTime", m[1])
			h.add("inhibitTime", m[2])
		} else if strings.HasPrefix(line, `"`) {
			quoted = append(quoted, line)
		} else if key, value, ok := strings.Cut(line, ":"); ok {
			h.add(strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
	h.addQuoted(quoted)
	if in.err != nil {
		return h, fmt.Errorf("hdr: line %d: %w", in.number, in.err)
	}
	return h, nil
}

func (h *Header) add(key, value string) {
	lower := strings.ToLower(key)
	if _, seen := h.values[lower]; seen || key == "" {
		return
	}
	h.keys = append(h.keys, key)
	h.values[lower] = value
}

// addQuoted takes the old form: the last two lines are the names (one quoted list) and the values (one quoted each).
func (h *Header) addQuoted(lines []string) {
	if len(lines) < 2 {
		return
	}
	names := strings.Fields(strings.Trim(lines[len(lines)-2], `"`))
	values, err := csv.NewReader(strings.NewReader(lines[len(lines)-1])).Read()
	if err != nil || len(values) != len(names) {
		return
	}
	for i, name := range names {
		if known, ok := v1Names[name]; ok {
			name = known
		}
		h.add(name, strings.TrimSpace(values[i]))
	}
}

// Keys are the header's keys in the order of the file.
func (h Header) Keys() []string { return h.keys }

// Get is the text of a key.
func (h Header) Get(key string) (string, bool) {
	v, ok := h.values[strings.ToLower(key)]
	return v, ok
}

// Float is the number of a key; false when the key is absent or its value no finite number.
func (h Header) Float(key string) (float64, bool) {
	v, err := strconv.ParseFloat(h.values[strings.ToLower(key)], 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// Quantity is the value of a key; false when the key is absent or its value none of that quantity.
func (h Header) Quantity(key string, of Quantity) (float64, bool) {
	v, ok := h.Float(key)
	return v, ok && of.Known(v)
}

// Set tells whether the flag of a key is on.
func (h Header) Set(key string) bool {
	v, _ := h.Get(key)
	return v == "1" || strings.EqualFold(v, "true") || strings.EqualFold(v, "yes")
}

// Position is where the sample was taken, in degrees; false without a plausible fix (0, 0 is none).
func (h Header) Position() (latitude, longitude float64, ok bool) {
	latitude, longitude, _, ok = h.position()
	return latitude, longitude, ok
}

// position reads what a logger beside the instrument (PhytO-ARM) wrote, else the instrument's GPS.
func (h Header) position() (latitude, longitude float64, isGPS, ok bool) {
	for _, keys := range [][2]string{{"latitude", "longitude"}, {"gpsLatitude", "gpsLongitude"}} {
		lat, okLat := h.Float(keys[0])
		lon, okLon := h.Float(keys[1])
		if okLat && okLon && KnownPosition(lat, lon) {
			return lat, lon, strings.HasPrefix(keys[0], "gps"), true
		}
	}
	return 0, 0, false, false
}

// fixTimes are the keys of a GPS fix's time, by the satellites' clock and the instrument's.
var fixTimes = []string{"gpsTimeFromFix", "ifcbTimeAtFix"}

// FixAge is how far the GPS fix that [Header.Position] gives is from a time; false where the header does not tell, or the
// position is not the GPS's.
func (h Header) FixAge(taken time.Time) (age time.Duration, ok bool) {
	if _, _, isGPS, found := h.position(); !found || !isGPS {
		return 0, false
	}
	for _, key := range fixTimes {
		if at, told := h.fixTime(key); told {
			age, ok = max(age, taken.Sub(at).Abs()), true
		}
	}
	if seconds, told := h.Float("ageOfFix"); told && seconds >= 0 && seconds < maxFixAge.Seconds() {
		age, ok = max(age, time.Duration(seconds*float64(time.Second))), true
	}
	return age, ok
}

// maxFixAge bounds what an age can be: a century.
const maxFixAge = 100 * 366 * 24 * time.Hour

func (h Header) fixTime(key string) (time.Time, bool) {
	text, _ := h.Get(key)
	at, err := time.Parse("Jan/02/2006 15:04:05 MST", text)
	if err != nil {
		at, err = time.Parse(time.RFC3339, text)
	}
	return at, err == nil
}

// ClockOffset is by how many seconds the instrument's clock is ahead: of the bin's name, where the header has a sample
// time of its own, else of the satellites' clock.
func (h Header) ClockOffset(named time.Time) (seconds float64, ok bool) {
	if text, told := h.Get("sampleTime"); told {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.Sub(named).Seconds(), true
		}
	}
	satellites, okThere := h.fixTime(fixTimes[0])
	own, okHere := h.fixTime(fixTimes[1])
	return own.Sub(satellites).Seconds(), okThere && okHere
}
