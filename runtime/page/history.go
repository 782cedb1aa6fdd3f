package page

import (
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
)

const (
	// sampleEvery is the time between two samples.
	sampleEvery = 10 * time.Second
	// hour is how far back samples go, where the budget lasts.
	hour = time.Hour
	// historyBytes is what the samples of all connectors may have.
	historyBytes = 8 << 20
	sampleBytes  = 40
)

// sample is what a connector's tasks in this worker did since the one before.
type sample struct {
	at              int64   // milliseconds since 1970
	seconds         float32 // since the one before
	in, out, errors float32 // records per second, errors
	lag             int64   // records, -1 where there is none
}

// history keeps the samples of the last hour, made from snapshots: it costs records
// nothing. It is safe for concurrent use.
type history struct {
	mu   sync.Mutex
	at   time.Time // of the last sample
	last map[taskID]counts
	of   map[string][]sample // by connector, the oldest first
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

// due tells whether it is time for a sample.
func (h *history) due(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Sub(h.at) >= sampleEvery
}

// take takes a sample of each of the connectors.
func (h *history) take(now time.Time, connectors []string, tasks []runtime.Stats) {
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
		if lag := lagOf(s); lag != nil {
			lags[s.Connector] += *lag
		}
	}
	h.at, h.last = now, last
	if first {
		return
	}
	of, most := make(map[string][]sample, len(connectors)), samplesFor(len(connectors))
	for _, name := range connectors {
		d := done[name]
		one := sample{at: now.UnixMilli(), seconds: seconds, in: float32(d.in) / seconds, out: float32(d.out) / seconds, errors: float32(d.errors), lag: -1}
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
	return min(int(hour/sampleEvery), max(1, historyBytes/sampleBytes/max(1, connectors)))
}

// samples gives those of a connector, the oldest first.
func (h *history) samples(connector string) []sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.of[connector])
}

// rates gives each connector's records per second over its samples.
func (h *history) rates() map[string]float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := make(map[string]float64, len(h.of))
	for name, list := range h.of {
		var records, seconds float64
		for _, s := range list {
			records += float64(s.out) * float64(s.seconds)
			seconds += float64(s.seconds)
		}
		of[name] = records / max(seconds, 1)
	}
	return of
}

// rated is a sample as it is shown.
type rated struct {
	Time    time.Time `json:"time"`
	Seconds float64   `json:"seconds"`
	In      float64   `json:"recordsInPerSecond"`
	Out     float64   `json:"recordsOutPerSecond"`
	Errors  float64   `json:"errors"`
	Lag     *int64    `json:"lagRecords"`
}

func (s sample) rated() rated {
	r := rated{Time: time.UnixMilli(s.at).UTC(), Seconds: round(s.seconds), In: round(s.in), Out: round(s.out), Errors: round(s.errors)}
	if s.lag >= 0 {
		r.Lag = &s.lag
	}
	return r
}

// round leaves three digits behind the point.
func round(f float32) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'f', 3, 32), 64)
	if err != nil {
		return 0 // what was just written is a number
	}
	return v
}

// ratesJSON answers with a connector's samples.
func (p *Page) ratesJSON(w http.ResponseWriter, r *http.Request) {
	list := []rated{}
	for _, s := range p.history.samples(r.PathValue("connector")) {
		list = append(list, s.rated())
	}
	p.reply(w, list)
}

// ratesCSV answers with the same for spreadsheets.
func (p *Page) ratesCSV(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	errs := []error{out.Write([]string{"time", "seconds", "records_in_per_second", "records_out_per_second", "errors", "lag_records"})}
	for _, s := range p.history.samples(r.PathValue("connector")) {
		one, lag := s.rated(), ""
		if one.Lag != nil {
			lag = fmt.Sprint(*one.Lag)
		}
		errs = append(errs, out.Write([]string{one.Time.Format(time.RFC3339), fmt.Sprint(one.Seconds), fmt.Sprint(one.In), fmt.Sprint(one.Out), fmt.Sprint(one.Errors), lag}))
	}
	out.Flush()
	if err := errors.Join(append(errs, out.Error())...); err != nil {
		p.o.Log.Debug("page: rates not sent", "error", err.Error())
	}
}

// lagOf gives how many records in Kafka a task has not read yet, nil for sources.
func lagOf(s runtime.Stats) *int64 {
	if s.Lag == nil {
		return nil
	}
	lag := int64(0)
	for n := range maps.Values(s.Lag) {
		lag += n
	}
	return &lag
}
