package dashboard_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

type pythonImage struct {
	Width, Height int
	SHA256        string
}

// pythonZip is an archive as testdata/open_zip.py tells it.
type pythonZip struct {
	Names  []string
	Stored []bool
	Images map[string]pythonImage // in the archive
	Single map[string]pythonImage // served by themselves
	Tables map[string][][]string
	JSON   map[string]any
}

// openByPython opens files of these names, the first of which is a zip, the others images.
func openByPython(t *testing.T, names []string, content [][]byte) pythonZip {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not there to open what is served")
	}
	dir, args := t.TempDir(), []string{"testdata/open_zip.py"}
	for i, name := range names {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content[i], 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	var said, wrong bytes.Buffer
	cmd := exec.CommandContext(t.Context(), python, args...)
	cmd.Stdout, cmd.Stderr = &said, &wrong
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", names[0], err, &wrong)
	}
	var z pythonZip
	if err := json.Unmarshal(said.Bytes(), &z); err != nil {
		t.Fatal(err)
	}
	return z
}

// Python opens the zips and images of both generations and finds the pixels that lie in the .roi: of synthetic
// bins of either schema, one with a cut particle, an empty one.
func TestPythonOpensWhatIsServed(t *testing.T) {
	dir := folder(t)
	chosen := map[string]bool{cut: true, midnight: true}
	for _, number := range []int{901, 3} {
		id, err := instrument(t, dashboard.InstrumentOptions{Dir: dir, Number: number, Seed: 5, ImagesPerBin: 6}).Take(time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		chosen[id.String()] = true
	}
	files, err := ifcb.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, generation := range []int{1, 2} {
		s := serve(t, dashboard.Options{Dir: dir, Generation: generation})
		for _, file := range files {
			if !chosen[file.ID.String()] {
				continue
			}
			t.Run(fmt.Sprintf("generation %d: %s", generation, file.ID), func(t *testing.T) { comparePython(t, s, generation, file) })
		}
	}
}

func comparePython(t *testing.T, s site, generation int, file ifcb.File) {
	bin, err := ifcb.Open(file.ADC)
	if err != nil {
		t.Fatal(err)
	}
	defer bin.Close()
	lid := file.ID.String()
	served := []string{lid + ".zip"}
	names := map[int][]string{1: {lid + ".csv", lid + ".xml"}, 2: {"metadata.json", lid + "_headers.json", lid + ".csv"}}[generation]
	images := map[string]pythonImage{}
	for _, roi := range bin.Served() {
		gray, err := bin.Gray(roi)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(gray.Pix)
		name := file.ID.Target(roi.Number).String() + ".png"
		names = append(names, name)
		images[name] = pythonImage{gray.Rect.Dx(), gray.Rect.Dy(), hex.EncodeToString(sum[:])}
		served = append(served, name)
	}
	var content [][]byte
	for _, name := range served {
		_, _, body, _ := s.get("/pier/" + name)
		content = append(content, body)
	}
	z := openByPython(t, served, content)
	if diff := cmp.Diff(names, z.Names); diff != "" {
		t.Errorf("entries (-want +python):\n%s", diff)
	}
	if diff := cmp.Diff(images, z.Images); diff != "" {
		t.Errorf("images (-roi +python):\n%s", diff)
	}
	if diff := cmp.Diff(images, z.Single); diff != "" {
		t.Errorf("images one by one (-roi +python):\n%s", diff)
	}
	if slices.Contains(z.Stored, generation == 1) {
		t.Errorf("stored: %v", z.Stored)
	}
	rows := z.Tables[lid+".csv"]
	if generation == 2 {
		if len(rows) != len(bin.Targets) {
			t.Errorf("%d rows, want one for each of %d lines", len(rows), len(bin.Targets))
		}
		want := object{"lid": lid, "schema": float64(file.ID.Schema()), "timestamp": file.ID.Time().Format("2006-01-02T15:04:05+00:00")}
		if diff := cmp.Diff(any(want), z.JSON["metadata.json"]); diff != "" {
			t.Errorf("metadata.json (-want +python):\n%s", diff)
		}
		return
	}
	if !slices.Equal(rows[0][:len(ifcb.ColumnNames(file.ID.Schema()))], ifcb.ColumnNames(file.ID.Schema())) {
		t.Errorf("header line %v", rows[0])
	}
}
