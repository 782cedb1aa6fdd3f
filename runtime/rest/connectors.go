package rest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

type rootBody struct {
	Version string  `json:"version"`
	Commit  string  `json:"commit"`
	Cluster *string `json:"kafka_cluster_id"`
}

func getRoot(s *Server, r request) (answer, error) {
	b := rootBody{Version: s.o.Version, Commit: s.o.Commit}
	if id := s.clusterID(r); id != "" {
		b.Cluster = &id
	}
	return answer{status: http.StatusOK, body: b}, nil
}

// clusterID asks Kafka once: a cluster keeps its id.
func (s *Server) clusterID(r request) string {
	s.mu.Lock()
	id := s.cluster
	s.mu.Unlock()
	if id != "" || s.o.ClusterID == nil {
		return id
	}
	id, err := s.o.ClusterID(r.Context())
	if err != nil {
		s.o.Log.Warn("cluster id: " + err.Error())
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cluster = id
	return id
}

type healthBody struct {
	Status  string        `json:"status"`
	Message string        `json:"message"`
	Stalled []stalledBody `json:"stalled,omitempty"`
	Cluster *clusterBody  `json:"cluster,omitempty"`
}

// stalledBody is a task that gets nowhere.
type stalledBody struct {
	Connector string    `json:"connector"`
	Task      int       `json:"task"`
	WaitsFor  string    `json:"waits_for"`
	Since     time.Time `json:"since"`
}

func getHealth(s *Server, r request) (answer, error) {
	s.mu.Lock()
	ready := s.ready
	s.mu.Unlock()
	if !ready {
		return s.health(r, http.StatusServiceUnavailable, healthBody{Status: "starting", Message: "Worker is still starting up."})
	}
	r.stage("looking at its tasks")
	var stalled []stalledBody
	for _, t := range s.o.Herder.Snapshots() {
		if w := t.Waits; w != nil && w.Stalled {
			stalled = append(stalled, stalledBody{t.Connector, t.Task, w.Why, w.Since})
		}
	}
	if len(stalled) > 0 {
		return s.health(r, http.StatusServiceUnavailable, healthBody{Status: "unhealthy", Message: strconv.Itoa(len(stalled)) + " tasks are stalled.", Stalled: stalled})
	}
	return s.health(r, http.StatusOK, healthBody{Status: "healthy", Message: "Worker has completed startup and is ready to handle requests."})
}

// health answers whether the worker is well; only who may look is told what of.
func (s *Server) health(r request, status int, b healthBody) (answer, error) {
	b.Cluster = s.place()
	if rights.Of(r.Context()).Role < rights.View {
		b.Stalled, b.Cluster = nil, nil
	}
	return answer{status: status, body: b}, nil
}

type expanded struct {
	Status *statusBody `json:"status,omitempty"`
	Info   *infoBody   `json:"info,omitempty"`
}

func getConnectors(s *Server, r request) (answer, error) {
	names := s.o.Herder.Connectors()
	expand, wanted := r.URL.Query()["expand"]
	if !wanted {
		if names == nil {
			names = []string{}
		}
		return answer{status: http.StatusOK, body: names}, nil
	}
	all := map[string]expanded{}
	var of *done
	if flag(r, "progress") {
		of = s.done()
	}
	for _, name := range names {
		var e expanded
		for _, what := range expand {
			switch what {
			case "status":
				if st, err := s.o.Herder.Status(name); err == nil {
					b := status(st)
					of.add(&b, st, false)
					e.Status = &b
				}
			case "info":
				if i, err := s.o.Herder.Info(name); err == nil {
					b := info(s.seen(r, i))
					e.Info = &b
				}
			}
		}
		all[name] = e
	}
	return answer{status: http.StatusOK, body: all}, nil
}

type createBody struct {
	Name   string  `json:"name"`
	Config props   `json:"config"`
	State  *string `json:"initial_state"`
}

func postConnectors(s *Server, r request) (answer, error) {
	var in createBody
	if err := read(r, &in); err != nil {
		return answer{}, err
	}
	if in.Config == nil {
		return answer{}, failed(http.StatusInternalServerError, "request body: it has no config")
	}
	target := state.TargetStarted
	if in.State != nil {
		var ok bool
		if target, ok = state.ParseTarget(strings.ToUpper(*in.State)); !ok || strings.EqualFold(*in.State, "STARTED") {
			return answer{}, failed(http.StatusInternalServerError, "request body: initial_state %q is not RUNNING, PAUSED or STOPPED", *in.State)
		}
	}
	r.stage("making connector %s", in.Name)
	i, err := s.o.Herder.Create(strings.TrimSpace(in.Name), connector.Props(in.Config), target)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, body: info(i), location: location(i.Name)}, nil
}

func getConnector(s *Server, r request) (answer, error) {
	i, err := s.o.Herder.Info(r.args[0])
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: info(s.seen(r, i))}, nil
}

func getConfig(s *Server, r request) (answer, error) {
	i, err := s.o.Herder.Info(r.args[0])
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: s.seen(r, i).Config}, nil
}

func putConfig(s *Server, r request) (answer, error) {
	var in props
	if err := read(r, &in); err != nil {
		return answer{}, err
	}
	r.stage("configuring connector %s", r.args[0])
	i, created, err := s.o.Herder.Put(r.args[0], connector.Props(in))
	if err != nil {
		return answer{}, err
	}
	if created {
		return answer{status: http.StatusCreated, body: info(i), location: location(i.Name)}, nil
	}
	return answer{status: http.StatusOK, body: info(i)}, nil
}

func patchConfig(s *Server, r request) (answer, error) {
	var in props
	if err := read(r, &in); err != nil {
		return answer{}, err
	}
	if in == nil {
		return answer{}, failed(http.StatusBadRequest, "request body: it is null, want an object of keys")
	}
	r.stage("configuring connector %s", r.args[0])
	i, err := s.o.Herder.Patch(r.args[0], connector.Props(in))
	return answer{status: http.StatusOK, body: info(i)}, err
}

func deleteConnector(s *Server, r request) (answer, error) {
	r.stage("deleting connector %s", r.args[0])
	return answer{status: http.StatusNoContent}, s.o.Herder.Delete(r.args[0])
}

func getStatus(s *Server, r request) (answer, error) {
	st, err := s.o.Herder.Status(r.args[0])
	b := status(st)
	if flag(r, "progress") {
		s.done().add(&b, st, flag(r, "stages"))
	}
	return answer{status: http.StatusOK, body: b}, err
}

func target(t state.Target, code int) handler {
	return func(s *Server, r request) (answer, error) {
		r.stage("making connector %s %s", r.args[0], t)
		return answer{status: code}, s.o.Herder.SetTarget(r.args[0], t)
	}
}

// flag reads a query parameter as Java does: true in any case is true, anything
// else false.
func flag(r request, name string) bool { return strings.EqualFold(r.URL.Query().Get(name), "true") }

func postRestart(s *Server, r request) (answer, error) {
	tasks, onlyFailed := flag(r, "includeTasks"), flag(r, "onlyFailed")
	r.stage("restarting connector %s", r.args[0])
	st, err := s.o.Herder.Restart(r.args[0], tasks, onlyFailed)
	if !tasks && !onlyFailed {
		return answer{status: http.StatusNoContent}, err
	}
	return answer{status: http.StatusAccepted, body: status(st)}, err
}

func getTasks(s *Server, r request) (answer, error) {
	list, err := s.o.Herder.Tasks(r.args[0])
	return answer{status: http.StatusOK, body: s.seenTasks(r, list)}, err
}

// taskID reads a task's number; what is none is no path of the API.
func taskID(r request) (int, error) {
	id, err := strconv.Atoi(r.args[1])
	if err != nil {
		return 0, failed(http.StatusNotFound, "HTTP 404 Not Found")
	}
	return id, nil
}

func getTaskStatus(s *Server, r request) (answer, error) {
	id, err := taskID(r)
	if err != nil {
		return answer{}, err
	}
	st, err := s.o.Herder.TaskStatus(r.args[0], id)
	return answer{status: http.StatusOK, body: taskBody{ID: st.ID, stateBody: stateOf(st)}}, err
}

func postTaskRestart(s *Server, r request) (answer, error) {
	id, err := taskID(r)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, s.o.Herder.RestartTask(r.args[0], id)
}
