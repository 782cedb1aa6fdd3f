package page

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/failures"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/topics"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/lines"
	"github.com/axiom-data-science/hydraulics/runtime/internal/manual"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
	"github.com/axiom-data-science/hydraulics/runtime/internal/progress"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rates"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Herder is what the page needs of a herder.
type Herder interface {
	Connectors() []string
	Status(name string) (herder.ConnectorStatus, error)
	Info(name string) (herder.Info, error)
	Validator() *config.Validator
	Snapshots() []runtime.Stats
	ActiveTopics(name string) []string
}

// Options are the parts of a page.
type Options struct {
	Herder Herder
	// API is the worker's REST API, which the page asks below api/.
	API rights.Guarded
	// Tap gives the last records before the last transform of a stream, the
	// newest first; empty for other connectors.
	Tap func(connector string) []runtime.Tapped
	// Lines are what connectors have logged; nil shows none.
	Lines *lines.Lines
	// Rates are those of the last hour, which the page takes; nil has them for it alone.
	Rates *rates.History
	// Kafka connects in a role of clients, "consumer" or "producer".
	Kafka func(ctx context.Context, role string) (*kafka.Client, error)
	// Decoder makes the converters by which a connector of this configuration reads or
	// writes a topic; the worker's without one.
	Decoder func(props connector.Props, from config.Origin, topic string) (topics.Decoder, error)
	// Preview shows what a connector would make of records, and writes nothing.
	Preview func(ctx context.Context, name string, props connector.Props, from config.Origin, o runtime.PreviewOptions) (*preview.Result, error)
	// Write is that the page may write the worker's files; Reload has these read anew.
	Write  bool
	Reload func()
	// Kept are the topics that workers keep their state in.
	Kept []string
	// Cluster says in words what the worker is in its cluster; nil where it is by itself.
	Cluster func() string
	// WorkerID names this worker in statuses.
	WorkerID string
	// Peers gives who shares the cluster's work; nil where the worker is by itself.
	Peers func() cluster.View
	// Ask sends a request to one of them.
	Ask func(*http.Request) (*http.Response, error)
	// Links are shown on top, name and URL, such as the read API.
	Links   [][2]string
	Version string
	Log     *slog.Logger
}

// Page is an http.Handler. It is safe for concurrent use and holds the pictures
// of the last lists in memory.
type Page struct {
	o         Options
	started   time.Time
	mux       *http.ServeMux
	pictures  pictures
	feed      *feed
	looks     sync.Mutex             // one looks at a time
	follows   sync.WaitGroup         // what Start has begun
	takes     map[string]rights.Role // by the mux's patterns
	replaysOf replays
	writing   sync.Mutex // of files
	showing   sync.Mutex // of previews
}

// api is where the REST API is below the page: its own address is another origin.
const api = "/api"

//go:embed static
var static embed.FS

// New makes a page.
func New(o Options) *Page {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Lines == nil {
		o.Lines = lines.New()
	}
	if o.Rates == nil {
		o.Rates = new(rates.History)
	}
	p := &Page{o: o, started: time.Now(), mux: http.NewServeMux(), takes: map[string]rights.Role{}, feed: newFeed()}
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	p.mux.Handle("GET /", http.FileServerFS(files))
	manual.Add(p.mux)
	for _, r := range p.routes() {
		p.mux.HandleFunc(r.pattern, r.answer)
		p.takes[r.pattern] = r.takes
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if o.API != nil {
			p.mux.Handle(method+" "+api+"/", http.StripPrefix(api, o.API))
		}
	}
	return p
}

// ServeHTTP answers a request. Scripts and pictures come from the page alone.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self'; style-src 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	p.mux.ServeHTTP(w, r)
}

// Takes gives the role that a request takes: its own routes have one, and the REST API
// says what that of its own do.
func (p *Page) Takes(r *http.Request) rights.Role {
	if _, pattern := p.mux.Handler(r); p.takes[pattern] != rights.None {
		return p.takes[pattern]
	}
	path, of := strings.CutPrefix(r.URL.Path, api)
	if p.o.API == nil || !of {
		return rights.View
	}
	asked := r.Clone(r.Context())
	asked.URL.Path, asked.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, api)
	return max(p.o.API.Takes(asked), rights.View)
}

// worker is what /state answers.
type worker struct {
	Version    string      `json:"version"`
	Cluster    string      `json:"cluster,omitempty"`
	Role       string      `json:"role"` // of the one who looks
	Workers    []peer      `json:"workers,omitempty"`
	Rebalance  string      `json:"rebalance,omitempty"` // what the last one did, and why
	Started    time.Time   `json:"started"`
	Now        time.Time   `json:"now"`
	Links      [][2]string `json:"links,omitempty"`
	Connectors []connected `json:"connectors"`
}

// peer is a worker of the cluster.
type peer struct {
	URL        string `json:"url"`
	Leads      bool   `json:"leads"`
	Version    string `json:"version"`
	Connectors int    `json:"connectors"`
	Tasks      int    `json:"tasks"`
}

type connected struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // source, sink or stream
	State string `json:"state"`
	Error string `json:"error,omitempty"`
	Tasks []task `json:"tasks"`
	// Records tells that there are records to show.
	Records bool `json:"records"`
	// Hour is how many records went out per second, over the last hour; null before the
	// first sample, and where other workers know of some.
	Hour   *float64 `json:"hour"`
	Topics ways     `json:"topics"`
	// Busiest is the stage that takes the most time; null where none has any to speak of.
	Busiest *busy `json:"busiest"`
}

type task struct {
	ID        int       `json:"id"`
	Worker    string    `json:"worker,omitempty"` // another one, which runs it
	State     string    `json:"state"`
	Failures  int       `json:"failures"` // in a row, while it is failed
	Error     string    `json:"error,omitempty"`
	ErrorTime time.Time `json:"errorTime,omitzero"`
	// Stalled says what a task waits for that gets nowhere.
	Stalled string `json:"stalled,omitempty"`
	// Note says in words what becomes of the error, and the remedy while it is not over.
	Note string `json:"note,omitempty"`
	*Done
}

// Done is what a task has done; there is none where another worker knows that.
type Done struct {
	In          int64     `json:"in"`
	Out         int64     `json:"out"`
	Dropped     int64     `json:"dropped"`
	DeadLetters int64     `json:"deadLetters"`
	RateIn      float64   `json:"rateIn"`          // records per second, of the last half to whole minute
	Rate        float64   `json:"rate"`            // the same of those that went out
	Lag         *int64    `json:"lag"`             // records in Kafka not read yet; null for sources
	Newest      time.Time `json:"newest,omitzero"` // the latest time that a record which went out has
	Restarts    int       `json:"restarts"`        // in its worker, as it is configured
	LastOut     time.Time `json:"lastOut,omitzero"`
}

// state answers with how things are.
func (p *Page) state(w http.ResponseWriter, r *http.Request) {
	now := p.now(time.Now())
	now.Role = rights.Of(r.Context()).Role.String()
	p.reply(w, now)
}

// now gives how things are, for whoever looks.
func (p *Page) now(at time.Time) worker {
	snapshots := map[string]map[int]runtime.Stats{}
	for _, s := range p.o.Herder.Snapshots() {
		if snapshots[s.Connector] == nil {
			snapshots[s.Connector] = map[int]runtime.Stats{}
		}
		snapshots[s.Connector][s.Task] = s
	}
	answer := worker{Version: p.o.Version, Started: p.started, Now: at, Links: p.o.Links, Connectors: []connected{}}
	if p.o.Cluster != nil {
		answer.Cluster = p.o.Cluster()
	}
	if p.o.Peers != nil {
		answer.Workers, answer.Rebalance = peers(p.o.Peers())
	}
	for _, name := range p.o.Herder.Connectors() {
		status, err := p.o.Herder.Status(name)
		if err != nil {
			continue // deleted meanwhile
		}
		c := connected{Name: name, Type: status.Kind, State: string(status.Connector.State), Error: firstLine(status.Connector.Trace),
			Tasks:  []task{},
			Topics: p.ways(name, status.Kind, snapshots[name]), Busiest: busiest(snapshots[name])}
		c.Records = len(p.o.Tap(name)) > 0 || c.Type == string(runtime.KindSource) && len(c.Topics.Writes) > 0
		if rate, measured := p.o.Rates.Mean(name); measured {
			c.Hour = new(significant(rate))
		}
		for _, t := range status.Tasks {
			c.Tasks = append(c.Tasks, describe(t, snapshots[name][t.ID]))
			if last := c.Tasks[len(c.Tasks)-1]; last.Done == nil {
				c.Hour = nil
			}
		}
		answer.Connectors = append(answer.Connectors, c)
	}
	return answer
}

// config answers with a connector's configuration and where each value comes from, its
// secrets hidden from everybody: others may look over one's shoulder.
func (p *Page) config(w http.ResponseWriter, r *http.Request) {
	i, err := p.o.Herder.Info(r.PathValue("connector"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	p.reply(w, p.o.Herder.Validator().Sources(i.Config, i.Entries))
}

func peers(v cluster.View) (list []peer, rebalance string) {
	for _, w := range v.Peers {
		connectors, tasks := w.Counts()
		list = append(list, peer{w.URL, w.Leads, w.Software, connectors, tasks})
	}
	if v.Generation > 0 {
		rebalance = v.Did() + "; " + v.Why()
	}
	return list, rebalance
}

// describe tells of a task what this worker knows.
func describe(status herder.Status, s runtime.Stats) task {
	t := described(status, s)
	if away(status) {
		t.Done = nil
	}
	return t
}

// described tells of a task what it has done, here or elsewhere.
func described(status herder.Status, s runtime.Stats) task {
	t := task{ID: status.ID, State: string(status.State), Error: s.Errors.Last, ErrorTime: s.Errors.LastTime,
		Done: &Done{In: s.RecordsIn, Out: s.RecordsOut, Dropped: s.Dropped, DeadLetters: s.Errors.DeadLetters,
			RateIn: significant(s.RecentIn.Rate()), Rate: significant(s.RecentOut.Rate()), Lag: progress.Lag(s), Newest: s.Newest,
			Restarts: max(0, status.Starts-1), LastOut: s.LastOut}}
	if !status.Here {
		t.Worker = status.WorkerID
	}
	if r := status.Restarts; r != nil {
		t.Failures = r.Failures
	}
	if status.Trace != "" {
		t.Error = firstLine(status.Trace)
	}
	if w := s.Waits; w != nil && w.Stalled {
		t.Stalled, t.ErrorTime = w.Why, w.Since
	}
	t.Note = note(status, s)
	lasts := t.Stalled
	if s.Errors.Retrying || status.State == state.Failed {
		lasts += "\n" + t.Error
	}
	for _, f := range failures.In(lasts) {
		t.Note += " " + f.Remedy
	}
	return t
}

// note says in plain words what becomes of a task's error.
func note(status herder.Status, s runtime.Stats) string {
	switch {
	case status.Restarts != nil && !status.Restarts.Next.IsZero():
		return "The task failed and starts again at " + status.Restarts.Next.UTC().Format("15:04:05") + " UTC."
	case status.State == state.Failed:
		return "The task failed and stays stopped: mend the cause, then restart it."
	case s.Errors.Retrying && status.State == state.Unassigned:
		return "The task has not started yet; it is tried until it does."
	case s.Waits != nil && s.Waits.Stalled:
		return "The task gets nowhere: look at what it waits for. Nothing is lost."
	case s.Errors.Retrying:
		return "The same records are being tried again; nothing is lost."
	case s.Errors.Last != "" && s.Errors.DeadLetters > 0:
		return "Records that failed are in the dead-letter topic; the others went on."
	case s.Errors.Last != "":
		return "That is over: the task went on."
	case s.Restoring:
		return "The task is reading its state from Kafka."
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func (p *Page) reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	p.sent(json.NewEncoder(w).Encode(v))
}
