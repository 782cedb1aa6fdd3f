package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/simulate"
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

func newSimulateDashboardCommand() *cobra.Command {
	var d simulate.Dashboard
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
			return d.Run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&d.Bins, "bins", "", "folder of raw bins to serve; without it synthetic ones are made")
	flags.IntVar(&d.Options.Generation, "generation", 2, "dashboard generation, 1 or 2")
	flags.StringVar(&d.Listen, "listen", "127.0.0.1:8888", "address to serve on")
	flags.StringVar(&d.Options.Dataset, "dataset", "demo", "name of the dataset (generation 1: time series)")
	flags.StringVar(&d.Options.BaseURL, "base-url", "", "what pids begin with; default is the host that is asked")
	flags.BoolVar(&d.Options.ListBins, "list-bins", false, "generation 2: offer api/list_bins, as older deployments do")
	flags.Uint64Var(&d.Instrument.Seed, "seed", 1, "seed of the synthetic bins")
	flags.DurationVar(&d.Instrument.Interval, "interval", 30*time.Second, "time from one synthetic bin to the next")
	flags.IntVar(&d.Instrument.ImagesPerBin, "images-per-bin", 20, "images of a synthetic bin")
	flags.IntVar(&d.Instrument.Number, "instrument", 901, "number of the synthetic instrument; 1 to 6 are old ones, whose cameras cut particles in two")
	flags.IntVar(&d.Backlog, "backlog", 3, "synthetic bins of the past to begin with")
	flags.StringArrayVar(&d.Faults, "fault", nil, "what goes wrong how often, such as 429=0.2 or truncate=1@.zip; may be repeated")
	flags.Uint64Var(&d.Trouble.Seed, "fault-seed", 1, "seed of the faults")
	flags.DurationVar(&d.Trouble.SlowBy, "slow-by", 2*time.Second, "how long a slow answer waits")
	flags.DurationVar(&d.Trouble.RetryAfter, "retry-after", 5*time.Second, "Retry-After of 429 and 503, in whole seconds; 0 for none")
	return cmd
}
