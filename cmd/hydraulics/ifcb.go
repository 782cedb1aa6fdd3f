package main

import (
	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/features"
	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/gaps"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// newIFCBCommand makes `hydraulics ifcb`, the tools for images of an Imaging FlowCytobot.
func newIFCBCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ifcb",
		Short: "Work with bins and images of an Imaging FlowCytobot",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newFeaturesCommand(), newGapsCommand())
	return cmd
}

func newFeaturesCommand() *cobra.Command {
	var o features.Options
	cmd := &cobra.Command{
		Use:   "features PATH...",
		Short: "Measure the particles in images: area, shape, biovolume, carbon",
		Long: "Prints one row per image. PATH is a PNG, the .adc file of a bin (all its images) or BIN.adc#LINE.\n" +
			"A particle that an old camera cut in two is stitched as dashboards do, under the first one's number.\n" +
			"An image without a particle has a row too, its status says no_blob. Volumes are in px^3 and um^3, carbon in pg.\n" +
			"Algorithm v4 gives what WHOIGit/ifcb-features gives, under its names; --products DIR also writes its files of each PATH:\n" +
			"<bin>_features_v4.csv, <bin>_multiblob_v4.csv and <bin>_blobs_v4.zip; of a single image they begin with <bin>_<number>.",
		Example: "  hydraulics ifcb features D20220522T003051_IFCB134.adc > features.csv\n" +
			"  hydraulics ifcb features --algorithm v4 --products out D20220522T003051_IFCB134.adc\n" +
			"  hydraulics ifcb features --format json D20220522T003051_IFCB134.adc#3",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			cmd.SilenceUsage = true // what follows is no mistake in the command line
			return o.Run(paths, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&o.Algorithm, "algorithm", imaging.Seed, "how particles are found and measured: seed, the original's, or v4, of ifcb-features")
	cmd.Flags().StringVar(&o.Products, "products", "", "with v4, a folder for ifcb-features' own files of each bin or image")
	cmd.Flags().StringVar(&o.Format, "format", "csv", "csv or json")
	cmd.Flags().BoolVar(&o.Raw, "raw", false, "take the lines of a bin as they stand, nothing stitched")
	cmd.Flags().Float64Var(&o.PixelsPerMicron, "pixels-per-micron", imaging.DefaultPixelsPerMicron, "resolution of the camera")
	return cmd
}

func newGapsCommand() *cobra.Command {
	var o gaps.Options
	cmd := &cobra.Command{
		Use:   "gaps BINS_TOPIC BROKER",
		Short: "List the bins whose images are not all in Kafka",
		Long: "Reads the topic that the source ifcb tells about its bins on (bins.topic) and lists those that were given up or are\n" +
			"incomplete, with the reason. With --dashboard also those that the dashboard, or folder of raw files, has and the\n" +
			"topic does not know. Of several records of a bin the last one counts. Empty and skipped bins are no gaps, nor those\n" +
			"that the dashboard flags to be skipped and the source has not come to, nor runs that are no samples of the water:\n" +
			"beads, tests, cultures and the like.",
		Example: "  hydraulics ifcb gaps ifcb-images-bins localhost:9092 --registry http://localhost:8081\n" +
			"  hydraulics ifcb gaps ifcb-images-bins localhost:9092 --registry http://localhost:8081 \\\n" +
			"      --dashboard https://ifcb.example.org/mvco/ --from 2019-07-01 --until 2019-07-31 --format csv --fail",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.SilenceUsage = true // what follows is no mistake in the command line
			o.Topic, o.Broker = args[0], args[1]
			return o.Run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Registry, "registry", "", "URL of the schema registry, where the topic holds Avro")
	addKafkaFlag(cmd, &o.Kafka)
	addDashboardFlag(cmd, &o.Access)
	flags.StringVar(&o.Dashboard, "dashboard", "", "compare with what this dashboard, or folder of raw files, has")
	flags.StringVar(&o.Dataset, "dataset", "", "only this dataset; with --dashboard, where its URL does not end in it")
	flags.StringVar(&o.From, "from", "", "only bins from this day or time on")
	flags.StringVar(&o.Until, "until", "", "only bins up to this day, or before this time")
	flags.StringVar(&o.Format, "format", "text", "text, csv or json")
	flags.BoolVar(&o.IncludeSkipped, "include-skipped", false, "with --dashboard, count bins that it flags to be skipped: for a source with skip=include")
	flags.BoolVar(&o.IncludeRuns, "include-other-runs", false, "count runs that are no samples of the water: beads, tests, cultures and the like")
	flags.BoolVar(&o.Fail, "fail", false, "exit with an error when there is a gap")
	return cmd
}
