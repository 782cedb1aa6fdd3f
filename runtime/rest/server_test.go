package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/loggers"
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
func (f *fakeHerder) SetLoggerLevel(namespace, level string) error {
	f.asked = append(f.asked, "level "+namespace+" "+level)
	return nil
}
func (f *fakeHerder) PutTasks(_ context.Context, name string, tasks []connector.Props) error {
	f.asked = append(f.asked, fmt.Sprint("tasks ", name, " ", tasks))
	return nil
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
		Tasks: []herder.Status{{State: state.Done, WorkerID: "w:1", Waits: &runtime.Waits{Why: "sink (a) has not returned", Stalled: true}}}}, nil
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
	return []runtime.Stats{{Connector: "flow", State: state.Running, RecordsIn: 3, Active: 1,
		Waits: &runtime.Waits{Why: "sink (a) has not returned", Since: time.Unix(0, 0).UTC(), Stalled: true},
		Lag:   map[connector.TopicPartition]int64{{Topic: "a"}: 4, {Topic: "b"}: 5}}}
}

func (f *fakeHerder) SetTarget(string, state.Target) error {
	f.asked = append(f.asked, "target")
	return nil
}

func (f *fakeHerder) Offsets(context.Context, string) ([]connector.SourceOffset, error) {
	return nil, nil
}

func (f *fakeHerder) AlterOffsets(_ context.Context, name string, offsets []connector.SourceOffset) (bool, error) {
	if fmt.Sprint(offsets) != "[{map[kafka_partition:0 kafka_topic:a] map[kafka_offset:9007199254740993]}]" {
		return false, fmt.Errorf("%v", offsets)
	}
	return name == "flow", nil
}

func (f *fakeHerder) ResetOffsets(_ context.Context, name string) (bool, error) {
	return name == "flow", nil
}

func (f *fakeHerder) ActiveTopics(string) []string { return []string{"a"} }
func (f *fakeHerder) ResetActiveTopics(string)     { f.asked = append(f.asked, "topics") }

// TestRoot asks who the worker is: Kafka says once which cluster it is.
//
// Clauses: K1.
func TestRoot(t *testing.T) {
	said := []struct {
		id  string
		err error
	}{{"", errors.New("Kafka is away")}, {"", nil}, {"sea", nil}}
	asked := 0
	s := New(Options{Herder: new(fakeHerder), Version: "1.2", Commit: "abc", ClusterID: func(context.Context) (string, error) {
		asked++
		return said[asked-1].id, said[asked-1].err
	}})
	for _, id := range []string{"null", "null", `"sea"`, `"sea"`} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if want := `{"version":"1.2","commit":"abc","kafka_cluster_id":` + id + `}`; w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%d %s, want %s", w.Code, w.Body, want)
		}
	}
}

// TestTopicTracking asks with and without topic.tracking.
//
// Clauses: K9.
func TestTopicTracking(t *testing.T) {
	tests := []struct {
		name       string
		tracking   TopicTracking
		get, reset int
		message    string // of a refused reset
	}{
		{"on", TopicTracking{}, 200, 202, ""},
		{"off", TopicTracking{Off: true}, 403, 403, "Topic tracking is disabled."},
		{"no reset", TopicTracking{NoReset: true}, 200, 403, "Topic tracking reset is disabled."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := new(fakeHerder)
			s := New(Options{Herder: f, Topics: tt.tracking})
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("GET", "/connectors/flow/topics", nil))
			if w.Code != tt.get || w.Code == 200 && w.Body.String() != `{"flow":{"topics":["a"]}}` {
				t.Errorf("topics: %d %s", w.Code, w.Body)
			}
			w = httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("PUT", "/connectors/flow/topics/reset", nil))
			if w.Code != tt.reset || !strings.Contains(w.Body.String(), tt.message) || (len(f.asked) == 1) != (tt.reset == 202) {
				t.Errorf("reset: %d %s, asked for %q", w.Code, w.Body, f.asked)
			}
		})
	}
}

// TestLoggers sets the level of what the API itself logs.
//
// Clauses: K11.
func TestLoggers(t *testing.T) {
	out := new(strings.Builder)
	handler := loggers.Wrap(slog.NewTextHandler(out, nil))
	f := new(fakeHerder)
	s := New(Options{Herder: f, Log: slog.New(handler), Loggers: handler.Registry()})
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/admin/loggers/root", "", 200, `{"level":"INFO","last_modified":null}`},
		{"PUT", "/admin/loggers/org.apache.kafka.connect.runtime.rest.RestServer", `{"level":"debug"}`, 200, `["org.apache.kafka.connect.runtime.rest.RestServer"]`},
		{"GET", "/admin/loggers/hydraulics.runtime.rest", "", 200, `{"level":"DEBUG","last_modified":`},
		{"GET", "/admin/loggers", "", 200, `"hydraulics.runtime.herder":{"level":"INFO","last_modified":null}`},
		{"PUT", "/admin/loggers/hydraulics?scope=cluster", `{"level":"WARN"}`, 204, ""},
		{"PUT", "/admin/loggers/hydraulics?scope=worker", `{"level":"LOUD"}`, 404, "invalid log level 'LOUD'."},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body)))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, w.Code, w.Body, tt.status, tt.want)
		}
	}
	if d := cmp.Diff([]string{"level hydraulics WARN"}, f.asked); d != "" {
		t.Errorf("of the whole cluster: %s", d)
	}
	text := out.String()
	if !strings.Contains(text, "level=DEBUG msg=request method=PUT path=/admin/loggers/org") || strings.Contains(text, "path=/admin/loggers/root") {
		t.Errorf("logged:\n%s", text)
	}
}

// TestPluginList reads the list as a client does that knows Kafka Connect's
// fields alone.
//
// Clauses: A2, K10.
func TestPluginList(t *testing.T) {
	for query, all := range map[string]bool{"": false, "?connectorsOnly": false, "?connectorsOnly=": false, "?connectorsOnly=%20": false, "?connectorsOnly=TRUE": false,
		"?connectorsOnly=false": true, "?connectorsOnly=no": true} {
		w := httptest.NewRecorder()
		New(Options{Herder: new(fakeHerder)}).ServeHTTP(w, httptest.NewRequest("GET", "/connector-plugins"+query, nil))
		var list []struct{ Class, Type, Version string }
		d := json.NewDecoder(w.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&list); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		stream, others := false, false
		for _, p := range list {
			stream = stream || p.Class == config.StreamClass && p.Type == "sink" && p.Version == config.Version
			others = others || p.Type != "sink" && p.Type != "source"
		}
		if !stream || others != all {
			t.Errorf("%q: %+v", query, list)
		}
	}
}

// TestNames makes a connector of each name and goes through what is there to be
// asked of one, from where the answer says that it is to its end.
//
// Clauses: B8, K3, K4, K7, K13.
func TestNames(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("in.txt", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := startWorker(t)
	ask := func(method, path, body string) (int, *http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", jsonType)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, res, string(text)
	}
	for _, name := range []string{"a/c", "/", "ab cd", "🦠/é", "50%", "%2F", "a?b#c;d", "..", "a+b&c"} {
		t.Run(name, func(t *testing.T) {
			quoted, err := json.Marshal(name)
			if err != nil {
				t.Fatal(err)
			}
			const config = `"connector.class":"FileStreamSource","file":"in.txt","topic":"lines"`
			status, res, text := ask("POST", "/connectors", `{"name":`+string(quoted)+`,"config":{`+config+`}}`)
			if status != http.StatusCreated {
				t.Fatalf("made: %d %s", status, text)
			}
			path := strings.TrimPrefix(res.Header.Get("Location"), w.server.URL)
			w.settle(t)
			for _, step := range []struct {
				method, path, body string
				status             int
			}{
				{"GET", "", "", 200}, {"GET", "/config", "", 200}, {"GET", "/status", "", 200}, {"GET", "/tasks", "", 200}, {"GET", "/tasks/0/status", "", 200},
				{"PUT", "/config", "{" + config + `,"batch.size":"7"}`, 200}, {"PATCH", "/config", `{"batch.size":null}`, 200},
				{"PUT", "/config", "{" + config + `,"batch.size":null}`, 400}, {"PATCH", "/config", "null", 400},
				{"PUT", "/pause", "", 202}, {"PUT", "/resume", "", 202}, {"POST", "/restart", "", 204}, {"POST", "/tasks/0/restart", "", 204}, {"PUT", "/stop", "", 204},
				{"DELETE", "", "", 204}, {"GET", "", "", 404},
			} {
				if status, _, text := ask(step.method, path+step.path, step.body); status != step.status {
					t.Errorf("%s %s%s %s: %d %s, want %d", step.method, path, step.path, step.body, status, text, step.status)
				}
				w.settle(t)
			}
		})
	}
	for _, name := range []string{"a%0Ab", "%00", strings.Repeat("a", 256), "%FF", "%0Aa"} {
		if status, _, text := ask("PUT", "/connectors/"+name+"/config", `{"connector.class":"FileStreamSource","file":"in.txt","topic":"lines"}`); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if left := w.herder.Connectors(); len(left) > 0 {
		t.Errorf("there are %q", left)
	}
}

// Clauses: A21, K2, K4, K5, K6, K8, K10, K12, K13.
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
			`{"name":"flow","connector":{"state":"RUNNING","worker_id":"w:1","tasks_state":"STOPPED"},"tasks":[{"id":0,"state":"STOPPED","worker_id":"w:1","stalled":"sink (a) has not returned"}],"type":"sink","kind":"stream"}`},
		{"what a task has done", "GET", "/connectors/flow/status?progress=true", "", nil, 200,
			`"progress":{"records_in":3,"records_out":0,"records_dropped":0,"records_skipped":0,"records_active":1,"lag":9,"restoring":false,"retrying":false,"stalled":true,"waits_for":"sink (a) has not returned","waits_since":"1970-01-01T00:00:00Z","records_in_per_second":0,"records_out_per_second":0,"dead_letters":0,"restarts":0}`},
		{"a file's connector", "PUT", "/connectors/flow/config", "{}", nil, 409,
			`{"error_code":409,"message":"Connector flow is managed by the file flow.yaml"}`},
		{"flags in any case", "POST", "/connectors/flow/restart?includeTasks=True&onlyFailed=TRUE", "", nil, 202, `"name":"flow"`},
		{"a slash at the end", "GET", "/connectors/", "", nil, 200, `["flow"]`},
		{"no content type", "PUT", "/connectors/flow/config", "{}", []string{"Content-Type", ""}, 409, "managed"},
		{"a list as a value", "PUT", "/connectors/flow/config", `{"a":[1]}`, nil, 500, "key a: want text, not an object or a list"},
		{"two bodies", "PUT", "/connectors/flow/config", `{} {}`, nil, 500, "more follows after the JSON value"},
		{"a body beyond its bound", "PUT", "/connectors/flow/config", strings.Repeat(" ", maxBody+1), nil, 413, "request body: more than 10485760 bytes"},
		{"a bracket behind the body", "PUT", "/connectors/flow/config", `{}]`, nil, 500, "more follows after the JSON value"},
		{"a name with a space", "GET", "/connectors/a%20b", "", nil, 200, `"name":"a b"`},
		{"a name with a slash", "GET", "/connectors/a%2fb%2F/config", "", nil, 200, `{"name":"a/b/"}`},
		{"a name of slashes alone", "GET", "/connectors/%2F/status", "", nil, 200, `"name":"/"`},
		{"a path whose slash is encoded", "GET", "/connectors%2Fflow", "", nil, 404, "HTTP 404 Not Found"},
		{"a patch that is null", "PATCH", "/connectors/flow/config", "null", nil, 400, "it is null, want an object of keys"},
		{"no body but its type", "PUT", "/connectors/flow/pause", "", []string{"Content-Type", "application/x-www-form-urlencoded"}, 202, ""},
		{"a body of another type", "PUT", "/connectors/flow/config", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, ""},
		{"what axios accepts", "GET", "/connectors", "", []string{"Accept", "application/json, text/plain, */*"}, 200, "flow"},
		{"offsets", "GET", "/connectors/flow/offsets", "", nil, 200, `{"offsets":[]}`},
		{"offsets altered", "PATCH", "/connectors/flow/offsets", `{"offsets":[{"partition":{"kafka_topic":"a","kafka_partition":0},"offset":{"kafka_offset":9007199254740993}}]}`, nil, 200,
			`{"message":"The offsets for this connector have been altered successfully"}`},
		{"offsets altered here", "PATCH", "/connectors/x/offsets", `{"offsets":[{"partition":{"kafka_topic":"a","kafka_partition":0},"offset":{"kafka_offset":9007199254740993}}]}`, nil, 200,
			`{"message":"The Connect framework-managed offsets for this connector have been altered successfully. However, if this connector manages offsets externally, they will need to be manually altered in the system that the connector uses."}`},
		{"an offset that is null", "PATCH", "/connectors/flow/offsets", `{"offsets":[null]}`, nil, 400, "an entry of offsets is null"},
		{"offsets reset here", "DELETE", "/connectors/x/offsets", "", nil, 200, `manually reset in the system that the connector uses."}`},
		{"metrics", "GET", "/metrics", "", []string{"Accept", "text/plain"}, 200, "some_metric 1"},
		{"still starting", "GET", "/health", "", nil, 503, `{"status":"starting","message":"Worker is still starting up."}`},
		{"a stalled task", "GET", "/health", "", nil, 503, `{"status":"unhealthy","message":"1 tasks are stalled.","stalled":[{"connector":"flow","task":0,"waits_for":"sink (a) has not returned","since":"1970-01-01T00:00:00Z"}]}`},
		{"streams among the plugins", "GET", "/connector-plugins", "", nil, 200, `{"class":"stream","type":"sink","version":"` + config.Version + `"}`},
		{"converter's type is the worker's to give", "GET", "/connector-plugins/org.apache.kafka.connect.json.JsonConverter/config", "", nil, 200,
			`{"name":"converter.type","type":"STRING","required":true`},
		{"a byte order mark", "PUT", "/connector-plugins/stream/config/validate", "\ufeff" + `{"connector.class":"stream","name":"x"}`, nil, 200, `"error_count":`},
		{"a plugin of its version", "GET", "/connector-plugins/org.apache.kafka.connect.transforms.Filter/config?version=%5B1.0,2.0)", "", nil, 200, `[]`},
		{"a plugin of the latest version", "GET", "/connector-plugins/stream/config?version=latest", "", nil, 200, `"name":"input.value.converter"`},
		{"a plugin of another version", "GET", "/connector-plugins/org.apache.kafka.connect.transforms.Filter/config?version=4.3.1", "", nil, 400,
			`"message":"Plugin org.apache.kafka.connect.transforms.Filter has version 1.0.0 which does not match the required version range [4.3.1,4.3.1]"`},
		{"a stream of another version", "GET", "/connector-plugins/stream/config?version=(1.0.0,)", "", nil, 400, `required version range (1.0.0,)"`},
		{"a version that is none", "GET", "/connector-plugins/stream/config?version=%5B1", "", nil, 400, `"message":"Invalid version specification: [1"`},
		{"the keys of a stream", "GET", "/connector-plugins/stream/config", "", nil, 200, `"name":"input.value.converter"`},
		{"with the codes that are asked for", "PUT", "/connector-plugins/stream/config/validate?codes=true", `{"connector.class":"stream","name":"x","topics":"a"}`, nil, 200,
			`"errors":["Missing required configuration \"topic\" which has no default value."],"codes":["H1002"],"visible":true`},
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
			if tt.name == "a stalled task" {
				s.SetReady()
			}
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
