package ifcb_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// note has the dashboard flag one bin to be skipped and give another the tags beads and test.
func (b *bins) note(t *testing.T, skipped, tagged ifcb.BinID) {
	t.Helper()
	text := "pid,skip,tag1,tag2\n"
	if skipped != (ifcb.BinID{}) {
		text += skipped.String() + ",1,,\n"
	}
	if tagged != (ifcb.BinID{}) {
		text += tagged.String() + ",0,beads,test\n"
	}
	if err := os.WriteFile(filepath.Join(b.dir, dashboard.NotesFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSkipFlags(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z", "2024-05-02T00:00:00Z")
		skipped := ids[1]
		b.note(t, skipped, ifcb.BinID{})
		for _, nbins := range []string{"25", "-1"} { // from the newest, and day by day
			s := start(t, b.withTopic("nbins", nbins, "order", "oldest"), nil)
			images, told := split(s.drain(t))
			if diff := cmp.Diff(b.imagesOf(t, ids[0], ids[2]), keys(images)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			why, _ := told[1].Value.(*connector.Struct).Get("reason")
			if got := outcomes(t, told)[skipped.String()]; got != "skipped: <nil> = 0 + 0" || !strings.Contains(fmt.Sprint(why), "flags it") {
				t.Errorf("%s because %v", got, why)
			}
			if n := s.metrics.Value("ifcb_bins_skipped_total"); n != 1 {
				t.Errorf("%v bins skipped, want 1", n)
			}
		}
		images, told := split(start(t, b.withTopic("skip", "include", "order", "oldest"), nil).drain(t))
		if diff := cmp.Diff(b.imagesOf(t, ids...), keys(images)); diff != "" || outcomes(t, told)[skipped.String()] != "complete: 3 = 3 + 0" {
			t.Errorf("with skip=include: %v, keys (-want +got):\n%s", outcomes(t, told), diff)
		}
	})
}

// The oldest dashboards have no flags: their bins are taken.
func TestSkipFlagsThatAreNotThere(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, without("/day_skip/", "/api/bin/"))
		ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z")
		got := keys(start(t, b.props("nbins", "-1"), nil).drain(t))
		if diff := cmp.Diff(b.imagesOf(t, ids...), got); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

// A dashboard that is too busy to tell a bin's flag is waited for: the bin may be one to be skipped.
func TestFlagsOfABusyDashboard(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		busy := true
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			is := busy && (strings.Contains(r.URL.Path, "/day_skip/") || strings.HasPrefix(r.URL.Path, "/api/bin/"))
			if is {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return is
		})
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		s := start(t, b.props(), nil)
		if _, err := s.Poll(t.Context()); connector.KindOf(err) != connector.KindRetriable {
			t.Errorf("error %v", err)
		}
		busy = false
		if diff := cmp.Diff(b.imagesOf(t, id), keys(s.drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

// Tags go to the dashboard, in its own way; generation 2's details are believed where they are another's.
func TestTags(t *testing.T) {
	spellings := map[string][]string{
		"key":     {"tags", "beads,test"},
		"dataset": {"dashboard.url", "%s/" + dataset + ":beads:test"},
		"both":    {"dashboard.url", "%s/" + dataset + ":beads", "tags", "test"},
	}
	each(t, func(t *testing.T, generation int) {
		for name, props := range spellings {
			t.Run(name, func(t *testing.T) {
				asked := map[string]bool{}
				b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
					switch {
					case strings.HasSuffix(r.URL.Path, "/feed.json"):
						asked[r.URL.Path] = true
					case generation == 2 && strings.Contains(r.URL.Path, "export_metadata"), generation == 2 && strings.Contains(r.URL.Path, "most_recent_bin"):
						asked[r.URL.Query().Get("tags")] = true
					}
					return false
				})
				ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z")
				b.note(t, ifcb.BinID{}, ids[0])
				var own []string
				for _, p := range props {
					own = append(own, strings.Replace(p, "%s", b.url, 1))
				}
				records := start(t, b.props(own...), nil).drain(t)
				if diff := cmp.Diff(b.imagesOf(t, ids[0]), keys(records)); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
				wanted := map[int]map[string]bool{1: {"/pier:beads:test/feed.json": true}, 2: {"beads,test": true}}[generation]
				if diff := cmp.Diff(wanted, asked); diff != "" {
					t.Errorf("the dashboard was asked for (-want +got):\n%s", diff)
				}
				if got := records[0].SourcePartition["dataset"]; got != "pier:beads:test" {
					t.Errorf("the source partition has dataset %v", got)
				}
			})
		}
	})
}

// Tags of a bin are told with it.
func TestBinRecordHasTags(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	b.note(t, ifcb.BinID{}, b.take(t, "2024-05-01T10:00:00Z")[0])
	_, told := split(start(t, b.withTopic(), nil).drain(t))
	if got, _ := told[0].Value.(*connector.Struct).Get("tags"); got != "beads,test" {
		t.Errorf("tags %v", got)
	}
}
