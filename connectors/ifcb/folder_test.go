package ifcb_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	source "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// folderProps are the props of a source that reads the folder itself.
func (b *bins) folderProps(more ...string) connector.Props {
	p := b.props("folder", b.dir, "dataset", dataset, "folder.settle.ms", "0")
	delete(p, "dashboard.url")
	for i := 0; i < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p
}

// age sets when the files of a bin, or of all bins, were changed.
func (b *bins) age(t *testing.T, part string, at time.Time) {
	t.Helper()
	err := filepath.WalkDir(b.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.Contains(path, part) {
			return err
		}
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFolderSuite(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z", "2024-05-03T00:00:00Z")
	connectortest.Source(t, connectortest.SourceCase{
		New: func() connector.Source { return new(source.Source) }, Props: b.folderProps("batch.size", "2"), Want: 9,
	})
}

// A folder and the dashboards over it give the same records, but for the bytes of the PNG files.
func TestFolderGivesWhatDashboardsGive(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		b.addOld(t)
		b.file(t, "D20240501T120000_IFCB901.adc", "")
		b.file(t, "D20240501T120000_IFCB901.hdr", "")
		b.file(t, "D20240501T120000_IFCB901.roi", "")
		b.take(t, "2024-05-01T10:00:00Z", "2024-05-02T00:00:00Z", "2024-06-01T10:00:00Z")
		if err := os.Mkdir(filepath.Join(b.dir, "2024"), 0o755); err != nil { // one day in the folder of its year
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(b.dir, "D20240601"), filepath.Join(b.dir, "2024", "D20240601")); err != nil {
			t.Fatal(err)
		}
		facts := func(records []connector.SourceRecord) []map[string]any {
			var all []map[string]any
			for _, r := range records {
				one := map[string]any{"topic": r.Topic, "key": r.Key}
				value := r.Value.(*connector.Struct)
				for _, f := range value.Schema().Fields() {
					switch v, _ := value.Get(f.Name); f.Name {
					case "image", "dashboard", "tags", "updated", "url", "position_source":
					default:
						one[f.Name] = v
					}
				}
				all = append(all, one)
			}
			return all
		}
		want := facts(start(t, b.withTopic("nbins", "-1"), nil).drain(t))
		got := facts(start(t, b.folderProps("nbins", "-1", "bins.topic", "images-bins"), nil).drain(t))
		if diff := cmp.Diff(want, got); diff != "" || len(got) != 16 {
			t.Errorf("%d records (-dashboard +folder):\n%s", len(got), diff)
		}
	})
}

// A bin that grows while it is read is never given by half: its record comes when it is whole, with all images once.
func TestFolderBinThatGrows(t *testing.T) {
	parts := []string{".adc", ".roi", ".hdr"}
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	old := b.take(t, "2024-05-01T10:00:00Z")[0]
	b.age(t, "", time.Now().Add(-2*time.Hour))
	id := b.take(t, "2024-05-01T10:20:00Z")[0]
	want := append(b.imagesOf(t, old), old.String())
	want = append(append(want, b.imagesOf(t, id)...), id.String())
	stem := filepath.Join(b.dir, id.Day(), id.String())
	whole := map[string][]byte{}
	for _, ext := range parts {
		data, err := os.ReadFile(stem + ext)
		if err != nil {
			t.Fatal(err)
		}
		whole[ext] = data
		b.remove(t, id, ext)
	}
	s := start(t, b.folderProps("mode", "follow", "poll.interval.ms", "100", "nbins", "-1", "bins.topic", "images-bins"), nil)
	var got []connector.SourceRecord
	poll := func(times int) {
		t.Helper()
		for range times {
			records, err := s.Poll(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, records...)
		}
	}
	for _, ext := range parts {
		for _, n := range []int{0, len(whole[ext]) / 2, len(whole[ext])} {
			if err := os.WriteFile(stem+ext, whole[ext][:n], 0o644); err != nil {
				t.Fatal(err)
			}
			if ext != ".hdr" {
				poll(2)
			}
		}
	}
	if diff := cmp.Diff(want[:4], keys(got)); diff != "" {
		t.Fatalf("keys before the bin was whole (-want +got):\n%s", diff)
	}
	more, err := s.until(t, func(all []connector.SourceRecord) bool { return len(got)+len(all) >= len(want) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, keys(append(got, more...))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// A bin whose files change under the reader is opened again and goes on behind what was given.
func TestFolderBinThatChangesWhileRead(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	id := b.take(t, "2024-05-01T10:00:00Z")[0]
	s := start(t, b.folderProps("batch.size", "1"), nil)
	first, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	b.age(t, ".roi", time.Now().Add(-time.Minute))
	if diff := cmp.Diff(b.imagesOf(t, id), keys(append(first, s.drain(t)...))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// A file that was cut off long ago stays so: its images are given as far as they go, and the bin says what is missing.
func TestFolderTruncatedBins(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z")
	b.cutROI(t, ids[0])
	b.remove(t, ids[1], ".roi")
	b.age(t, "", time.Now().Add(-2*time.Hour))
	_, told := split(start(t, b.folderProps("bins.topic", "images-bins"), nil).drain(t))
	want := map[string]string{ids[0].String(): "partial: 3 = 2 + 1", ids[1].String(): "failed: 3 = 0 + 3"}
	if diff := cmp.Diff(want, outcomes(t, told)); diff != "" {
		t.Errorf("bins (-want +got):\n%s", diff)
	}
}

// Bins of an instrument whose clock is ahead wait for their time; bins that reach a day's folder late are taken.
func TestFolderFutureAndLateBins(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	b.take(t, time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339))
	first := b.take(t, "2024-05-01T10:00:00Z")[0]
	s := start(t, b.folderProps("mode", "follow", "poll.interval.ms", "100"), nil)
	got, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 3 })
	if err != nil {
		t.Fatal(err)
	}
	newer := b.take(t, "2024-05-01T10:40:00Z")[0]
	more, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 3 })
	if err != nil {
		t.Fatal(err)
	}
	late := b.take(t, "2024-05-01T10:20:00Z")[0]
	last, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 3 })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.imagesOf(t, first, newer, late), keys(append(append(got, more...), last...))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestFolderThatIsAway(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	id := b.take(t, "2024-05-01T10:00:00Z")[0]
	s := start(t, b.folderProps(), nil)
	want := b.imagesOf(t, id)
	if err := os.Rename(b.dir, b.dir+"-away"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Poll(t.Context()); connector.KindOf(err) != connector.KindRetriable || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := os.Rename(b.dir+"-away", b.dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, keys(s.drain(t))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// A damaged table fails its bin, and no other.
func TestFolderDamagedTable(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	id := b.take(t, "2024-05-01T10:00:00Z")[0]
	b.file(t, "D20240501T120000_IFCB901.adc", "no, numbers\n1,2\n")
	b.age(t, "", time.Now().Add(-2*time.Hour))
	_, told := split(start(t, b.folderProps("bins.topic", "images-bins"), nil).drain(t))
	want := map[string]string{id.String(): "complete: 3 = 3 + 0", "D20240501T120000_IFCB901": "failed: <nil> = 0 + 0"}
	if diff := cmp.Diff(want, outcomes(t, told)); diff != "" {
		t.Errorf("bins (-want +got):\n%s", diff)
	}
}
