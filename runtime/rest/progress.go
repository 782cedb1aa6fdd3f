package rest

import (
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/progress"
)

// snapshots gives what all tasks have done, by connector.
func (s *Server) snapshots() map[string][]runtime.Stats {
	all := map[string][]runtime.Stats{}
	for _, stats := range s.o.Herder.Snapshots() {
		all[stats.Connector] = append(all[stats.Connector], stats)
	}
	return all
}

// addProgress adds to each task of a status what it has done, where that is asked for
// with progress=true; that of stages, with stages=true.
func addProgress(b *statusBody, st herder.ConnectorStatus, of []runtime.Stats, withStages bool) {
	for _, stats := range of {
		for i := range b.Tasks {
			if stats.Task == b.Tasks[i].ID {
				b.Tasks[i].Progress = progress.Of(stats, st.Tasks[i].Starts)
				if withStages {
					b.Tasks[i].Progress.Stages = progress.Stages(stats)
				}
			}
		}
	}
}
