package door

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"

	"github.com/axiom-data-science/hydraulics/internal/httpd"
)

// listener is a socket and, once it serves, the server at it, whose goroutine ends
// with close.
type listener struct {
	net.Listener
	secured *tls.Config // nil is http
	server  *http.Server
	done    chan struct{}
}

// listen listens on an address. One that nobody asked for may be any free port
// where it is busy, which is said.
func listen(log *slog.Logger, what string, a address) (*listener, error) {
	l, err := net.Listen("tcp", a.host)
	if err == nil {
		return &listener{Listener: l}, nil
	}
	if !a.free || !errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %w: choose another %s", what, err, a.key)
	}
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	log.Warn(what + ": " + a.host + " is in use, " + l.Addr().String() + " is used instead")
	return &listener{Listener: l}, nil
}

func (l *listener) scheme() string {
	if l.secured != nil {
		return "https"
	}
	return "http"
}

// url gives the URL on this machine, empty for no listener.
func (l *listener) url() string {
	if l == nil {
		return ""
	}
	return l.scheme() + "://" + reachable(l.Addr())
}

// reachable gives an address to connect to for one to listen on.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if isAny(a) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// isAny tells whether an address is that of all interfaces.
func isAny(a net.Addr) bool {
	host, _, err := net.SplitHostPort(a.String())
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsUnspecified()
}

// local tells whether only this machine reaches the listener.
func (l *listener) local() bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// serve serves a handler, under the names that are allowed beside this machine's
// own, until the listener is closed.
func (l *listener) serve(h http.Handler, names []string, log *slog.Logger) {
	l.done = make(chan struct{})
	l.server = httpd.Server(l.Addr(), names, h, slog.NewLogLogger(log.Handler(), slog.LevelDebug))
	socket := l.Listener
	if l.secured != nil {
		socket = tls.NewListener(socket, l.secured)
	}
	go func() {
		defer close(l.done)
		if err := l.server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			log.Error("http: " + err.Error())
		}
	}()
}

// close ends the listener: requests under way have until ctx ends.
func (l *listener) close(ctx context.Context) error {
	switch {
	case l == nil:
		return nil
	case l.server == nil:
		return l.Close()
	}
	err := l.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, l.server.Close())
	}
	<-l.done
	return err
}
