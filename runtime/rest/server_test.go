package rest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// fakeHerder has one connector of a file, a stream; it notes what it is asked to do.
type fakeHerder struct {
	Herder
	asked []string
}

func (f *fakeHerder) Validator() *config.Validator {
	return &config.Validator{Plugins: connector.Plugins}
}
func (f *fakeHerder) Connectors() []string { return []string{"flow"} }
func (f *fakeHerder) Info(name string) (herder.Info, error) {
	return herder.Info{Name: name, Config: connector.Props{"name": name}, Kind: "stream", File: "flow.yaml", Tasks: []herder.TaskID{}}, nil
}
func (f *fakeHerder) Put(string, connector.Props) (herder.Info, bool, error) {
	return herder.Info{}, false, &herder.Error{Reason: herder.Conflict, Text: "Connector flow is managed by the file flow.yaml"}
}
func (f *fakeHerder) Status(name string) (herder.ConnectorStatus, error) {
	return herder.ConnectorStatus{Name: name, Kind: "stream", Connector: herder.Status{State: state.Running, WorkerID: "w:1"},
		Tasks: []herder.Status{{State: state.Done, WorkerID: "w:1"}}}, nil
}
func (f *fakeHerder) Restart(name string, tasks, failed bool) (herder.ConnectorStatus, error) {
	f.asked = append(f.asked, "restart")
	if tasks {
		f.asked = append(f.asked, "tasks")
	}
	if failed {
		f.asked = append(f.asked, "failed")
	}
	return f.Status(name)
}

func (f *fakeHerder) Snapshots() []runtime.Stats {
	return []runtime.Stats{{Connector: "flow", State: state.Running, RecordsIn: 3, Active: 1, Since: time.Now().Add(-time.Hour),
		Lag: map[connector.TopicPartition]int64{{Topic: "a"}: 4, {Topic: "b"}: 5}}}
}

func TestServer(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		want                     string
	}{
		{"a stream is a sink of a kind", "GET", "/connectors/flow", "", nil, 200,
			`{"name":"flow","config":{"name":"flow"},"tasks":[],"type":"sink","kind":"stream","managed_by":"flow.yaml"}`},
		{"a task that is done is stopped", "GET", "/connectors/flow/status", "", nil, 200,
			`{"name":"flow","connector":{"state":"RUNNING","worker_id":"w:1"},"tasks":[{"id":0,"state":"STOPPED","worker_id":"w:1"}],"type":"sink","kind":"stream"}`},
		{"what a task has done", "GET", "/connectors/flow/status?progress=true", "", nil, 200,
			`"progress":{"records_in":3,"records_out":0,"records_dropped":0,"records_skipped":0,"records_active":1,"lag":9,"restoring":false,"retrying":false,"stalled":true}`},
		{"a file's connector", "PUT", "/connectors/flow/config", "{}", nil, 409,
			`{"error_code":409,"message":"Connector flow is managed by the file flow.yaml"}`},
		{"flags in any case", "POST", "/connectors/flow/restart?includeTasks=True&onlyFailed=TRUE", "", nil, 202, `"name":"flow"`},
		{"a slash at the end", "GET", "/connectors/", "", nil, 200, `["flow"]`},
		{"no content type", "PUT", "/connectors/flow/config", "{}", []string{"Content-Type", ""}, 409, "managed"},
		{"a list as a value", "PUT", "/connectors/flow/config", `{"a":[1]}`, nil, 500, "key a: want text, not an object or a list"},
		{"two bodies", "PUT", "/connectors/flow/config", `{} {}`, nil, 500, "more follows after the JSON value"},
		{"a bracket behind the body", "PUT", "/connectors/flow/config", `{}]`, nil, 500, "more follows after the JSON value"},
		{"a name with a space", "GET", "/connectors/a%20b", "", nil, 200, `"name":"a b"`},
		{"metrics", "GET", "/metrics", "", []string{"Accept", "text/plain"}, 200, "some_metric 1"},
		{"another page's script", "PUT", "/connectors/flow/config", "{}", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"still starting", "GET", "/health", "", nil, 503, `{"status":"starting","message":"Worker is still starting up."}`},
		{"streams among the plugins", "GET", "/connector-plugins", "", nil, 200, `{"class":"stream","type":"sink","version":"` + config.Version + `","kind":"stream"}`},
		{"the keys of a stream", "GET", "/connector-plugins/stream/config", "", nil, 200, `"name":"input.value.converter"`},
		{"a stream that is not right", "PUT", "/connector-plugins/stream/config/validate", `{"connector.class":"stream","name":"x","topics":"a"}`, nil, 200,
			`Missing required configuration \"topic\" which has no default value.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if _, err := io.WriteString(w, "some_metric 1\n"); err != nil {
					t.Error(err)
				}
			})
			f := new(fakeHerder)
			s := New(Options{Herder: f, Metrics: metrics})
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/json")
			for i := 0; i < len(tt.header); i += 2 {
				r.Header.Set(tt.header[i], tt.header[i+1])
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, tt.status, tt.want)
			}
			if strings.Contains(tt.path, "restart") && strings.Join(f.asked, " ") != "restart tasks failed" {
				t.Errorf("asked for %v", f.asked)
			}
		})
	}
}
