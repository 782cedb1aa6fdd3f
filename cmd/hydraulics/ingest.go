package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/ingest"
)

// newIngestCommand makes `hydraulics ingest`, which publishes a dashboard's images once.
func newIngestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Publish the images of a dashboard once",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(
		newIngestFormCommand("feed", ingest.Feed, "Publish the newest bins of a dashboard"),
		newIngestFormCommand("station", ingest.Station, "Publish the oldest bins of a dashboard, day by day"))
	return cmd
}

// newPublishFeedImagesCommand makes the original's name of `hydraulics ingest feed`.
func newPublishFeedImagesCommand() *cobra.Command {
	return newIngestFormCommand("publish-feed-images", ingest.Feed, "The same as ingest feed")
}

// newPublishStationImagesCommand makes the original's name of `hydraulics ingest station`.
func newPublishStationImagesCommand() *cobra.Command {
	return newIngestFormCommand("publish-station-images", ingest.Station, "The same as ingest station")
}

func newIngestFormCommand(name, form, short string) *cobra.Command {
	in := ingest.Options{Form: form}
	cmd := &cobra.Command{
		Use:   name + " DASHBOARD TOPIC BROKER",
		Short: short,
		Long: "Runs the source ifcb once: DASHBOARD is the URL of a dataset on a dashboard of either generation, BROKER is\n" +
			"host:port of Kafka, or several with commas between them. Keys are such as D20190728T212639_IFCB104_00002.\n" +
			"What was published is noted in a file: a run that broke off goes on where it was, one that was done adds nothing.",
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Dashboard, in.Topic, in.Broker = args[0], args[1], args[2]
			return in.Run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&in.Bins, "nbins", 25, "how many bins, -1 for all")
	flags.StringVar(&in.Format, "format", "json", "json: a JSON object without schema, the image in base64; avro: a record with a schema")
	flags.StringVar(&in.Registry, "registry", "", "URL of the schema registry, for --format avro")
	flags.StringVar(&in.BinsTopic, "bins-topic", "", "topic for a record per bin, which hydraulics ifcb gaps reads; without it there is none")
	addKafkaFlag(cmd, &in.Kafka)
	addDashboardFlag(cmd, &in.Access)
	flags.StringVar(&in.Offsets, "offsets", "", "file that notes what was published; without it one in the user's cache folder")
	flags.DurationVar(&in.Patience, "patience", time.Minute, "how long to try again without any progress before giving up")
	return cmd
}
