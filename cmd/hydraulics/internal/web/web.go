// Package web serves HTTP until a command ends.
package web

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/httpd"
)

// Options of a server.
type Options struct {
	Grace time.Duration // how long requests under way may take when it ends; 0 breaks them off
	Hosts []string      // names to be asked by on a loopback address, beside localhost
	Log   *log.Logger   // of what goes wrong with connections; nil is the standard one
}

// Serve serves on a listener until ctx ends.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, o Options) error {
	server := httpd.Server(l.Addr(), o.Hosts, handler, o.Log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }() // ends when the server is closed
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	var err error
	if o.Grace > 0 {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Grace)
		defer cancel()
		err = server.Shutdown(ending)
	}
	err = errors.Join(err, server.Close())
	<-served
	return err
}
