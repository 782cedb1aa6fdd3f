package plankton

import (
	"encoding/csv"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
)

// LabelsFile lies in the folder that [WriteImages] fills: columns path, class, width, height, volume_px3, volume_um3.
const LabelsFile = "labels.csv"

// WriteImages writes perClass labelled images of every class to dir/<class>/<class>_<n>.png, and [LabelsFile]. Files
// of an earlier run with the same names are overwritten.
func WriteImages(dir string, perClass int, seed uint64) error {
	if perClass < 1 {
		return fmt.Errorf("synthetic images: %d per class, want at least 1", perClass)
	}
	rows := [][]string{{"path", "class", "width", "height", "volume_px3", "volume_um3"}}
	for _, class := range Classes() {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o755); err != nil {
			return fmt.Errorf("synthetic images: %w", err)
		}
		for i := range perClass {
			p, err := Draw(seed, class, i)
			if err != nil {
				return err
			}
			name := filepath.Join(class, fmt.Sprintf("%s_%05d.png", class, i+1))
			if err := writePNG(filepath.Join(dir, name), p); err != nil {
				return fmt.Errorf("synthetic images: %w", err)
			}
			size := p.Image.Rect.Size()
			rows = append(rows, []string{
				filepath.ToSlash(name), class, strconv.Itoa(size.X), strconv.Itoa(size.Y),
				strconv.FormatFloat(p.VolumePx, 'g', -1, 64), strconv.FormatFloat(p.VolumeUM3, 'g', -1, 64),
			})
		}
	}
	return writeLabels(filepath.Join(dir, LabelsFile), rows)
}

func writePNG(path string, p Particle) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	return png.Encode(f, p.Image)
}

func writeLabels(path string, rows [][]string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("synthetic images: %w", err)
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	return csv.NewWriter(f).WriteAll(rows)
}
