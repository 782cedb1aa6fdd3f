// Package readapi answers queries on the tables of a database over HTTP.
package readapi

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/web"
	"github.com/axiom-data-science/hydraulics/internal/postgrest"
)

// grace is how long queries under way may take at the end.
const grace = 5 * time.Second

// Run serves until ctx ends, and says where.
func Run(ctx context.Context, c postgrest.Config, out io.Writer) error {
	for _, r := range c.Remarks {
		c.Log.Warn("configuration: " + r)
	}
	api, err := postgrest.New(ctx, c.Options)
	if err != nil {
		return fmt.Errorf("read api: %w", err)
	}
	defer api.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	serve := func(port int, handler http.Handler, flag string) (net.Addr, error) {
		l, err := net.Listen("tcp", net.JoinHostPort(postgrest.Listen(c.Host), strconv.Itoa(port)))
		if err != nil {
			return nil, fmt.Errorf("read api: %w: choose another %s", err, flag)
		}
		group.Go(func() error { return web.Serve(ctx, l, handler, web.Options{Grace: grace, Hosts: c.Hosts()}) })
		return l.Addr(), nil
	}
	address, err := serve(c.Port, api, "--server-port")
	if err != nil {
		return err
	}
	if c.AdminPort != 0 {
		if _, err := serve(c.AdminPort, api.Admin(), "--admin-server-port"); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "read api: http://%s/\n", address)
	return group.Wait()
}
