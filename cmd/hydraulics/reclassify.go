package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/reclassify"
)

// newReclassifyCommand makes `hydraulics reclassify`, which takes the images
// that are in Kafka through another model.
func newReclassifyCommand() *cobra.Command {
	var o reclassify.Options
	var since, until string
	cmd := &cobra.Command{
		Use:   "reclassify -f FLOW.yaml --model NEW",
		Short: "Classify the images in Kafka again with another model, and compare",
		Long: `Takes what the stream of a flow has classified through the same stream with
another model, beside the worker that runs the flow: as a member of a consumer
group of its own, no faster than --rate.

The statistics go into a topic and a table of their own, or with --same-table
into those of the flow. For the latter the flow's keep-best must have the policy
latest or per-model: with keep-best a new model lands only where it is surer of
itself than any model before.

At its end it says what has changed: classes old and new, images that became or
ceased to be of a harmful alga. A run that was interrupted goes on with the same
command, and its report is of the whole run. Images that are no longer in Kafka
come back with hydraulics ingest.`,
		Example: "  hydraulics reclassify -f ifcb.yaml --model models/ifcb-2.onnx --since 2024-05-01\n" +
			"  hydraulics reclassify -f ifcb.yaml --model models/ifcb-2.onnx --same-table --rate 5 --json changes.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Since, err = parseMoment("--since", since); err != nil {
				return err
			}
			if o.Until, err = parseMoment("--until", until); err != nil {
				return err
			}
			return o.Run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.Files, "file", "f", nil, "file of the flow; more than once for several")
	f.StringVar(&o.Model, "model", "", "the new model: ONNX file, or URL of a model server")
	f.StringVar(&o.Manifest, "manifest", "", "its manifest, in place of the one beside it")
	f.StringVar(&o.Labels, "labels", "", "its labels, in place of the manifest's")
	f.StringVar(&since, "since", "", "only samples from this time on, such as 2024-05-01 or 2024-05-01T12:00:00Z")
	f.StringVar(&until, "until", "", "only samples before this time")
	f.StringVar(&o.Stream, "stream", "", "stream of the flow that classifies, where it has several")
	f.StringVar(&o.Name, "name", "", "name of the run (default: made of the stream and the model); another one begins anew")
	f.BoolVar(&o.Same, "same-table", false, "write to the topic and so to the table of the flow")
	f.StringVar(&o.Table, "table", "", "table in place of the flow's (default: the flow's, with the run's name behind it)")
	f.Float64Var(&o.Rate, "rate", 20, "images a second at most, so that the flow beside it keeps up; 0 for no bound")
	f.IntVar(&o.Threads, "threads", 1, "images that are classified at once, 0 for one per core")
	f.StringVar(&o.JSON, "json", "", "write the report to this file as JSON too")
	f.StringVar(&o.CSV, "csv", "", "write the classes old and new to this file as CSV too")
	f.StringVar(&o.State, "state", "", "folder that notes how far runs are (default: hydraulics/reclassify in your cache folder)")
	for _, name := range []string{"file", "model"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is there
		}
	}
	cmd.MarkFlagsMutuallyExclusive("same-table", "table")
	return cmd
}

// parseMoment reads a date or a time, zero for none.
func parseMoment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: %q is not a time such as 2024-05-01 or 2024-05-01T12:00:00Z", flag, text)
}
