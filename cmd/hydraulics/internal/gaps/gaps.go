// Package gaps finds the bins whose images are not all in Kafka.
package gaps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// missing is the status of a bin that a dashboard or folder has and the topic
// does not know.
const missing = "missing"

// Options say where to look.
type Options struct {
	Topic, Broker  string // several brokers with commas between them
	Registry       string // URL, where the topic holds Avro
	Kafka          string // file of --kafka-config
	Access         string // file of --dashboard-config
	Dashboard      string // URL, or a folder of raw files, to compare with; empty for none
	Dataset        string // only this one
	From, Until    string // days or times; empty is open
	Format         string // text, csv or json
	Fail           bool   // a gap is an error
	IncludeSkipped bool   // bins that the dashboard flags to be skipped count
	IncludeRuns    bool   // runs that are no samples of the water count: beads, tests, cultures
}

// outcome is what became of a bin, as the topic tells it.
type outcome struct {
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
	RunFlags  string `json:"run_flags,omitempty"`
}

// isSample tells whether the bin is a sample of the water.
func (b outcome) isSample() bool {
	return ifcb.IsSample(strings.FieldsFunc(b.RunFlags, func(r rune) bool { return r == ',' }))
}

func (b outcome) isGap() bool {
	return b.Status == ifcb.BinPartial || b.Status == ifcb.BinFailed || b.Status == missing
}

func (o *Options) Run(ctx context.Context, out io.Writer) error {
	fail := func(err error) error { return fmt.Errorf("ifcb gaps: %w", err) }
	write, ok := writers[o.Format]
	if !ok {
		return fail(fmt.Errorf("--format: %q is none of text, csv and json", o.Format))
	}
	from, until, err := o.period()
	if err != nil {
		return fail(err)
	}
	settings, err := connection.Read(o.Kafka)
	if err != nil {
		return fail(err)
	}
	place := &listing{dataset: o.Dataset}
	if o.Dashboard != "" { // first: a mistake in it shows at once
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
	inside := func(b outcome) bool {
		return (dataset == "" || b.Dataset == dataset) && (from.IsZero() || b.Time >= from.Unix()) && (until.IsZero() || b.Time < until.Unix())
	}
	gaps, bins := []outcome{}, 0
	told := map[string]bool{}
	for _, b := range known {
		if !inside(b) {
			continue
		}
		told[b.PID] = true
		if !o.IncludeRuns && !b.isSample() {
			continue
		}
		bins++
		if b.isGap() {
			gaps = append(gaps, b)
		}
	}
	missing, unknown, err := place.unknown(ctx, told, o.IncludeSkipped)
	if err != nil {
		return fail(fmt.Errorf("--dashboard: %w", err))
	}
	bins += unknown
	gaps = append(gaps, missing...)
	slices.SortFunc(gaps, func(a, b outcome) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.PID, b.PID), cmp.Compare(a.Dataset, b.Dataset))
	})
	if err := write(out, gaps, bins); err != nil {
		return fail(err)
	}
	if o.Fail && len(gaps) > 0 {
		return fail(fmt.Errorf("%d of %d bins have a gap", len(gaps), bins))
	}
	return nil
}

// period reads --from and --until; an until that is a day includes the day.
func (o *Options) period() (from, until time.Time, err error) {
	if o.From != "" {
		if from, err = ifcb.ParseDate(o.From); err != nil {
			return from, until, fmt.Errorf("--from: %w", err)
		}
	}
	if o.Until != "" {
		if until, err = ifcb.ParseEnd(o.Until); err != nil {
			return from, until, fmt.Errorf("--until: %w", err)
		}
		if !from.Before(until) {
			return from, until, errors.New("--until: it is before --from")
		}
	}
	return from, until, nil
}
