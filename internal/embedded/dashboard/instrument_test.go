package dashboard_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

func instrument(t *testing.T, o dashboard.InstrumentOptions) *dashboard.Instrument {
	t.Helper()
	i, err := dashboard.NewInstrument(o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestSyntheticBinIsReal(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.FixedZone("east", 3600))
	id, err := instrument(t, dashboard.InstrumentOptions{Dir: dir, Seed: 3, ImagesPerBin: 30}).Take(at)
	if err != nil {
		t.Fatal(err)
	}
	if id.String() != "D20240501T090000_IFCB901" {
		t.Errorf("bin %s", id)
	}
	stem := filepath.Join(dir, "D20240501", id.String())
	bin, err := ifcb.Open(stem + ".adc")
	if err != nil {
		t.Fatal(err)
	}
	defer bin.Close()
	if bin.Truncated != nil || len(bin.Served()) != 30 || len(bin.Targets) <= 30 {
		t.Errorf("%d images of %d targets, %v: want 30 and some without", len(bin.Served()), len(bin.Targets), bin.Truncated)
	}
	if ml, err := bin.MLAnalyzed(); err != nil || ml < 3 || ml > 6 {
		t.Errorf("%g ml, %v", ml, err)
	}
	truth := readTruth(t, stem+dashboard.TruthExt)
	for _, roi := range bin.Served() {
		if _, err := bin.Gray(roi); err != nil {
			t.Error(err)
		}
		row, ok := truth[roi.Number]
		if !ok || !strings.HasPrefix(row[1], "demo-") {
			t.Errorf("target %d: truth %v", roi.Number, row)
		}
		if volume, err := strconv.ParseFloat(row[2], 64); err != nil || volume <= 0 {
			t.Errorf("target %d: volume %s", roi.Number, row[2])
		}
		delete(truth, roi.Number)
	}
	if len(truth) > 0 {
		t.Errorf("truth without image: %v", truth)
	}
	want, err := os.ReadFile(stem + dashboard.TruthExt)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, dashboard.Options{Dir: dir, Generation: 2})
	if status, kind, got, _ := s.get("/data/" + id.String() + dashboard.TruthExt); status != http.StatusOK || kind != "text/csv" || string(got) != string(want) {
		t.Errorf("the truth is served as %d %s:\n%s", status, kind, got)
	}
}

// A bin of an old instrument: its names and columns, cut particles that are served as one, the truth by the number
// under which they are.
func TestSyntheticOldBinIsReal(t *testing.T) {
	dir := t.TempDir()
	id, err := instrument(t, dashboard.InstrumentOptions{Dir: dir, Seed: 3, Number: 5, ImagesPerBin: 30}).Take(time.Date(2012, 1, 28, 8, 15, 15, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	stem := filepath.Join(dir, "IFCB5_2012_028", "IFCB5_2012_028_081515")
	bin, err := ifcb.Open(stem + ".adc")
	if err != nil {
		t.Fatal(err)
	}
	defer bin.Close()
	served, stitched := bin.Served(), 0
	truth := readTruth(t, stem+dashboard.TruthExt)
	for _, roi := range served {
		if roi.Stitched() {
			stitched++
		}
		gray, err := bin.Gray(roi)
		if err != nil {
			t.Fatal(err)
		}
		if w, h := roi.Size(); gray.Rect.Dx() != w || gray.Rect.Dy() != h {
			t.Errorf("target %d: %v", roi.Number, gray.Rect)
		}
		if truth[roi.Number] == nil {
			t.Errorf("target %d has no truth", roi.Number)
		}
	}
	if id.Schema() != ifcb.SchemaV1 || len(served) != 30 || len(truth) != 30 || stitched < 3 || len(bin.Raw()) != 30+stitched {
		t.Errorf("%s: %d images, %d of them stitched, %d raw ones, %d truths", id, len(served), stitched, len(bin.Raw()), len(truth))
	}
	if len(bin.Targets[0].Fields) != 15 || bin.Raw()[0].StartByte != 1 {
		t.Errorf("%d columns, the first image at %d", len(bin.Targets[0].Fields), bin.Raw()[0].StartByte)
	}
	if ml, err := bin.MLAnalyzed(); err != nil || ml < 3 || ml > 6 {
		t.Errorf("%g ml, %v", ml, err)
	}
	if v, ok := bin.Header.Float("temperature"); !ok || v < 18 || v > 24 {
		t.Errorf("%g degrees, %v", v, ok)
	}
}

func readTruth(t *testing.T, path string) map[int][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	truth := map[int][]string{}
	for _, row := range rows[1:] {
		n, err := strconv.Atoi(row[0])
		if err != nil {
			t.Fatal(err)
		}
		truth[n] = row
	}
	return truth
}

func TestSyntheticBinsRepeat(t *testing.T) {
	at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	read := func(seed uint64) map[string]string {
		dir := t.TempDir()
		i := instrument(t, dashboard.InstrumentOptions{Dir: dir, Seed: seed, ImagesPerBin: 4})
		for range 2 { // the second time it is there
			if _, err := i.Take(at); err != nil {
				t.Fatal(err)
			}
		}
		files := map[string]string{}
		entries, err := os.ReadDir(filepath.Join(dir, "D20240501"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, "D20240501", e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = string(data)
		}
		return files
	}
	first := read(1)
	if diff := cmp.Diff(first, read(1)); diff != "" {
		t.Error("the same seed gives other files")
	}
	if len(first) != 4 {
		t.Errorf("%d files, want .adc, .hdr, .roi and the truth", len(first))
	}
	if cmp.Equal(first, read(2)) {
		t.Error("another seed gives the same files")
	}
}

func TestRunTakesBinsAndForgets(t *testing.T) {
	dir := t.TempDir()
	i := instrument(t, dashboard.InstrumentOptions{Dir: dir, Interval: time.Second, ImagesPerBin: 1, Keep: 2})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx, 3) }()
	var first []ifcb.File
	wait.Nil(t, "one bin comes and one goes", func() error {
		files, err := ifcb.List(dir)
		if err != nil {
			return err
		}
		if len(files) == 2 && first == nil {
			first = files
		}
		if first != nil && len(files) == 2 && first[0].ID.Compare(files[0].ID) < 0 {
			return nil
		}
		return fmt.Errorf("still %v", files)
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestBadInstruments(t *testing.T) {
	for name, o := range map[string]dashboard.InstrumentOptions{
		"no such number": {Number: 1000}, "too fast": {Interval: time.Millisecond}, "negative": {ImagesPerBin: -1}, "keep": {Keep: -1},
	} {
		o.Dir = t.TempDir()
		if _, err := dashboard.NewInstrument(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
