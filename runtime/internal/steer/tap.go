package steer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// TapCommand makes `tap`, which shows records on their way through a connector.
func TapCommand() *cobra.Command {
	w := new(worker)
	t := tapped{}
	o := client.TapOptions{}
	var lasts time.Duration
	c := &cobra.Command{
		Use:   "tap CONNECTOR",
		Short: "Show records on their way through a running connector, stage by stage",
		Long: `Shows some of the records that pass through a running connector, and what each
stage changes in them: spread over all that pass, --rate of them a second from each
worker. No task waits for it; what is not read in time is counted as lost. With
--stage each record is shown whole, as that stage leaves it. It goes on until it is
interrupted.`,
		Example:           "  hydraulics tap ifcb-stats\n  hydraulics tap ifcb-stats --stage biovolume --max 10 -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: w.names(1),
		RunE: w.asking(func(cmd *cobra.Command, c *client.Client, args []string) error {
			ctx := cmd.Context()
			if lasts > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, lasts)
				defer cancel()
			}
			t.out, t.notes, t.counts = cmd.OutOrStdout(), cmd.ErrOrStderr(), map[string]preview.Counts{}
			err := c.Tap(ctx, args[0], o, t.take)
			t.sum()
			if errors.Is(err, errEnough) || ctx.Err() != nil && t.began {
				return nil // its bounds, or the user, have ended it
			}
			return err
		}),
	}
	w.addTo(c, "url", ofURL)
	f := c.Flags()
	f.StringVar(&o.Stage, "stage", "", "only what this stage leaves: a part of its name, such as that of a transform")
	f.IntVar(&o.Task, "task", -1, "only this task")
	f.Float64Var(&o.Rate, "rate", 0, "records a second at most, of each worker (default 5, at most 100)")
	f.IntVar(&o.Last, "last", 0, "first so many of the newest records before the last transform of a stream, which its worker keeps")
	f.IntVar(&t.most, "max", 0, "end after so many records; 0 is no bound")
	f.DurationVar(&lasts, "for", 0, "end after this time; 0 is no bound")
	t.form.AddTo(c)
	return c
}

// errEnough ends a tap when there are as many records as are wanted.
var errEnough = errors.New("enough")

// tapped prints what a tap shows.
type tapped struct {
	form       output.Form
	out, notes io.Writer
	most, n    int
	began      bool
	counts     map[string]preview.Counts // by worker
}

func (t *tapped) take(s client.Seen) error {
	t.began = true
	switch {
	case s.Note != "":
		_, err := fmt.Fprintln(t.notes, s.Note)
		return err
	case s.Counts != nil:
		t.counts[s.Counts.Worker] = s.Counts.Counts
	case s.Sample != nil:
		if err := t.print(s.Sample); err != nil {
			return err
		}
		if t.n++; t.n == t.most {
			return errEnough
		}
	}
	return nil
}

// print shows a record.
func (t *tapped) print(s *preview.Sample) error {
	if t.form.ForPeople() {
		return preview.WriteSample(t.out, s)
	}
	return t.form.Next(t.out, s)
}

// sum says how many records passed, beside what was shown of them.
func (t *tapped) sum() {
	var all preview.Counts
	for _, c := range t.counts {
		all.Seen += c.Seen
		all.Lost += c.Lost
	}
	if len(t.counts) > 0 {
		fmt.Fprintf(t.notes, "%d records passed, %d were shown, %d were lost because this was read too slowly\n", all.Seen, t.n, all.Lost)
	}
}
