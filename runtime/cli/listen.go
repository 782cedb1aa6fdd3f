package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"syscall"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/httpd"
)

// The addresses of what a worker serves where nothing is said.
const (
	defaultREST = "127.0.0.1:8083"
	defaultPage = "127.0.0.1:6066"
)

// restAddress gives the address that a worker's configuration asks for, empty
// for the default one.
func restAddress(c connector.Config) (string, error) {
	for _, l := range c.List("listeners") {
		return hostPort("listeners", l, "8083")
	}
	host := c.String("rest.host.name")
	if !c.Has("rest.port") && host == "" {
		return "", nil
	}
	port := 8083
	if c.Has("rest.port") {
		port = c.Int("rest.port")
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
}

// hosts gives the names that a worker may be asked by on a loopback address:
// those allowed, and those that its configuration calls it by.
func hosts(c connector.Config) []string {
	names := append([]string{c.String("rest.host.name"), c.String("rest.advertised.host.name")}, c.List("listeners.allowed.hosts")...)
	for _, l := range slices.Concat(c.List("listeners"), []string{c.String("page.listener")}) {
		if u, err := url.Parse(l); err == nil {
			names = append(names, u.Hostname())
		}
	}
	return names
}

// hostPort takes an address apart that is written as http://host:port; without
// a port it is the default one.
func hostPort(key, text, standard string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%s: %s is not of the form http://host:port", key, text)
	}
	if u.Scheme != "http" {
		return "", fmt.Errorf("%s: %s: only http is there; put a reverse proxy before the worker for TLS", key, text)
	}
	port := u.Port()
	if port == "" {
		port = standard
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// listen listens on an address, which the key says, or, where none was asked
// for, on the default one; if that is busy on any free port, and says so.
func listen(log *slog.Logger, what, key, address, fallback string) (net.Listener, error) {
	if address != "" {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: choose another %s", what, err, key)
		}
		return l, nil
	}
	l, err := net.Listen("tcp", fallback)
	if err == nil {
		return l, nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	l, err = net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	log.Warn(what + ": " + fallback + " is in use, " + l.Addr().String() + " is used instead")
	return l, nil
}

// site is a handler that is being served. Its goroutine ends with Close.
type site struct {
	server *http.Server
	url    string
	done   chan struct{}
}

// serve serves a handler, under the names that are allowed beside this machine's
// own, until the site is closed.
func serve(l net.Listener, names []string, h http.Handler, log *slog.Logger) *site {
	s := &site{url: "http://" + reachable(l.Addr()), done: make(chan struct{}),
		server: httpd.Server(l.Addr(), names, h, slog.NewLogLogger(log.Handler(), slog.LevelDebug))}
	go func() {
		defer close(s.done)
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("http: " + err.Error())
		}
	}()
	return s
}

// reachable gives an address to connect to for one to listen on.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// close ends the site: requests under way have until ctx ends.
func (s *site) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	<-s.done
	return err
}
