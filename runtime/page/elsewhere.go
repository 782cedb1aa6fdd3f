package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/progress"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// peerPatience is how long other workers have to say what is asked of them, and mostSaid
// how much they may say.
const (
	peerPatience = 5 * time.Second
	mostSaid     = 4 << 20
)

// errSilent is of a worker that tells where tasks are, and no more.
var errSilent = errors.New("it does not say what they have done: is it Java's, or of an earlier version?")

// toldTasks are what tasks at other workers have done, by connector, and what is not
// known of them.
type toldTasks struct {
	Connectors map[string]*toldConnector `json:"connectors"`
	Notes      []string                  `json:"notes"`
}

// toldConnector is what other workers say of a connector.
type toldConnector struct {
	Tasks []task `json:"tasks"`
	// Hour is the rate over the last hour, of all workers; null while one's is not known.
	Hour *float64 `json:"hour"`
}

// away tells that another worker runs a task.
func away(t herder.Status) bool {
	return !t.Here && t.WorkerID != "" && t.State != state.Unassigned // what nobody runs does nothing
}

// others answers with what tasks at other workers of the cluster have done. Each worker
// is asked once, whatever it runs.
func (p *Page) others(w http.ResponseWriter, r *http.Request) {
	all, answer := p.spread()
	hours, missing := map[string]float64{}, map[string]int{} // rates that are not among these
	for _, c := range all {
		rate, measured := p.o.Rates.Mean(c.Name)
		if hours[c.Name] = rate; !measured {
			missing[c.Name]++
		}
		for _, t := range c.Tasks {
			if away(t) {
				missing[c.Name]++
			}
		}
	}
	var mu sync.Mutex
	notes := p.askAll(all, "what its tasks do is not known", func(at, worker string) error {
		said, err := p.progressAt(r, at)
		mu.Lock()
		defer mu.Unlock()
		for _, c := range all {
			one := said[c.Name]
			if one.Hour != nil {
				hours[c.Name] += *one.Hour
			}
			for _, t := range c.Tasks {
				if t.WorkerID != worker || !away(t) {
					continue
				}
				if tell := one.of(t.ID); tell != nil && tell.Progress.Now != nil {
					answer.Connectors[c.Name].tell(tell, t, runtime.Kind(c.Kind))
					if one.Hour != nil {
						missing[c.Name]--
					}
				} else if err == nil && t.State == state.Running {
					err = errSilent
				}
			}
		}
		return err
	})
	for name, c := range answer.Connectors {
		if missing[name] == 0 {
			c.Hour = new(significant(hours[name]))
		}
	}
	answer.Notes = append(answer.Notes, notes...)
	p.reply(w, answer)
}

// spread gives the connectors of which other workers run tasks, and an answer in which
// these have told nothing yet.
func (p *Page) spread() (list []herder.ConnectorStatus, answer toldTasks) {
	answer = toldTasks{Connectors: map[string]*toldConnector{}, Notes: []string{}}
	for _, name := range p.o.Herder.Connectors() {
		status, err := p.o.Herder.Status(name)
		if err == nil && slices.ContainsFunc(status.Tasks, away) { // else it is deleted meanwhile, or all here
			list = append(list, status)
			answer.Connectors[name] = &toldConnector{Tasks: []task{}}
		}
	}
	return list, answer
}

// tell adds what is told of a task.
func (c *toldConnector) tell(one *toldTask, t herder.Status, kind runtime.Kind) {
	s, starts := one.Progress.Stats(kind)
	t.Starts, t.Restarts = starts, one.Restarts
	c.Tasks = append(c.Tasks, described(t, s))
}

// toldStatus is what a worker says of a connector.
type toldStatus struct {
	Tasks []toldTask `json:"tasks"`
	Hour  *float64   `json:"records_out_per_second_last_hour"` // of the tasks at that worker
}

// toldTask is what it says of a task; there is a progress of one that it runs.
type toldTask struct {
	ID       int              `json:"id"`
	Restarts *herder.Restarts `json:"restarts"`
	Progress *progress.Task   `json:"progress"`
}

// of gives what is said of a task, nil where that is nothing.
func (s toldStatus) of(task int) *toldTask {
	for i, t := range s.Tasks {
		if t.ID == task && t.Progress != nil {
			return &s.Tasks[i]
		}
	}
	return nil
}

// progressAt asks another worker what its tasks have done, by connector.
func (p *Page) progressAt(r *http.Request, at string) (map[string]toldStatus, error) {
	var all map[string]struct {
		Status toldStatus `json:"status"`
	}
	if err := p.peer(r, at, "/connectors?expand=status&progress=true", &all); err != nil {
		return nil, err
	}
	said := make(map[string]toldStatus, len(all))
	for name, c := range all {
		said[name] = c.Status
	}
	return said, nil
}

// elsewhere asks the other workers that run tasks of a connector for something, and says
// what is lacking for want of which of them.
func (p *Page) elsewhere(name, lacking string, ask func(at, worker string) error) (notes []string) {
	status, err := p.o.Herder.Status(name)
	if err != nil {
		return nil // it is deleted
	}
	return p.askAll([]herder.ConnectorStatus{status}, lacking, ask)
}

// askAll does so for connectors: each worker is asked once, and all at the same time.
func (p *Page) askAll(connectors []herder.ConnectorStatus, lacking string, ask func(at, worker string) error) (notes []string) {
	if p.o.Peers == nil {
		return nil // there are no others
	}
	lacks := func(worker, why string) {
		notes = append(notes, fmt.Sprintf("worker %s: %s: %s", worker, lacking, why))
	}
	at, peers := map[string]string{}, p.o.Peers()
	for _, c := range connectors {
		for _, t := range c.Tasks {
			switch u := peers.URL(t.WorkerID); {
			case t.Here || t.WorkerID == p.o.WorkerID: // also what it has no more, of which no other has spoken yet
			case u != "":
				at[t.WorkerID] = u
			case t.State == state.Running:
				lacks(t.WorkerID, "its address is not known")
			}
		}
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	for worker, u := range at {
		work.Go(func() {
			if err := ask(u, worker); err != nil {
				mu.Lock()
				defer mu.Unlock()
				lacks(worker, err.Error())
			}
		})
	}
	work.Wait()
	slices.Sort(notes)
	return slices.Compact(notes)
}

// peer asks another worker's REST API, with the login of the one who looks.
func (p *Page) peer(r *http.Request, at, path string, into any) error {
	ctx, cancel := context.WithTimeout(r.Context(), peerPatience)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(at, "/")+path, nil)
	if err != nil {
		return err
	}
	ask.Header.Set("Accept", "application/json")
	if login := r.Header.Get("Authorization"); login != "" {
		ask.Header.Set("Authorization", login)
	}
	res, err := p.o.Ask(ask)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // it was read
	said := json.NewDecoder(io.LimitReader(res.Body, mostSaid))
	if res.StatusCode != http.StatusOK {
		var why struct{ Message string }
		_ = said.Decode(&why) // the status says enough
		return errors.New(strings.TrimSuffix("it answers "+res.Status+": "+why.Message, ": "))
	}
	return said.Decode(into)
}
