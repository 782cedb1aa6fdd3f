package registryd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/httpd"
)

// Options say where the registry listens.
type Options struct {
	// Addr is host:port; empty is a free port of 127.0.0.1.
	Addr string
	Log  *slog.Logger
}

// Server is a running registry.
type Server struct {
	listener net.Listener
	http     *http.Server
	stop     sync.Once
	served   chan struct{}
}

// Start reads the log and serves. The log remains the caller's, who closes it
// after Stop.
func Start(ctx context.Context, log Log, o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r, err := open(ctx, log)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("embedded registry: %w", err)
	}
	s := &Server{listener: listener, served: make(chan struct{}),
		http: httpd.Server(listener.Addr(), nil, r.handler(), slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn))}
	o.Log.Info("embedded schema registry", "url", s.URL(), "holds", r.state.String())
	go func() { // until Stop
		defer close(s.served)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("embedded schema registry", "error", err)
		}
	}()
	return s, nil
}

// URL gives the address that clients are configured with.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Stop ends the server: requests that it has begun are finished, for five
// seconds at most. It is safe twice.
func (s *Server) Stop() {
	s.stop.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if s.http.Shutdown(ctx) != nil {
			_ = s.http.Close() // the connections that did not end by themselves
		}
		<-s.served
	})
}
