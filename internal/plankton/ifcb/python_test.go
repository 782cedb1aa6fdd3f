package ifcb_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// pythonBin is a bin as testdata/read_bins.py tells it.
type pythonBin struct {
	Targets     []pythonTarget
	Raw, Served []pythonImage
}

type pythonTarget struct {
	Number, Trigger, X, Y, Width, Height int
	Start                                int64
	Light                                [4]float64
	Fields                               []string
}

type pythonImage struct {
	Number, Width, Height int
	SHA256                string // empty where the .roi ends before
	Covered, Fill         *int   // of a stitched pair
}

// readByPython reads the bins of a folder with the standard library of Python.
func readByPython(t *testing.T, dir string) map[string]pythonBin {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not there: no second reader to compare with")
	}
	var said, wrong bytes.Buffer
	cmd := exec.CommandContext(t.Context(), python, "testdata/read_bins.py", dir)
	cmd.Stdout, cmd.Stderr = &said, &wrong
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &wrong)
	}
	bins := map[string]pythonBin{}
	if err := json.Unmarshal(said.Bytes(), &bins); err != nil {
		t.Fatal(err)
	}
	return bins
}

// readByGo reads a bin into the same form.
func readByGo(t *testing.T, file ifcb.File) pythonBin {
	t.Helper()
	bin, err := ifcb.Open(file.ADC)
	if err != nil {
		t.Fatal(err)
	}
	defer bin.Close()
	var out pythonBin
	for _, x := range bin.Targets {
		out.Targets = append(out.Targets, pythonTarget{x.Number, x.Trigger, x.X, x.Y, x.Width, x.Height, x.StartByte, x.Light, x.Fields})
	}
	images := func(rois []ifcb.ROI) (all []pythonImage) {
		for _, roi := range rois {
			img := pythonImage{Number: roi.Number}
			if gray, err := bin.Gray(roi); err == nil {
				sum := sha256.Sum256(gray.Pix)
				img.Width, img.Height, img.SHA256 = gray.Rect.Dx(), gray.Rect.Dy(), hex.EncodeToString(sum[:])
			}
			all = append(all, img)
		}
		return all
	}
	if bin.HasPixels() {
		out.Raw, out.Served = images(bin.Raw()), images(bin.Served())
	}
	return out
}

// compareWithPython compares all bins of a folder and gives what Python read.
func compareWithPython(t *testing.T, dir string) map[string]pythonBin {
	t.Helper()
	want := readByPython(t, dir)
	files, err := ifcb.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 || len(files) != len(want) {
		t.Fatalf("%d bins, Python finds %d", len(files), len(want))
	}
	for _, file := range files {
		if diff := cmp.Diff(want[file.ID.String()], readByGo(t, file), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(pythonImage{}, "Covered", "Fill")); diff != "" {
			t.Errorf("%s (-python +go):\n%s", file.ID, diff)
		}
	}
	return want
}

// Every field of the .adc and every pixel of the real bins, raw and stitched, is what an independent reader finds.
func TestRealBinsAsPythonReadsThem(t *testing.T) {
	bins := compareWithPython(t, filepath.Join(realData(t), "bins"))
	targets, images := 0, 0
	for _, bin := range bins {
		targets += len(bin.Targets)
		images += len(bin.Raw)
	}
	t.Logf("%d bins, %d lines, %d images", len(bins), targets, images)
	var pair pythonImage
	numbers := []int{}
	for _, img := range bins["IFCB5_2012_028_081515"].Served {
		numbers = append(numbers, img.Number)
		if img.Covered != nil {
			pair = img
		}
	}
	if !cmp.Equal([]int{1, 2, 3, 5, 6}, numbers) || pair.Covered == nil || pair.Number != 3 || pair.Width != 263 || pair.Height != 86 || *pair.Covered != 19215 || *pair.Fill != 203 {
		t.Errorf("the cut particle: %v, %+v", numbers, pair)
	}
}

// The same for bins that were made up: cut particles, a line without image, a .roi that is too short or absent.
func TestMadeUpBinsAsPythonReadsThem(t *testing.T) {
	dir := t.TempDir()
	roi := make([]byte, 2000)
	for i := range roi {
		roi[i] = byte(i * i / 7)
	}
	for name, content := range map[string]string{
		"IFCB5_2012_028_081515.adc": "1,.3,.1,.1,.1,.1,.1,0,.2,10,20,8,4,1,-.2,\n" +
			"2,.4,.1,-1.5e-3,.1,.1,.1,.3,.35,100,50,16,8,33,-.2,\n2,.4,.1,.1,.1,.1,.1,.3,.35,0,0,0,0,0,-.2,\n" +
			"2,.4,.1,.1,.1,.1,.1,.3,.35,110,53,16,8,161,-.2,\n3,.4,.1,.1,.1,.1,.1,.3,.35,110,53,16,8,161,-.2,\n",
		"IFCB5_2012_028_081515.roi":    string(roi),
		"D20240501T100000_IFCB104.adc": v2(1, "0,0,30,20,0", 1, 0) + v2(2, "7,8,0,0,600", 1, 0) + v2(2, "0,0,50,20,600", 1, 0) + v2(3, "0,0,50,20,1600", 1, 0),
		"D20240501T100000_IFCB104.roi": string(roi),
		"D20240501T110000_IFCB104.adc": v2Line + ",1,2\n",
		"D20240501T120000_IFCB104.adc": "",
		"D20240501T120000_IFCB104.roi": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	bins := compareWithPython(t, dir)
	if cutParticle := bins["IFCB5_2012_028_081515"].Served; len(cutParticle) != 3 || cutParticle[1].Covered == nil {
		t.Errorf("Python does not join the cut particle: %+v", cutParticle)
	}
	if images := bins["D20240501T100000_IFCB104"].Raw; len(images) != 3 || images[2].SHA256 != "" {
		t.Errorf("Python reads beyond the end of the .roi: %+v", images)
	}
}
