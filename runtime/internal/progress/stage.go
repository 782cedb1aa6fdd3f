package progress

import "github.com/axiom-data-science/hydraulics/runtime"

// Stage is what one has done since its task was started, times in seconds.
type Stage struct {
	Name    string  `json:"name"`
	Class   string  `json:"class,omitempty"`
	Records int64   `json:"records"`
	Errors  int64   `json:"errors"`
	Calls   int64   `json:"calls"`
	Took    float64 `json:"seconds"`
	Longest float64 `json:"longest_seconds"` // call
	Share   float64 `json:"share"`           // of the last half to whole minute in which it was at work
}

// Stages gives the stages of a task in the journey's order.
func Stages(task runtime.Stats) []Stage {
	list := make([]Stage, 0, len(task.Stages))
	for _, s := range task.Stages {
		list = append(list, Stage{s.Name, s.Class, s.Records, s.Errors, s.Time.Count, s.Time.Total.Seconds(), s.Time.Max.Seconds(), s.Time.Recent.Rate()})
	}
	return list
}
