// Package progress is what tasks and their stages have done, as workers tell each other.
package progress

import (
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// Task is what a task has done so far: one can be RUNNING and get nowhere.
type Task struct {
	In         int64     `json:"records_in"`
	Out        int64     `json:"records_out"`
	Dropped    int64     `json:"records_dropped"`
	Skipped    int64     `json:"records_skipped"`
	Active     int64     `json:"records_active"`
	Lag        int64     `json:"lag"`
	LastIn     time.Time `json:"last_in,omitzero"`
	LastOut    time.Time `json:"last_out,omitzero"`
	LastCommit time.Time `json:"last_commit,omitzero"`
	Restoring  bool      `json:"restoring"`
	Retrying   bool      `json:"retrying"`
	LastError  string    `json:"last_error,omitempty"`
	Stalled    bool      `json:"stalled"`
	WaitsFor   string    `json:"waits_for,omitempty"`
	WaitsSince time.Time `json:"waits_since,omitzero"`
	// Now is what earlier versions do not tell.
	*Now
	// Stages are what each stage has done, where that is asked for too.
	Stages []Stage `json:"stages,omitempty"`
}

// Now is how a task does at present, and what else the page shows of it.
type Now struct {
	RateIn      float64   `json:"records_in_per_second"` // of the last half to whole minute
	RateOut     float64   `json:"records_out_per_second"`
	DeadLetters int64     `json:"dead_letters"`
	Restarts    int       `json:"restarts"` // in this worker, as it is configured
	Newest      time.Time `json:"newest,omitzero"`
	ErrorTime   time.Time `json:"last_error_time,omitzero"`
}

// Of gives what a task has done that was started so often.
func Of(s runtime.Stats, starts int) *Task {
	t := &Task{In: s.RecordsIn, Out: s.RecordsOut, Dropped: s.Dropped, Skipped: s.Errors.Skipped, Active: s.Active,
		LastIn: s.LastIn, LastOut: s.LastOut, LastCommit: s.Commits.Last,
		Restoring: s.Restoring, Retrying: s.Errors.Retrying, LastError: s.Errors.Last,
		Now: &Now{RateIn: s.RecentIn.Rate(), RateOut: s.RecentOut.Rate(), DeadLetters: s.Errors.DeadLetters,
			Restarts: max(0, starts-1), Newest: s.Newest, ErrorTime: s.Errors.LastTime}}
	if lag := Lag(s); lag != nil {
		t.Lag = *lag
	}
	if w := s.Waits; w != nil {
		t.Stalled, t.WaitsFor, t.WaitsSince = w.Stalled, w.Why, w.Since
	}
	return t
}

// Lag gives how many records in Kafka a task has not read yet, nil for sources.
func Lag(s runtime.Stats) *int64 {
	if s.Lag == nil {
		return nil
	}
	lag := int64(0)
	for _, n := range s.Lag {
		lag += n
	}
	return &lag
}

// Stats gives the snapshot that this was made of, as far as it is told.
func (t *Task) Stats(kind runtime.Kind) (s runtime.Stats, starts int) {
	s = runtime.Stats{RecordsIn: t.In, RecordsOut: t.Out, Dropped: t.Dropped, Active: t.Active, LastIn: t.LastIn, LastOut: t.LastOut,
		Restoring: t.Restoring, Commits: runtime.Commits{Last: t.LastCommit},
		Errors: runtime.Errors{Skipped: t.Skipped, Last: t.LastError, Retrying: t.Retrying}}
	if kind != runtime.KindSource {
		s.Lag = map[connector.TopicPartition]int64{{}: t.Lag}
	}
	if t.WaitsFor != "" {
		s.Waits = &runtime.Waits{Why: t.WaitsFor, Since: t.WaitsSince, Stalled: t.Stalled}
	}
	if n := t.Now; n != nil {
		s.Errors.DeadLetters, s.Errors.LastTime, s.Newest = n.DeadLetters, n.ErrorTime, n.Newest
		s.RecentIn, s.RecentOut = runtime.Recent{Sum: n.RateIn, Span: time.Second}, runtime.Recent{Sum: n.RateOut, Span: time.Second}
		starts = n.Restarts + 1
	}
	return s, starts
}
