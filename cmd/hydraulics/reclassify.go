package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// newReclassifyCommand makes `hydraulics reclassify`, which takes the images
// that are in Kafka through another model.
func newReclassifyCommand() *cobra.Command {
	var o reclassification
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
			if o.since, err = parseMoment("--since", since); err != nil {
				return err
			}
			if o.until, err = parseMoment("--until", until); err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "file", "f", nil, "file of the flow; more than once for several")
	f.StringVar(&o.model, "model", "", "the new model: ONNX file, or URL of a model server")
	f.StringVar(&o.manifest, "manifest", "", "its manifest, in place of the one beside it")
	f.StringVar(&o.labels, "labels", "", "its labels, in place of the manifest's")
	f.StringVar(&since, "since", "", "only samples from this time on, such as 2024-05-01 or 2024-05-01T12:00:00Z")
	f.StringVar(&until, "until", "", "only samples before this time")
	f.StringVar(&o.stream, "stream", "", "stream of the flow that classifies, where it has several")
	f.StringVar(&o.name, "name", "", "name of the run (default: made of the stream and the model); another one begins anew")
	f.BoolVar(&o.same, "same-table", false, "write to the topic and so to the table of the flow")
	f.StringVar(&o.table, "table", "", "table in place of the flow's (default: the flow's, with the run's name behind it)")
	f.Float64Var(&o.rate, "rate", 20, "images a second at most, so that the flow beside it keeps up; 0 for no bound")
	f.IntVar(&o.threads, "threads", 1, "images that are classified at once, 0 for one per core")
	f.StringVar(&o.json, "json", "", "write the report to this file as JSON too")
	f.StringVar(&o.csv, "csv", "", "write the classes old and new to this file as CSV too")
	f.StringVar(&o.state, "state", "", "folder that notes how far runs are (default: hydraulics/reclassify in your cache folder)")
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

// reclassification is what `hydraulics reclassify` was asked for.
type reclassification struct {
	files                                 []string
	model, manifest, labels, stream, name string
	since, until                          time.Time
	same                                  bool
	table                                 string
	rate                                  float64
	threads                               int
	json, csv, state                      string
}

// run takes the images through the model and compares.
func (o reclassification) run(ctx context.Context, out, logs io.Writer) error {
	fail := func(err error) error { return fmt.Errorf("reclassify: %w", err) }
	p, err := o.plan()
	if err != nil {
		return fail(err)
	}
	client, err := p.connect(ctx)
	if err != nil {
		return fail(err)
	}
	defer client.Close()
	r, err := p.begin(ctx, client)
	if err != nil {
		return fail(err)
	}
	if !r.Done {
		if err := p.replay(ctx, client, r, out); err != nil {
			return fail(err)
		}
		r.Done = true
		if err := r.save(p.file); err != nil {
			return fail(err)
		}
	}
	rep, err := p.compare(ctx, client, r)
	if err != nil {
		return fail(err)
	}
	return rep.write(out, o.json, o.csv)
}

// reclassifyPlugins gives the program's plugins and the command's own.
func reclassifyPlugins(own ...func(*connector.Registry)) *connector.Registry {
	r := new(connector.Registry)
	for _, t := range []connector.PluginType{connector.SourceType, connector.SinkType, connector.TransformType,
		connector.PredicateType, connector.ConverterType, connector.HeaderConverterType} {
		for _, info := range connector.Plugins.List(t) {
			r.Add(t, func() connector.Plugin {
				p, err := connector.Plugins.New(t, info.Name)
				if err != nil {
					panic(err) // it was listed
				}
				return p
			})
		}
	}
	for _, add := range own {
		add(r)
	}
	return r
}

// work runs connectors until they are done or one has failed for good. The
// error of an interruption says what to do.
func (p *plan) work(ctx context.Context, connectors []config.Connector, plugins *connector.Registry, done func(*cli.Worker) (bool, error)) (err error) {
	w, err := cli.StartWorker(ctx, cli.WorkerOptions{Journey: p.journey(connectors), Plugins: plugins, Defaults: configs.FS, Quiet: true, Log: slog.Default()})
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err = errors.Join(err, w.Close(last))
	}()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := failed(w.Herder); err != nil {
			return err
		}
		over, err := done(w)
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted: the same command goes on from here")
		case err != nil && connector.KindOf(err) != connector.KindRetriable:
			return err
		case over && err == nil:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// replay takes the images through the new model, and its statistics into their
// table.
func (p *plan) replay(ctx context.Context, client *kafka.Client, r *run, out io.Writer) error {
	if behind := r.behind; behind > 0 {
		fmt.Fprintf(out, "%d records that %s has not read yet are left to it: they get the class of its model\n", behind, p.stream.Name)
	}
	said := time.Now()
	return p.work(ctx, p.connectors(r), reclassifyPlugins(registerWithin), func(w *cli.Worker) (bool, error) {
		left, err := unread(ctx, client, p.group(), r.Images, r.ImageEnds, idle(w, p.name))
		if err != nil {
			return false, err
		}
		if now := time.Now(); left > 0 && now.Sub(said) >= 10*time.Second {
			said = now
			fmt.Fprintf(out, "%d of %d records in %s are left\n", left, r.records(), r.Images)
		}
		if left > 0 || p.sink == nil || p.o.same {
			return left == 0, nil
		}
		return caughtUp(ctx, client, "connect-"+p.sinkName(), r.Output)
	})
}

// folder gives the folder of the runs' notes.
func (o reclassification) folder() (string, error) {
	dir := o.state
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("%w: name a folder with --state", err)
		}
		dir = filepath.Join(cache, "hydraulics", "reclassify")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("%w: name a folder with --state", err)
	}
	return filepath.Abs(dir)
}
