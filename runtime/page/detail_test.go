package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/lines"
)

// of gives a snapshot of a task.
func of(name string, task int, in, out, lag int64) runtime.Stats {
	return runtime.Stats{Connector: name, Task: task, RecordsIn: in, RecordsOut: out, Lag: map[connector.TopicPartition]int64{{Topic: "t"}: lag}}
}

func TestRates(t *testing.T) {
	p := newPage(t)
	p.o.Rates.Take(time.Unix(0, 0), []string{"stats"}, []runtime.Stats{of("stats", 0, 0, 0, 9)})
	var s worker
	if get(t, p, "/state", &s); s.Connectors[1].Hour != nil {
		t.Errorf("before the first sample, over the hour %v", *s.Connectors[1].Hour)
	}
	p.o.Rates.Take(time.Unix(10, 0), []string{"stats"}, []runtime.Stats{of("stats", 0, 5, 10, 4)})
	want := "time,seconds,records_in_per_second,records_out_per_second,errors,lag_records,lacking\n1970-01-01T00:00:10Z,10,0.5,1,0,4,\n"
	if w := get(t, p, "/rates.csv/stats", nil); w.Body.String() != want || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
		t.Errorf("%s", w.Body)
	}
	var shown shownRates
	get(t, p, "/rates.json/stats", &shown)
	if list := shown.Samples; len(list) != 1 || list[0].In != 0.5 || list[0].Out != 1 || *list[0].Lag != 4 {
		t.Errorf("%+v", list)
	}
	if w := get(t, p, "/rates.json/none", nil); w.Body.String() != `{"samples":[],"notes":[]}`+"\n" {
		t.Errorf("a connector that is not there has rates %s", w.Body)
	}
	if get(t, p, "/state", &s); s.Connectors[1].Hour == nil || *s.Connectors[1].Hour != 1 {
		t.Errorf("over the hour %v", s.Connectors[1].Hour)
	}
}

// TestStages of all tasks are summed up, in the order of the journey.
func TestStages(t *testing.T) {
	stages := func(poll, put time.Duration) []runtime.StageStats {
		timing := func(d time.Duration) runtime.Timing {
			return runtime.Timing{Count: 2, Total: 2 * d, Max: d, Recent: runtime.Recent{Sum: 30 * d.Seconds(), Span: 30 * time.Second}}
		}
		return []runtime.StageStats{{Name: "poll", Records: 3, Time: timing(poll)}, {Name: "put", Class: "postgres", Records: 3, Errors: 1, Time: timing(put)}}
	}
	tasks := []runtime.Stats{
		{Connector: "stats", Stages: stages(900*time.Millisecond, 200*time.Millisecond)},
		{Connector: "stats", Task: 1, Stages: stages(900*time.Millisecond, 400*time.Millisecond)},
		{Connector: "images", Stages: stages(1, 1)},
	}
	p := newPage(t)
	p.o.Herder = snapshots{p.o.Herder, tasks}
	var got shownStages
	get(t, p, "/stages/stats", &got)
	want := []stage{
		{Name: "poll", Records: 6, Batches: 4, Mean: 0.9, Max: 0.9, Share: 0.9, Tapped: true},
		{Name: "put", Class: "postgres", Records: 6, Errors: 2, Batches: 4, Mean: 0.3, Max: 0.4, Share: 0.3, Tapped: true}}
	if d := cmp.Diff(shownStages{want, []string{}}, got); d != "" {
		t.Error(d)
	}
	var s worker
	get(t, p, "/state", &s)
	if d := cmp.Diff(&busy{"put", 0.3}, s.Connectors[1].Busiest); d != "" || s.Connectors[0].Busiest != nil {
		t.Errorf("the busiest stage: %s; %+v", d, s.Connectors[0].Busiest)
	}
}

// snapshots is a herder with other snapshots.
type snapshots struct {
	Herder
	list []runtime.Stats
}

func (s snapshots) Snapshots() []runtime.Stats { return s.list }

func TestTopics(t *testing.T) {
	p := newPage(t)
	var s worker
	get(t, p, "/state", &s)
	if d := cmp.Diff(ways{Reads: []string{}, Writes: []string{"a"}}, s.Connectors[0].Topics); d != "" {
		t.Errorf("of a source: %s", d)
	}
	if d := cmp.Diff(ways{Reads: []string{"a", "t"}, Writes: []string{"b"}}, s.Connectors[1].Topics); d != "" {
		t.Errorf("of a stream: %s", d)
	}
	if d := cmp.Diff(ways{Reads: []string{"a", "b"}, Writes: []string{}}, p.ways("stats", "sink", nil)); d != "" {
		t.Errorf("of a sink: %s", d)
	}
}

// idle is a herder whose connectors have done nothing since the worker started.
type idle struct{ fakeHerder }

func (idle) ActiveTopics(string) []string { return nil }

// circling is a herder whose stream reads the topic that its dead letters go to.
type circling struct{ idle }

func (circling) Info(name string) (herder.Info, error) {
	i, err := fakeHerder{}.Info(name)
	if err == nil {
		i.Config = connector.Props{"connector.class": "stream", "topics": "a", lettersKey: "a"}
	}
	return i, err
}

// TestUsers are known before they have used anything, and who writes a topic says how it is read.
func TestUsers(t *testing.T) {
	p := newPage(t)
	if d := cmp.Diff(map[string][]string{"a": {"images", "stats"}, "b": {"stats"}}, p.users()); d != "" {
		t.Error(d)
	}
	p.o.Herder = idle{}
	if d := cmp.Diff(map[string][]string{"a": {"stats"}}, p.users()); d != "" {
		t.Errorf("before anything was used: %s", d)
	}
	p.o.Herder = circling{}
	if d := cmp.Diff(map[string][]string{"a": {"stats"}}, p.users()); d != "" {
		t.Errorf("of one that reads its own dead letters: %s", d)
	}
}

// TestLogWithoutSecrets of the configuration, wherever they stand.
func TestLogWithoutSecrets(t *testing.T) {
	p := newPage(t)
	p.o.Lines = lines.New()
	log := slog.New(p.o.Lines.Handler(slog.NewTextHandler(io.Discard, nil))).With("connector", "stats")
	log.Info("started")
	log.Warn("refused: the server does not know hush", "tries", 2)
	var got []lines.Shown
	get(t, p, "/log/stats", &got)
	if len(got) != 2 || got[1].Text != "started" || got[0].Level != "WARN" || got[0].Text != "refused: the server does not know [hidden] tries=2" || got[0].Time.IsZero() {
		t.Errorf("%+v", got)
	}
	if w := get(t, p, "/log/none", nil); w.Body.String() != "[]\n" {
		t.Errorf("a connector that is not there has logged %s", w.Body)
	}
}

// TestLogOfOtherWorkers is among what is shown, by time; who does not tell is named.
func TestLogOfOtherWorkers(t *testing.T) {
	p := newPage(t)
	p.o.Herder, p.o.Lines, p.o.WorkerID = spread{}, lines.New(), "w1:1"
	slog.New(p.o.Lines.Handler(slog.NewTextHandler(io.Discard, nil))).With("connector", "stats").Info("here")
	p.o.Peers = func() cluster.View {
		return cluster.View{Peers: []cluster.Peer{{URL: "http://w1:1/"}, {URL: "http://w2:1/"}, {URL: "http://w3:1/"}, {URL: "http://w4:1/"}}}
	}
	p.o.Ask = func(r *http.Request) (*http.Response, error) {
		switch r.URL.Host {
		case "w3:1":
			return nil, errors.New("no route")
		case "w4:1": // has the connector, and none of its tasks
			return &http.Response{StatusCode: http.StatusForbidden, Status: "403 Forbidden", Body: io.NopCloser(strings.NewReader(`{"error_code":403,"message":"nobody logs in"}`))}, nil
		}
		if got := r.URL.String() + " " + r.Header.Get("Authorization"); got != "http://w2:1/connectors/stats/log Basic x" {
			t.Errorf("it is asked %s", got)
		}
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`[{"time":"2100-01-01T00:00:00Z","level":"WARN","text":"later"},{"time":"1990-01-01T00:00:00Z","level":"INFO","text":"earlier"}]`))}, nil
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/log/stats", nil)
	r.Header.Set("Authorization", "Basic x")
	p.ServeHTTP(w, r)
	var list []lines.Shown
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	var got []string
	for _, l := range list {
		got = append(got, fmt.Sprint(l.Level, " ", l.Worker, " ", l.Text))
	}
	want := []string{"WARN  worker w4:1: its lines are not among these: it answers 403 Forbidden: nobody logs in", "WARN  worker w3:1: its lines are not among these: no route", "WARN  worker unseen:1: its lines are not among these: its address is not known",
		"WARN  worker java:1: its lines are not among these: its address is not known", "WARN w2:1 later", "INFO  here", "INFO w2:1 earlier"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
