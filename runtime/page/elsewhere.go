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
	Connectors map[string][]task `json:"connectors"`
	Notes      []string          `json:"notes"`
}

// others answers with what tasks at other workers of the cluster have done. Each worker
// is asked once, whatever it runs.
func (p *Page) others(w http.ResponseWriter, r *http.Request) {
	var all []herder.ConnectorStatus
	for _, name := range p.o.Herder.Connectors() {
		if status, err := p.o.Herder.Status(name); err == nil { // else it is deleted meanwhile
			all = append(all, status)
		}
	}
	answer := toldTasks{Connectors: map[string][]task{}, Notes: []string{}}
	var mu sync.Mutex
	notes := p.askAll(all, "what its tasks do is not known", func(at, worker string) error {
		said, err := p.progressAt(r, at)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, c := range all {
			for _, t := range c.Tasks {
				one, there := said[taskID{c.Name, t.ID}]
				switch {
				case t.WorkerID != worker:
				case there && one.Progress.Now != nil:
					var s runtime.Stats
					s, t.Starts = one.Progress.Stats(runtime.Kind(c.Kind))
					t.Restarts = one.Restarts
					answer.Connectors[c.Name] = append(answer.Connectors[c.Name], described(t, s))
				case t.State == state.Running:
					err = errSilent
				}
			}
		}
		return err
	})
	answer.Notes = append(answer.Notes, notes...)
	p.reply(w, answer)
}

// told is what a worker says of a task that it runs.
type told struct {
	ID       int              `json:"id"`
	Restarts *herder.Restarts `json:"restarts"`
	Progress *progress.Task   `json:"progress"`
}

// progressAt asks another worker what its tasks have done.
func (p *Page) progressAt(r *http.Request, at string) (map[taskID]told, error) {
	var all map[string]struct {
		Status struct {
			Tasks []told `json:"tasks"`
		} `json:"status"`
	}
	if err := p.peer(r, at, "/connectors?expand=status&progress=true", &all); err != nil {
		return nil, err
	}
	said := map[taskID]told{}
	for name, c := range all {
		for _, t := range c.Status.Tasks {
			if t.Progress != nil {
				said[taskID{name, t.ID}] = t
			}
		}
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
