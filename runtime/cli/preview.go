package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
	"github.com/axiom-data-science/hydraulics/runtime/internal/steer"
)

// errArrive ends a preview in which not every record would arrive.
var errArrive = fmt.Errorf("some records would not arrive: %w", steer.ErrDiffers)

// previewCommand is what the flags of preview say.
type previewCommand struct {
	from       source
	connectors []string
	options    runtime.PreviewOptions
	last, poll int
	input      string
	limit      time.Duration
	form       form
}

func newPreviewCommand(name string) *cobra.Command {
	p := previewCommand{from: source{roleOf: func(int) config.Role { return config.AnyRole }}}
	c := &cobra.Command{
		Use:   "preview FILE...",
		Short: "Show what connectors would make of real records, and write nothing",
		Long: `Takes records through the connectors of some files as a worker would, with the
real source, converters, transforms and sink, and shows what each stage changes,
which records would be dropped or become dead letters and why, and what would be
written: topics and schemas that would be made, SQL, requests, lines.

A source is asked for its next records (--poll); it goes on where its offsets are.
A sink or stream gets the newest records of its topics (--last), or those of
--from-topic. --input takes records from a file in their place, JSON as
"topics tail -o json" prints it.

Nothing is written: topics, groups, offsets, registry and changelogs stay as they
are. Model servers are asked, unless --offline. --execute has a database try the SQL
in a transaction that is rolled back.

Exits with 2 where a record would not arrive: a dead letter, an error, a wait for
what is away.`,
		Example: "  " + name + " preview flow.yaml --connector ifcb-stats --last 5\n  " + name + " preview worker.properties sink.json --input records.json -o json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.from.files = args
			return p.run(cmd)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&p.connectors, "connector", nil, "only this connector; more than once for several")
	f.StringArrayVar(&p.options.Topics, "from-topic", nil, "read this topic in place of the connector's")
	f.IntVar(&p.last, "last", 20, "how many of the newest records of topics are taken")
	f.IntVar(&p.poll, "poll", 20, "how many records a source is asked for")
	f.DurationVar(&p.options.Wait, "wait", 10*time.Second, "how long a source is asked for that many")
	f.StringVar(&p.input, "input", "", "file with records as JSON, - for standard input")
	f.BoolVar(&p.options.Offline, "offline", false, "ask no model servers: records pass their stages as they are")
	f.BoolVar(&p.options.Execute, "execute", false, "have the database try the SQL in a transaction that is rolled back")
	f.DurationVar(&p.limit, "for", 2*time.Minute, "how long it may take in all")
	f.StringArrayVar(&p.from.sets, "set", nil, "key=value for the worker, connectors.NAME.key=value for a connector")
	c.MarkFlagsMutuallyExclusive("input", "from-topic")
	c.MarkFlagsMutuallyExclusive("input", "last")
	c.MarkFlagsMutuallyExclusive("input", "poll")
	p.form.addTo(c)
	return c
}

// run shows the connectors one after the other.
func (p *previewCommand) run(cmd *cobra.Command) error {
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), p.limit, fmt.Errorf("it takes longer than --for %s", p.limit))
	defer cancel()
	all, chosen, err := p.open(cmd)
	if err != nil {
		return err
	}
	if p.input != "" {
		if p.options.Input, err = readInput(cmd.InOrStdin(), p.input); err != nil {
			return err
		}
	}
	results, arrive := []*preview.Result{}, true
	for _, c := range chosen {
		r, err := p.one(ctx, all, c)
		if err != nil {
			return err
		}
		results, arrive = append(results, r), arrive && r.Arrive()
		if p.form.json {
			continue
		}
		if err := preview.Write(cmd.OutOrStdout(), r); err != nil {
			return err
		}
	}
	if p.form.json {
		if err := printJSON(cmd, results); err != nil {
			return err
		}
	}
	if !arrive {
		return errArrive
	}
	return nil
}

// open reads the files, and gives the connectors to show.
func (p *previewCommand) open(cmd *cobra.Command) (*previewer, []*config.Connector, error) {
	s, err := p.from.read()
	if err != nil {
		return nil, nil, err
	}
	s.Distributed = s.NamesCluster()
	if wrong := report(cmd.ErrOrStderr(), config.Lint(s, connector.Plugins, Defaults)); wrong > 0 {
		return nil, nil, ErrSaid
	}
	all, err := newPreviewer(s, slog.Default())
	if err != nil {
		return nil, nil, err
	}
	chosen, err := all.chosen(p.connectors)
	return all, chosen, err
}

// one shows a connector.
func (p *previewCommand) one(ctx context.Context, all *previewer, c *config.Connector) (*preview.Result, error) {
	o := p.options
	kind, err := all.kind(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	o.Most = p.last
	if kind == runtime.KindSource {
		o.Most = p.poll
		if o.Topics != nil {
			return nil, fmt.Errorf("--from-topic: %s is a source, which reads no topic: choose others with --connector, or give it records with --input", c.Name)
		}
	}
	return all.preview(ctx, c, o)
}

// readInput reads records: a list of them, or one after the other.
func readInput(in io.Reader, name string) ([]runtime.PreviewInput, error) {
	var data []byte
	var err error
	if name == "-" {
		data, err = io.ReadAll(in)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("--input: %w", err)
	}
	records := []runtime.PreviewInput{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		if err = d.Decode(&records); err == nil {
			return records, nil
		}
	}
	for err == nil {
		var r runtime.PreviewInput
		if err = d.Decode(&r); err == nil {
			records = append(records, r)
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("--input %s: record %d: %w", name, len(records)+1, err)
	}
	return records, nil
}
