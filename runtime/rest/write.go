package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/progress"
)

const jsonType = "application/json"

// failure is an error with the status to answer with.
type failure struct {
	status int
	text   string
}

// Error gives the text.
func (f *failure) Error() string { return f.text }

func failed(status int, format string, args ...any) error {
	return &failure{status, fmt.Sprintf(format, args...)}
}

type errorBody struct {
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}

// fail answers with an error.
func fail(w http.ResponseWriter, err error) int {
	status := http.StatusInternalServerError
	if f, ok := errors.AsType[*failure](err); ok {
		status = f.status
	} else if h, ok := errors.AsType[*herder.Error](err); ok {
		status = map[herder.Reason]int{herder.BadRequest: http.StatusBadRequest, herder.NotFound: http.StatusNotFound, herder.Conflict: http.StatusConflict,
			herder.Forbidden: http.StatusForbidden, herder.Unavailable: http.StatusServiceUnavailable}[h.Reason]
	}
	w.Header().Set("Content-Type", jsonType)
	return body(w, status, errorBody{status, err.Error()})
}

// general answers with an error that is HTTP's. As in Kafka Connect it has no
// content type.
func general(w http.ResponseWriter, status int) int {
	w.Header()["Content-Type"] = nil
	return body(w, status, errorBody{status, fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))})
}

// sent takes the result of writing an answer. A client that is gone is nothing
// to act on.
func sent(int, error) {}

func body(w http.ResponseWriter, status int, v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		status = http.StatusInternalServerError
		data = []byte(`{"error_code":500,"message":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	sent(w.Write(data)) // net/http drops it for HEAD
	return status
}

// write answers with what a handler gave.
func write(w http.ResponseWriter, r *http.Request, a answer) int {
	if a.location != "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		w.Header().Set("Location", scheme+"://"+r.Host+a.location)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return a.status
	}
	w.Header().Set("Content-Type", jsonType)
	return body(w, a.status, a.body)
}

// location gives the path of a connector.
func location(name string) string {
	return "/connectors/" + url.PathEscape(name)
}

// kindField gives type and kind: to Java's clients a stream is a sink.
func kindField(kind string) (typ, ours string) {
	switch kind {
	case "stream":
		return "sink", kind
	case "":
		return "unknown", ""
	}
	return kind, ""
}

type infoBody struct {
	Name   string          `json:"name"`
	Config connector.Props `json:"config"`
	Tasks  []herder.TaskID `json:"tasks"`
	Type   string          `json:"type"`
	Kind   string          `json:"kind,omitempty"`
	File   string          `json:"managed_by,omitempty"`
}

func info(i herder.Info) infoBody {
	b := infoBody{Name: i.Name, Config: i.Config, Tasks: i.Tasks, File: i.File}
	b.Type, b.Kind = kindField(i.Kind)
	return b
}

type stateBody struct {
	State    string           `json:"state"`
	WorkerID string           `json:"worker_id"`
	Version  string           `json:"version,omitempty"`
	Trace    string           `json:"trace,omitempty"`
	Restarts *herder.Restarts `json:"restarts,omitempty"`
	Stalled  string           `json:"stalled,omitempty"` // what it waits for
	// Tasks is the worst state of a connector's tasks, where it is another one.
	Tasks string `json:"tasks_state,omitempty"`
}

type taskBody struct {
	ID int `json:"id"`
	stateBody
	Progress *progress.Task `json:"progress,omitempty"`
}

type statusBody struct {
	Name      string     `json:"name"`
	Connector stateBody  `json:"connector"`
	Tasks     []taskBody `json:"tasks"`
	Type      string     `json:"type"`
	Kind      string     `json:"kind,omitempty"`
	// Hour is the rate of this worker's tasks over the last hour, where that is asked for.
	Hour *float64 `json:"records_out_per_second_last_hour,omitempty"`
}

func stateOf(s herder.Status) stateBody {
	b := stateBody{State: string(s.State.Java()), WorkerID: s.WorkerID, Version: s.Version, Trace: s.Trace, Restarts: s.Restarts}
	if s.Waits != nil && s.Waits.Stalled {
		b.Stalled = s.Waits.Why
	}
	return b
}

func status(s herder.ConnectorStatus) statusBody {
	b := statusBody{Name: s.Name, Connector: stateOf(s.Connector), Tasks: []taskBody{}}
	b.Type, b.Kind = kindField(s.Kind)
	if w := string(s.Worst().Java()); w != b.Connector.State {
		b.Connector.Tasks = w
	}
	for _, t := range s.Tasks {
		b.Tasks = append(b.Tasks, taskBody{ID: t.ID, stateBody: stateOf(t)})
	}
	return b
}
