package ifcb

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Target is one line of an .adc file. Columns a file does not have (early files have fewer) are zero.
type Target struct {
	Number    int        // line of the .adc, from 1
	Trigger   int        // one trigger can give several lines
	X, Y      int        // upper left corner in the camera's frame, px
	Width     int        // px; 0 when the line has no image
	Height    int        // px; 0 when the line has no image
	StartByte int64      // offset of the first pixel in the .roi
	Light     [4]float64 // V: v2 PMT A to D, integrated; v1 fluorescence low, high, scattering low, high; NaN unreadable
	Fields    []string   // all columns as written
	// Bad says what is wrong with a line that cannot be read, naming it; nil otherwise. It has no image that can be had.
	Bad error
}

// HasImage tells whether the line has pixels.
func (t Target) HasImage() bool { return t.Width > 0 && t.Height > 0 }

// Rect is the target's place in the camera's frame.
func (t Target) Rect() image.Rectangle {
	return image.Rect(t.X, t.Y, t.X+t.Width, t.Y+t.Height)
}

// column places of the two generations (DASHBOARD_API section 4).
type adcLayout struct {
	x, y, width, height, start int
	stitched                   bool // lines with an image may belong together
	names                      []string
}

var adcLayouts = map[Schema]adcLayout{
	SchemaV1: {x: 9, y: 10, width: 11, height: 12, start: 13, stitched: true, names: []string{
		"trigger", "processingEndTime", "fluorescenceLow", "fluoresenceHigh", "scatteringLow", "scatteringHigh",
		"comparatorPulse", "triggerOpenTime", "frameGrabTime", "bottom", "left", "height", "width", "byteOffset", "valveStatus",
	}},
	SchemaV2: {x: 13, y: 14, width: 15, height: 16, start: 17, names: []string{
		"trigger", "processingEndTime", "pmtA", "pmtB", "pmtC", "pmtD", "peakA", "peakB", "peakC", "peakD", "timeOfFlight",
		"grabTimeStart", "grabTimeEnd", "bottom", "left", "height", "width", "byteOffset", "comparatorOut", "startPoint",
		"signalLength", "status", "runTime", "inhibitTime",
	}},
}

// ColumnNames are the names that dashboards of generation 1 give to the .adc columns. Beware: they call the ROI's
// width "height" and its height "width", x "bottom" and y "left" (the camera lies on its side).
func ColumnNames(s Schema) []string { return adcLayouts[s].names }

const (
	// maxLine bounds one line of an .adc or .hdr file, in bytes.
	maxLine = 64 << 10
	// maxTargets bounds the lines of an .adc file, and with them its memory: a syringe run gives a few thousand.
	maxTargets = 1 << 17
	// maxImagePixels bounds one image; the largest camera frame has about 1.4 million pixels.
	maxImagePixels = 1 << 26
	maxCoordinate  = 1 << 24
)

// ErrTruncated marks a file that ends before what it announces: a transfer that broke off, or an instrument that is
// still writing.
var ErrTruncated = errors.New("file is truncated")

// ReadADC reads an .adc file. An empty one gives no targets and no error, and empty lines count for nothing. A malformed
// line is a target with an error of its own ([Target.Bad]); where there is no other line it is the file's. A last line
// without a line end that lacks columns is left out and reported by an error that is [ErrTruncated]; the targets before
// it are returned with it.
func ReadADC(r io.Reader, schema Schema) ([]Target, error) {
	return readTargets(r, schema, false)
}

// ReadTable is [ReadADC] for the table that a dashboard makes of an .adc file: generation 1 puts the columns' names
// before it and further columns behind.
func ReadTable(r io.Reader, schema Schema) ([]Target, error) {
	return readTargets(r, schema, true)
}

func readTargets(r io.Reader, schema Schema, mayHaveNames bool) ([]Target, error) {
	layout, ok := adcLayouts[schema]
	if !ok {
		return nil, fmt.Errorf("adc: schema %d is unknown", schema)
	}
	var targets []Target
	var names tableHeader
	in := lineReader{in: bufio.NewReaderSize(r, maxLine)}
	for in.next() {
		if in.number > maxTargets {
			return nil, fmt.Errorf("adc: more than %d lines", maxTargets)
		}
		fields := splitLine(in.line)
		if len(fields) == 0 && !in.long {
			continue
		}
		if mayHaveNames && !in.long && isHeader(fields) {
			var err error
			if names, err = newTableHeader(fields, layout); err != nil {
				return nil, fmt.Errorf("adc: line %d: %w", in.number, err)
			}
			mayHaveNames = false
			continue
		}
		mayHaveNames = false
		t := layout.parse(names.order(fields), len(targets)+1)
		if number, err := names.number(fields, t.Number); err != nil {
			t = t.unreadable(err)
		} else {
			t.Number = number
		}
		if in.long {
			t = t.unreadable(fmt.Errorf("longer than %d bytes", maxLine))
		}
		if t.Bad != nil {
			t.Bad = fmt.Errorf("adc: line %d: %w", in.number, t.Bad)
			if !in.ended && !in.long {
				return targets, fmt.Errorf("adc: line %d: %w", in.number, ErrTruncated)
			}
		}
		targets = append(targets, t)
	}
	if in.err != nil {
		return nil, fmt.Errorf("adc: line %d: %w", in.number, in.err)
	}
	if len(targets) > 0 && !slices.ContainsFunc(targets, func(t Target) bool { return t.Bad == nil }) {
		return nil, targets[0].Bad
	}
	return targets, nil
}

func splitLine(line []byte) []string {
	fields := strings.Split(strings.TrimRight(string(line), "\r\n"), ",")
	for i, f := range fields {
		fields[i] = strings.TrimSpace(f)
	}
	if n := len(fields); fields[n-1] == "" { // v1 lines end in a comma
		fields = fields[:n-1]
	}
	return fields
}

// parse reads a line. Its image needs a size and an offset, and on an old camera a place, for what is cut in two; what
// else cannot be read is unknown.
func (l adcLayout) parse(fields []string, number int) Target {
	t := Target{Number: number, Fields: fields}
	for i := range t.Light {
		t.Light[i] = math.NaN()
		if v, ok := t.Float(2 + i); ok {
			t.Light[i] = v
		}
	}
	if len(fields) <= l.start {
		return t.unreadable(fmt.Errorf("%d columns, want at least %d", len(fields), l.start+1))
	}
	for _, c := range []struct {
		to     *int
		column int
		needed bool
	}{{&t.Trigger, 0, l.stitched}, {&t.X, l.x, l.stitched}, {&t.Y, l.y, l.stitched}, {&t.Width, l.width, true}, {&t.Height, l.height, true}} {
		v, err := wholeNumber(fields[c.column], maxCoordinate)
		if err != nil && c.needed {
			return t.unreadable(fmt.Errorf("column %d: %w", c.column+1, err))
		}
		*c.to = int(v)
	}
	if t.Width < 0 || t.Height < 0 {
		return t.unreadable(fmt.Errorf("an image of %d x %d pixels", t.Width, t.Height))
	}
	if t.Width == 0 || t.Height == 0 {
		t.Width, t.Height = 0, 0
	} else if t.Width > maxImagePixels/t.Height {
		return t.unreadable(fmt.Errorf("an image of %d x %d pixels is larger than any camera's", t.Width, t.Height))
	}
	start, err := wholeNumber(fields[l.start], 1<<50)
	if t.HasImage() && (err != nil || start < 0) {
		return t.unreadable(fmt.Errorf("column %d: %q is no file offset", l.start+1, fields[l.start]))
	}
	t.StartByte = max(start, 0)
	return t
}

// unreadable is a line without an image, and why.
func (t Target) unreadable(why error) Target {
	t.Width, t.Height, t.StartByte, t.Bad = 0, 0, 0, why
	return t
}

// Unreadable are the lines of a table that cannot be read: each may have had an image.
func Unreadable(table []Target) []Target {
	var bad []Target
	for _, t := range table {
		if t.Bad != nil {
			bad = append(bad, t)
		}
	}
	return bad
}

// wholeNumber reads a whole number that may be written as a float ("12", "12.0", "1.2e1").
func wholeNumber(s string, limit float64) (int64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != math.Trunc(v) || math.Abs(v) > limit {
		return 0, fmt.Errorf("%q is no whole number in range", s)
	}
	return int64(v), nil
}

// Float is the value of a column, counted from 0; false when the line does not have it or it is no finite number.
func (t Target) Float(column int) (float64, bool) {
	if column >= len(t.Fields) {
		return 0, false
	}
	v, err := strconv.ParseFloat(t.Fields[column], 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}
