package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/infer/evaluate"
	"github.com/axiom-data-science/hydraulics/internal/infer/model"
)

// evaluateOptions are the flags of `hydraulics evaluate`.
type evaluateOptions struct {
	model       model.Options
	format, out string
}

// newEvaluateCommand makes `hydraulics evaluate`: how good a model is on
// labelled images.
func newEvaluateCommand() *cobra.Command {
	var o evaluateOptions
	cmd := &cobra.Command{
		Use:   "evaluate --model MODEL FOLDER",
		Short: "Compare what a model says of labelled images with their labels",
		Long: "FOLDER has a folder of PNG images for each class, as training takes it. Prints accuracy, precision, recall and F1 of\n" +
			"each class, and the confusion matrix; --out DIR writes the same as report.txt, .json, .csv and .html (the matrix in colours),\n" +
			"and predictions.csv with the class and probability of each image.\n" +
			"MODEL is an ONNX file with its manifest beside it, or the URL of a model on a server.",
		Example: "  hydraulics evaluate --model model/small.onnx labelled/\n" +
			"  hydraulics evaluate --model demo/demo-plankton.onnx --format json images/ > report.json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.model.Model == "" {
				return errors.New("--model: want an ONNX file or the URL of a model")
			}
			if !slices.Contains(evaluate.Formats, o.format) {
				return fmt.Errorf("--format: %q is not one of %s", o.format, strings.Join(evaluate.Formats, ", "))
			}
			cmd.SilenceUsage = true // what follows is no mistake in the command line
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.model.Model, "model", "", "ONNX file, or URL of a model on a server")
	flags.StringVar(&o.model.Manifest, "manifest", "", "manifest in place of the one beside the model")
	flags.StringVar(&o.model.Labels, "labels", "", "file of class names, one a line, in place of the manifest's")
	flags.IntVar(&o.model.Threads, "threads", 0, "images at once; 0 is one per core")
	flags.DurationVar(&o.model.Timeout, "timeout", time.Minute, "of one request to a server")
	flags.StringVar(&o.format, "format", "text", "what is printed: text, json, csv or html")
	flags.StringVar(&o.out, "out", "", "folder for the report in all formats; made when absent")
	return cmd
}

func (o evaluateOptions) run(ctx context.Context, dir string, out, logs io.Writer) (err error) {
	c, err := model.Open(o.model)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	report, err := evaluate.Folder(ctx, c, dir)
	if err != nil {
		return err
	}
	for _, u := range report.Unread {
		fmt.Fprintf(logs, "left out: %s: %s\n", u.File, u.Why)
	}
	if o.out != "" {
		if err := report.WriteFiles(o.out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	return report.Write(out, o.format)
}
