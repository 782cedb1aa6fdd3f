package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/demo"
)

// newDemoCommand makes `hydraulics demo`: the whole flow on embedded servers.
func newDemoCommand() *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole flow on embedded servers, with a simulated instrument",
		Long: "Starts a Kafka broker, a schema registry, PostgreSQL, a dashboard with a simulated instrument, the worker with the IFCB\n" +
			"flow, the page and the read API, all on 127.0.0.1, and goes on until it is interrupted. A second start goes on where\n" +
			"the first one stopped. A port that is busy is replaced by the next free one, which is said.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.Run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Data, "data", "", "folder for all data (default: hydraulics/demo in your cache folder); delete it to begin anew")
	flags.StringVar(&o.Bins, "bins", "", "folder of raw bins to serve in place of the simulated instrument")
	flags.IntVar(&o.Generation, "generation", 2, "generation of the served dashboard, 1 or 2")
	flags.StringVar(&o.Dashboard, "dashboard", "", "URL of a real dashboard to follow, from its newest bin on, in place of a served one")
	flags.DurationVar(&o.Interval, "interval", 20*time.Second, "time from one simulated bin to the next")
	flags.BoolVar(&o.UntilIdle, "until-idle", false, "end, with success, when all bins that are offered have landed")
	flags.BoolVar(&o.OriginalPassword, "original-password", false,
		"give the database's role kafka the well-known password of the original's configuration files, which then run unchanged against the demo")
	flags.BoolVar(&o.Verbose, "verbose", false, "log what goes on, not warnings alone")
	cmd.MarkFlagsMutuallyExclusive("bins", "dashboard")
	return cmd
}
