package page

import (
	"net/http"
	"net/url"
	"sync"

	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
	"github.com/axiom-data-science/hydraulics/runtime/internal/progress"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// stage is what a stage has done, in all tasks, since they were started.
type stage struct {
	Name    string  `json:"name"`
	Class   string  `json:"class,omitempty"`
	Records int64   `json:"records"`
	Errors  int64   `json:"errors"`
	Batches int64   `json:"batches"`
	Mean    float64 `json:"mean"`   // seconds per batch
	Max     float64 `json:"max"`    // the same, of the slowest
	Share   float64 `json:"share"`  // of the last half to whole minute: 1 is all the time of all tasks
	Tapped  bool    `json:"tapped"` // records pass through it: a tap shows how it leaves them
}

// shownStages are those of a connector, and what is not known of them.
type shownStages struct {
	Stages []stage  `json:"stages"`
	Notes  []string `json:"notes"`
}

// stages answers with a connector's stages, in the order in which a record meets them: of
// the tasks here, and of those at other workers of the cluster.
func (p *Page) stages(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("connector")
	var tasks [][]progress.Stage
	for _, s := range p.o.Herder.Snapshots() {
		if s.Connector == name {
			tasks = append(tasks, progress.Stages(s))
		}
	}
	var mu sync.Mutex
	notes := p.elsewhere(name, "its tasks are not among these", func(at, worker string) error {
		list, err := p.stagesAt(r, at, worker, name)
		mu.Lock()
		defer mu.Unlock()
		tasks = append(tasks, list...)
		return err
	})
	p.reply(w, shownStages{sumOf(tasks), append([]string{}, notes...)})
}

// sumOf sums up what the stages of tasks have done.
func sumOf(tasks [][]progress.Stage) []stage {
	type nth struct { // a stream has converters twice: to read and to write
		name string
		n    int
	}
	list, at := []stage{}, map[nth]int{}
	var took []float64
	for _, task := range tasks {
		met := map[string]int{}
		for _, one := range task {
			k := nth{one.Name, met[one.Name]}
			met[one.Name]++
			i, ok := at[k]
			if !ok {
				i = len(list)
				at[k] = i
				list, took = append(list, stage{Name: one.Name, Class: one.Class, Tapped: preview.Tapped(one.Name)}), append(took, 0)
			}
			of := &list[i]
			of.Records += one.Records
			of.Errors += one.Errors
			of.Batches += one.Calls
			of.Max = max(of.Max, one.Longest)
			of.Share += one.Share
			took[i] += one.Took
		}
	}
	for i := range list {
		list[i].Mean = significant(took[i] / float64(max(1, list[i].Batches)))
		list[i].Max, list[i].Share = significant(list[i].Max), significant(list[i].Share/float64(len(tasks)))
	}
	return list
}

// stagesAt asks another worker what its tasks of a connector have done.
func (p *Page) stagesAt(r *http.Request, at, worker, name string) (tasks [][]progress.Stage, err error) {
	var said struct {
		Tasks []struct {
			WorkerID string `json:"worker_id"`
			State    string `json:"state"`
			Progress *struct {
				Stages []progress.Stage `json:"stages"`
			} `json:"progress"`
		} `json:"tasks"`
	}
	if err := p.peer(r, at, "/connectors/"+url.PathEscape(name)+"/status?progress=true&stages=true", &said); err != nil {
		return nil, err
	}
	for _, t := range said.Tasks {
		switch {
		case t.WorkerID != worker:
		case t.Progress != nil && len(t.Progress.Stages) > 0:
			tasks = append(tasks, t.Progress.Stages)
		case t.State == string(state.Running):
			err = errSilent
		}
	}
	return tasks, err
}
