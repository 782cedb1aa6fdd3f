package steer

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
)

// redraw has a terminal show what follows from its first line on.
const redraw = "\x1b[H\x1b[J"

// TopCommand makes `top`, which shows what connectors are doing, again and again.
func TopCommand() *cobra.Command {
	w := new(worker)
	t := top{}
	var once bool
	c := &cobra.Command{
		Use:   "top",
		Short: "Show the rates, lags and troubles of all connectors, again and again",
		Long: `Shows all connectors of a worker or cluster with what they do a second, how far they
are behind, when they last delivered something, and what is wrong. With --once it
shows that once, of one interval.`,
		Example:           "  hydraulics top\n  hydraulics top --once -o json",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: w.asking(func(cmd *cobra.Command, c *client.Client, _ []string) error {
			if t.interval <= 0 {
				return fmt.Errorf("--interval %v: want a time above 0", t.interval)
			}
			t.out, t.notes = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return t.run(cmd.Context(), c, once)
		}),
	}
	w.addTo(c, "url", ofURL)
	c.Flags().BoolVar(&once, "once", false, "show it once, and end")
	c.Flags().DurationVar(&t.interval, "interval", 2*time.Second, "time between two looks")
	t.form.AddTo(c)
	return c
}

// top looks at connectors and prints them.
type top struct {
	form       output.Form
	interval   time.Duration
	out, notes io.Writer
}

// look is what was seen at a time.
type look struct {
	at    time.Time
	all   map[string]client.Connector
	notes []error
}

// flowing is a connector as it is shown. What is not known is null.
type flowing struct {
	Name    string     `json:"name"`
	Type    string     `json:"type"`
	State   string     `json:"state"`
	Tasks   string     `json:"tasks"`
	In      *float64   `json:"records_in_per_second"`
	Out     *float64   `json:"records_out_per_second"`
	Lag     *int64     `json:"lag"` // of what reads from Kafka
	Active  *int64     `json:"records_active"`
	Dropped *int64     `json:"records_dropped"`
	Skipped *int64     `json:"records_skipped"`
	LastOut *time.Time `json:"last_out"`
	Trouble string     `json:"trouble"`
}

func (t *top) run(ctx context.Context, c *client.Client, once bool) error {
	before, err := t.look(ctx, c)
	if err != nil {
		return err
	}
	for {
		select {
		case <-time.After(t.interval):
		case <-ctx.Done():
			return nil
		}
		now, err := t.look(ctx, c)
		switch {
		case ctx.Err() != nil:
			return nil // the user has ended it
		case err != nil && once:
			return err
		case err != nil: // it may come back
			fmt.Fprintln(t.notes, err)
			continue
		}
		if err := t.print(before, now); err != nil || once {
			return err
		}
		before = now
	}
}

func (t *top) look(ctx context.Context, c *client.Client) (look, error) {
	all, notes, err := c.Progress(ctx)
	return look{time.Now(), all, notes}, err
}

// print shows what was done between two looks.
func (t *top) print(before, now look) error {
	list := []flowing{}
	table := output.Table{Columns: []string{"NAME", "TYPE", "STATE", "TASKS", "IN/S", "OUT/S", "LAG", "LAST OUT", "SKIPPED", "+DROPPED", "+ON THEIR WAY", "TROUBLE"}}
	for _, name := range slices.Sorted(maps.Keys(now.all)) {
		f := flow(before.all[name], now.all[name], now.at.Sub(before.at))
		list = append(list, f)
		table.Add(f.Name, f.Type, f.State, f.Tasks, perSecond(f.In), perSecond(f.Out), number(f.Lag), since(f.LastOut, now.at), number(f.Skipped), number(f.Dropped),
			number(f.Active), cmp.Or(output.Line(f.Trouble), "-"))
	}
	defer func() { // behind the table: redrawing would take them away
		for _, note := range now.notes {
			fmt.Fprintln(t.notes, note)
		}
	}()
	if !t.form.ForPeople() {
		return t.form.Next(t.out, list)
	}
	if f, is := t.out.(*os.File); is && term.IsTerminal(int(f.Fd())) {
		if _, err := io.WriteString(t.out, redraw); err != nil {
			return err
		}
	}
	return t.form.Print(t.out, list, table)
}

// flow sums up what the tasks of a connector did in a time.
func flow(before, now client.Connector, took time.Duration) flowing {
	v := view(now)
	f := flowing{Name: v.Name, Type: v.Type, State: v.State, Tasks: v.tasks(), Trouble: v.trouble()}
	was := map[int]*client.Progress{}
	for _, t := range before.Status.Tasks {
		was[t.ID] = t.Progress
	}
	for _, t := range now.Status.Tasks {
		p := t.Progress
		if p == nil {
			continue
		}
		add(&f.Active, p.Active)
		add(&f.Dropped, p.Dropped)
		add(&f.Skipped, p.Skipped)
		if v.Type != "source" {
			add(&f.Lag, p.Lag)
		}
		if last := p.LastOut; !last.IsZero() && (f.LastOut == nil || last.After(*f.LastOut)) {
			f.LastOut = &last
		}
		f.Trouble = cmp.Or(f.Trouble, p.LastError)
		if b := was[t.ID]; b != nil && b.In <= p.In && b.Out <= p.Out { // else it started again
			add(&f.In, float64(p.In-b.In)/took.Seconds())
			add(&f.Out, float64(p.Out-b.Out)/took.Seconds())
		}
	}
	return f
}

// add adds to a sum, which is nil where there is nothing yet.
func add[N int64 | float64](sum **N, n N) {
	if *sum == nil {
		*sum = new(N)
	}
	**sum += n
}

func perSecond(rate *float64) string {
	if rate == nil {
		return "-"
	}
	return strconv.FormatFloat(*rate, 'f', 1, 64)
}

func number(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}

// since says how long ago something was.
func since(at *time.Time, now time.Time) string {
	if at == nil {
		return "-"
	}
	return max(0, now.Sub(*at)).Round(time.Second).String() + " ago"
}
