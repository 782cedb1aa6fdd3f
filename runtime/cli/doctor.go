package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/disk"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/distributed"
	"github.com/axiom-data-science/hydraulics/runtime/internal/steer"
)

// errUnwell ends a doctor that has found something wrong.
var errUnwell = fmt.Errorf("some checks fail: %w", steer.ErrDiffers)

// checksAtOnce is how many connectors are looked at at the same time.
const checksAtOnce = 8

func newDoctorCommand(name string) *cobra.Command {
	d := doctor{from: source{roleOf: func(int) config.Role { return config.AnyRole }}}
	c := &cobra.Command{
		Use:   "doctor -f FILE...",
		Short: "Look whether what a worker and its connectors need is there, and say the remedy",
		Long: `Checks the files as lint does, and then asks what they name, from this machine: Kafka
and the rights to topics and groups, the schema registry, databases and their tables,
web services, dashboards, models and their servers, clocks, folders and disks. Each line
says ok, warn or fail; behind them are the remedies, which "explain CODE" says more of.

Nothing is written anywhere: no topic is made, no group joined, no schema registered.
Each check takes --timeout at most.

Exits with 2 where something fails, with 0 where nothing does or only warnings are there.`,
		Example: "  " + name + " doctor -f flow.yaml\n  " + name + " doctor -f worker.properties sink.json -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if d.from.files = append(d.from.files, args...); len(d.from.files) == 0 {
				return errors.New("which files? give at least one with -f")
			}
			return d.run(cmd)
		},
	}
	f := c.Flags()
	f.StringArrayVarP(&d.from.files, "file", "f", nil, "file of the worker or of connectors; more than once for several")
	f.StringArrayVar(&d.connectors, "connector", nil, "only this connector; more than once for several")
	f.DurationVar(&d.long, "timeout", 10*time.Second, "how long one check may take")
	f.StringArrayVar(&d.from.sets, "set", nil, "key=value for the worker, connectors.NAME.key=value for a connector")
	d.form.AddTo(c)
	return c
}

// doctor is what the flags of the command say.
type doctor struct {
	from       source
	connectors []string
	long       time.Duration
	form       output.Form
}

// run looks at all that the files name, and prints what was found.
func (d *doctor) run(cmd *cobra.Command) error {
	s, err := d.from.read()
	if err != nil {
		return err
	}
	s.Distributed = s.NamesCluster()
	h := new(health)
	bad := h.lint(s, Defaults)
	all, err := newLenientPreviewer(s, slog.New(slog.DiscardHandler))
	if err != nil {
		if bad[""] { // it was said
			return d.print(cmd, h)
		}
		return err
	}
	chosen, err := all.chosen(d.connectors)
	if err != nil && (len(d.connectors) > 0 || len(s.Connectors) > 0) {
		return err
	}
	h.add("worker", d.worker(cmd.Context(), all)...)
	found := make([][]connector.Finding, len(chosen))
	slots := make(chan struct{}, checksAtOnce)
	var wait sync.WaitGroup
	for i, c := range chosen {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			found[i] = d.connector(cmd.Context(), all, c, bad[c.Name])
		})
	}
	wait.Wait()
	if err := context.Cause(cmd.Context()); err != nil {
		return err
	}
	for i, c := range chosen {
		h.add(c.Name, found[i]...)
	}
	return d.print(cmd, h)
}

// connector looks at what a connector needs. bad is that its configuration is wrong, and
// that this was said.
func (d *doctor) connector(ctx context.Context, all *previewer, c *config.Connector, bad bool) []connector.Finding {
	spec, err := specOf(all.validator, c.Name, c.Entries.Props(), c.Origin())
	switch {
	case err == nil:
		return all.runtime.Check(ctx, spec, d.long)
	case bad:
		return nil
	}
	return []connector.Finding{{What: "configuration", Err: connector.Coded("H1009", err)}}
}

// worker looks at what the worker itself needs: Kafka, its topics in a cluster, and
// where it keeps offsets without one.
func (d *doctor) worker(ctx context.Context, all *previewer) []connector.Finding {
	w := all.configured
	what := "Kafka at " + strings.Join(w.conf.List("bootstrap.servers"), ",")
	findings := runtime.Look(ctx, what, d.long, func(ctx context.Context, found func(connector.Finding)) {
		k, err := w.openKafka(ctx, "")
		if err != nil {
			found(connector.Finding{What: what, Err: connector.Coded("H2001", err)})
			return
		}
		defer k.Close()
		f := connector.Finding{What: what}
		f.Says, f.Err = k.Cluster(ctx)
		found(f)
		if all.setup.Distributed && f.Err == nil {
			distributed.Check(ctx, k, w.props, found)
		}
	})
	if all.setup.Distributed {
		return findings
	}
	name, err := w.offsetFile(all.setup)
	if err != nil {
		return append(findings, connector.Finding{What: "file of offsets", Err: connector.Coded("H1002", err)})
	}
	file := disk.ToAppend("file of offsets", name)
	if all.unread != nil {
		file = connector.Finding{What: file.What, Err: connector.Coded("H7006", all.unread)}
	}
	return append(findings, disk.ToWrite("folder of the offsets", filepath.Dir(name)), file)
}

// print prints what was found, and says by the error whether something fails.
func (d *doctor) print(cmd *cobra.Command, h *health) error {
	if d.form.ForPeople() {
		if err := h.print(cmd.OutOrStdout(), &d.form); err != nil {
			return err
		}
	} else if err := d.form.Value(cmd.OutOrStdout(), h.list); err != nil {
		return err
	}
	if h.count(isFail) > 0 {
		return errUnwell
	}
	return nil
}

// lint notes what is wrong with the files, and tells of which connectors, or of the
// worker by "", so much is wrong that they would not start.
func (h *health) lint(s *config.Setup, defaults fs.FS) map[string]bool {
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
		of := "worker"
		if p.Connector != "" {
			of = p.Connector
		}
		h.add(of, f)
		if !f.Warning {
			bad[p.Connector] = true
		}
	}
	return bad
}
