// Package simulate stands in for an instrument and its dashboard.
package simulate

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/web"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// Dashboard is a dashboard to serve.
type Dashboard struct {
	Bins       string // folder of raw bins; empty for synthetic ones
	Listen     string // address
	Backlog    int    // synthetic bins of the past to begin with
	Options    dashboard.Options
	Instrument dashboard.InstrumentOptions
	Faults     []string // what goes wrong how often, such as 429=0.2
	Trouble    dashboard.FaultOptions
}

// Run serves until ctx ends.
func (d Dashboard) Run(ctx context.Context, out, logs io.Writer) error {
	d.Options.Dir = d.Bins
	d.Options.Log = slog.New(slog.NewTextHandler(logs, nil))
	var instrument *dashboard.Instrument
	if d.Bins == "" {
		dir, err := os.MkdirTemp("", "hydraulics-bins-")
		if err != nil {
			return fmt.Errorf("folder for synthetic bins: %w", err)
		}
		defer os.RemoveAll(dir)
		d.Options.Dir, d.Instrument.Dir = dir, dir
		d.Instrument.Keep = 1000
		if instrument, err = dashboard.NewInstrument(d.Instrument); err != nil {
			return err
		}
	}
	handler, err := d.handler()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", d.Listen)
	if err != nil {
		return fmt.Errorf("dashboard: %w: choose another --listen address", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	if instrument != nil {
		group.Go(func() error { return instrument.Run(ctx, d.Backlog) })
	}
	group.Go(func() error {
		if err := web.Serve(ctx, listener, handler, web.Options{}); err != nil {
			return fmt.Errorf("dashboard: %w", err)
		}
		return nil
	})
	fmt.Fprintf(out, "dashboard of generation %d: http://%s/%s/\n", d.Options.Generation, listener.Addr(), d.Options.Dataset)
	return group.Wait()
}

// handler is the dashboard, with the faults that were asked for.
func (d Dashboard) handler() (http.Handler, error) {
	handler, err := dashboard.New(d.Options)
	if err != nil || len(d.Faults) == 0 {
		return handler, err
	}
	d.Trouble.Log = d.Options.Log
	for _, text := range d.Faults {
		fault, err := dashboard.ParseFault(text)
		if err != nil {
			return nil, fmt.Errorf("--fault: %w", err)
		}
		d.Trouble.Faults = append(d.Trouble.Faults, fault)
	}
	return dashboard.WithFaults(handler, d.Trouble)
}
