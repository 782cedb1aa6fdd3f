package imaging_test

import (
	"image"
	"io/fs"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
)

// TestOwnImages holds every stage to the rows of the reference implementation for the images in this repository.
func TestOwnImages(t *testing.T) {
	files, err := fs.Sub(golden.Files, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, files, "golden.csv", 20, (*imaging.Analyser).Analyse, checkRow)
}

// TestRealImages holds every stage to 829 golden rows of real images.
func TestRealImages(t *testing.T) {
	folder := os.Getenv(golden.DataVariable)
	if folder == "" {
		t.Skip(golden.DataVariable + " is not set: it is the folder of the IFCB reference data (golden.csv, images, labelled)")
	}
	checkAll(t, os.DirFS(folder), "golden.csv", 829, (*imaging.Analyser).Analyse, checkRow)
}

// checkAll analyses the image of every row of a table, of which there are so many, and checks what comes of it; with
// -short only every twentieth of a long one.
func checkAll[R any](t *testing.T, files fs.FS, table string, count int,
	analyse func(*imaging.Analyser, *image.Gray) (R, error), check func(*testing.T, golden.Row, *R)) {
	rows, err := golden.Read(files, table)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != count {
		t.Fatalf("%d golden rows, want %d", len(rows), count)
	}
	analyser := imaging.NewAnalyser(imaging.Options{})
	for i, row := range rows {
		if testing.Short() && count > 100 && i%20 != 0 {
			continue
		}
		data, err := fs.ReadFile(files, row["path"])
		if err != nil {
			t.Fatal(err)
		}
		gray, err := imaging.DecodePNG(data)
		if err != nil {
			t.Fatalf("%s: %v", row["path"], err)
		}
		result, err := analyse(analyser, gray)
		if err != nil {
			t.Fatalf("%s: %v", row["path"], err)
		}
		check(t, row, &result)
	}
}

// checkRow compares integers and texts exactly, real numbers to 1e-9.
func checkRow(t *testing.T, row golden.Row, r *imaging.Result) {
	t.Helper()
	for _, c := range imaging.Columns {
		want, got := row[c.Name], c.Value(r)
		switch v := got.(type) {
		case nil:
			if want != "" {
				t.Errorf("%s: %s: nothing, want %s", row["id"], c.Name, want)
			}
		case int:
			if strconv.Itoa(v) != want {
				t.Errorf("%s: %s: %d, want %s", row["id"], c.Name, v, want)
			}
		case string:
			if v != want {
				t.Errorf("%s: %s: %s, want %s", row["id"], c.Name, v, want)
			}
		case float64:
			w, err := strconv.ParseFloat(want, 64)
			if err != nil || !(math.Abs(v-w) <= 1e-9*math.Abs(w)) && !(math.IsNaN(v) && math.IsNaN(w)) {
				t.Errorf("%s: %s: %v, want %s", row["id"], c.Name, v, want)
			}
		}
	}
}
