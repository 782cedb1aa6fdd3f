// Package httpd makes HTTP servers that nobody keeps busy without asking for
// anything, and that no web page reaches by another name than theirs.
package httpd

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// How long a client may take. A body has a deadline of its own: ReadTimeout
// would break off answers that take longer than it.
const (
	headerPatience = 10 * time.Second
	bodyPatience   = time.Minute
	idlePatience   = 2 * time.Minute
)

// AnyHost among the names of a [Server] lets every name pass.
const AnyHost = "*"

// Server makes a server for a listener at an address. On a loopback address it
// answers to the names localhost and the loopback addresses, on any port, and to
// names; to another it is 403. A page whose own name was made to mean this
// machine (DNS rebinding) would count as of the same origin.
func Server(at net.Addr, names []string, h http.Handler, errorLog *log.Logger) *http.Server {
	return serverOf(at, names, h, errorLog, bodyPatience)
}

func serverOf(at net.Addr, names []string, h http.Handler, errorLog *log.Logger, patience time.Duration) *http.Server {
	if a, ok := at.(*net.TCPAddr); ok && a.IP.IsLoopback() {
		h = named(names, h)
	}
	return &http.Server{Handler: inTime(patience, h), ReadHeaderTimeout: headerPatience, IdleTimeout: idlePatience, ErrorLog: errorLog}
}

// named refuses requests to other names than those of this machine and names.
func named(names []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostname(r.Host); !local(host) && !slices.ContainsFunc(names, func(n string) bool { return n == AnyHost || strings.EqualFold(hostname(n), host) }) {
			http.Error(w, "host "+r.Host+" is not a name of this server: ask it as localhost, or have the name allowed", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname gives a Host header's name or address, without port, brackets and
// the dot at its end.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), ".")
}

// local tells whether a name is this machine's alone. None at all is what no
// browser sends.
func local(host string) bool {
	if host == "" || strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// inTime gives a request's body until patience is over.
func inTime(patience time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			b := &body{ReadCloser: r.Body, of: http.NewResponseController(w)}
			b.until(time.Now().Add(patience))
			r.Body = b
		}
		next.ServeHTTP(w, r)
	})
}

// body is a request's body with a deadline, which its end takes away.
type body struct {
	io.ReadCloser
	of *http.ResponseController
}

// until sets the deadline; a connection that knows none has none.
func (b *body) until(t time.Time) { _ = b.of.SetReadDeadline(t) }

// Read reads what has come.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.until(time.Time{})
	}
	return n, err
}
