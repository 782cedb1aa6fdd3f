//go:build integration

package integration

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Ten kill -9 at random points of the flow: the table is that of an undisturbed
// run, and nothing is missing in any topic.
func TestKilledWorker(t *testing.T) {
	each(t, func(t *testing.T, s *stack) {
		const bins, images = 30, 20
		site := newSyntheticSite(t, 2, bins, images)
		calm := newFlow(s)
		calm.Dashboard = site.url
		w := calm.start()
		eventually(t, "the undisturbed run", func() bool { return calm.landed(len(site.images)) }, calm.state)
		w.stop()
		want := s.table()
		if len(want)+len(calm.letters()) != len(site.images) {
			t.Fatalf("%d rows and %d letters of %d images", len(want), len(calm.letters()), len(site.images))
		}
		s.rows("TRUNCATE ifcb_sample_stats")

		f := newFlow(s)
		f.Dashboard = site.url
		// Each kill comes when one of the three counts that are not complete has
		// passed a random point of the way that it has still to go.
		counts := []func() int{func() int { return s.written(f.Images) }, func() int { return s.written(f.Stats) }, s.count}
		random := rand.New(rand.NewPCG(20, 9))
		const kills = 10
		for i := range kills {
			open := slices.DeleteFunc(slices.Clone(counts), func(c func() int) bool { return c() >= len(want) })
			if len(open) == 0 {
				open = counts
			}
			count := open[random.IntN(len(open))]
			if i < 3 {
				count = open[0] // the source is the first to be done
			}
			point := count() + random.IntN(2+max(0, 2*(len(want)-count())/(kills-i)))
			w := f.start()
			eventually(t, "progress", func() bool { return count() >= min(point, len(want)) }, f.state)
			w.kill()
			t.Logf("kill %d at %s", i+1, f.state())
		}
		w = f.start()
		eventually(t, "the rest", func() bool { return f.landed(len(site.images)) }, f.state)
		w.stop()
		if d := cmp.Diff(want, s.table()); d != "" {
			t.Errorf("the table differs from the undisturbed one: %s", d)
		}
		var dead []string
		for key := range calm.letters() {
			dead = append(dead, key)
		}
		stats := slices.DeleteFunc(slices.Clone(site.images), func(key string) bool { return slices.Contains(dead, key) })
		repeated := complete(t, "topic of the images", s.tally(f.Images, false), site.images)
		computed := complete(t, "topic of the statistics", s.tally(f.Stats, true), stats)
		lettered := complete(t, "dead letters", s.tally(f.Letters, false), dead)
		// The source repeats what Kafka had and its offset file did not; the stream
		// computes those again, and what it had not committed when it was killed.
		if computed+lettered < repeated {
			t.Errorf("%d images came again, but only %d statistics", repeated, computed)
		}
		t.Logf("of %d images %d came again, %d statistics, %d dead letters", len(site.images), repeated, computed, lettered)
	})
}
