//go:build integration

package integration

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
)

// The real bins through a dashboard of either generation: every served image is
// in the table, with the golden volume, or dead-lettered because no particle is
// found on it. Three bins have no images; the source gives them up.
func TestRealBins(t *testing.T) {
	data := os.Getenv(golden.DataVariable)
	if data == "" {
		t.Skip(golden.DataVariable + " is not set: no real bins")
	}
	computed := goldenRows(t, golden.Files, "served.csv")
	reference := goldenRows(t, os.DirFS(data), "golden.csv")
	if len(computed) != 52 {
		t.Fatalf("%d served images, want 52", len(computed))
	}
	each(t, func(t *testing.T, s *stack) {
		for _, generation := range []int{1, 2} {
			t.Run(fmt.Sprintf("generation %d", generation), func(t *testing.T) {
				s := s.within(t)
				s.rows("TRUNCATE ifcb_sample_stats")
				f := newFlow(s)
				f.Dashboard = newSite(t, filepath.Join(data, "bins"), generation, nil).url
				w := f.start()
				eventually(t, "all images", func() bool { return f.landed(len(computed)) }, f.state)
				eventually(t, "the end of the source", func() bool {
					state, _ := w.taskState(f.Source)
					return state != "RUNNING"
				}, func() string { return w.tail(5) })
				if state, trace := w.taskState(f.Source); state != "STOPPED" {
					t.Errorf("the source is %s: %s", state, trace)
				}
				for _, bin := range []string{"D20141117T234033_IFCB102", "D20230810T113059_IFCB134", "D20251126T102453_IFCB108"} {
					if !w.logged("bin failed and is given up", bin, "its images are not there") {
						t.Errorf("bin %s has no images, and the source does not say so", bin)
					}
				}
				w.stop()
				compare(t, s.table(), f.letters(), computed, reference)
			})
		}
	})
}

// goldenRows gives golden rows by the name of the served image: of two halves of
// a particle that is the stitched image.
func goldenRows(t *testing.T, files fs.FS, path string) map[string]golden.Row {
	t.Helper()
	rows, err := golden.Read(files, path)
	check(t, err)
	found := map[string]golden.Row{}
	for _, r := range rows {
		if _, stitched := found[r["id"]]; !stitched {
			found[r["id"]] = r
		}
		if id, ok := strings.CutSuffix(r["id"], "_stitched"); ok {
			found[id] = r
		}
	}
	return found
}

// compare holds what became of the images to the golden rows.
func compare(t *testing.T, table []row, letters map[string]letter, computed, reference map[string]golden.Row) {
	t.Helper()
	seen, agreed := map[string]bool{}, 0
	volume := func(key string, rows map[string]golden.Row) float64 {
		v, err := strconv.ParseFloat(rows[key]["biovolume_um3"], 64)
		check(t, err)
		return float64(float32(v))
	}
	for _, r := range table {
		key, when := imageOf(t, r, computed)
		seen[key] = true
		if when != r.Time {
			t.Errorf("%s: its time is %d, want %d", key, r.Time, when)
		}
		if want := volume(key, computed); r.Biovolume != want {
			t.Errorf("%s: its biovolume is %v, want %v", key, r.Biovolume, want)
		}
		if _, ok := reference[key]; ok {
			agreed++
			if want := volume(key, reference); r.Biovolume != want {
				t.Errorf("%s: its biovolume is %v, the reference has %v", key, r.Biovolume, want)
			}
		}
	}
	var dead, noBlob []string
	for key, l := range letters {
		seen[key] = true
		dead = append(dead, key)
		if l.stage != "TRANSFORMATION" || !strings.Contains(l.trace, "biovolume") || !strings.Contains(l.message, "no particle") {
			t.Errorf("%s: the letter says %+v", key, l)
		}
		if r, ok := reference[key]; ok {
			agreed++
			noBlob = append(noBlob, key)
			if r["status"] != "no_blob" {
				t.Errorf("%s is dead-lettered, its golden row says %s", key, r["status"])
			}
		}
	}
	var wantDead []string
	for key, r := range computed {
		if !seen[key] {
			t.Errorf("%s is gone", key)
		}
		if r["status"] == "no_blob" {
			wantDead = append(wantDead, key)
		}
	}
	slices.Sort(dead)
	slices.Sort(wantDead)
	if d := cmp.Diff(wantDead, dead); d != "" {
		t.Errorf("dead letters: %s", d)
	}
	if d := cmp.Diff([]string{"D20130526T095207_IFCB013_00092"}, noBlob); d != "" {
		t.Errorf("no particle, of the reference's images: %s", d)
	}
	if len(seen) != len(computed) || agreed != 37 {
		t.Errorf("%d images, want %d; %d have a row in the reference, want 37", len(seen), len(computed), agreed)
	}
}

// imageOf finds a row's image by its instrument, number and time.
func imageOf(t *testing.T, r row, computed map[string]golden.Row) (key string, when int64) {
	t.Helper()
	for key := range computed {
		at := strings.LastIndexByte(key, '_')
		id, err := ifcb.ParseBinID(key[:at])
		check(t, err)
		if id.IFCB() == r.IFCB && id.Time().Unix() == r.Time && key[at+1:] == fmt.Sprintf("%05d", r.ROI) {
			return key, id.Time().Unix()
		}
	}
	t.Fatalf("no image is that of row %+v", r)
	return "", 0
}
