// Package rates keeps what connectors have done in the last hour, and joins what several
// workers of a cluster have kept.
package rates

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/progress"
)

const (
	// Every is the time between two samples.
	Every = 10 * time.Second
	// hour is how far back samples go, where the budget lasts.
	hour = time.Hour
	// historyBytes is what the samples of all connectors may have.
	historyBytes = 8 << 20
	sampleBytes  = 40
)

// kept is what a connector's tasks in this worker did since the one before.
type kept struct {
	at              int64   // milliseconds since 1970
	seconds         float32 // since the one before
	in, out, errors float32 // records per second, errors
	lag             int64   // records, -1 where there is none
}

// History keeps the samples of the last hour, made from snapshots: it costs records
// nothing. It is safe for concurrent use, and its zero value is ready.
type History struct {
	mu   sync.Mutex
	at   time.Time // of the last sample
	last map[taskID]counts
	of   map[string][]kept // by connector, the oldest first
}

type taskID struct {
	connector string
	task      int
}

// counts are a task's since it was started.
type counts struct{ in, out, errors int64 }

// since gives what was counted after another look. A task that was started again
// counts from nought.
func (c counts) since(before counts) counts {
	if c.in < before.in || c.out < before.out || c.errors < before.errors {
		return c
	}
	return counts{c.in - before.in, c.out - before.out, c.errors - before.errors}
}

// Due tells whether it is time for a sample.
func (h *History) Due(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Sub(h.at) >= Every
}

// Take takes a sample of each of the connectors.
func (h *History) Take(now time.Time, connectors []string, tasks []runtime.Stats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	seconds := float32(now.Sub(h.at).Seconds())
	first := h.at.IsZero()
	done, lags, last := map[string]counts{}, map[string]int64{}, map[taskID]counts{}
	for _, s := range tasks {
		id := taskID{s.Connector, s.Task}
		last[id] = counts{s.RecordsIn, s.RecordsOut, s.Errors.Errors}
		d, sum := last[id].since(h.last[id]), done[s.Connector]
		done[s.Connector] = counts{sum.in + d.in, sum.out + d.out, sum.errors + d.errors}
		if lag := progress.Lag(s); lag != nil {
			lags[s.Connector] += *lag
		}
	}
	h.at, h.last = now, last
	if first {
		return
	}
	of, most := make(map[string][]kept, len(connectors)), samplesFor(len(connectors))
	for _, name := range connectors {
		d := done[name]
		one := kept{at: now.UnixMilli(), seconds: seconds, in: float32(d.in) / seconds, out: float32(d.out) / seconds, errors: float32(d.errors), lag: -1}
		if lag, ok := lags[name]; ok {
			one.lag = lag
		}
		of[name] = append(h.of[name], one)
		if over := len(of[name]) - most; over > 0 {
			of[name] = slices.Delete(of[name], 0, over)
		}
	}
	h.of = of // without those that are deleted
}

// samplesFor gives how many samples each of so many connectors may have.
func samplesFor(connectors int) int {
	return min(int(hour/Every), max(1, historyBytes/sampleBytes/max(1, connectors)))
}

// Samples gives those of a connector, the oldest first.
func (h *History) Samples(connector string) []Sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]Sample, 0, len(h.of[connector]))
	for _, k := range h.of[connector] {
		list = append(list, k.shown())
	}
	return list
}

// Mean gives a connector's records per second over its samples; not measured is that it
// has none yet.
func (h *History) Mean(connector string) (rate float64, measured bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var records, seconds float64
	for _, s := range h.of[connector] {
		records += float64(s.out) * float64(s.seconds)
		seconds += float64(s.seconds)
	}
	return records / max(seconds, 1), len(h.of[connector]) > 0
}

// Sample is what a connector's tasks did in some time, as workers tell it.
type Sample struct {
	Time    time.Time `json:"time"` // of its end
	Seconds float64   `json:"seconds"`
	In      float64   `json:"recordsInPerSecond"`
	Out     float64   `json:"recordsOutPerSecond"`
	Errors  float64   `json:"errors"`
	Lag     *int64    `json:"lagRecords"`
}

func (s kept) shown() Sample {
	r := Sample{Time: time.UnixMilli(s.at).UTC(), Seconds: round(s.seconds), In: round(s.in), Out: round(s.out), Errors: round(s.errors)}
	if s.lag >= 0 {
		r.Lag = &s.lag
	}
	return r
}

// round leaves three digits behind the point.
func round[F float32 | float64](f F) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'f', 3, 32), 64)
	if err != nil {
		return 0 // what was just written is a number
	}
	return v
}
