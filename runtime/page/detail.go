package page

import (
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/lines"
)

// ways are the topics that a connector reads and writes.
type ways struct {
	Reads   []string `json:"reads"`
	Writes  []string `json:"writes"`
	Letters string   `json:"letters,omitempty"` // where its dead letters go
}

// ways gives the topics that a connector is configured to read and write, and what its tasks
// have read and written.
func (p *Page) ways(name, kind string, tasks map[int]runtime.Stats) ways {
	t := ways{Reads: []string{}, Writes: []string{}}
	var props connector.Props
	if i, err := p.o.Herder.Info(name); err == nil { // else it is deleted meanwhile
		props = i.Config
	}
	text := func(key string) string {
		value, _ := props.Text(key)
		return strings.TrimSpace(value)
	}
	t.Letters = text(lettersKey)
	read := map[string]bool{}
	if kind != string(runtime.KindSource) {
		for _, topic := range config.SplitList(text("topics")) {
			read[topic] = true
		}
		for _, s := range tasks {
			for tp := range s.Lag {
				read[tp.Topic] = true
			}
		}
	}
	wrote := map[string]bool{}
	for _, topic := range p.o.Herder.ActiveTopics(name) {
		switch {
		case read[topic] || topic == t.Letters:
		case kind == string(runtime.KindSink):
			read[topic] = true
		default:
			wrote[topic] = true
		}
	}
	if topic := text("topic"); topic != "" && (kind == string(runtime.KindStream) || kind == string(runtime.KindSource) && len(wrote) == 0) {
		wrote[topic] = true
	}
	t.Reads, t.Writes = slices.AppendSeq(t.Reads, maps.Keys(read)), slices.AppendSeq(t.Writes, maps.Keys(wrote))
	slices.Sort(t.Reads)
	slices.Sort(t.Writes)
	return t
}

// busy is how much of the time a stage is at work: 1 is all of it.
type busy struct {
	Stage string  `json:"stage"`
	Share float64 `json:"share"`
}

// busiest gives the stage that is at work the most. The first one is left out, which
// waits for what is new.
func busiest(tasks map[int]runtime.Stats) *busy {
	shares := map[string]float64{}
	for _, s := range tasks {
		for _, stage := range s.Stages[min(1, len(s.Stages)):] {
			shares[stage.Name] += stage.Time.Recent.Rate() / float64(len(tasks))
		}
	}
	var most busy
	for _, name := range slices.Sorted(maps.Keys(shares)) {
		if shares[name] > most.Share {
			most = busy{name, shares[name]}
		}
	}
	if most.Share = min(1, significant(most.Share)); most.Share < 0.01 {
		return nil
	}
	return &most
}

// significant leaves two digits that count, so that what is the same looks the same.
func significant(f float64) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 2, 64), 64)
	if err != nil {
		return 0 // what was just written is a number
	}
	return v
}

// log answers with what was logged of a connector, the newest first, without its secrets:
// by this worker, and by the others of the cluster that run it or its tasks.
func (p *Page) log(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("connector")
	i, err := p.o.Herder.Info(name)
	if err != nil { // it is deleted, and nobody knows its secrets any more
		p.reply(w, []lines.Shown{})
		return
	}
	mask, err := p.o.Herder.Validator().Masker(i.Config, i.Origin())
	if err != nil {
		p.o.Log.Debug("page: references are not replaced", "connector", name, "error", err.Error())
	}
	list := p.o.Lines.Shown(name, mask)
	status, err := p.o.Herder.Status(name)
	if err != nil { // it is deleted meanwhile
		p.reply(w, list)
		return
	}
	status.Tasks = append(status.Tasks, status.Connector) // why there are no tasks its worker has said
	var mu sync.Mutex
	notes := p.askAll([]herder.ConnectorStatus{status}, "its lines are not among these", func(at, worker string) error {
		var theirs []lines.Shown
		if err := p.peer(r, at, "/connectors/"+url.PathEscape(name)+"/log", &theirs); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, l := range theirs {
			l.Worker = worker
			list = append(list, l)
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b lines.Shown) int { return b.Time.Compare(a.Time) })
	for _, n := range notes {
		list = slices.Insert(list, 0, lines.Shown{Time: time.Now().UTC(), Level: slog.LevelWarn.String(), Text: n})
	}
	p.reply(w, list)
}
