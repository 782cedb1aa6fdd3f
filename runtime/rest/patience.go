package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// requestTimeout is how long an answer may take, healthTimeout that of
	// /health, both as in Kafka Connect.
	requestTimeout = 90 * time.Second
	healthTimeout  = 10 * time.Second
)

// stages is what is being done for a request, for the answer to one that takes
// too long. It is safe for use from several goroutines.
type stages struct {
	mu    sync.Mutex
	what  string
	began time.Time
}

func (s *stages) enter(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.what, s.began = what, time.Now()
}

func (s *stages) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("The worker is currently %s, which began at %s", s.what, s.began.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// stage says what is done next for the request.
func (r request) stage(format string, args ...any) { r.stages.enter(fmt.Sprintf(format, args...)) }

// patiently has a handler answer, for as long as a request may take. After that
// its context has ended, and what the handler still does goes on without anyone
// who waits for it, as in Kafka Connect.
func (s *Server) patiently(h handler, r request, rt route) (answer, error) {
	ctx, cancel := context.WithTimeout(r.Context(), rt.limit)
	defer cancel()
	r.Request, r.stages = r.WithContext(ctx), new(stages)
	r.stage("reading the request")
	type result struct {
		answer
		error
	}
	done := make(chan result, 1)
	go func() { // ends when the handler does
		var out result
		defer func() {
			if v := recover(); v != nil {
				out.error = fmt.Errorf("the worker panicked while it was answering: %v", v)
				s.o.Log.Error(out.Error(), "path", r.URL.Path, "stack", string(debug.Stack()))
			}
			done <- out
		}()
		out.answer, out.error = h(s, r)
	}()
	select {
	case out := <-done:
		return out.answer, out.error
	case <-ctx.Done():
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return answer{}, ctx.Err() // the client is gone
	}
	s.o.Log.Warn("request timed out", "method", r.Method, "path", r.URL.Path, "stage", r.stages.String())
	return rt.late(s, r)
}

// timedOut says that a request took too long.
func timedOut(_ *Server, r request) (answer, error) {
	return answer{}, failed(http.StatusInternalServerError, "Request timed out. %s", r.stages)
}

// unhealthy says so of /health.
func unhealthy(_ *Server, r request) (answer, error) {
	return answer{status: http.StatusInternalServerError, body: healthBody{Status: "unhealthy",
		Message: fmt.Sprintf("Worker was unable to handle this request and may be unable to handle other requests. %s", r.stages)}}, nil
}
