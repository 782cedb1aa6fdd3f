// Package reclassify takes the images that are in Kafka through another model, beside the worker that runs the flow, and
// says what that changes.
package reclassify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/watch"
	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Options are what a run is of.
type Options struct {
	Files        []string  // of the flow
	Model        string    // ONNX file, or URL of a model server
	Manifest     string    // in place of the one beside the model
	Labels       string    // in place of the manifest's
	Stream       string    // that classifies, where the flow has several
	Name         string    // of the run; empty for one made of stream and model
	Since, Until time.Time // only samples of this time; zero is open
	Same         bool      // write to the topic, and so to the table, of the flow
	Table        string    // in place of the flow's
	Rate         float64   // images a second at most, 0 for no bound
	Threads      int       // images that are classified at once, 0 for one per core
	JSON, CSV    string    // files for the report
	State        string    // folder that notes how far runs are
}

// Run takes the images through the model and compares.
func (o Options) Run(ctx context.Context, out io.Writer) error {
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
	return rep.write(out, o.JSON, o.CSV)
}

// plugins gives the program's plugins and the command's own.
func plugins(own ...func(*connector.Registry)) *connector.Registry {
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
func (p *plan) work(ctx context.Context, connectors []config.Connector, own *connector.Registry, done func(*cli.Worker) (bool, error)) (err error) {
	w, err := cli.StartWorker(ctx, cli.WorkerOptions{Setup: p.journey(connectors), Plugins: own, Defaults: configs.FS, Quiet: true, Log: slog.Default()})
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), watch.StopTime)
		defer cancel()
		err = errors.Join(err, w.Close(last))
	}()
	tick := time.NewTicker(watch.Every)
	defer tick.Stop()
	for {
		if err := w.Failed(); err != nil {
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
	return p.work(ctx, p.connectors(r), plugins(registerWithin), func(w *cli.Worker) (bool, error) {
		left, err := unread(ctx, client, p.group(), r.Images, r.ImageEnds, idle(w, p.name))
		if err != nil {
			return false, err
		}
		if now := time.Now(); left > 0 && now.Sub(said) >= 10*time.Second {
			said = now
			fmt.Fprintf(out, "%d of %d records in %s are left\n", left, r.records(), r.Images)
		}
		if left > 0 || p.sink == nil || p.o.Same {
			return left == 0, nil
		}
		return watch.CaughtUp(ctx, client, "connect-"+p.sinkName(), r.Output)
	})
}

// folder gives the folder of the runs' notes.
func (o Options) folder() (string, error) {
	dir := o.State
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
