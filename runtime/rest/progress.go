package rest

import (
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/stagestats"
)

// progressBody is what a task has done so far. It is part of a status where
// that is asked for with progress=true: a task can be RUNNING and get nowhere.
type progressBody struct {
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
	// Stages are what each stage has done, where that is asked for too, with stages=true.
	Stages []stagestats.Stage `json:"stages,omitempty"`
}

func progress(s runtime.Stats) *progressBody {
	p := &progressBody{In: s.RecordsIn, Out: s.RecordsOut, Dropped: s.Dropped, Skipped: s.Errors.Skipped, Active: s.Active,
		LastIn: s.LastIn, LastOut: s.LastOut, LastCommit: s.Commits.Last,
		Restoring: s.Restoring, Retrying: s.Errors.Retrying, LastError: s.Errors.Last}
	for _, n := range s.Lag {
		p.Lag += n
	}
	if w := s.Waits; w != nil {
		p.Stalled, p.WaitsFor, p.WaitsSince = w.Stalled, w.Why, w.Since
	}
	return p
}

// snapshots gives what all tasks have done, by connector.
func (s *Server) snapshots() map[string][]runtime.Stats {
	all := map[string][]runtime.Stats{}
	for _, stats := range s.o.Herder.Snapshots() {
		all[stats.Connector] = append(all[stats.Connector], stats)
	}
	return all
}

// addProgress adds to each task of a status what it has done.
func addProgress(b *statusBody, of []runtime.Stats, withStages bool) {
	for _, stats := range of {
		for i := range b.Tasks {
			if stats.Task == b.Tasks[i].ID {
				b.Tasks[i].Progress = progress(stats)
				if withStages {
					b.Tasks[i].Progress.Stages = stagestats.Of(stats)
				}
			}
		}
	}
}
