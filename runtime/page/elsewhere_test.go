package page

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// spreadPage makes the page of a worker in a cluster, whose others answer so.
func spreadPage(t *testing.T, answer func(r *http.Request) (string, error)) *Page {
	t.Helper()
	p := newPage(t)
	p.o.Herder, p.o.WorkerID = spread{}, "w1:1"
	p.o.Peers = func() cluster.View {
		return cluster.View{Peers: []cluster.Peer{{URL: "http://w1:1/"}, {URL: "http://w2:1/"}, {URL: "http://w3:1/"}, {URL: "http://java:1/"}}}
	}
	p.o.Ask = func(r *http.Request) (*http.Response, error) {
		if got := r.Header.Get("Authorization"); got != "Basic x" {
			t.Errorf("%s is asked with the login %q", r.URL, got)
		}
		text, err := answer(r)
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text))}, err
	}
	return p
}

// getAs asks a page with a login.
func getAs(p *Page, path string) string {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Basic x")
	p.ServeHTTP(w, r)
	return w.Body.String()
}

// TestTasksOfOtherWorkers: each worker is asked once, whatever it runs, and who does not
// tell is named.
func TestTasksOfOtherWorkers(t *testing.T) {
	asks := make(chan string, 10)
	p := spreadPage(t, func(r *http.Request) (string, error) {
		asks <- r.URL.Host
		if r.URL.RequestURI() != "/connectors?expand=status&progress=true" {
			t.Errorf("it is asked %s", r.URL)
		}
		switch r.URL.Host {
		case "w3:1":
			return "", errors.New("no route")
		case "java:1":
			return `{"stats":{"status":{"tasks":[{"id":3,"state":"RUNNING","worker_id":"java:1"}]}}}`, nil
		}
		return `{"images":{"status":{"records_out_per_second_last_hour":3,"tasks":[{"id":1,"progress":{"records_in":4,"records_out":3,"lag":5,"records_out_per_second":1.234,"dead_letters":2,"restarts":1}}]}},
			"deleted":{"status":{"tasks":[{"id":1,"progress":{"records_out_per_second":1}}]}},
			"stats":{"status":{"tasks":[{"id":0,"progress":{"records_in":9,"records_out_per_second":1}},{"id":1,"progress":{"records_out_per_second":0,"last_error":"refused","retrying":true}}]}}}`, nil
	})
	var got toldTasks
	if err := json.Unmarshal([]byte(getAs(p, "/others")), &got); err != nil {
		t.Fatal(err)
	}
	lag, none := int64(5), int64(0)
	want := toldTasks{map[string]*toldConnector{
		"images": {Tasks: []task{{ID: 1, Worker: "w2:1", State: "RUNNING", Done: &Done{In: 4, Out: 3, DeadLetters: 2, Rate: 1.2, Lag: &lag, Restarts: 1}}}},
		"stats":  {Tasks: []task{{ID: 1, Worker: "w2:1", State: "RUNNING", Error: "refused", Note: "The same records are being tried again; nothing is lost.", Done: &Done{Lag: &none}}}},
	}, []string{
		"worker java:1: what its tasks do is not known: it does not say what they have done: is it Java's, or of an earlier version?",
		"worker unseen:1: what its tasks do is not known: its address is not known",
		"worker w3:1: what its tasks do is not known: no route"}}
	delete(got.Connectors, "deleted") // which the herder of this test has
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(asks) != 3 {
		t.Errorf("%d questions to three workers", len(asks))
	}
}

// TestUnknownIsNotNought: a worker says nothing of what tasks at others have done.
func TestUnknownIsNotNought(t *testing.T) {
	var s worker
	get(t, spreadPage(t, nil), "/state", &s)
	for _, c := range s.Connectors {
		var known []int
		for _, one := range c.Tasks {
			if one.Done != nil {
				known = append(known, one.ID)
			}
		}
		if d := cmp.Diff([]int{0, 5}, known); d != "" || c.Hour != nil { // its own, and one that nobody runs
			t.Errorf("%s: over the hour %v, tasks that are known %s", c.Name, c.Hour, d)
		}
	}
}

// TestHourOfAllWorkers is not known before all have told theirs.
func TestHourOfAllWorkers(t *testing.T) {
	theirs := `"records_out_per_second_last_hour":3,`
	p := spreadPage(t, func(r *http.Request) (string, error) {
		switch r.URL.Path {
		case "/connectors":
			return `{"stats":{"status":{` + theirs + `"tasks":[{"id":1,"progress":{"records_out_per_second":1}}]}}}`, nil
		case "/connectors/stats/rates":
			return `[{"time":"1970-01-01T00:00:12Z","seconds":10,"recordsInPerSecond":0,"recordsOutPerSecond":3,"errors":1,"lagRecords":2}]`, nil
		}
		return "", errors.New(r.URL.Path)
	})
	p.o.Herder = shared{}
	hour := func() *float64 {
		var got toldTasks
		if err := json.Unmarshal([]byte(getAs(p, "/others")), &got); err != nil || len(got.Notes) > 0 {
			t.Fatal(err, got.Notes)
		}
		return got.Connectors["stats"].Hour
	}
	if h := hour(); h != nil {
		t.Errorf("before the first sample here: %v", *h)
	}
	p.o.Rates.Take(time.Unix(0, 0), []string{"stats"}, []runtime.Stats{of("stats", 0, 0, 0, 9)})
	p.o.Rates.Take(time.Unix(10, 0), []string{"stats"}, []runtime.Stats{of("stats", 0, 5, 10, 4)})
	if h := hour(); h == nil || *h != 4 {
		t.Errorf("of both: %v", h)
	}
	if got, want := getAs(p, "/rates.json/stats"), `{"samples":[{"time":"1970-01-01T00:00:10Z","seconds":10,"recordsInPerSecond":0.5,"recordsOutPerSecond":4,"errors":0,"lagRecords":6}],"notes":[]}`+"\n"; got != want {
		t.Errorf("of both: %s, want %s", got, want)
	}
	theirs = ""
	if h := hour(); h != nil {
		t.Errorf("before the first sample there: %v", *h)
	}
}

// shared is a herder of a cluster: of its connector's tasks one is here and one at w2.
type shared struct{ fakeHerder }

func (shared) Connectors() []string { return []string{"stats"} }

func (shared) Status(name string) (herder.ConnectorStatus, error) {
	return herder.ConnectorStatus{Name: name, Kind: "stream", Tasks: []herder.Status{{State: state.Running, WorkerID: "w1:1", Here: true}, {ID: 1, State: state.Running, WorkerID: "w2:1"}}}, nil
}
