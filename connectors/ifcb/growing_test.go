package ifcb_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// A dashboard shows a fresh bin while its files are still arriving: what was missing is asked for again, until the bin
// is whole. No image is lost or comes twice, wherever the run breaks off.
func TestBinThatGrowsOnADashboard(t *testing.T) {
	half := map[string]func(whole []byte) []byte{
		".roi": func(whole []byte) []byte { return whole[:len(whole)*2/3] },
		".adc": func(whole []byte) []byte { return whole[:bytes.IndexByte(whole, '\n')+1] },
	}
	each(t, func(t *testing.T, generation int) {
		for ext, cut := range half {
			t.Run(ext, func(t *testing.T) {
				b := newBins(t, dashboard.Options{Generation: generation}, nil)
				id := b.take(t, time.Now().UTC().Add(-time.Minute).Format(time.RFC3339))[0]
				want := append(b.imagesOf(t, id), id.String())
				slices.Sort(want)
				file := filepath.Join(b.dir, id.Day(), id.String()+ext)
				whole, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				props := b.withTopic("bin.attempts", "1000", "batch.size", "1")
				for stop := range want {
					if err := os.WriteFile(file, cut(whole), 0o644); err != nil {
						t.Fatal(err)
					}
					offsets := new(connectortest.Offsets)
					s := start(t, props, offsets)
					var got []connector.SourceRecord
					for range 5 { // as far as it goes
						records, err := s.Poll(t.Context())
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, records...)
					}
					if len(got) >= len(want)-1 {
						t.Fatalf("before the bin is whole: %v", keys(got))
					}
					if err := os.WriteFile(file, whole, 0o644); err != nil {
						t.Fatal(err)
					}
					more, _ := s.until(t, func(all []connector.SourceRecord) bool { return len(got)+len(all) > stop })
					got = append(got, more...)[:stop+1]
					if err := offsets.Commit(got[stop]); err != nil {
						t.Fatal(err)
					}
					got = append(got, start(t, props, offsets).drain(t)...)
					if _, told := split(got); outcomes(t, told)[id.String()] != "complete: 3 = 3 + 0" {
						t.Errorf("%v", outcomes(t, told))
					}
					names := keys(got)
					slices.Sort(names)
					if diff := cmp.Diff(want, names); diff != "" {
						t.Errorf("stopped behind %d (-want +got):\n%s", stop, diff)
					}
				}
			})
		}
	})
}

// What stays missing is given up, and told.
func TestFreshBinThatStaysTruncated(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		id := b.take(t, time.Now().UTC().Add(-time.Minute).Format(time.RFC3339))[0]
		b.cutROI(t, id)
		s := start(t, b.withTopic("bin.attempts", "3"), nil)
		images, told := split(s.drain(t))
		if got := outcomes(t, told)[id.String()]; got != "partial: 3 = 2 + 1" || len(images) != 2 {
			t.Errorf("%s, images %v", got, keys(images))
		}
		if lost := s.metrics.Value("ifcb_images_failed_total"); lost != 1 {
			t.Errorf("%v images lost, want 1", lost)
		}
	})
}
