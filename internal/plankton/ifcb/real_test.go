package ifcb_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// realData is the folder of real bins, golden tables and images, which are not part of this repository.
func realData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("HYDRAULICS_IFCB_DATA")
	if dir == "" {
		t.Skip("HYDRAULICS_IFCB_DATA is not set: no real bins to read")
	}
	return dir
}

type golden struct {
	Width, Height int
	SHA256        string
}

func goldenPixels(t *testing.T, dir string) map[string]golden {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "golden.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	out := map[string]golden{}
	for _, row := range rows[1:] {
		w, _ := strconv.Atoi(row[column["width"]])
		h, _ := strconv.Atoi(row[column["height"]])
		out[row[column["id"]]] = golden{w, h, row[column["pixel_sha256"]]}
	}
	return out
}

func TestRealBins(t *testing.T) {
	dir := realData(t)
	want := goldenPixels(t, dir)
	files, err := ifcb.List(filepath.Join(dir, "bins"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 11 {
		t.Fatalf("%d bins, want 11", len(files))
	}
	served, checked, rawChecked := map[string]int{}, 0, 0
	for _, file := range files {
		bin, err := ifcb.Open(file.ADC)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { bin.Close() })
		if !bin.HasPixels() {
			rois := bin.Served()
			if _, err := bin.Gray(rois[0]); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: pixels without a .roi: %v", file.ID, err)
			}
			continue
		}
		compare := func(roi ifcb.ROI, id string) bool {
			gray, err := bin.Gray(roi)
			if err != nil {
				t.Fatal(err)
			}
			g, ok := want[id]
			if !ok {
				return false
			}
			sum := sha256.Sum256(gray.Pix)
			got := golden{gray.Rect.Dx(), gray.Rect.Dy(), hex.EncodeToString(sum[:])}
			if diff := cmp.Diff(g, got); diff != "" {
				t.Errorf("%s: %s", id, diff)
			}
			return true
		}
		for _, roi := range bin.Served() {
			served[file.ID.String()]++
			id := file.ID.Target(roi.Number).String()
			if roi.Stitched() {
				id += "_stitched"
			}
			if compare(roi, id) {
				checked++
			}
		}
		for _, roi := range bin.Raw() {
			if compare(roi, file.ID.Target(roi.Number).String()) {
				rawChecked++
			}
		}
	}
	wantServed := map[string]int{
		"IFCB5_2012_028_081515": 5, "D20130526T095207_IFCB013": 19, "D20180712T065600_IFCB114": 2,
		"D20220519T124533_IFCB134": 17, "D20220522T000439_IFCB134": 7, "D20220522T003051_IFCB134": 2,
	}
	if diff := cmp.Diff(wantServed, served); diff != "" {
		t.Errorf("served ROIs (-want +got):\n%s", diff)
	}
	if checked != 37 || rawChecked != 37 {
		t.Errorf("%d served and %d raw ROIs have a golden row, want 37 and 37", checked, rawChecked)
	}
}

func TestRealStitchedPair(t *testing.T) {
	bin, err := ifcb.Open(filepath.Join(realData(t), "bins", "IFCB5_2012_028_081515.adc"))
	if err != nil {
		t.Fatal(err)
	}
	defer bin.Close()
	roi, err := bin.ServedAt(3)
	if err != nil {
		t.Fatal(err)
	}
	gray, err := bin.Gray(roi)
	if err != nil {
		t.Fatal(err)
	}
	if w, h := roi.Size(); w != 263 || h != 86 || gray.Rect.Dx() != w || gray.Rect.Dy() != h {
		t.Errorf("canvas %d x %d, image %v, want 263 x 86", w, h, gray.Rect)
	}
	covered := 0
	for y := range 86 {
		for x := range 263 {
			if (x < 180) || (x >= 150 && y >= 25 && y < 70) {
				covered++
			} else if gray.GrayAt(x, y).Y != 203 {
				t.Fatalf("infill at %d,%d is %d, want 203", x, y, gray.GrayAt(x, y).Y)
			}
		}
	}
	if covered != 19215 {
		t.Errorf("covered %d, want 19215", covered)
	}
	if _, err := bin.ServedAt(4); err == nil {
		t.Error("the second half is served")
	} else if want := "bin IFCB5_2012_028_081515: target 4 is the second half of target 3: ask for 3, or for the raw lines"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestRealVolumes(t *testing.T) {
	dir := realData(t)
	for lid, want := range map[string]float64{
		"D20130526T095207_IFCB013": 0.25 * (1184.037103 - 11.622980) / 60, // the header's run time is 4 % away: the .adc's counts
		"D20220522T003051_IFCB134": 0.25 * (715.6575 - 0.15215060763888888) / 60,
		"D20180712T065600_IFCB114": 0.25 * (94.192839 - 1.500050) / 60,
		"D20150411T205456_IFCB012": 0.25 * (0.621083 - 0.037422) / 60, // empty: header only
	} {
		bin, err := ifcb.Open(filepath.Join(dir, "bins", lid+".adc"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := bin.MLAnalyzed()
		if err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %g ml, %v, want %g", lid, got, err, want)
		}
		bin.Close()
	}
	empty, err := ifcb.Open(filepath.Join(dir, "bins", "IFCB5_2017_001_033645.adc"))
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if ml, err := empty.MLAnalyzed(); !errors.Is(err, ifcb.ErrNoVolume) {
		t.Errorf("empty old bin: %g ml, %v", ml, err)
	}
}
