package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/health"
	"github.com/axiom-data-science/hydraulics/runtime/internal/steer"
)

// errUnwell ends a doctor that has found something wrong.
var errUnwell = fmt.Errorf("some checks fail: %w", steer.ErrDiffers)

func newDoctorCommand(name string) *cobra.Command {
	d := doctor{from: source{roleOf: func(int) config.Role { return config.AnyRole }}}
	c := &cobra.Command{
		Use:   "doctor -f FILE... | --url URL",
		Short: "Look whether what a worker and its connectors need is there, and say the remedy",
		Long: `Checks the files as lint does, and then asks what they name, from this machine: Kafka
and the rights to topics and groups, the schema registry, databases and their tables,
web services, dashboards, models and their servers, clocks, folders and disks. Each line
says ok, warn or fail; behind them are the remedies, which "explain CODE" says more of.

Without files a running worker looks from its machine at what it and its connectors need:
the one that --url or --context names, HYDRAULICS_URL or the current context.

Nothing is written anywhere: no topic is made, no group joined, no schema registered.
Each check takes --timeout at most.

Exits with 2 where something fails, with 0 where nothing does or only warnings are there,
with 3 where the worker cannot look, as Java's.`,
		Example: "  " + name + " doctor -f flow.yaml\n  " + name + " doctor -f worker.properties sink.json -o json\n  " + name + " doctor --url http://localhost:8083",
		RunE: func(cmd *cobra.Command, args []string) error {
			d.from.files = append(d.from.files, args...)
			return d.run(cmd)
		},
	}
	f := c.Flags()
	f.StringArrayVarP(&d.from.files, "file", "f", nil, "file of the worker or of connectors; more than once for several")
	f.StringArrayVar(&d.connectors, "connector", nil, "only this connector; more than once for several")
	f.DurationVar(&d.long, "timeout", 10*time.Second, "how long one check may take (a minute at most at a worker)")
	f.StringArrayVar(&d.from.sets, "set", nil, "key=value for the worker, connectors.NAME.key=value for a connector")
	d.form.AddTo(c)
	steer.AddTarget(c, &d.target, "url")
	return c
}

// doctor is what the flags of the command say.
type doctor struct {
	from       source
	connectors []string
	long       time.Duration
	form       output.Form
	target     client.Target
}

// run looks at all that the files name, or has a worker look at what it runs, and prints
// what was found.
func (d *doctor) run(cmd *cobra.Command) error {
	named := d.target.URL != "" || d.target.Context != ""
	switch {
	case len(d.from.files) > 0 && named:
		return errors.New("files, and a worker by --url or --context: give one of them")
	case len(d.from.files) > 0:
		return d.ofFiles(cmd)
	case len(d.from.sets) > 0:
		return errors.New("--set changes what files say: give at least one with -f")
	case d.target.Given():
		return d.ofWorker(cmd)
	}
	return errors.New("which files, or which worker? give at least one file with -f, or a worker with --url or --context")
}

// ofFiles looks at all that the files name.
func (d *doctor) ofFiles(cmd *cobra.Command) error {
	s, err := d.from.read()
	if err != nil {
		return err
	}
	s.Distributed = s.NamesCluster()
	r := new(health.Report)
	bad := lintInto(r, s, Defaults)
	all, err := newLenientPreviewer(s, slog.New(slog.DiscardHandler))
	if err != nil {
		if bad[""] { // it was said
			return d.print(cmd, r)
		}
		return err
	}
	chosen, err := all.chosen(d.connectors)
	if err != nil && (len(d.connectors) > 0 || len(s.Connectors) > 0) {
		return err
	}
	r.Add(health.OfWorker, all.configured.look(cmd.Context(), all.setup, d.long, all.unread)...)
	found := make([][]connector.Finding, len(chosen))
	g, ctx := errgroup.WithContext(cmd.Context())
	g.SetLimit(filesAtOnce)
	for i, c := range chosen {
		g.Go(func() error {
			found[i] = lookAt(ctx, all.runtime, all.validator, c.Name, c.Entries.Props(), c.Origin(), d.long, bad[c.Name])
			return context.Cause(ctx)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, c := range chosen {
		r.Add(c.Name, found[i]...)
	}
	return d.print(cmd, r)
}

// ofWorker has a worker look at what it and its connectors need, and prints what it found.
func (d *doctor) ofWorker(cmd *cobra.Command) error {
	d.target.Timeout = client.DefaultTimeout
	c, err := d.target.Open()
	if err != nil {
		return err
	}
	defer c.Close()
	r, ctx := new(health.Report), cmd.Context()
	own, err := c.Check(ctx, d.long)
	if err != nil {
		return err
	}
	r.Merge(own...)
	names := d.connectors
	if len(names) == 0 {
		if names, err = c.Names(ctx); err != nil {
			return err
		}
		slices.Sort(names)
	}
	found, err := d.checks(ctx, c, names)
	if err != nil {
		return err
	}
	for _, list := range found {
		r.Merge(list...)
	}
	return d.print(cmd, r)
}

// checks has a worker look at what connectors need. That it does not answer for one of them
// is a check that fails, unless that one was named, or it answers for none.
func (d *doctor) checks(ctx context.Context, c *client.Client, names []string) ([][]health.Check, error) {
	found, errs := make([][]health.Check, len(names)), make([]error, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runningAtOnce)
	for i, name := range names {
		g.Go(func() error {
			list, err := c.CheckConnector(ctx, name, d.long)
			gone, is := errors.AsType[*client.Error](err)
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case len(d.connectors) > 0:
				found[i] = list
				return err
			case is && gone.NotFound(): // it was deleted meanwhile
			case err != nil:
				errs[i] = err
				found[i] = []health.Check{health.Of(name, connector.Finding{What: "check", Err: err})}
			default:
				found[i] = list
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if !slices.Contains(errs, nil) {
		return nil, errors.Join(errs...)
	}
	return found, nil
}

// print prints what was found, and says by the error whether something fails.
func (d *doctor) print(cmd *cobra.Command, r *health.Report) error {
	if err := r.Print(cmd.OutOrStdout(), &d.form); err != nil {
		return err
	}
	if r.Count(health.Fail) > 0 {
		return errUnwell
	}
	return nil
}

// lintInto notes what is wrong with the files, and tells of which connectors, or of the
// worker by "", so much is wrong that they would not start.
func lintInto(r *health.Report, s *config.Setup, defaults fs.FS) map[string]bool {
	bad := map[string]bool{}
	problems := append(config.Lint(s, connector.Plugins, defaults), lintConnections(s, defaults)...)
	for _, p := range config.Coded(problems) {
		text := p.Message
		if p.Key != "" {
			text = p.Key + ": " + text
		}
		f := connector.Finding{What: filepath.Base(p.File), Warning: p.Warning && !p.Fails, Err: connector.Coded(p.Code, errors.New(text))}
		if p.Line > 0 {
			f.What += fmt.Sprint(":", p.Line)
		}
		of := health.OfWorker
		if p.Connector != "" {
			of = p.Connector
		}
		r.Add(of, f)
		if !f.Warning {
			bad[p.Connector] = true
		}
	}
	return bad
}
