package ifcb_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// without answers 404 for paths that contain one of these.
func without(parts ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		for _, part := range parts {
			if strings.Contains(r.URL.Path, part) {
				http.NotFound(w, r)
				return true
			}
		}
		return false
	}
}

// Deployments differ: a generation is recognised, and its bins are found, without the routes that only some have.
func TestDeploymentsDiffer(t *testing.T) {
	tests := []struct {
		name       string
		generation int
		front      func(http.ResponseWriter, *http.Request) bool
		props      []string
	}{
		{"generation 1, forced", 1, without("/api/list_datasets"), []string{"dashboard.generation", "1"}},
		{"generation 2, forced, list of datasets absent", 2, without("/api/list_datasets"), []string{"dashboard.generation", "2"}},
		{"generation 2, list of datasets absent", 2, without("/api/list_datasets"), nil},
		{"generation 2, no table of metadata", 2, without("/api/export_metadata"), nil},
		{"generation 2, no details", 2, without("/api/bin/"), nil},
		{"generation 1, no header", 1, without(".hdr"), nil},
		{"generation 2, no raw files", 2, without(".hdr", ".adc", ".roi"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBins(t, dashboard.Options{Generation: tt.generation}, tt.front)
			ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-02T00:00:00Z")
			records := start(t, b.props(tt.props...), nil).drain(t)
			if diff := cmp.Diff(b.imagesOf(t, reversed(ids)...), keys(records)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

// A feed may name another host, repeat a bin, write dates in either form, list other instruments' files and bins of the
// future.
func TestOddFeeds(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		future := time.Now().Add(48 * time.Hour).UTC().Format("D20060102T150405_IFCB901")
		feed := fmt.Sprintf(`[
			{"pid": "http://internal:8000/x/%s", "date": "2099-01-01T00:00:00Z"},
			{"pid": "http://internal:8000/x/D20240501T100000_IFCB901", "date": "2024-05-01T10:00:00+00:00"},
			{"pid": "D20240501T100000_IFCB901", "date": "2024-05-01T10:00:00Z"},
			{"pid": "http://internal:8000/x/../../etc/passwd", "date": "2024-05-01T10:00:00Z"},
			{"pid": "", "date": null}]`, future)
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			switch {
			case strings.HasSuffix(r.URL.Path, "/feed.json") && generation == 1, strings.Contains(r.URL.Path, "/api/feed/temperature/"):
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, feed)
				return true
			}
			return without("/api/export_metadata")(w, r)
		})
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		if diff := cmp.Diff(b.imagesOf(t, id), keys(start(t, b.props(), nil).drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

// Generation 2 answers 404 with Django's page, generation 1 with text: neither is taken for a list or an image. A bin
// taken at midnight exactly is on two days' lists, and comes once. The lists of sizes exchange height and width; a
// record has those of its image.
func TestDaysAndSizes(t *testing.T) {
	pages := map[string]func(http.ResponseWriter){
		"text": func(w http.ResponseWriter) { http.Error(w, "not found", http.StatusNotFound) },
		"page": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<!doctype html><html><body><h1>Not Found</h1></body></html>")
		},
	}
	each(t, func(t *testing.T, generation int) {
		for name, page := range pages {
			t.Run(name, func(t *testing.T) {
				b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
					absent := strings.HasSuffix(r.URL.Path, ".zip") || strings.Contains(r.URL.Path, "export_metadata")
					if absent {
						page(w)
					}
					return absent
				})
				b.addOld(t)
				ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-02T00:00:00Z", "2024-05-02T10:00:00Z")
				records := start(t, b.props("backfill.start", "2024-05-01", "backfill.end", "2024-05-02"), nil).drain(t)
				if diff := cmp.Diff(b.imagesOf(t, ids...), keys(records)); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
				old := start(t, b.props("backfill.end", "2012-12-31"), nil).drain(t)
				var sizes []any
				for _, r := range old {
					width, _ := r.Value.(*connector.Struct).Get("width")
					height, _ := r.Value.(*connector.Struct).Get("height")
					sizes = append(sizes, width, height)
				}
				if diff := cmp.Diff([]any{int32(8), int32(4), int32(26), int32(11)}, sizes); diff != "" {
					t.Errorf("widths and heights (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// A dashboard in trouble answers its list with a page: the source waits, it does not fail.
func TestPageInPlaceOfList(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		trouble := false
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			if trouble {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, "<html>Be right back</html>")
			}
			return trouble
		})
		first := b.take(t, "2024-05-01T10:00:00Z")[0]
		s := start(t, b.props("mode", "follow", "poll.interval.ms", "100"), nil)
		if _, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == len(b.imagesOf(t, first)) }); err != nil {
			t.Fatal(err)
		}
		trouble = true
		var err error
		wait.Until(t, "an error", func() bool {
			_, err = s.Poll(t.Context())
			return err != nil
		})
		if connector.KindOf(err) != connector.KindRetriable || !strings.Contains(err.Error(), "HTML page") {
			t.Fatalf("error %v", err)
		}
		trouble = false
		second := b.take(t, "2024-05-01T10:20:00Z")[0]
		records, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) > 0 })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b.imagesOf(t, second), keys(records)); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

// A bin that a dashboard shows after newer ones is taken too.
func TestLateBin(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		var want []string
		want = append(want, b.imagesOf(t, b.take(t, "2024-05-01T10:40:00Z")...)...)
		s := start(t, b.props("mode", "follow", "poll.interval.ms", "100", "nbins", "5", "order", "oldest"), nil)
		got, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 3 })
		if err != nil {
			t.Fatal(err)
		}
		late := []ifcb.BinID{b.take(t, "2024-05-01T10:50:00Z")[0]}
		more, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 3 })
		if err != nil {
			t.Fatal(err)
		}
		late = append(late, b.take(t, "2024-05-01T10:45:00Z", "2024-05-01T11:00:00Z")...)
		rest, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 6 })
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, b.imagesOf(t, late...)...)
		if diff := cmp.Diff(want, keys(append(append(got, more...), rest...))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

func TestZipBeyondItsBound(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	id := b.take(t, "2024-05-01T10:00:00Z")[0]
	if diff := cmp.Diff(b.imagesOf(t, id), keys(start(t, b.props("zip.max.bytes", "100"), nil).drain(t))); diff != "" {
		t.Errorf("keys: images come one by one (-want +got):\n%s", diff)
	}
}

// A transfer that breaks off is the environment's fault: the zip is asked for again.
func TestZipBreaksOff(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		broken := false
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			if broken || !strings.HasSuffix(r.URL.Path, ".zip") {
				return false
			}
			broken = true
			w.Header().Set("Content-Type", "application/zip")
			w.Header().Set("Content-Length", "100000")
			fmt.Fprint(w, "PK")
			return true
		})
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		s := start(t, b.props(), nil)
		if _, err := s.Poll(t.Context()); connector.KindOf(err) != connector.KindRetriable || !strings.Contains(err.Error(), "after 2 bytes") {
			t.Errorf("error %v", err)
		}
		if diff := cmp.Diff(b.imagesOf(t, id), keys(s.drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}
