package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// follower is a herder that does not lead.
type follower struct {
	fakeHerder
	err error
}

func (f *follower) Put(string, connector.Props) (herder.Info, bool, error) {
	return herder.Info{}, false, f.err
}
func (f *follower) Delete(string) error { return f.err }

// peer is the other worker, which notes what it is asked, and answers.
type peer struct {
	asked    []string
	status   int
	body     string
	location string
	err      error
	refused  error
}

func (p *peer) Placement() cluster.Placement { return cluster.Placement{} }

// View gives none.
func (p *peer) View() cluster.View { return cluster.View{} }

func (p *peer) Verify(http.Header, []byte) error { return p.refused }

func (p *peer) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.asked = append(p.asked, fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), body))
	if p.err != nil {
		return nil, p.err
	}
	w := httptest.NewRecorder()
	w.Header().Set("Location", p.location)
	w.WriteHeader(p.status)
	if p.body != "" {
		_, err = w.WriteString(p.body)
	}
	return w.Result(), err
}

// Clauses: G7, K12.
func TestForward(t *testing.T) {
	elsewhere := &herder.Elsewhere{URL: "http://leader:8083/"}
	tests := []struct {
		name, method, path string
		err                error
		peer               peer
		asked              []string
		status             int
		body, location     string
	}{
		{"the first hop", "PUT", "/connectors/a%20b/config?x=1", elsewhere, peer{status: 201, body: `{"name":"a b"}`, location: "http://leader:8083/connectors/a%20b"},
			[]string{`PUT http://leader:8083/connectors/a%20b/config?forward=true&x=1 Basic dTpw {"k":"v"}`}, 201, `{"name":"a b"}`, "http://me/connectors/a%20b"},
		{"the second hop", "PUT", "/connectors/c/config?forward=true", elsewhere, peer{status: 200, body: `{}`},
			[]string{`PUT http://leader:8083/connectors/c/config?forward=false Basic dTpw {"k":"v"}`}, 200, `{}`, ""},
		{"no third one", "PUT", "/connectors/c/config?forward=false", elsewhere, peer{}, nil, 409,
			`{"error_code":409,"message":"Cannot complete request because of a conflicting operation (e.g. worker rebalance)"}`, ""},
		{"nobody leads", "PUT", "/connectors/c/config", &herder.Error{Reason: herder.Conflict, Text: "no leader"}, peer{}, nil, 409, `{"error_code":409,"message":"no leader"}`, ""},
		{"refused there", "PUT", "/connectors/c/config", elsewhere, peer{status: 400, body: `{"error_code":400,"message":"no"}`},
			[]string{`PUT http://leader:8083/connectors/c/config?forward=true Basic dTpw {"k":"v"}`}, 400, `{"error_code":400,"message":"no"}`, ""},
		{"without an answer", "DELETE", "/connectors/c", elsewhere, peer{status: 204}, []string{`DELETE http://leader:8083/connectors/c?forward=true Basic dTpw `}, 204, "", ""},
		{"no JSON", "DELETE", "/connectors/c", elsewhere, peer{status: 502, body: "<html>"}, []string{`DELETE http://leader:8083/connectors/c?forward=true Basic dTpw `}, 502,
			`{"error_code":502,"message":"the worker at http://leader:8083/ answers 502 Bad Gateway: \"\u003chtml\u003e\""}`, ""},
		{"not reached", "DELETE", "/connectors/c", elsewhere, peer{err: errors.New("refused")}, []string{`DELETE http://leader:8083/connectors/c?forward=true Basic dTpw `}, 500,
			`{"error_code":500,"message":"IO Error trying to forward REST request: refused"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := ""
			if tt.method == "PUT" {
				body = `{"k":"v"}`
			}
			s := New(Options{Herder: &follower{err: tt.err}, Peers: &tt.peer})
			r, w := httptest.NewRequest(tt.method, "http://me"+tt.path, strings.NewReader(body)), httptest.NewRecorder()
			r.SetBasicAuth("u", "p")
			s.ServeHTTP(w, r)
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("Location") != tt.location {
				t.Errorf("%d %s %s", w.Code, w.Body, w.Header())
			}
			if d := cmp.Diff(tt.asked, tt.peer.asked); d != "" {
				t.Error(d)
			}
		})
	}
}

// What workers ask of each other is there in a cluster alone, and signed, so that it
// takes no login.
//
// Clauses: G8, K14.
func TestInternalRequests(t *testing.T) {
	refusal := &herder.Error{Reason: herder.Forbidden, Text: "Internal request contained invalid signature."}
	tests := []struct {
		name, method, path, body string
		peers                    Peers
		status                   int
		asked                    []string
	}{
		{"by itself", "POST", "/connectors/c/tasks", "[]", nil, 405, nil},
		{"by itself, fence", "PUT", "/connectors/c/fence", "", nil, 404, nil},
		{"tasks", "POST", "/connectors/c/tasks", `[{"k":"v"},{}]`, &peer{}, 204, []string{"tasks c [map[k:v] map[]]"}},
		{"another's", "POST", "/connectors/c/tasks", `[]`, &peer{refused: refusal}, 403, nil},
		{"bad", "POST", "/connectors/c/tasks", `{}`, &peer{}, 500, nil},
		{"fence", "PUT", "/connectors/c/fence", "", &peer{}, 501, nil},
		{"another's fence", "PUT", "/connectors/c/fence", "", &peer{refused: refusal}, 403, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, w := new(fakeHerder), httptest.NewRecorder()
			s, r := New(Options{Herder: f, Peers: tt.peers}), httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			if open := s.Takes(r) == rights.None; open != (tt.peers != nil) {
				t.Errorf("it takes no login: %v", open)
			}
			s.ServeHTTP(w, r)
			if d := cmp.Diff(tt.asked, f.asked); w.Code != tt.status || d != "" {
				t.Errorf("%d %s, %s", w.Code, w.Body, d)
			}
		})
	}
}
