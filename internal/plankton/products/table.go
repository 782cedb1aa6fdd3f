package products

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// table is a CSV table of images of a bin: any number of rows of each image.
type table struct {
	columns []string // the first is the image: its number, or its name which ends in it
	rows    map[int][][]string
}

func newTable(columns ...string) *table { return &table{columns, map[int][][]string{}} }

// readTable reads a table that encode gave, or a tool of the field.
func readTable(data []byte) (*table, error) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("it is empty")
	}
	t := newTable(rows[0]...)
	for i, row := range rows[1:] {
		number, err := numberOf(row[0])
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+2, err)
		}
		t.rows[number] = append(t.rows[number], row)
	}
	return t, nil
}

// numbers are those of the images, in order.
func (t *table) numbers() []int { return slices.Sorted(maps.Keys(t.rows)) }

// encode gives the table as CSV, the images in order.
func (t *table) encode() ([]byte, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	rows := [][]string{t.columns}
	for _, number := range t.numbers() {
		rows = append(rows, t.rows[number]...)
	}
	err := w.WriteAll(rows)
	return text.Bytes(), err
}

// over gives t's rows on those that an older table of the same columns has of other images.
func (t *table) over(older *table) (*table, error) {
	if !slices.Equal(t.columns, older.columns) {
		return nil, fmt.Errorf("its columns are %s and not %s", strings.Join(older.columns, ","), strings.Join(t.columns, ","))
	}
	both := newTable(t.columns...)
	maps.Copy(both.rows, older.rows)
	maps.Copy(both.rows, t.rows)
	return both, nil
}

// widened gives the table with these columns, in this order. Rows are empty where it has no such column.
func (t *table) widened(columns []string) *table {
	wide := newTable(columns...)
	from := make([]int, len(columns))
	for i, column := range columns {
		from[i] = slices.Index(t.columns, column)
	}
	for number, rows := range t.rows {
		for _, row := range rows {
			cells := make([]string, len(columns))
			for i, at := range from {
				if at >= 0 {
					cells[i] = row[at]
				}
			}
			wide.rows[number] = append(wide.rows[number], cells)
		}
	}
	return wide
}
