// Package golden holds what the image analysis is measured against: images, and rows of numbers that another program
// computed from them.
//
//   - testdata/*.png: 20 images made by make_images.py, and testdata/golden.csv, their rows by seed_reference.py: an
//     implementation in NumPy and SciPy that was written from the algorithm's description, not from the Go code.
//   - testdata/golden-v4.csv: the same images by the v4 algorithm, from v4_reference.py, written in the same way.
//   - REAL.md: how both scripts compare with the golden rows of 829 real images that others computed.
//   - served.csv: its rows for the 52 ROIs that dashboards serve of the six complete bins of the reference data; the
//     bins are not part of this repository.
package golden

import (
	"embed"
	"encoding/csv"
	"fmt"
	"io/fs"
)

// DataVariable names the environment variable with the folder of the reference data: real images, bins and their
// golden tables. Tests on them are skipped without it.
const DataVariable = "HYDRAULICS_IFCB_DATA"

// Files are the images and tables of this package: testdata/*.png, testdata/golden*.csv and served.csv.
//
//go:embed testdata served.csv
var Files embed.FS

// Row is one row of golden values by column; "" is no value.
type Row map[string]string

// Read reads golden rows from a CSV file.
func Read(files fs.FS, path string) ([]Row, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("golden rows: %w", err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("golden rows: %s: %w", path, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("golden rows: %s is empty", path)
	}
	var rows []Row
	for _, line := range lines[1:] {
		row := Row{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows, nil
}
