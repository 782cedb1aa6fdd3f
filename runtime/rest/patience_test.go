package rest

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// slowHerder does nothing until it is told to go on.
type slowHerder struct {
	fakeHerder
	resume chan struct{}
}

func (s *slowHerder) SetTarget(string, state.Target) error {
	<-s.resume
	return nil
}

func (s *slowHerder) Snapshots() []runtime.Stats {
	<-s.resume
	return nil
}

func (s *slowHerder) AlterOffsets(ctx context.Context, _ string, _ []connector.SourceOffset) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// Clauses: K2.
func TestRequestsThatTakeTooLong(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		after                    time.Duration
		want                     string
	}{
		{"a change", "PUT", "/connectors/flow/pause", "", 90 * time.Second, `{"error_code":500,"message":"Request timed out. The worker is currently making connector flow PAUSED, which began at 2000-01-01T00:00:00.000Z"}`},
		{"offsets", "PATCH", "/connectors/flow/offsets", `{"offsets":[{"partition":{},"offset":null}]}`, 90 * time.Second, `The worker is currently altering the offsets of connector flow, which began at`},
		{"health", "GET", "/health", "", 10 * time.Second, `{"status":"unhealthy","message":"Worker was unable to handle this request and may be unable to handle other requests. The worker is currently looking at its tasks, which`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &slowHerder{resume: make(chan struct{})}
				s := New(Options{Herder: h})
				s.SetReady()
				r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
				w := httptest.NewRecorder()
				began := time.Now()
				s.ServeHTTP(w, r)
				if w.Code != 500 || !strings.Contains(w.Body.String(), tt.want) {
					t.Errorf("%d %s, want %s", w.Code, w.Body, tt.want)
				}
				if took := time.Since(began); took != tt.after { // synctest's time
					t.Errorf("the answer came after %s, want %s", took, tt.after)
				}
				close(h.resume)
			})
		})
	}
}

// panicking is a herder with a defect.
type panicking struct{ fakeHerder }

func (*panicking) SetTarget(string, state.Target) error { panic("a defect") }

// Clauses: K12.
func TestPanicIsAnswered(t *testing.T) {
	w := httptest.NewRecorder()
	New(Options{Herder: new(panicking)}).ServeHTTP(w, httptest.NewRequest("PUT", "/connectors/flow/pause", nil))
	if w.Code != 500 || !strings.Contains(w.Body.String(), "the worker panicked while it was answering: a defect") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
