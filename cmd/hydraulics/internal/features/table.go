package features

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
)

// rowWriter writes rows of results as they come.
type rowWriter interface {
	row(id string, values []any) error
	close() error
}

func newWriter(format string, columns []string, to io.Writer) (rowWriter, error) {
	switch format {
	case "csv":
		return &csvRows{out: csv.NewWriter(to), columns: columns}, nil
	case "json":
		return &jsonRows{out: to, columns: columns}, nil
	}
	return nil, fmt.Errorf("--format: %q is not known, want csv or json", format)
}

type csvRows struct {
	out     *csv.Writer
	columns []string // after the id
	begun   bool
}

func (w *csvRows) header() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.out.Write(append([]string{"id"}, w.columns...))
}

func (w *csvRows) row(id string, values []any) error {
	if err := w.header(); err != nil {
		return err
	}
	return w.out.Write(append([]string{id}, texts(values)...))
}

// texts writes values with as many digits as it takes; nil is empty.
func texts(values []any) []string {
	var texts []string
	for _, v := range values {
		text := ""
		switch v := v.(type) {
		case nil:
		case float64:
			text = strconv.FormatFloat(v, 'g', -1, 64)
		default:
			text = fmt.Sprint(v)
		}
		texts = append(texts, text)
	}
	return texts
}

func (w *csvRows) close() error {
	if err := w.header(); err != nil {
		return err
	}
	w.out.Flush()
	return w.out.Error()
}

// jsonRows writes an array of objects, a line each.
type jsonRows struct {
	out     io.Writer
	columns []string // after the id
	rows    int
}

func (w *jsonRows) row(id string, values []any) error {
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
	for i, v := range values {
		fmt.Fprintf(&line, ",%q:", w.columns[i])
		if err := encode(v); err != nil {
			return fmt.Errorf("%s: %s: %w", id, w.columns[i], err)
		}
	}
	line.WriteByte('}')
	if _, err := w.out.Write(line.Bytes()); err != nil {
		return err
	}
	w.rows++
	return nil
}

func (w *jsonRows) close() error {
	end := "\n]\n"
	if w.rows == 0 {
		end = "[]\n"
	}
	_, err := io.WriteString(w.out, end)
	return err
}
