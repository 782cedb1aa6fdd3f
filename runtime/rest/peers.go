package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
)

// Peers are the other workers of a cluster, as the API needs them.
type Peers interface {
	// Verify says what is wrong with the signature of a request from one of them.
	Verify(h http.Header, body []byte) error
	// Do sends a request to one of them.
	Do(r *http.Request) (*http.Response, error)
	// Placement gives what this worker was assigned last, and by whom.
	Placement() cluster.Placement
	// View gives who shares the cluster's work, and what the last rebalance did.
	View() cluster.View
}

// clusterBody is a worker's place in its cluster.
type clusterBody struct {
	Worker     string `json:"worker"` // its id in the group, empty while it is in none
	Leader     string `json:"leader"` // URL
	Leads      bool   `json:"leads"`
	Generation int32  `json:"generation"`
	Protocol   string `json:"protocol"`
	Parts      int    `json:"parts"` // connectors and tasks that it runs
	// Workers are all of the cluster, this one too.
	Workers       []workerBody   `json:"workers"`
	LastRebalance *rebalanceBody `json:"last_rebalance,omitempty"`
}

// workerBody is one of a cluster's workers.
type workerBody struct {
	Worker     string `json:"worker"` // its id in the group
	URL        string `json:"url"`
	Leads      bool   `json:"leads"`
	Version    string `json:"version,omitempty"` // of hydraulics; Java's workers do not say theirs
	Connectors int    `json:"connectors"`
	Tasks      int    `json:"tasks"`
}

// rebalanceBody is what a rebalance did.
type rebalanceBody struct {
	Generation int32     `json:"generation"`
	Seen       time.Time `json:"seen"`
	Did        string    `json:"did"`
	Why        string    `json:"why"`
}

// place gives the worker's place in its cluster, nil where it is by itself.
func (s *Server) place() *clusterBody {
	if s.o.Peers == nil {
		return nil
	}
	p := s.o.Peers.Placement()
	b := &clusterBody{Worker: p.Worker, Leader: p.LeaderURL, Leads: p.Leads(), Generation: p.Generation, Protocol: p.Version.Name(), Parts: len(p.Work), Workers: []workerBody{}}
	v := s.o.Peers.View()
	for _, w := range v.Peers {
		connectors, tasks := w.Counts()
		b.Workers = append(b.Workers, workerBody{w.ID, w.URL, w.Leads, w.Software, connectors, tasks})
	}
	if v.Generation > 0 {
		b.LastRebalance = &rebalanceBody{v.Generation, v.At.UTC(), v.Did(), v.Why()}
	}
	return b
}

// internalRoutes are what workers of a cluster ask of each other. They sign it: it
// takes no login.
var internalRoutes = []route{
	path("connectors/*/tasks", map[string]verb{"GET": views(getTasks), "POST": open(postTasks)}),
	path("connectors/*/fence", map[string]verb{"PUT": open(putFence)}),
}

// forwarded has another worker answer a request that is for it. A request takes two
// hops at most: a worker that does not know who has a task asks the leader, which does.
func forwarded(h handler) handler {
	return func(s *Server, r request) (answer, error) {
		a, err := h(s, r)
		elsewhere, is := errors.AsType[*herder.Elsewhere](err)
		if !is {
			return a, err
		}
		hop := r.URL.Query().Get("forward")
		if hop != "" && !strings.EqualFold(hop, "true") {
			return answer{}, herder.ErrRebalance
		}
		r.stage("forwarding the request to %s", elsewhere.URL)
		return s.forward(r, elsewhere.URL, hop == "")
	}
}

// forward sends a request on, and gives the answer of the worker at a URL.
func (s *Server) forward(r request, to string, again bool) (answer, error) {
	query := r.URL.Query()
	query.Set("forward", strconv.FormatBool(again))
	body := *r.body
	out, err := http.NewRequestWithContext(r.Context(), r.Method, strings.TrimSuffix(to, "/")+r.URL.EscapedPath()+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, name := range []string{"Content-Type", "Accept", "Authorization", cluster.SignatureHeader, cluster.AlgorithmHeader} {
		if v := r.Header.Get(name); v != "" {
			out.Header.Set(name, v)
		}
	}
	res, err := s.o.Peers.Do(out)
	if err != nil {
		return answer{}, failed(http.StatusInternalServerError, "IO Error trying to forward REST request: %v", err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, failed(http.StatusInternalServerError, "IO Error trying to forward REST request: %v", err)
	}
	a := answer{status: res.StatusCode}
	if len(data) > 0 {
		if !json.Valid(data) {
			return answer{}, failed(res.StatusCode, "the worker at %s answers %s: %.200q", to, res.Status, data)
		}
		a.body = json.RawMessage(data)
	}
	if at, err := url.Parse(res.Header.Get("Location")); err == nil {
		a.location = at.EscapedPath()
	}
	return a, nil
}

// postTasks takes the tasks of a connector from the worker that has made them.
func postTasks(s *Server, r request) (answer, error) {
	var in []props
	err := read(r, &in)
	if f, ok := errors.AsType[*failure](err); ok && f.status == http.StatusRequestEntityTooLarge {
		return answer{}, err // what was read of it is not what was signed
	}
	if refused := s.o.Peers.Verify(r.Header, *r.body); refused != nil {
		return answer{}, refused
	}
	if err != nil {
		return answer{}, err
	}
	tasks := make([]connector.Props, len(in))
	for i, p := range in {
		tasks[i] = connector.Props(p)
	}
	r.stage("writing the tasks of connector %s", r.args[0])
	return answer{status: http.StatusNoContent}, s.o.Herder.PutTasks(r.Context(), r.args[0], tasks)
}

// putFence refuses to shut out earlier tasks of a source, which its exactly-once
// delivery would need.
func putFence(s *Server, r request) (answer, error) {
	if err := s.o.Peers.Verify(r.Header, nil); err != nil {
		return answer{}, err
	}
	return answer{}, failed(http.StatusNotImplemented, "exactly-once delivery of sources is not there yet: set exactly.once.source.support=disabled on all workers")
}
