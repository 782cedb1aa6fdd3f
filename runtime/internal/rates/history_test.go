package rates

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// of gives a snapshot of a task.
func of(name string, task int, in, out, lag int64) runtime.Stats {
	return runtime.Stats{Connector: name, Task: task, RecordsIn: in, RecordsOut: out, Lag: map[connector.TopicPartition]int64{{Topic: "t"}: lag}}
}

func TestHistory(t *testing.T) {
	var h History
	now := time.Unix(1000, 0)
	step := func(connectors []string, tasks ...runtime.Stats) {
		h.Take(now, connectors, tasks)
		now = now.Add(Every)
	}
	both := []string{"a", "b"}
	step(both, of("a", 0, 100, 100, 5), of("a", 1, 0, 0, 2))
	step(both, of("a", 0, 120, 110, 4), of("a", 1, 30, 30, 1)) // 5 and 4 per second
	step(both, of("a", 0, 10, 10, 0), of("a", 1, 30, 30, 0))   // started again
	var got []string
	for _, r := range h.Samples("a") {
		got = append(got, fmt.Sprint(r.Time.Unix(), r.Seconds, r.In, r.Out, *r.Lag))
	}
	if d := cmp.Diff([]string{"1010 10 5 4 5", "1020 10 1 1 0"}, got); d != "" {
		t.Error(d)
	}
	if b := h.Samples("b"); len(b) != 2 || b[1].Lag != nil {
		t.Errorf("a connector without tasks has %+v", b)
	}
	for name, want := range map[string]float64{"a": 2.5, "b": 0} {
		if r, measured := h.Mean(name); r != want || !measured {
			t.Errorf("rate of the hour of %s: %v, %t", name, r, measured)
		}
	}
	if _, measured := h.Mean("none"); measured {
		t.Error("what is not there has a rate")
	}
	if step([]string{"a"}); len(h.Samples("b")) > 0 {
		t.Error("a connector that is deleted has samples")
	}
	for range 400 {
		step([]string{"a"})
	}
	if n := len(h.Samples("a")); n != 360 {
		t.Errorf("an hour has %d samples", n)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	for _, n := range []int{0, 1, 500, 5000, 100000} {
		if size := samplesFor(n) * n * sampleBytes; size > historyBytes {
			t.Errorf("%d connectors have %d bytes of samples", n, size)
		}
	}
}
