package runtime

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Clauses: L4.
func TestWindow(t *testing.T) {
	type seen struct {
		at time.Duration
		v  float64
	}
	for _, c := range []struct {
		name string
		seen []seen
		at   time.Duration
		want Recent
		rate float64
	}{
		{"nothing", nil, time.Hour, Recent{Span: windowLength}, 0},
		{"the first moments count as a whole span", []seen{{0, 30}, {time.Second, 60}}, 2 * time.Second, Recent{Count: 2, Sum: 90, Max: 60, Span: 30 * time.Second}, 3},
		{"negative ones have a maximum", []seen{{0, -3}, {1, -2}}, 2, Recent{Count: 2, Sum: -5, Max: -2, Span: 30 * time.Second}, -5.0 / 30},
		{"the span before counts", []seen{{0, 7}, {40 * time.Second, 5}}, 50 * time.Second, Recent{Count: 2, Sum: 12, Max: 7, Span: 50 * time.Second}, 0.24},
		{"the one before that does not", []seen{{0, 7}, {40 * time.Second, 5}}, 70 * time.Second, Recent{Count: 1, Sum: 5, Max: 5, Span: 40 * time.Second}, 0.125},
		{"after silence there is nothing", []seen{{0, 7}}, 60 * time.Second, Recent{Span: 30 * time.Second}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w window
			start := time.Unix(1000, 0)
			for _, s := range c.seen {
				w.observeAt(s.v, start.Add(s.at))
			}
			got := w.getAt(start.Add(c.at))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if got.Rate() != c.rate {
				t.Errorf("rate is %v, want %v", got.Rate(), c.rate)
			}
		})
	}
}
