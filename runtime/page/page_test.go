package page

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

type fakeHerder struct{ trace string }

func (fakeHerder) Connectors() []string { return []string{"images", "stats", "deleted"} }

func (f fakeHerder) Status(name string) (herder.ConnectorStatus, error) {
	s := herder.ConnectorStatus{Name: name, Kind: "stream", Connector: herder.Status{State: state.Running}, Tasks: []herder.Status{{ID: 0, State: state.Running}}}
	switch name {
	case "deleted":
		return s, errors.New("no such connector")
	case "images":
		s.Kind = "source"
		s.Tasks[0] = herder.Status{State: state.Failed, Trace: f.trace, Restarts: &herder.Restarts{Next: time.Unix(0, 0)}}
	case "stats":
		s.Tasks[0].Trace = "retrying: stats/0: put: refused" // as the herder shows what is retried
	}
	return s, nil
}

func (fakeHerder) Info(name string) (herder.Info, error) {
	if name != "stats" {
		return herder.Info{}, errors.New("Connector " + name + " not found")
	}
	return herder.Info{Name: name, Config: connector.Props{"connector.class": "stream", "registry.password": "hush", "topics": "a", "page.fields": "raw, name"},
		Entries: config.List{{Key: "topics", Text: "a", File: "flow.yaml", Line: 3}}}, nil
}

func (fakeHerder) Validator() *config.Validator {
	return &config.Validator{Plugins: new(connector.Registry)}
}

func (fakeHerder) Snapshots() []runtime.Stats {
	return []runtime.Stats{{Connector: "stats", RecordsIn: 7, RecordsOut: 5, Lag: map[connector.TopicPartition]int64{{Topic: "t"}: 3, {Topic: "t", Partition: 1}: 4},
		Errors: runtime.Errors{Last: "stats/0: put: refused", Retrying: true},
		Waits:  &runtime.Waits{Why: "stats/0: put: refused", Stalled: true}}}
}

func (fakeHerder) ActiveTopics(name string) []string {
	if name == "images" {
		return []string{"a"}
	}
	return []string{"a", "b"}
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newPage(t *testing.T) *Page {
	schema := connector.StructOf("s", connector.F("name", connector.StringSchema), connector.F("image", connector.BytesSchema),
		connector.F("prob", connector.Float64Schema), connector.F("raw", connector.BytesSchema), connector.F("none", connector.OptionalStringSchema))
	img := picture(t)
	record := connector.NewRecord("t", connector.StringSchema, "k1", schema,
		connector.NewStruct(schema).Set("name", "<b>x</b>").Set("image", img).Set("prob", 0.123456).Set("raw", []byte{1, 2}))
	record.Origin = connector.Origin{Topic: "t", Partition: 1, Offset: 9}
	plain := connector.NewRecord("t", nil, nil, nil, map[string]any{"image": base64.StdEncoding.EncodeToString(img), "roi": int64(2)})
	return New(Options{Herder: fakeHerder{trace: "images/0: poll: no dashboard\n\tat somewhere"}, Version: "1",
		Tap: func(name string) []runtime.Tapped {
			if name != "stats" {
				return nil
			}
			return []runtime.Tapped{{Record: record}, {Record: plain}}
		}})
}

func get(t *testing.T, p *Page, path string, into any) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%s: %v in %s", path, err, w.Body)
		}
	}
	return w
}

func TestState(t *testing.T) {
	var s worker
	get(t, newPage(t), "/state", &s)
	if len(s.Connectors) != 2 {
		t.Fatalf("%d connectors", len(s.Connectors))
	}
	images, stats := s.Connectors[0].Tasks[0], s.Connectors[1].Tasks[0]
	if images.Error != "images/0: poll: no dashboard" || !strings.Contains(images.Note, "starts again at 00:00:00 UTC") || images.Lag != nil {
		t.Errorf("failed task: %+v", images)
	}
	if stats.In != 7 || stats.Out != 5 || stats.Lag == nil || *stats.Lag != 7 || !strings.Contains(stats.Note, "gets nowhere") || stats.Stalled != "stats/0: put: refused" || !s.Connectors[1].Records {
		t.Errorf("running task: %+v", stats)
	}
}

func TestNoteOfATaskThatStaysStopped(t *testing.T) {
	got := note(herder.Status{State: state.Failed, Trace: "stats/0: no such field"}, runtime.Stats{})
	if !strings.Contains(got, "stays stopped") {
		t.Error(got)
	}
}

// The remedy is beside an error for as long as it lasts.
func TestRemedyIsShown(t *testing.T) {
	const remedy = "Look whether it runs at connection.url"
	failing := runtime.Stats{Errors: runtime.Errors{Last: "table/0: sink (postgres): database away [H5001]", Retrying: true}}
	if got := describe(herder.Status{State: state.Running}, failing); !strings.Contains(got.Note, remedy) {
		t.Errorf("while it lasts: %q", got.Note)
	}
	failing.Errors.Retrying = false
	if got := describe(herder.Status{State: state.Running}, failing); strings.Contains(got.Note, remedy) {
		t.Errorf("when it is over: %q", got.Note)
	}
	failing.Waits = &runtime.Waits{Stalled: true, Why: "table/0: sink (postgres): put: the plugin has not returned for 5 m"}
	if got := describe(herder.Status{State: state.Running}, failing); strings.Contains(got.Note, remedy) {
		t.Errorf("when it is over, and the task stalls for another reason: %q", got.Note)
	}
}

func TestNoteOfATaskThatHasNotStarted(t *testing.T) {
	got := note(herder.Status{State: state.Unassigned, Trace: "retrying: stats/0: start: refused"}, runtime.Stats{Errors: runtime.Errors{Retrying: true}})
	if !strings.Contains(got, "has not started") || strings.Contains(got, "records") {
		t.Error(got)
	}
}

func TestRecordsAndPictures(t *testing.T) {
	p := newPage(t)
	var list []shown
	get(t, p, "/records/stats", &list)
	if len(list) != 2 || list[0].Key != "k1" || list[0].Origin != "t[1]@9" {
		t.Fatalf("records %+v", list)
	}
	want := []named{{"raw", "2 bytes"}, {"name", "<b>x</b>"}, {"prob", "0.1235"}} // as page.fields says
	if len(list[0].Fields) != 3 || list[0].Fields[0] != want[0] || list[0].Fields[1] != want[1] || list[0].Fields[2] != want[2] {
		t.Errorf("fields %+v", list[0].Fields)
	}
	for _, r := range list { // bytes, and base64 in the schemaless one
		if len(r.Pictures) != 1 {
			t.Fatalf("pictures %+v", r.Pictures)
		}
		w := get(t, p, "/"+r.Pictures[0].Text, nil)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" || !bytes.Equal(w.Body.Bytes(), picture(t)) {
			t.Errorf("picture answers %d", w.Code)
		}
	}
	if w := get(t, p, "/picture/nope.png", nil); w.Code != http.StatusNotFound {
		t.Errorf("unknown picture answers %d", w.Code)
	}
	get(t, p, "/records/none", &list)
	if len(list) != 0 {
		t.Errorf("a connector without tap shows %+v", list)
	}
}

func TestPicturesAreBounded(t *testing.T) {
	var p pictures
	first := p.keep([]byte{0})
	for i := range keepPictures {
		p.keep([]byte{1, byte(i), byte(i >> 8)})
	}
	if _, ok := p.get(first); ok || len(p.byHash) != keepPictures || len(p.order) != keepPictures {
		t.Errorf("%d pictures are kept, the first one: %v", len(p.byHash), ok)
	}
}

func TestStaticFiles(t *testing.T) {
	p := newPage(t)
	for path, kind := range map[string]string{"/": "text/html", "/page.js": "javascript", "/page.css": "text/css", "/icon.svg": "image/svg",
		"/docs/": "text/markdown", "/docs/manual.css": "text/css", "/llms.txt": "text/plain"} {
		w := get(t, p, path, nil)
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s answers %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") {
			t.Errorf("%s has the policy %q", path, policy)
		}
	}
}

// TestConfigurationsWithoutSecrets: whoever looks, for others may look on.
func TestConfigurationsWithoutSecrets(t *testing.T) {
	var list []config.Sourced
	get(t, newPage(t), "/config/stats", &list)
	got := map[string]config.Sourced{}
	for _, s := range list {
		got[s.Key] = s
	}
	for _, want := range []config.Sourced{{Key: "topics", Value: "a", From: "flow.yaml:3", Set: true}, {Key: "registry.password", Value: config.Hidden, From: "a request", Set: true},
		{Key: "tasks.max", Value: "1", From: "default"}} {
		if d := cmp.Diff(want, got[want.Key]); d != "" {
			t.Error(d)
		}
	}
	if w := get(t, newPage(t), "/config/none", nil); w.Code != http.StatusNotFound {
		t.Errorf("an unknown connector answers %d", w.Code)
	}
}

// apiOf says what it is asked; changes take the role configure.
type apiOf struct{}

func (apiOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprint(w, r.Method, " ", r.URL.EscapedPath())
}

func (apiOf) Takes(r *http.Request) rights.Role {
	switch {
	case r.URL.Path == "/health":
		return rights.None
	case r.Method == http.MethodGet:
		return rights.View
	}
	return rights.Configure
}

// TestAPIBelowThePage: what the REST API takes a role for, the page does.
func TestAPIBelowThePage(t *testing.T) {
	p := newPage(t)
	p = New(Options{Herder: p.o.Herder, Tap: p.o.Tap, API: apiOf{}})
	for _, c := range []struct {
		method, path, want string
		takes              rights.Role
	}{
		{"GET", "/api/connectors/a%2Fb/status", "GET /connectors/a%2Fb/status", rights.View},
		{"DELETE", "/api/connectors/a", "DELETE /connectors/a", rights.Configure},
		{"GET", "/api/health", "GET /health", rights.View}, // the page is not open to all
		{"PUT", "/%61pi/connectors/a", "404 page not found\n", rights.Configure},
		{"PUT", "/state", "Method Not Allowed\n", rights.View},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		w := httptest.NewRecorder()
		takes := p.Takes(r)
		p.ServeHTTP(w, r)
		if w.Body.String() != c.want || takes != c.takes {
			t.Errorf("%s %s: %q, takes %s; want %q, %s", c.method, c.path, w.Body, takes, c.want, c.takes)
		}
	}
}
