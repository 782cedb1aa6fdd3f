package rest

import (
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/progress"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rates"
)

// done is what all tasks of this worker have done, by connector; none is where nobody
// asks for that.
type done struct {
	tasks map[string][]runtime.Stats
	rates *rates.History // nil is not there
}

// done gives what all tasks have done.
func (s *Server) done() *done {
	d := &done{tasks: map[string][]runtime.Stats{}, rates: s.o.Rates}
	for _, stats := range s.o.Herder.Snapshots() {
		d.tasks[stats.Connector] = append(d.tasks[stats.Connector], stats)
	}
	return d
}

// add adds to a status what is asked for with progress=true; what stages have done, with
// stages=true.
func (d *done) add(b *statusBody, st herder.ConnectorStatus, withStages bool) {
	if d == nil {
		return
	}
	if d.rates != nil {
		if rate, measured := d.rates.Mean(b.Name); measured {
			b.Hour = &rate
		}
	}
	for _, stats := range d.tasks[b.Name] {
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
