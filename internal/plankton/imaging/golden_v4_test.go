package imaging_test

import (
	"io/fs"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
)

// TestOwnImagesV4 holds v4 to the rows of the reference script for the images in this repository.
func TestOwnImagesV4(t *testing.T) {
	files, err := fs.Sub(golden.Files, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, files, "golden-v4.csv", 20, (*imaging.Analyser).AnalyseV4, checkRowV4)
}

// TestRealImagesV4 holds v4 to the rows that WHOIGit/ifcb-features gave for 829 real images.
func TestRealImagesV4(t *testing.T) {
	folder := os.Getenv(golden.DataVariable)
	if folder == "" {
		t.Skip(golden.DataVariable + " is not set: it is the folder of the IFCB reference data (golden-ifcb-features.csv, images, labelled)")
	}
	checkAll(t, os.DirFS(folder), "golden-ifcb-features.csv", 829, (*imaging.Analyser).AnalyseV4, checkRowV4)
}

// float32Columns are those that the reference computes in float32. The tolerances are relative.
var float32Columns = map[string]bool{
	"Biovolume": true, "distmap_volume": true, "RepresentativeWidth": true, "SurfaceArea": true,
	"summedBiovolume": true, "summedSurfaceArea": true,
}

const (
	tolerance        = 1e-9
	float32Tolerance = 1.3e-7 // a unit in the last place
)

// checkRowV4 compares what the row has: texts and counts exactly.
func checkRowV4(t *testing.T, row golden.Row, r *imaging.ResultV4) {
	t.Helper()
	compared := 0
	for _, c := range imaging.ColumnsV4 {
		want, ok := row[c.Name]
		if !ok {
			continue
		}
		compared++
		within := tolerance
		if float32Columns[c.Name] {
			within = float32Tolerance
		}
		if got := c.Value(r); !agreesV4(got, want, within) && !(c.Name == "Eccentricity" && sameRound(got, want)) {
			t.Errorf("%s: %s: %v, want %s", row["id"], c.Name, got, want)
		}
	}
	if compared < 34 {
		t.Errorf("%s: %d columns in common", row["id"], compared)
	}
}

// sameRound compares eccentricities of a blob so round that 1 - (minor/major)^2 leaves few digits.
func sameRound(got any, want string) bool {
	w, err := strconv.ParseFloat(want, 64)
	v := got.(float64)
	return err == nil && w < 0.01 && math.Abs(v*v-w*w) < 1e-14
}

func agreesV4(got any, want string, within float64) bool {
	switch v := got.(type) {
	case nil:
		return want == ""
	case string:
		return v == want
	case int:
		return strconv.Itoa(v) == want
	case float64:
		w, err := strconv.ParseFloat(want, 64)
		return err == nil && math.Abs(v-w) <= within*math.Abs(w)
	}
	return false
}
