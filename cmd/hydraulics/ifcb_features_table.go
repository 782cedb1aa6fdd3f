package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/axiom-data-science/hydraulics/internal/imaging"
)

// featuresWriter writes rows of results as they come.
type featuresWriter interface {
	row(id string, r *imaging.Result) error
	close() error
}

func newFeaturesWriter(format string, to io.Writer) (featuresWriter, error) {
	switch format {
	case "csv":
		return &featuresCSV{out: csv.NewWriter(to)}, nil
	case "json":
		return &featuresJSON{out: to}, nil
	}
	return nil, fmt.Errorf("--format: %q is not known, want csv or json", format)
}

// featureColumns are the columns after the id: what most readers look for first, then the rest.
var featureColumns = func() []imaging.Column {
	first := []string{"width", "height", "blob_area", "method", "biovolume_px", "biovolume_um3", "status"}
	columns := slices.Clone(imaging.Columns)
	place := func(c imaging.Column) int {
		if i := slices.Index(first, c.Name); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(columns, func(a, b imaging.Column) int { return place(a) - place(b) })
	return columns
}()

type featuresCSV struct {
	out   *csv.Writer
	begun bool
}

func (w *featuresCSV) header() error {
	if w.begun {
		return nil
	}
	w.begun = true
	names := []string{"id"}
	for _, c := range featureColumns {
		names = append(names, c.Name)
	}
	return w.out.Write(names)
}

func (w *featuresCSV) row(id string, r *imaging.Result) error {
	if err := w.header(); err != nil {
		return err
	}
	texts := []string{id}
	for _, c := range featureColumns {
		text := ""
		switch v := c.Value(r).(type) {
		case nil:
		case float64:
			text = strconv.FormatFloat(v, 'g', -1, 64)
		default:
			text = fmt.Sprint(v)
		}
		texts = append(texts, text)
	}
	return w.out.Write(texts)
}

func (w *featuresCSV) close() error {
	if err := w.header(); err != nil {
		return err
	}
	w.out.Flush()
	return w.out.Error()
}

// featuresJSON writes an array of objects, a line each.
type featuresJSON struct {
	out  io.Writer
	rows int
}

func (w *featuresJSON) row(id string, r *imaging.Result) error {
	var line bytes.Buffer
	if w.rows == 0 {
		line.WriteString("[\n")
	} else {
		line.WriteString(",\n")
	}
	line.WriteString(`{"id":`)
	encode := func(v any) error {
		if f, ok := v.(float64); ok && math.IsNaN(f) { // an image of one pixel has no deviation
			v = nil
		}
		text, err := json.Marshal(v)
		line.Write(text)
		return err
	}
	if err := encode(id); err != nil {
		return err
	}
	for _, c := range featureColumns {
		fmt.Fprintf(&line, ",%q:", c.Name)
		if err := encode(c.Value(r)); err != nil {
			return fmt.Errorf("%s: %s: %w", id, c.Name, err)
		}
	}
	line.WriteByte('}')
	if _, err := w.out.Write(line.Bytes()); err != nil {
		return err
	}
	w.rows++
	return nil
}

func (w *featuresJSON) close() error {
	end := "\n]\n"
	if w.rows == 0 {
		end = "[]\n"
	}
	_, err := io.WriteString(w.out, end)
	return err
}
