package ifcb_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// The past that the tests of it are about: seven bins in three years, one at midnight, one beyond what a list holds.
var past = []string{
	"2022-12-31T23:59:59Z", "2023-01-01T00:00:00Z", "2023-06-01T10:00:00Z", "2023-06-01T10:20:00Z",
	"2024-01-01T00:00:00Z", "2024-05-01T10:00:00Z", "2024-05-02T10:00:00Z",
}

func TestBackfillOfAPeriod(t *testing.T) {
	tests := []struct {
		name  string
		props []string
		want  func(ids []ifcb.BinID) []ifcb.BinID
	}{
		{"days", []string{"backfill.start", "2023-01-01", "backfill.end", "2023-12-31"}, func(ids []ifcb.BinID) []ifcb.BinID { return ids[1:4] }},
		{"times", []string{"backfill.start", "2023-01-01T00:00:01Z", "backfill.end", "2023-06-01T10:20:00+00:00"}, func(ids []ifcb.BinID) []ifcb.BinID { return ids[2:3] }},
		{"to now", []string{"backfill.start", "2023-06-01T10:20:00Z"}, func(ids []ifcb.BinID) []ifcb.BinID { return ids[3:] }},
		{"from the first, newest first", []string{"backfill.end", "2023-06-01", "order", "newest"}, func(ids []ifcb.BinID) []ifcb.BinID { return reversed(ids[:4]) }},
		{"nothing", []string{"backfill.start", "2021-01-01", "backfill.end", "2021-02-01"}, func([]ifcb.BinID) []ifcb.BinID { return nil }},
	}
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, past...)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				for kind, props := range map[string]connector.Props{"dashboard": b.props(tt.props...), "folder": b.folderProps(tt.props...)} {
					got := keys(start(t, props, nil).drain(t))
					if diff := cmp.Diff(b.imagesOf(t, tt.want(ids)...), got); diff != "" {
						t.Errorf("%s: keys (-want +got):\n%s", kind, diff)
					}
				}
			})
		}
	})
}

// New bins come first, the past behind, and a restart at any image goes on in both.
func TestLiveAndBackfill(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, past...)
		props := b.props("mode", "follow", "nbins", "1", "poll.interval.ms", "100", "batch.size", "1", "backfill.start", "2023-01-01")
		want := b.imagesOf(t, append([]ifcb.BinID{ids[6]}, reversed(ids[1:6])...)...)
		whole := func(all []connector.SourceRecord) bool { return len(all) == len(want) }
		records, err := start(t, props, nil).until(t, whole)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, keys(records)); diff != "" {
			t.Fatalf("keys (-want +got):\n%s", diff)
		}
		for stop := 0; stop < len(want)-1; stop += 2 {
			offsets := new(connectortest.Offsets)
			for _, r := range records[:stop+1] {
				if err := offsets.Commit(r); err != nil {
					t.Fatal(err)
				}
			}
			rest, err := start(t, props, offsets).until(t, func(all []connector.SourceRecord) bool { return len(all) == len(want)-stop-1 })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want[stop+1:], keys(rest)); diff != "" {
				t.Errorf("stopped behind %d (-want +got):\n%s", stop, diff)
			}
		}
	})
}

// A bin of today waits for one batch of the past, not for its bin.
func TestLiveBinGoesBeforeTheBatchesOfThePast(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, past...)
		s := start(t, b.props("mode", "follow", "nbins", "1", "poll.interval.ms", "3600000", "batch.size", "1", "backfill.start", "2023-01-01"), nil)
		got, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 4 }) // one image of the past
		if err != nil {
			t.Fatal(err)
		}
		fresh := b.take(t, "2024-05-03T10:00:00Z")[0]
		s.LookNow()
		more, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 5 })
		if err != nil {
			t.Fatal(err)
		}
		want := append(b.imagesOf(t, ids[6]), b.imagesOf(t, ids[5])[0])
		want = append(append(want, b.imagesOf(t, fresh)...), b.imagesOf(t, ids[5])[1:]...)
		if diff := cmp.Diff(want, keys(append(got, more...))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

// A period that is done is not listed again in the span that the ledger knows, and gives nothing twice.
func TestBackfillTwice(t *testing.T) {
	var mu sync.Mutex
	days := 0
	b := newBins(t, dashboard.Options{Generation: 1}, func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(r.URL.Path, "/api/feed/day") {
			days++
		}
		return false
	})
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 200 {
		b.take(t, at.Format(time.RFC3339))
		at = at.Add(12 * time.Hour)
	}
	props := b.props("backfill.start", "2024-01-01", "backfill.end", "2024-04-30", "skip", "include", "metadata", "false")
	offsets := new(connectortest.Offsets)
	for _, r := range start(t, props, offsets).drain(t) {
		if err := offsets.Commit(r); err != nil {
			t.Fatal(err)
		}
	}
	first := days
	if again := start(t, props, offsets).drain(t); len(again) > 0 {
		t.Errorf("the second run gives %v", keys(again))
	}
	if second := days - first; second > first*2/3 {
		t.Errorf("%d days are listed, then %d", first, second)
	}
}

// A dashboard that is away when the past is to be listed is waited for.
func TestBackfillWaitsForTheDashboard(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		away := true
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, _ *http.Request) bool {
			if away {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return away
		})
		ids := b.take(t, past...)
		s := start(t, b.props("backfill.start", "2024-05-01", "backfill.end", "2024-05-01"), nil)
		if _, err := s.Poll(t.Context()); connector.KindOf(err) != connector.KindRetriable {
			t.Errorf("error %v", err)
		}
		away = false
		records, err := s.until(t, func([]connector.SourceRecord) bool { return false })
		if diff := cmp.Diff(b.imagesOf(t, ids[5]), keys(records)); diff != "" || !errors.Is(err, connector.ErrDone) {
			t.Errorf("%v, keys (-want +got):\n%s", err, diff)
		}
	})
}
