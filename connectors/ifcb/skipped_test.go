package ifcb_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// daysAgo are times of bins that are no longer fresh, an hour apart, and of some days ago.
func daysAgo(days, n int) []string {
	at := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
	var times []string
	for i := range n {
		times = append(times, at.Add(time.Duration(i)*time.Hour).Format(time.RFC3339))
	}
	return times
}

// collected are images and records of bins until each bin has told what became of it.
func (r run) collected(t *testing.T, bins int) (images, told []connector.SourceRecord) {
	t.Helper()
	all, err := r.until(t, func(all []connector.SourceRecord) bool {
		_, told := split(all)
		return len(told) >= bins
	})
	if err != nil {
		t.Fatal(err)
	}
	return split(all)
}

func commit(t *testing.T, offsets *connectortest.Offsets, records ...connector.SourceRecord) {
	t.Helper()
	for _, r := range records {
		if err := offsets.Commit(r); err != nil {
			t.Fatal(err)
		}
	}
}

// A bin whose flag the dashboard takes back is taken after all: while the source runs, and after a restart, whose offset
// knows it, at whatever image that is.
func TestSkipFlagIsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, daysAgo(3, 4)...)
		skipped := ids[1]
		b.note(t, skipped, ifcb.BinID{})
		props := b.withTopic("mode", "follow", "order", "oldest", "poll.interval.ms", "100", "skip.recheck.interval.ms", "100", "batch.size", "1")
		s := start(t, props, nil)
		before, told := s.collected(t, 4)
		if diff := cmp.Diff(b.imagesOf(t, ids[0], ids[2], ids[3]), keys(before)); diff != "" {
			t.Fatalf("keys (-want +got):\n%s", diff)
		}
		flagged := told[len(told)-1] // the offset of the last knows the skipped one

		b.note(t, ifcb.BinID{}, ifcb.BinID{})
		want := b.imagesOf(t, skipped)
		images, told := s.collected(t, 1)
		if diff := cmp.Diff(want, keys(images)); diff != "" || outcomes(t, told)[skipped.String()] != "complete: 3 = 3 + 0" {
			t.Errorf("taken back while it runs: %v, keys (-want +got):\n%s", outcomes(t, told), diff)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}

		// Down to every image of it, a restart goes on behind, though nothing says now that the bin was once skipped.
		slow := b.withTopic("mode", "follow", "order", "oldest", "poll.interval.ms", "100", "batch.size", "1") // asked at its start only
		for done := range want {
			offsets := new(connectortest.Offsets)
			commit(t, offsets, flagged)
			if done > 0 {
				commit(t, offsets, images[done-1])
			}
			rest, told := start(t, slow, offsets).collected(t, 1)
			if diff := cmp.Diff(want[done:], keys(rest)); diff != "" || outcomes(t, told)[skipped.String()] != "complete: 3 = 3 + 0" {
				t.Errorf("started behind %d images: %v, keys (-want +got):\n%s", done, outcomes(t, told), diff)
			}
		}

		// What is through is not asked about again.
		offsets := new(connectortest.Offsets)
		commit(t, offsets, told[len(told)-1])
		fresh := b.take(t, daysAgo(2, 1)...)[0]
		if rest, _ := start(t, props, offsets).collected(t, 1); !cmp.Equal(b.imagesOf(t, fresh), keys(rest)) {
			t.Errorf("later comes %v", keys(rest))
		}
	})
}

// A run that ends looks once, when it begins; skip=include takes what an earlier run left out.
func TestSkippedBinsOfAnEarlierRun(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, daysAgo(3, 3)...)
		b.note(t, ids[0], ifcb.BinID{})
		for name, more := range map[string][]string{
			"newest": nil, "oldest": {"start.from", "oldest"}, "all": {"nbins", "-1"}, "period": {"backfill.start", "2020-01-01"},
		} {
			t.Run(name, func(t *testing.T) {
				offsets := new(connectortest.Offsets)
				commit(t, offsets, start(t, b.withTopic(more...), offsets).drain(t)...)
				again := start(t, b.withTopic(more...), offsets).drain(t)
				if len(again) > 0 {
					t.Errorf("still flagged: %v", keys(again))
				}
				images, told := split(start(t, b.withTopic(append(more, "skip", "include")...), offsets).drain(t))
				if diff := cmp.Diff(b.imagesOf(t, ids[0]), keys(images)); diff != "" || outcomes(t, told)[ids[0].String()] != "complete: 3 = 3 + 0" {
					t.Errorf("%v, keys (-want +got):\n%s", outcomes(t, told), diff)
				}
				commit(t, offsets, told...)
				if again := start(t, b.withTopic(append(more, "skip", "include")...), offsets).drain(t); len(again) > 0 {
					t.Errorf("once more: %v", keys(again))
				}
			})
		}
	})
}

// A skipped bin of the past is asked about as one of the newest; one that is older than the bound is not.
func TestSkippedBinsOfThePast(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		old := b.take(t, daysAgo(40, 2)...)
		recent := b.take(t, daysAgo(5, 2)...)
		b.file(t, dashboard.NotesFile, "pid,skip\n"+old[0].String()+",1\n"+recent[0].String()+",1\n")
		props := b.withTopic("mode", "follow", "nbins", "1", "backfill.start", "2020-01-01", "poll.interval.ms", "100", "skip.recheck.interval.ms", "100")
		s := start(t, props, nil)
		s.collected(t, 4)
		b.file(t, dashboard.NotesFile, "pid,skip\n")
		images, _ := s.collected(t, 1)
		if diff := cmp.Diff(b.imagesOf(t, recent[0]), keys(images)); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
		s.LookNow()
		fresh := b.take(t, daysAgo(2, 1)...)[0]
		if images, _ := s.collected(t, 1); !slices.Equal(b.imagesOf(t, fresh), keys(images)) {
			t.Errorf("later comes %v", keys(images))
		}
	})
}

// While the flags are not to be had new bins come all the same.
func TestFlagsThatAreAwayHoldUpNothing(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		var away atomic.Bool
		times := daysAgo(3, 2)
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			old := strings.Contains(r.URL.String(), times[0][:10]) // the day of the skipped bin
			if away.Load() && old {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return away.Load() && old
		})
		skipped := b.take(t, times...)[0]
		b.take(t, daysAgo(1, 1)...)
		b.note(t, skipped, ifcb.BinID{})
		s := start(t, b.withTopic("mode", "follow", "poll.interval.ms", "100", "skip.recheck.interval.ms", "100"), nil)
		s.collected(t, 3)
		away.Store(true)
		b.note(t, ifcb.BinID{}, ifcb.BinID{})
		later := b.take(t, daysAgo(1, 2)[1])[0]
		if images, _ := s.collected(t, 1); !slices.Equal(b.imagesOf(t, later), keys(images)) {
			t.Errorf("beside %s comes %v", skipped, keys(images))
		}
		away.Store(false)
		if images, _ := s.collected(t, 1); !slices.Equal(b.imagesOf(t, skipped), keys(images)) {
			t.Errorf("at last comes %v", keys(images))
		}
	})
}
