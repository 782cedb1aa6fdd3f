package runtime

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// A sink that writes best many records at once is given as many, or fewer once the
// first has waited; max.poll.records, where it is set, bounds what it is given.
func TestSinkIsGivenWholeBatches(t *testing.T) {
	forever := 24 * time.Hour // longer than any test
	tests := []struct {
		name   string
		batch  int
		linger time.Duration
		props  connector.Props
		want   []int // sizes of Puts; nil for any
		most   int
	}{
		{"full ones", 400, forever, nil, []int{400, 400, 400}, 400},
		{"not all of them full", 5000, 50 * time.Millisecond, nil, nil, 5000},
		{"no larger than a poll may be", 400, forever, connector.Props{"consumer.override.max.poll.records": "50"}, slices.Repeat([]int{50}, 24), 50},
		{"what a poll brings", 10, 0, nil, nil, 500},
		{"no wish", 0, forever, nil, nil, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 3)
			f.produce("in", numbered(0, 1200)...)
			var mu sync.Mutex
			var sizes []int
			s := &script{batch: tt.batch, linger: tt.linger, put: func(rs []connector.Record) error {
				mu.Lock()
				defer mu.Unlock()
				sizes = append(sizes, len(rs))
				return nil
			}}
			w, _ := f.worker(s)
			props := connector.Props{"connector.class": "collect", "topics": "in"}
			maps.Copy(props, tt.props)
			task, _ := f.start(w, KindSink, "k", props)
			eventually(t, "all records", func() bool { return len(s.values()) == 1200 })
			exactly(t, "sink", count(s.values()), 1200)
			f.stop(task)
			if n := f.committed("connect-k", "in"); n != 1200 {
				t.Errorf("%d committed", n)
			}
			if d := cmp.Diff(tt.want, sizes); tt.want != nil && d != "" {
				t.Error(d)
			}
			if n := slices.Max(sizes); n > tt.most {
				t.Errorf("a Put of %d records", n)
			}
		})
	}
}
