package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
)

// newSimulateCommand makes `hydraulics simulate`, which stands in for an instrument and its dashboard.
func newSimulateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Stand in for an instrument: serve a dashboard, write labelled images",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newSimulateDashboardCommand(), newSimulateImagesCommand())
	return cmd
}

func newSimulateImagesCommand() *cobra.Command {
	var (
		out      string
		perClass int
		seed     uint64
	)
	cmd := &cobra.Command{
		Use:   "images --out DIR",
		Short: "Write labelled synthetic images, one folder per class",
		Long: "Writes DIR/<class>/<class>_<n>.png for every synthetic class and DIR/labels.csv with the true volume of each\n" +
			"particle. The same seed gives the same images.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return errors.New("--out: want a folder to write to")
			}
			if err := plankton.WriteImages(out, perClass, seed); err != nil {
				return err
			}
			classes := plankton.Classes()
			fmt.Fprintf(cmd.OutOrStdout(), "%d images of %d classes in %s\n", perClass*len(classes), len(classes), out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder to write to; made when absent")
	cmd.Flags().IntVar(&perClass, "per-class", 100, "images per class")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed; the same one gives the same images")
	return cmd
}

// simulatedDashboard is what `hydraulics simulate dashboard` was asked for.
type simulatedDashboard struct {
	bins       string
	listen     string
	backlog    int
	options    dashboard.Options
	instrument dashboard.InstrumentOptions
	faults     []string
	wrong      dashboard.FaultOptions
}

func newSimulateDashboardCommand() *cobra.Command {
	var d simulatedDashboard
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "Serve a folder of raw bins, or synthetic ones, as an IFCB dashboard",
		Long: "Serves raw bins (.adc, .hdr, .roi; flat or in day directories) with the routes of dashboard generation 1 or 2.\n" +
			"A file metadata.csv in the folder (columns pid, skip, tag1, tag2 ..., depth, cruise ...) tells what people noted.\n" +
			"Without --bins it makes synthetic bins, a new one every --interval, in a folder that goes away with it; the class and\n" +
			"the true volume of their particles are at <dataset>/<bin>.truth.csv.\n\n" +
			"Faults are asked for with --fault KIND=PROBABILITY[@PART], any number of times; PART is what the path of a request\n" +
			"that can meet it contains. The first that a request meets is the one it gets, but slow comes on top. Kinds:\n" +
			"  slow        the answer waits for --slow-by\n" +
			"  429, 500..  that status, from 400 to 599; 429 and 503 come with Retry-After\n" +
			"  html        a page with status 200\n" +
			"  reset       the connection is reset before an answer\n" +
			"  cut         the connection ends in the middle of the answer\n" +
			"  truncate    a part of the answer, as though it were all; without PART of zips alone\n" +
			"With the same --fault-seed the nth request for a path meets the same ones.",
		Example: "  hydraulics simulate dashboard --generation 1 --bins /data/ifcb\n" +
			"  hydraulics simulate dashboard --fault 429=0.1 --fault truncate=0.2 --fault slow=0.3@/api/ --slow-by 5s",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&d.bins, "bins", "", "folder of raw bins to serve; without it synthetic ones are made")
	flags.IntVar(&d.options.Generation, "generation", 2, "dashboard generation, 1 or 2")
	flags.StringVar(&d.listen, "listen", "127.0.0.1:8888", "address to serve on")
	flags.StringVar(&d.options.Dataset, "dataset", "demo", "name of the dataset (generation 1: time series)")
	flags.StringVar(&d.options.BaseURL, "base-url", "", "what pids begin with; default is the host that is asked")
	flags.BoolVar(&d.options.ListBins, "list-bins", false, "generation 2: offer api/list_bins, as older deployments do")
	flags.Uint64Var(&d.instrument.Seed, "seed", 1, "seed of the synthetic bins")
	flags.DurationVar(&d.instrument.Interval, "interval", 30*time.Second, "time from one synthetic bin to the next")
	flags.IntVar(&d.instrument.ImagesPerBin, "images-per-bin", 20, "images of a synthetic bin")
	flags.IntVar(&d.instrument.Number, "instrument", 901, "number of the synthetic instrument; 1 to 6 are old ones, whose cameras cut particles in two")
	flags.IntVar(&d.backlog, "backlog", 3, "synthetic bins of the past to begin with")
	flags.StringArrayVar(&d.faults, "fault", nil, "what goes wrong how often, such as 429=0.2 or truncate=1@.zip; may be repeated")
	flags.Uint64Var(&d.wrong.Seed, "fault-seed", 1, "seed of the faults")
	flags.DurationVar(&d.wrong.SlowBy, "slow-by", 2*time.Second, "how long a slow answer waits")
	flags.DurationVar(&d.wrong.RetryAfter, "retry-after", 5*time.Second, "Retry-After of 429 and 503, in whole seconds; 0 for none")
	return cmd
}

// run serves until ctx ends.
func (d simulatedDashboard) run(ctx context.Context, out, logs io.Writer) error {
	d.options.Dir = d.bins
	d.options.Log = slog.New(slog.NewTextHandler(logs, nil))
	var instrument *dashboard.Instrument
	if d.bins == "" {
		dir, err := os.MkdirTemp("", "hydraulics-bins-")
		if err != nil {
			return fmt.Errorf("folder for synthetic bins: %w", err)
		}
		defer os.RemoveAll(dir)
		d.options.Dir, d.instrument.Dir = dir, dir
		d.instrument.Keep = 1000
		if instrument, err = dashboard.NewInstrument(d.instrument); err != nil {
			return err
		}
	}
	handler, err := d.handler()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", d.listen)
	if err != nil {
		return fmt.Errorf("dashboard: %w: choose another --listen address", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	group, ctx := errgroup.WithContext(ctx)
	if instrument != nil {
		group.Go(func() error { return instrument.Run(ctx, d.backlog) })
	}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("dashboard: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	fmt.Fprintf(out, "dashboard of generation %d: http://%s/%s/\n", d.options.Generation, listener.Addr(), d.options.Dataset)
	return group.Wait()
}

// handler is the dashboard, with the faults that were asked for.
func (d simulatedDashboard) handler() (http.Handler, error) {
	handler, err := dashboard.New(d.options)
	if err != nil || len(d.faults) == 0 {
		return handler, err
	}
	d.wrong.Log = d.options.Log
	for _, text := range d.faults {
		fault, err := dashboard.ParseFault(text)
		if err != nil {
			return nil, fmt.Errorf("--fault: %w", err)
		}
		d.wrong.Faults = append(d.wrong.Faults, fault)
	}
	return dashboard.WithFaults(handler, d.wrong)
}
