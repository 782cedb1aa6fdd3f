package steer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/failures"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// ConnectorsCommand makes `connectors`, which steers the connectors of a worker.
func ConnectorsCommand() *cobra.Command {
	w := new(worker)
	c := &cobra.Command{
		Use:   "connectors",
		Short: "List, make, change, pause, stop, restart and delete the connectors of a running worker",
		Long: `Asks a running worker, or any of a cluster, by Kafka Connect's REST API: one of
this program or of Java's. Which one say --url, --context, HYDRAULICS_URL or the
current context, else it is ` + client.DefaultURL + `.`,
	}
	w.addTo(c, "url", ofURL)
	c.AddCommand(newListCommand(w), newShowCommand(w), newCreateCommand(w), newApplyCommand(w), newDiffCommand(w),
		newTargetCommand(w, "pause", "paused", state.TargetPaused, "Have connectors pause: they keep their tasks and do nothing"),
		newTargetCommand(w, "resume", "resumed", state.TargetStarted, "Have connectors that are paused or stopped run"),
		newTargetCommand(w, "stop", "stopped", state.TargetStopped, "Have connectors stop: they lose their tasks and keep configuration and offsets"),
		newRestartCommand(w), newDeleteCommand(w))
	return c
}

// connectorView is a connector as it is shown, without its secrets.
type connectorView struct {
	Name      string        `json:"name"`
	Type      string        `json:"type"`
	Class     string        `json:"class"`
	State     string        `json:"state"`
	Worker    string        `json:"worker_id"`
	Trace     string        `json:"trace,omitempty"`
	Tasks     []client.Task `json:"tasks"`
	Set       string        `json:"set,omitempty"`
	ManagedBy string        `json:"managed_by,omitempty"`
	Config    client.Config `json:"config,omitempty"`
	// Origins are where each value comes from, where that is asked for.
	Origins []config.Sourced `json:"origins,omitempty"`
}

// view gives a connector as it is shown.
func view(c client.Connector) connectorView {
	s := c.Status
	v := connectorView{Name: c.Info.Name, Type: cmp.Or(c.Info.Kind, c.Info.Type), Class: c.Info.Config.Text("connector.class"), State: cmp.Or(s.Connector.State, "-"),
		Worker: cmp.Or(s.Connector.Worker, "-"), Trace: s.Connector.Trace, Tasks: s.Tasks, Set: c.Info.Config.Text(config.SetKey), ManagedBy: c.Info.File}
	if v.Tasks == nil {
		v.Tasks = []client.Task{}
	}
	return v
}

// tasks counts the tasks by state: "2 RUNNING, 1 FAILED".
func (v connectorView) tasks() string {
	counts := map[string]int{}
	for _, t := range v.Tasks {
		counts[t.State.State]++
		if t.Stalled != "" {
			counts["stalled"]++
		}
	}
	var list []string
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, strconv.Itoa(counts[s])+" "+s)
	}
	return cmp.Or(strings.Join(list, ", "), "-")
}

// trouble gives the first line of what went wrong with it, or with its first task
// that has failed.
func (v connectorView) trouble() string {
	text := v.Trace
	for _, t := range v.Tasks {
		text = cmp.Or(text, t.Trace, t.Stalled)
	}
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}

func newListCommand(w *worker) *cobra.Command {
	var form output.Form
	c := &cobra.Command{
		Use:               "list",
		Short:             "List connectors with their states",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: w.asking(func(cmd *cobra.Command, c *client.Client, _ []string) error {
			all, err := c.Connectors(cmd.Context())
			if err != nil {
				return err
			}
			list := []connectorView{}
			table := output.Table{Columns: []string{"NAME", "TYPE", "STATE", "TASKS", "CLASS", "+SET", "+MANAGED BY", "+WORKER", "+TROUBLE"}}
			for _, name := range slices.Sorted(maps.Keys(all)) {
				v := view(all[name])
				list = append(list, v)
				table.Add(v.Name, v.Type, v.State, v.tasks(), v.Class, cmp.Or(v.Set, "-"), cmp.Or(v.ManagedBy, "-"), v.Worker, cmp.Or(v.trouble(), "-"))
			}
			return form.Print(cmd.OutOrStdout(), list, table)
		}),
	}
	form.AddTo(c)
	return c
}

func newShowCommand(w *worker) *cobra.Command {
	var form output.Form
	var origins bool
	c := &cobra.Command{
		Use:   "show NAME...",
		Short: "Show the state of connectors and their tasks, what went wrong, and how they are configured",
		Long: `Shows connectors. What a worker takes for a password, and keys with a name that secrets
have, are hidden, also as JSON and YAML. With --origins each value has where it comes
from: file and line, --set, a request, the worker's key or the default, and the config
providers that it asks, such as env. Java's workers do not tell that.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: w.names(0),
		RunE: w.asking(func(cmd *cobra.Command, c *client.Client, names []string) error {
			var list []connectorView
			progress := progressOf(cmd.Context(), c)
			for _, name := range names {
				v, err := show(cmd, c, name, progress[name])
				if err == nil && origins {
					v.Origins, err = c.Origins(cmd.Context(), name)
				}
				if err != nil {
					return err
				}
				list = append(list, v)
			}
			if !form.ForPeople() {
				return form.Value(cmd.OutOrStdout(), list)
			}
			for _, v := range list {
				if err := v.print(cmd.OutOrStdout(), &form); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	c.Flags().BoolVar(&origins, "origins", false, "where each value of the configuration comes from, those of the worker and the defaults too")
	form.AddTo(c)
	return c
}

// show asks for all that is shown of a connector.
func show(cmd *cobra.Command, c *client.Client, name string, progress client.Connector) (v connectorView, err error) {
	one, err := c.Connector(cmd.Context(), name)
	if err != nil {
		return v, err
	}
	for i, t := range one.Status.Tasks {
		one.Status.Tasks[i].Progress = progress.Progress(t.ID)
	}
	checks, err := c.Validate(cmd.Context(), one.Info.Config)
	if _, refused := errors.AsType[*client.Error](err); err != nil && !refused { // such as a class that is gone
		return v, err
	}
	v = view(one)
	if v.Config = one.Info.Config.Shown(client.SecretsOf(checks)); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: the worker does not say which keys are secret, most values are hidden: %v\n", name, err)
		v.Config = client.Guess(one.Info.Config)
	}
	return v, nil
}

// progressPatience is for how long workers are waited for to say what tasks have done.
const progressPatience = 3 * time.Second

// progressOf gives connectors with what their tasks have done, as far as workers say so
// soon: one of Java's does not, and what it is asked next tells of errors.
func progressOf(ctx context.Context, c *client.Client) map[string]client.Connector {
	ctx, cancel := context.WithTimeout(ctx, progressPatience)
	defer cancel()
	all, _, _ := c.Progress(ctx)
	return all
}

// print shows a connector to people.
func (v connectorView) print(out io.Writer, form *output.Form) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s, %s on %s\n", v.Name, v.Type, v.Class, v.State, v.Worker)
	trace := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			b.WriteString("    " + strings.ReplaceAll(text, "\n", "\n    ") + "\n")
		}
	}
	trace(v.Trace)
	if v.ManagedBy != "" {
		fmt.Fprintf(&b, "  managed by the worker's file %s\n", v.ManagedBy)
	}
	for _, t := range v.Tasks {
		fmt.Fprintf(&b, "  task %d: %s on %s\n", t.ID, t.State.State, t.Worker)
		trace(t.Trace)
		if t.Stalled != "" {
			trace("stalled, waits for " + t.Stalled)
		}
		if p := t.Progress; p != nil && p.Retrying {
			trace("tries again: " + p.LastError)
		}
	}
	for _, f := range failures.In(b.String()) {
		fmt.Fprintf(&b, "  %s: %s\n", f.Code, f.Remedy)
	}
	if len(v.Origins) > 0 {
		table := output.Table{Columns: []string{"KEY", "VALUE", "FROM"}}
		for _, o := range v.Origins {
			table.Add(o.Key, output.Line(o.Value), o.From)
		}
		b.WriteString("\n")
		if err := form.Print(&b, nil, table); err != nil {
			return err
		}
		b.WriteString("\n")
	}
	for _, key := range slices.Sorted(maps.Keys(v.Config)) {
		if key != "name" && len(v.Origins) == 0 {
			fmt.Fprintf(&b, "  %s: %s\n", key, v.Config.Text(key))
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// newTargetCommand makes the command that has connectors do something else.
func newTargetCommand(w *worker, use, done string, target state.Target, short string) *cobra.Command {
	return &cobra.Command{
		Use:               use + " NAME...",
		Short:             short,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: w.names(0),
		RunE: w.each(done, func(ctx context.Context, c *client.Client, name string) error {
			return c.SetTarget(ctx, name, target)
		}),
	}
}

func newRestartCommand(w *worker) *cobra.Command {
	var tasks, failed bool
	var only []int
	c := &cobra.Command{
		Use:   "restart NAME...",
		Short: "Start connectors again, their tasks, or what of them has failed",
		Long: `Starts connectors again; without a flag, as Kafka Connect does, the connector
and not its tasks.`,
		Example:           "  hydraulics connectors restart ifcb-stats --tasks --only-failed\n  hydraulics connectors restart ifcb-stats --task 0",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: w.names(0),
		RunE: w.each("restarted", func(ctx context.Context, c *client.Client, name string) error {
			if len(only) == 0 {
				return c.Restart(ctx, name, tasks, failed)
			}
			var errs []error
			for _, task := range only {
				errs = append(errs, c.RestartTask(ctx, name, task))
			}
			return errors.Join(errs...)
		}),
	}
	c.Flags().BoolVar(&tasks, "tasks", false, "its tasks, too")
	c.Flags().BoolVar(&failed, "only-failed", false, "only what has failed")
	c.Flags().IntSliceVar(&only, "task", nil, "only this task")
	c.MarkFlagsMutuallyExclusive("task", "tasks")
	c.MarkFlagsMutuallyExclusive("task", "only-failed")
	return c
}

func newDeleteCommand(w *worker) *cobra.Command {
	return &cobra.Command{
		Use:               "delete NAME...",
		Short:             "Delete connectors; a sink's offsets stay in its consumer group",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: w.names(0),
		RunE: w.each("deleted", func(ctx context.Context, c *client.Client, name string) error {
			return c.Delete(ctx, name)
		}),
	}
}
