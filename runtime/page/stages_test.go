package page

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/progress"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// spread is a herder of a cluster: of a connector's tasks one is here, and one at each of
// other workers. One that was here is on its way to another worker.
type spread struct{ fakeHerder }

func (spread) Status(name string) (herder.ConnectorStatus, error) {
	return herder.ConnectorStatus{Name: name, Kind: "stream", Connector: herder.Status{ID: herder.Whole, State: state.Failed, WorkerID: "w4:1"}, Tasks: []herder.Status{
		{ID: 0, State: state.Running, WorkerID: "w1:1", Here: true}, {ID: 1, State: state.Running, WorkerID: "w2:1"}, {ID: 2, State: state.Running, WorkerID: "w3:1"},
		{ID: 3, State: state.Running, WorkerID: "java:1"}, {ID: 4, State: state.Running, WorkerID: "unseen:1"}, {ID: 5, State: state.Unassigned, WorkerID: "w1:1"}}}, nil
}

// TestStagesOfOtherWorkers are among those that are shown; who does not tell is named.
func TestStagesOfOtherWorkers(t *testing.T) {
	p := newPage(t)
	p.o.Herder, p.o.WorkerID = spread{}, "w1:1"
	p.o.Peers = func() cluster.View {
		return cluster.View{Peers: []cluster.Peer{{URL: "http://w1:1/"}, {URL: "http://w2:1/"}, {URL: "http://w3:1/"}, {URL: "http://java:1/"}}}
	}
	p.o.Ask = func(r *http.Request) (*http.Response, error) {
		switch r.URL.Host {
		case "w3:1":
			return nil, errors.New("no route")
		case "java:1":
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"tasks":[{"id":3,"state":"RUNNING","worker_id":"java:1"}]}`))}, nil
		}
		if got := r.URL.String() + " " + r.Header.Get("Authorization"); got != "http://w2:1/connectors/stats/status?progress=true&stages=true Basic x" {
			t.Errorf("it is asked %s", got)
		}
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"tasks":[
			{"id":1,"worker_id":"w2:1","progress":{"stages":[{"name":"put","records":3,"errors":1,"calls":2,"seconds":1,"longest_seconds":0.7,"share":0.5}]}},
			{"id":0,"worker_id":"w1:1","progress":{"stages":[{"name":"put","records":9}]}}]}`))}, nil
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/stages/stats", nil)
	r.Header.Set("Authorization", "Basic x")
	p.ServeHTTP(w, r)
	want := `{"stages":[{"name":"put","records":3,"errors":1,"batches":2,"mean":0.5,"max":0.7,"share":0.25,"tapped":true}],` +
		`"notes":["worker java:1: its tasks are not among these: it does not say what they have done: is it Java's, or of an earlier version?",` +
		`"worker unseen:1: its tasks are not among these: its address is not known","worker w3:1: its tasks are not among these: no route"]}` + "\n"
	if d := cmp.Diff(want, w.Body.String()); d != "" {
		t.Error(d)
	}
}

// A stream has converters twice, to read and to write, which are not one stage.
func TestStagesOfOneName(t *testing.T) {
	task := []progress.Stage{{Name: "value converter (avro)", Records: 2}, {Name: "put", Records: 2}, {Name: "value converter (avro)", Records: 1}}
	var got []string
	for _, s := range sumOf([][]progress.Stage{task, task}) {
		got = append(got, fmt.Sprint(s.Name, " ", s.Records))
	}
	if d := cmp.Diff([]string{"value converter (avro) 4", "put 4", "value converter (avro) 2"}, got); d != "" {
		t.Error(d)
	}
}
