package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// binMissing is the status of a bin that a dashboard lists and the topic does
// not know.
const binMissing = "missing"

// gapsOptions are what `hydraulics ifcb gaps` was asked for.
type gapsOptions struct {
	topic, broker, registry string
	kafka                   string // file of --kafka-config
	dashboard, dataset      string
	from, until, format     string
	fail, includeSkipped    bool
}

func newGapsCommand() *cobra.Command {
	var o gapsOptions
	cmd := &cobra.Command{
		Use:   "gaps BINS_TOPIC BROKER",
		Short: "List the bins whose images are not all in Kafka",
		Long: "Reads the topic that the source ifcb tells about its bins on (bins.topic) and lists those that were given up or are\n" +
			"incomplete, with the reason. With --dashboard also those that the dashboard, or folder of raw files, has and the\n" +
			"topic does not know. Of several records of a bin the last one counts. Empty and skipped bins are no gaps, nor those\n" +
			"that the dashboard flags to be skipped and the source has not come to.",
		Example: "  hydraulics ifcb gaps ifcb-images-bins localhost:9092 --registry http://localhost:8081\n" +
			"  hydraulics ifcb gaps ifcb-images-bins localhost:9092 --registry http://localhost:8081 \\\n" +
			"      --dashboard https://ifcb.example.org/mvco/ --from 2019-07-01 --until 2019-07-31 --format csv --fail",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.SilenceUsage = true // what follows is no mistake in the command line
			o.topic, o.broker = args[0], args[1]
			return o.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.registry, "registry", "", "URL of the schema registry, where the topic holds Avro")
	addKafkaFlag(cmd, &o.kafka)
	flags.StringVar(&o.dashboard, "dashboard", "", "compare with what this dashboard, or folder of raw files, has")
	flags.StringVar(&o.dataset, "dataset", "", "only this dataset; with --dashboard, where its URL does not end in it")
	flags.StringVar(&o.from, "from", "", "only bins from this day or time on")
	flags.StringVar(&o.until, "until", "", "only bins up to this day, or before this time")
	flags.StringVar(&o.format, "format", "text", "text, csv or json")
	flags.BoolVar(&o.includeSkipped, "include-skipped", false, "with --dashboard, count bins that it flags to be skipped: for a source with skip=include")
	flags.BoolVar(&o.fail, "fail", false, "exit with an error when there is a gap")
	return cmd
}

// binOutcome is what became of a bin, as the topic tells it.
type binOutcome struct {
	PID       string `json:"pid"`
	Dataset   string `json:"dataset"`
	Dashboard string `json:"dashboard"`
	IFCB      string `json:"ifcb_id"`
	Time      int64  `json:"time"`
	Status    string `json:"status"`
	Reason    string `json:"reason"`
	Expected  *int32 `json:"expected"`
	Ingested  int32  `json:"ingested"`
	Failed    int32  `json:"failed"`
}

func (b binOutcome) isGap() bool {
	return b.Status == ifcb.BinPartial || b.Status == ifcb.BinFailed || b.Status == binMissing
}

func (o *gapsOptions) run(ctx context.Context, out io.Writer) error {
	fail := func(err error) error { return fmt.Errorf("ifcb gaps: %w", err) }
	write, ok := gapWriters[o.format]
	if !ok {
		return fail(fmt.Errorf("--format: %q is none of text, csv and json", o.format))
	}
	from, until, err := o.period()
	if err != nil {
		return fail(err)
	}
	settings, err := readKafkaConfig(o.kafka)
	if err != nil {
		return fail(err)
	}
	place := &listing{dataset: o.dataset}
	if o.dashboard != "" { // first: a mistake in it shows at once
		if place, err = o.list(ctx, from, until); err != nil {
			return fail(fmt.Errorf("--dashboard: %w", err))
		}
		defer place.close()
	}
	dataset := place.dataset
	known, err := o.read(ctx, settings)
	if err != nil {
		return fail(err)
	}
	inside := func(b binOutcome) bool {
		return (dataset == "" || b.Dataset == dataset) && (from.IsZero() || b.Time >= from.Unix()) && (until.IsZero() || b.Time < until.Unix())
	}
	gaps, bins := []binOutcome{}, 0
	told := map[string]bool{}
	for _, b := range known {
		if !inside(b) {
			continue
		}
		bins++
		told[b.PID] = true
		if b.isGap() {
			gaps = append(gaps, b)
		}
	}
	missing, unknown, err := place.missing(ctx, told, o.includeSkipped)
	if err != nil {
		return fail(fmt.Errorf("--dashboard: %w", err))
	}
	bins += unknown
	gaps = append(gaps, missing...)
	slices.SortFunc(gaps, func(a, b binOutcome) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.PID, b.PID), cmp.Compare(a.Dataset, b.Dataset))
	})
	if err := write(out, gaps, bins); err != nil {
		return fail(err)
	}
	if o.fail && len(gaps) > 0 {
		return fail(fmt.Errorf("%d of %d bins have a gap", len(gaps), bins))
	}
	return nil
}

// period reads --from and --until; an until that is a day includes the day.
func (o *gapsOptions) period() (from, until time.Time, err error) {
	if o.from != "" {
		if from, err = ifcb.ParseDate(o.from); err != nil {
			return from, until, fmt.Errorf("--from: %w", err)
		}
	}
	if o.until != "" {
		if until, err = ifcb.ParseEnd(o.until); err != nil {
			return from, until, fmt.Errorf("--until: %w", err)
		}
		if !from.Before(until) {
			return from, until, errors.New("--until: it is before --from")
		}
	}
	return from, until, nil
}

// listing is the bins that a dashboard or folder has.
type listing struct {
	url     string
	dataset string
	bins    []ifcb.BinID
	shown   func(context.Context, []ifcb.BinID) ([]ifcb.BinID, error) // those that are not flagged to be skipped
	close   func()
}

// list asks for the bins of a period.
func (o *gapsOptions) list(ctx context.Context, from, until time.Time) (*listing, error) {
	if strings.Contains(o.dashboard, "://") {
		return o.listDashboard(ctx, from, until)
	}
	return o.listFolder(from, until)
}

func (o *gapsOptions) listDashboard(ctx context.Context, from, until time.Time) (*listing, error) {
	if err := dashboard.CheckURL(o.dashboard); err != nil {
		return nil, fmt.Errorf("%s: %w", o.dashboard, err)
	}
	address, err := dashboard.ParseAddress(o.dashboard, o.dataset)
	if err != nil {
		return nil, err
	}
	address = address.WithTags(nil)
	client := dashboard.NewClient(dashboard.Options{Agent: "hydraulics/" + config.Version})
	l := &listing{url: o.dashboard, dataset: address.Series(), close: client.Close}
	data, err := dashboard.Detect(ctx, client, address, "")
	if err == nil {
		l.bins, err = data.Bins(ctx, from, until)
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	l.shown = func(ctx context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error) {
		shown, err := data.Shown(ctx, bins)
		if dashboard.IsAbsent(err) { // it has no flags
			return bins, nil
		}
		return shown, err
	}
	return l, nil
}

func (o *gapsOptions) listFolder(from, until time.Time) (*listing, error) {
	l := &listing{url: o.dashboard, dataset: o.dataset, close: func() {},
		shown: func(_ context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error) { return bins, nil }}
	if l.dataset == "" {
		dir, err := filepath.Abs(o.dashboard)
		if err != nil {
			return nil, err
		}
		l.dataset = filepath.Base(dir)
	}
	files, err := ifcb.ListSince(o.dashboard, from)
	if err != nil {
		return nil, err
	}
	end := time.Now()
	if !until.IsZero() && until.Before(end) {
		end = until
	}
	for _, f := range files {
		if t := f.ID.Time(); !t.Before(from) && t.Before(end) {
			l.bins = append(l.bins, f.ID)
		}
	}
	return l, nil
}

// missing gives the bins that the topic does not know, but for those that are flagged to be skipped unless these count
// too; unknown is the number of both.
func (l *listing) missing(ctx context.Context, told map[string]bool, withSkipped bool) (bins []binOutcome, unknown int, err error) {
	ids := slices.DeleteFunc(l.bins, func(id ifcb.BinID) bool { return told[id.String()] })
	if unknown = len(ids); unknown > 0 && !withSkipped {
		if ids, err = l.shown(ctx, ids); err != nil {
			return nil, 0, err
		}
	}
	for _, id := range ids {
		bins = append(bins, binOutcome{PID: id.String(), Dataset: l.dataset, Dashboard: l.url, IFCB: id.IFCB(),
			Time: id.Time().Unix(), Status: binMissing, Reason: "the dashboard lists it, the topic does not know it"})
	}
	return bins, unknown, nil
}
