package rates

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at makes a sample of ten seconds.
func at(end int64, out, errors float64, lag ...int64) Sample {
	s := Sample{Time: time.Unix(end, 0), Seconds: 10, In: 2 * out, Out: out, Errors: errors}
	if len(lag) > 0 {
		s.Lag = &lag[0]
	}
	return s
}

// TestJoin: workers take their samples at times of their own, for as long as they run.
func TestJoin(t *testing.T) {
	long := []Sample{at(110, 1, 0, 5), at(120, 1, 1, 5), at(130, 1, 0, 5), at(140, 1, 0, 5)}
	for name, c := range map[string]struct {
		lists [][]Sample
		want  []string
	}{
		"nothing":              {nil, nil},
		"one":                  {[][]Sample{{at(110, 1, 2)}}, []string{"110: 2 1 2 -"}},
		"at the same times":    {[][]Sample{{at(110, 1, 2, 7)}, {at(110, 4, 1, 2)}}, []string{"110: 10 5 3 9"}},
		"one has no lag":       {[][]Sample{{at(110, 1, 0)}, {at(110, 1, 0, 2)}}, []string{"110: 4 2 0 2"}},
		"one began later":      {[][]Sample{{at(133, 8, 3, 1), at(143, 8, 0, 1)}, long}, []string{"110: 2 1 0 5", "120: 2 1 1 5", "130: 18 9 0 6", "140: 18 9 3 6"}},
		"one has none yet":     {[][]Sample{long, {at(112, 8, 0), at(122, 10, 0)}}, []string{"110: 18 9 0 5", "120: 21.2 10.6 1 5"}},
		"one knows of none":    {[][]Sample{long[:1], {}}, []string{"110: 2 1 0 5"}},
		"the own one has none": {[][]Sample{{}, long[:1]}, []string{"110: 2 1 0 5"}},
	} {
		var got []string
		for _, s := range Join(c.lists...) {
			lag := "-"
			if s.Lag != nil {
				lag = fmt.Sprint(*s.Lag)
			}
			got = append(got, fmt.Sprint(s.Time.Unix(), ": ", s.In, " ", s.Out, " ", s.Errors, " ", lag))
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if d := cmp.Diff(at(110, 1, 0, 5), long[0]); d != "" {
		t.Errorf("what was given is changed: %s", d)
	}
}
