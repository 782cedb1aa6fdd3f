package features

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
)

// run measures what paths name, with the command's defaults where nothing is said.
func run(o Options, paths ...string) (string, error) {
	o.Algorithm, o.Format = cmp.Or(o.Algorithm, imaging.Seed), cmp.Or(o.Format, "csv")
	o.PixelsPerMicron = cmp.Or(o.PixelsPerMicron, imaging.DefaultPixelsPerMicron)
	var out strings.Builder
	err := o.Run(paths, &out)
	return out.String(), err
}

// table reads CSV as rows by id.
func table(t *testing.T, text string) map[string]golden.Row {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("%v in %q", err, text)
	}
	rows := map[string]golden.Row{}
	for _, line := range lines[1:] {
		row := golden.Row{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows[row["id"]] = row
	}
	return rows
}

// checkFeatures compares all columns but id and path: texts and whole numbers exactly, real numbers to 1e-9.
func checkFeatures(t *testing.T, got, want golden.Row) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: no row", want["id"])
	}
	for column, w := range want {
		if column == "id" || column == "path" || got[column] == w {
			continue
		}
		a, errA := strconv.ParseFloat(got[column], 64)
		b, errB := strconv.ParseFloat(w, 64)
		if errA != nil || errB != nil || !strings.ContainsAny(w, ".e") || math.Abs(a-b) > 1e-9*math.Abs(b) {
			t.Errorf("%s: %s is %q, want %q", want["id"], column, got[column], w)
		}
	}
}

func ownRow(t *testing.T, id string) golden.Row { return ownRowOf(t, "golden.csv", id) }

func ownRowOf(t *testing.T, table, id string) golden.Row {
	t.Helper()
	rows, err := golden.Read(golden.Files, "testdata/"+table)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row["id"] == id {
			return row
		}
	}
	t.Fatalf("no golden row %s", id)
	return nil
}

func ownImage(t *testing.T, id string) (png []byte, gray *image.Gray) {
	t.Helper()
	png, err := golden.Files.ReadFile("testdata/" + id + ".png")
	if err != nil {
		t.Fatal(err)
	}
	if gray, err = imaging.DecodePNG(png); err != nil {
		t.Fatal(err)
	}
	return png, gray
}

const oldBin = "IFCB5_2012_028_081515"

// writeOldBin writes a bin of an old camera: a whole image in line 1, and in lines 2 and 3 another cut in two.
func writeOldBin(t *testing.T) (adc string) {
	t.Helper()
	_, whole := ownImage(t, "02-flagellate")
	_, cut := ownImage(t, "05-chain")
	stem := filepath.Join(t.TempDir(), oldBin)
	var lines, pixels strings.Builder
	add := func(trigger, x int, part *image.Gray) {
		fmt.Fprintf(&lines, "%d,.1,0,0,0,0,0,.1,.1,%d,200,%d,%d,%d,0,\n", trigger, x, part.Rect.Dx(), part.Rect.Dy(), pixels.Len())
		for y := part.Rect.Min.Y; y < part.Rect.Max.Y; y++ {
			for x := part.Rect.Min.X; x < part.Rect.Max.X; x++ {
				pixels.WriteByte(part.GrayAt(x, y).Y)
			}
		}
	}
	height := cut.Rect.Dy()
	add(1, 10, whole)
	add(2, 100, cut.SubImage(image.Rect(0, 0, 130, height)).(*image.Gray))
	add(2, 200, cut.SubImage(image.Rect(100, 0, cut.Rect.Dx(), height)).(*image.Gray))
	for ext, text := range map[string]string{".adc": lines.String(), ".roi": pixels.String()} {
		if err := os.WriteFile(stem+ext, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return stem + ".adc"
}

func TestFeaturesOfPNGs(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	ids := []string{"02-flagellate", "14-empty", "16-line", "17-colour"}
	for _, id := range ids {
		data, _ := ownImage(t, id)
		path := filepath.Join(dir, id+".png")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	out, err := run(Options{}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	if want := "id,width,height,blob_area,method,biovolume_px,biovolume_um3,status,"; !strings.HasPrefix(out, want) {
		t.Errorf("columns %s", strings.SplitN(out, "\n", 2)[0])
	}
	rows := table(t, out)
	for _, id := range ids {
		want := ownRow(t, id)
		for _, mayBeNaN := range []string{"mm_sum", "mm_max"} {
			if want[mayBeNaN] == "nan" {
				want[mayBeNaN] = "NaN"
			}
		}
		checkFeatures(t, rows[id], want)
	}

	text, err := run(Options{Format: "json"}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	var objects []map[string]any
	if err := json.Unmarshal([]byte(text), &objects); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if len(objects) != len(ids) || objects[0]["biovolume_um3"] == nil || objects[1]["biovolume_um3"] != nil || objects[1]["status"] != "no_blob" {
		t.Errorf("%v", objects)
	}
}

func TestFeaturesOfABin(t *testing.T) {
	adc := writeOldBin(t)
	whole, cut := ownRow(t, "02-flagellate"), ownRow(t, "05-chain")
	tests := []struct {
		raw  bool
		path string
		want map[string]golden.Row // nil: only the id counts
	}{
		{false, adc, map[string]golden.Row{oldBin + "_00001": whole, oldBin + "_00002": cut}},
		{false, adc + "#2", map[string]golden.Row{oldBin + "_00002": cut}},
		{true, adc, map[string]golden.Row{oldBin + "_00001": whole, oldBin + "_00002": nil, oldBin + "_00003": nil}},
		{true, adc + "#3", map[string]golden.Row{oldBin + "_00003": nil}},
	}
	for _, tt := range tests {
		out, err := run(Options{Raw: tt.raw}, tt.path)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		rows := table(t, out)
		if len(rows) != len(tt.want) {
			t.Errorf("%s: %d rows, want %d", tt.path, len(rows), len(tt.want))
		}
		for id, want := range tt.want {
			if want != nil {
				checkFeatures(t, rows[id], want)
			} else if rows[id] == nil {
				t.Errorf("%s: no row %s", tt.path, id)
			}
		}
	}
	raw, err := run(Options{Raw: true}, adc+"#2")
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff("130", table(t, raw)[oldBin+"_00002"]["width"]); diff != "" {
		t.Errorf("width of the raw half (-want +got)\n%s", diff)
	}
}

func TestFeaturesMistakes(t *testing.T) {
	adc := writeOldBin(t)
	noPixels := writeOldBin(t)
	if err := os.Remove(strings.TrimSuffix(noPixels, ".adc") + ".roi"); err != nil {
		t.Fatal(err)
	}
	short := writeOldBin(t)
	if err := os.Truncate(strings.TrimSuffix(short, ".adc")+".roi", 88*42); err != nil {
		t.Fatal(err)
	}
	spoilt := writeOldBin(t)
	lines, err := os.ReadFile(spoilt)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(spoilt, append(lines, "9,bad\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "x.png")
	if err := os.WriteFile(text, []byte("<html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		o     Options
		paths []string
		want  []string
		rows  int
	}{
		{"second half of a pair", Options{}, []string{adc + "#3"}, []string{"target 3 is the second half of target 2"}, 0},
		{"beyond the end", Options{}, []string{adc + "#9"}, []string{"target 9 is not there"}, 0},
		{"no number", Options{}, []string{adc + "#x"}, []string{`"x" is no line`}, 0},
		{"no pixels", Options{}, []string{noPixels}, []string{oldBin + ".roi is missing"}, 0},
		{"truncated pixels", Options{}, []string{short}, []string{"00002: bin " + oldBin + ": target 2", "truncated"}, 1},
		{"a spoiled line", Options{}, []string{spoilt}, []string{"bin " + oldBin + ": adc: line ", "2 columns, want at least 14"}, 2},
		{"the rest is measured", Options{}, []string{text, adc + "x", adc}, []string{"x: not a readable PNG", "want a .png, an .adc or .adc#LINE"}, 2},
		{"format", Options{Format: "xml"}, []string{adc}, []string{"--format", "csv or json"}, 0},
		{"algorithm", Options{Algorithm: "v9"}, []string{adc}, []string{"--algorithm", `"v9" is not known`}, 0},
		{"products of the seed", Options{Products: "out"}, []string{adc}, []string{"--products: they are of --algorithm v4"}, 0},
		{"products of an image without a number", Options{Algorithm: imaging.V4, Products: "out"}, []string{"cell.png"}, []string{"--products: cell.png: its number in its bin", "_00042.png"}, 0},
		{"products in a file", Options{Algorithm: imaging.V4, Products: text}, []string{adc}, []string{"--products: "}, 0},
		{"resolution", Options{PixelsPerMicron: 5000}, []string{adc}, []string{"--pixels-per-micron"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := run(tt.o, tt.paths...)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %s", err, want)
				}
			}
			if tt.rows > 0 && len(table(t, out)) != tt.rows {
				t.Errorf("%d rows, want %d", len(table(t, out)), tt.rows)
			}
		})
	}
}

// TestFeaturesOfRealBins holds the tables to the reference implementation's rows for every ROI that a dashboard serves
// of the complete real bins, and to the golden table where it has them.
func TestFeaturesOfRealBins(t *testing.T) {
	folder := os.Getenv(golden.DataVariable)
	if folder == "" {
		t.Skip(golden.DataVariable + " is not set: it is the folder of the IFCB reference data (golden.csv, bins)")
	}
	roi, err := filepath.Glob(filepath.Join(folder, "bins", "*.roi"))
	if err != nil {
		t.Fatal(err)
	}
	var bins []string
	for _, path := range roi {
		bins = append(bins, strings.TrimSuffix(path, ".roi")+".adc")
	}
	out, err := run(Options{}, bins...)
	if err != nil {
		t.Fatal(err)
	}
	served, err := golden.Read(golden.Files, "served.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows := table(t, out)
	if len(rows) != 52 || len(served) != 52 {
		t.Errorf("%d rows, the reference has %d, want 52", len(rows), len(served))
	}
	for _, want := range served {
		checkFeatures(t, rows[want["id"]], want)
	}
	raw, err := run(Options{Raw: true}, filepath.Join(folder, "bins", oldBin+".adc"))
	if err != nil {
		t.Fatal(err)
	}
	checkAgainstGolden(t, folder, rows, table(t, raw))
}

// checkAgainstGolden compares with the golden table; its _00003 of the old bin is the raw line, _00003_stitched the
// served image.
func checkAgainstGolden(t *testing.T, folder string, served, raw map[string]golden.Row) {
	t.Helper()
	all, err := golden.Read(os.DirFS(folder), "golden.csv")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, want := range all {
		for _, notOurs := range []string{"source", "label", "lossless", "dark_agree", "seed_biovolume_um3_min", "seed_biovolume_um3_max"} {
			delete(want, notOurs)
		}
		id, stitched := strings.CutSuffix(want["id"], "_stitched")
		rows := served
		if strings.HasPrefix(id, oldBin) && !stitched {
			rows = raw
		}
		if rows[id] != nil {
			checkFeatures(t, rows[id], want)
			compared++
		}
	}
	if compared != 38 {
		t.Errorf("%d golden rows were compared, want 38", compared)
	}
}
