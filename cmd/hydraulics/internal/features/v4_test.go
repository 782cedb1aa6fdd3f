package features

import (
	"archive/zip"
	"bytes"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
	"github.com/axiom-data-science/hydraulics/internal/plankton/products"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
)

func TestFeaturesV4(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	ids := []string{"02-flagellate", "06-bent-chain", "14-empty", "16-line"}
	for _, id := range ids {
		data, _ := ownImage(t, id)
		path := filepath.Join(dir, id+".png")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	out, err := run(Options{Algorithm: imaging.V4}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	if want := "id,status,numBlobs,mask_area,blob_sha256,Area,Biovolume,method,"; !strings.HasPrefix(out, want) {
		t.Errorf("columns %s", strings.SplitN(out, "\n", 2)[0])
	}
	rows := table(t, out)
	for _, id := range ids {
		checkFeatures(t, rows[id], ownRowOf(t, "golden-v4.csv", id))
	}
}

// TestProducts writes the files of a bin with a whole image, of one blob, and one cut in two, of several.
func TestProducts(t *testing.T) {
	adc, dir := writeOldBin(t), filepath.Join(t.TempDir(), "products")
	out, err := run(Options{Algorithm: imaging.V4, Products: dir}, adc)
	if err != nil {
		t.Fatal(err)
	}
	rows := table(t, out)
	products := readProduct(t, dir, oldBin+"_features_v4.csv")
	for number, row := range products {
		checkFeatures(t, row, common(rows[oldBin+"_0000"+number], row))
	}
	if len(products) != 2 || len(readProduct(t, dir, oldBin+"_multiblob_v4.csv")) != 0 {
		t.Errorf("products %v", products)
	}

	entries, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(entries) != 3 {
		t.Errorf("files %v, %v", entries, err)
	}
	masks := readZip(t, filepath.Join(dir, oldBin+"_blobs_v4.zip"))
	gray, err := imaging.DecodePNG(masks[oldBin+"_00001.png"])
	if err != nil || len(masks) != 2 {
		t.Fatalf("%d masks, %v", len(masks), err)
	}
	if n := bytes.Count(gray.Pix, []byte{255}); n != 724 || n+bytes.Count(gray.Pix, []byte{0}) != 88*42 {
		t.Errorf("%d pixels are set, want 724", n)
	}
}

// TestProductsOfOneImage gives those of the line of a bin, and of the same image as a PNG: what the bin's have of it.
func TestProductsOfOneImage(t *testing.T) {
	adc, dir := writeOldBin(t), t.TempDir()
	whole, one := filepath.Join(dir, "bin"), filepath.Join(dir, "one")
	if _, err := run(Options{Algorithm: imaging.V4, Products: whole}, adc); err != nil {
		t.Fatal(err)
	}
	stem := oldBin + "_00001"
	bin, err := ifcb.Open(adc)
	if err != nil {
		t.Fatal(err)
	}
	defer bin.Close()
	gray, err := bin.Gray(bin.Served()[0])
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, gray); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(dir, stem+".png")
	if err := os.WriteFile(picture, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"line": adc + "#1", "PNG": picture} {
		if _, err := run(Options{Algorithm: imaging.V4, Products: one}, path); err != nil {
			t.Fatal(err)
		}
		want, got := readProduct(t, whole, oldBin+"_features_v4.csv"), readProduct(t, one, stem+"_features_v4.csv")
		if diff := cmp.Diff(map[string]golden.Row{"1": want["1"]}, got); diff != "" {
			t.Errorf("%s (-bin +image)\n%s", name, diff)
		}
		if blobs := readProduct(t, one, stem+"_multiblob_v4.csv"); len(blobs) != 0 {
			t.Errorf("%s: blobs %v", name, blobs)
		}
		masks := readZip(t, filepath.Join(whole, oldBin+"_blobs_v4.zip"))
		wantMasks := map[string][]byte{stem + ".png": masks[stem+".png"]}
		if diff := cmp.Diff(wantMasks, readZip(t, filepath.Join(one, stem+"_blobs_v4.zip"))); diff != "" {
			t.Errorf("%s: masks (-bin +image)\n%s", name, diff)
		}
		if err := os.RemoveAll(one); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProductsOfSeveralBlobs has a blob in each row of the second table, and an image without any.
func TestProductsOfSeveralBlobs(t *testing.T) {
	dir := t.TempDir()
	images := products.NewImages("x")
	for number, id := range map[int]string{7: "06-bent-chain", 8: "14-empty"} {
		_, gray := ownImage(t, id)
		r, err := imaging.NewAnalyser(imaging.Options{}).AnalyseV4(gray)
		if err != nil {
			t.Fatal(err)
		}
		if err := images.Add(number, &r); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeProducts(dir, "x", images); err != nil {
		t.Fatal(err)
	}
	want := ownRowOf(t, "golden-v4.csv", "06-bent-chain")
	rows := readProduct(t, dir, "x_features_v4.csv")
	checkFeatures(t, rows["7"], common(want, rows["7"]))
	if empty := rows["8"]; empty["numBlobs"] != "0" || empty["Biovolume"] != "0" || empty["Area_over_Perimeter"] != "" {
		t.Errorf("without a blob: %v", empty)
	}
	data, err := os.ReadFile(filepath.Join(dir, "x_multiblob_v4.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if first := "7,1," + want["Area"] + ","; len(lines) != 6 || !strings.HasPrefix(lines[1], first) || !strings.HasPrefix(lines[5], "7,5,") {
		t.Errorf("blobs\n%s\nwant 5, the first %s...", data, first)
	}
}

// readProduct reads a table by roi_number.
func readProduct(t *testing.T, dir, name string) map[string]golden.Row {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return table(t, strings.Replace(string(data), "roi_number", "id", 1))
}

// common is a row's columns that another row has too.
func common(row, other golden.Row) golden.Row {
	both := golden.Row{}
	for column, v := range row {
		if _, ok := other[column]; ok {
			both[column] = v
		}
	}
	return both
}

func readZip(t *testing.T, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestProductsAreIFCBFeatures compares, text for text and pixel for pixel, with the files that ifcb-features has for its
// own regression test: a bin of an old camera with a stitched image.
func TestProductsAreIFCBFeatures(t *testing.T) {
	folder := os.Getenv(golden.DataVariable)
	if folder == "" {
		t.Skip(golden.DataVariable + " is not set: it is the folder of the IFCB reference data (bins, third-party)")
	}
	dir := t.TempDir()
	if _, err := run(Options{Algorithm: imaging.V4, Products: dir}, filepath.Join(folder, "bins", oldBin+".adc")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"_features_v4.csv", "_multiblob_v4.csv"} {
		want, err := os.ReadFile(filepath.Join(folder, "third-party", oldBin+name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, oldBin+name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Fields(string(want)), strings.Fields(string(got))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	got := readZip(t, filepath.Join(dir, oldBin+"_blobs_v4.zip"))
	want := readZip(t, filepath.Join(folder, "third-party", oldBin+"_blobs_v4.zip"))
	if len(got) != 5 || len(want) != 5 {
		t.Errorf("%d masks, want %d of 5", len(got), len(want))
	}
	for name, data := range want {
		a, errA := imaging.DecodePNG(data)
		b, errB := imaging.DecodePNG(got[name])
		if errA != nil || errB != nil || !bytes.Equal(a.Pix, b.Pix) {
			t.Errorf("%s: another mask, %v, %v", name, errA, errB)
		}
	}
}
