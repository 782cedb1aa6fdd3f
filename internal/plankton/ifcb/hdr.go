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

// Position is where the sample was taken, in degrees; false without a plausible fix (0, 0 is none).
func (h Header) Position() (latitude, longitude float64, ok bool) {
	lat, okLat := h.Float("gpsLatitude")
	lon, okLon := h.Float("gpsLongitude")
	if !okLat || !okLon || math.Abs(lat) > 90 || math.Abs(lon) > 180 || (lat == 0 && lon == 0) {
		return 0, 0, false
	}
	return lat, lon, true
}
