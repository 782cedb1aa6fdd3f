package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/events"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// spread is a herder of a cluster: task 0 is here, task 1 at w2.
type spread struct {
	fakeHerder
	gone bool
}

func (s *spread) Status(name string) (herder.ConnectorStatus, error) {
	if s.gone || name != "flow" {
		return herder.ConnectorStatus{}, &herder.Error{Reason: herder.NotFound, Text: "No status found for connector " + name}
	}
	return herder.ConnectorStatus{Name: name, Tasks: []herder.Status{
		{ID: 0, State: state.Running, WorkerID: "w1:1", Here: true}, {ID: 1, State: state.Running, WorkerID: "w2:1"}}}, nil
}

func (s *spread) Snapshots() []runtime.Stats {
	return []runtime.Stats{{Connector: "flow", Stages: []runtime.StageStats{{Name: "transform a (b)"}, {Name: "sink (c)"}}}}
}

// neighbours are the workers w1 and w2, of which the second is a server.
type neighbours struct {
	peer
	at string
}

func (n *neighbours) View() cluster.View {
	return cluster.View{Peers: []cluster.Peer{{URL: "http://w1:1/"}, {URL: "http://w2:1/"}}}
}

func (n *neighbours) Do(r *http.Request) (*http.Response, error) {
	n.asked = append(n.asked, r.URL.String()+" "+r.Header.Get("Authorization"))
	r.URL.Host = strings.TrimPrefix(n.at, "http://")
	return http.DefaultClient.Do(r)
}

// tappable gives an API with the taps of a worker that runs nothing.
func tappable(t *testing.T, h Herder, peers Peers) (*Server, *runtime.Worker) {
	t.Helper()
	offsets, err := offset.OpenFile(t.TempDir() + "/offsets")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = offsets.Close() })
	w, err := runtime.NewWorker(runtime.Options{Offsets: offsets})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Herder: h, Peers: peers, Tap: w.OpenTap}), w
}

func TestTapIsRefused(t *testing.T) {
	s, _ := tappable(t, new(spread), nil)
	for _, tt := range []struct {
		name, query string
		who         rights.Who
		status      int
		want        string
	}{
		{"by nobody where all may ask", "", rights.Who{Role: rights.Configure, Anyone: true}, 403, "access.file says who may"},
		{"a task that is none", "?task=x", rights.Who{}, 400, `task: \"x\" is not the number of a task`},
		{"a task that is not there", "?task=7", rights.Who{}, 404, "Connector flow has no task 7"},
		{"a stage that is not there", "?stage=none", rights.Who{}, 400, "there are sink (c), transform a (b)"},
		{"too fast", "?rate=1000", rights.Who{}, 400, "100 at most"},
		{"never", "?rate=0", rights.Who{}, 400, "above 0"},
		{"not a number", "?rate=NaN", rights.Who{}, 400, "above 0"},
		{"too many of before", "?last=61", rights.Who{}, 400, "60 at most"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, w := httptest.NewRequest("GET", "/connectors/flow/tap"+tt.query, nil), httptest.NewRecorder()
			s.ServeHTTP(w, r.WithContext(rights.With(r.Context(), tt.who)))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, httptest.NewRequest("GET", "/connectors/none/tap", nil)); w.Code != 404 {
		t.Errorf("of no connector: %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	if s.ServeHTTP(w, httptest.NewRequest("HEAD", "/connectors/flow/tap", nil)); w.Code != 200 || w.Header().Get("Content-Type") != events.Type {
		t.Errorf("HEAD: %d %s", w.Code, w.Header())
	}
}

// A tap asks the workers that run tasks of the connector, and tells of those that have
// none. It ends with the worker.
func TestTapAsksOtherWorkers(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("stage") == "java" {
			http.NotFound(w, r)
			return
		}
		out, err := events.NewWriter(w, tapPatience)
		if err == nil {
			_ = out.Write(events.Event{Name: "record", Data: []byte(`{"task":1}`)})
		}
		<-r.Context().Done()
	}))
	defer other.Close()
	for _, tt := range []struct{ name, query, asked, event, data string }{
		{"a record of it", "?task=1", "http://w2:1/connectors/flow/tap?forward=false&task=1 Basic dTpw", "record", `{"task":1}`},
		{"a worker of Java's", "?stage=java", "http://w2:1/connectors/flow/tap?forward=false&stage=java Basic dTpw", "note", "it has no tap: is it one of Java's?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peers := &neighbours{at: other.URL}
			h := new(spread)
			s, _ := tappable(t, quietHerder{h}, peers)
			server := httptest.NewServer(s)
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/connectors/flow/tap"+tt.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("u", "p")
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			var got []events.Event
			err = events.Read(res.Body, func(e events.Event) error {
				if got = append(got, e); len(got) == 1 {
					s.EndStreams()
					s.EndStreams()
				}
				return nil
			})
			if err != nil || len(got) != 2 || got[0].Name != tt.event || !strings.Contains(string(got[0].Data), tt.data) || got[1].Name != "end" {
				t.Errorf("%q, %v", got, err)
			}
			if len(peers.asked) != 1 || peers.asked[0] != tt.asked {
				t.Errorf("asked %q", peers.asked)
			}
		})
	}
}

// quietHerder knows no stages.
type quietHerder struct{ *spread }

func (quietHerder) Snapshots() []runtime.Stats { return nil }

// A tap of a connector that is deleted says so, and one whose reader is gone is closed.
func TestTapEnds(t *testing.T) {
	s, w := tappable(t, new(spread), nil)
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/connectors/flow/tap", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	read := make(chan string, 1)
	go func() {
		text := ""
		_ = events.Read(res.Body, func(e events.Event) error { text += fmt.Sprintf("%s %s", e.Name, e.Data); return nil })
		read <- text
	}()
	for { // the answer has begun a moment before the tap is there
		w.Forget("flow")
		select {
		case text := <-read:
			if want, _ := json.Marshal(noteBody{"The connector was deleted."}); text != "end "+string(want) {
				t.Error(text)
			}
			return
		default:
		}
	}
}
