package ifcb

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
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
	Light     [4]float64 // V: v2 PMT A to D, integrated; v1 fluorescence low, high, scattering low, high
	Fields    []string   // all columns as written
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
	names                      []string
}

var adcLayouts = map[Schema]adcLayout{
	SchemaV1: {x: 9, y: 10, width: 11, height: 12, start: 13, names: []string{
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

// ReadADC reads an .adc file. An empty one gives no targets and no error. A last line without a line end that lacks
// columns is left out and reported by an error that is [ErrTruncated]; the targets before it are returned with it.
// Any other malformed line is an error that names the line.
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
	in := bufio.NewReaderSize(r, maxLine)
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		ended := err == nil
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("adc: line %d is longer than %d bytes", number, maxLine)
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("adc: line %d: %w", number, err)
		case len(line) == 0:
			return targets, nil
		case number > maxTargets:
			return nil, fmt.Errorf("adc: more than %d lines", maxTargets)
		}
		fields := splitLine(line)
		if number == 1 && mayHaveNames && isHeader(fields) {
			if names, err = newTableHeader(fields, layout); err != nil {
				return nil, fmt.Errorf("adc: line 1: %w", err)
			}
			number = 0
			mayHaveNames = false
			continue
		}
		t, err := layout.parse(names.order(fields), number)
		if err == nil {
			t.Number, err = names.number(fields, number)
		}
		if err != nil {
			if !ended {
				return targets, fmt.Errorf("adc: line %d: %w", number, ErrTruncated)
			}
			return nil, fmt.Errorf("adc: line %d: %w", number, err)
		}
		targets = append(targets, t)
	}
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

func (l adcLayout) parse(fields []string, number int) (Target, error) {
	if len(fields) <= l.start {
		return Target{}, fmt.Errorf("%d columns, want at least %d", len(fields), l.start+1)
	}
	t := Target{Number: number, Fields: fields}
	for _, c := range []struct {
		to     *int
		column int
	}{{&t.Trigger, 0}, {&t.X, l.x}, {&t.Y, l.y}, {&t.Width, l.width}, {&t.Height, l.height}} {
		v, err := wholeNumber(fields[c.column], maxCoordinate)
		if err != nil {
			return Target{}, fmt.Errorf("column %d: %w", c.column+1, err)
		}
		*c.to = int(v)
	}
	start, err := wholeNumber(fields[l.start], 1<<50)
	if err != nil || start < 0 {
		return Target{}, fmt.Errorf("column %d: %q is no file offset", l.start+1, fields[l.start])
	}
	t.StartByte = start
	for i := range t.Light {
		if t.Light[i], err = strconv.ParseFloat(fields[2+i], 64); err != nil {
			return Target{}, fmt.Errorf("column %d: %q is no number", 3+i, fields[2+i])
		}
	}
	if t.Width <= 0 || t.Height <= 0 {
		t.Width, t.Height = 0, 0
	} else if t.Width > maxImagePixels/t.Height {
		return Target{}, fmt.Errorf("an image of %d x %d pixels is larger than any camera's", t.Width, t.Height)
	}
	return t, nil
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
