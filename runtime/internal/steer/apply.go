package steer

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
	"github.com/axiom-data-science/hydraulics/runtime/internal/declared"
)

// declaration is files that declare connectors, as flags say.
type declaration struct {
	files   []string
	options declared.Options
}

// addTo gives a command the flags.
func (d *declaration) addTo(c *cobra.Command) {
	d.addFiles(c)
	c.Flags().StringVar(&d.options.Set, "set", "", "name of the set that the connectors belong to ("+config.SetKey+" in their configurations); what of the set is gone from the files is deleted")
	c.Flags().BoolVar(&d.options.TakeOver, "take-over", false, "take connectors that belong to another set into this one")
}

// addFiles gives a command the flag of the files alone.
func (d *declaration) addFiles(c *cobra.Command) {
	c.Flags().StringArrayVarP(&d.files, "file", "f", nil, "file of connectors (YAML, .properties, JSON, as a worker reads them) or folder of such files; may be repeated")
	_ = c.MarkFlagRequired("file") // fails for flags that are not there
}

// planning makes what a command does with what there is to be done.
func (d *declaration) planning(w *worker, do func(cmd *cobra.Command, c *client.Client, plan []declared.Change) error) func(*cobra.Command, []string) error {
	return w.asking(func(cmd *cobra.Command, c *client.Client, args []string) error {
		list, err := declared.Read(append(d.files, args...))
		if err != nil {
			return err
		}
		plan, err := declared.Plan(cmd.Context(), c, list, d.options)
		if err != nil {
			return err
		}
		return do(cmd, c, plan)
	})
}

func newApplyCommand(w *worker) *cobra.Command {
	var d declaration
	var form output.Form
	var dryRun bool
	c := &cobra.Command{
		Use:   "apply -f FILE|DIR...",
		Short: "Make the connectors of a worker those that files declare",
		Long: `Shows what differs, then creates and changes connectors as the files say. With
--set it also deletes those that were applied with this name and are gone from
the files, and nothing else. The worker checks every configuration before
anything is changed. References such as ${file:...} and relative paths are sent
as they are: they are those of the worker's machine. Applied twice it does
nothing the second time.`,
		Example: "  hydraulics connectors apply -f connectors/ --set plankton --dry-run",
		RunE: d.planning(w, func(cmd *cobra.Command, c *client.Client, plan []declared.Change) error {
			out := cmd.OutOrStdout()
			if dryRun || form.ForPeople() {
				if err := showPlan(out, &form, plan); err != nil || dryRun {
					return err
				}
			}
			became := []declared.Change{}
			err := declared.Apply(cmd.Context(), c, plan, func(change declared.Change) error {
				became = append(became, change)
				if !form.ForPeople() || change.Action == declared.Same {
					return nil
				}
				_, err := fmt.Fprintf(out, "%s: %s\n", change.Name, change.Action)
				return err
			})
			if !form.ForPeople() {
				err = errors.Join(err, form.Value(out, became))
			}
			return err
		}),
	}
	d.addTo(c)
	form.AddTo(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show what differs, and do nothing")
	return c
}

func newDiffCommand(w *worker) *cobra.Command {
	var d declaration
	var form output.Form
	c := &cobra.Command{
		Use:   "diff -f FILE|DIR...",
		Short: "Show what apply would do; exits with 2 where that is something",
		RunE: d.planning(w, func(cmd *cobra.Command, _ *client.Client, plan []declared.Change) error {
			err := showPlan(cmd.OutOrStdout(), &form, plan)
			for _, change := range plan {
				if change.Action != declared.Same && err == nil {
					err = ErrDiffers
				}
			}
			return err
		}),
	}
	d.addTo(c)
	form.AddTo(c)
	return c
}

func newCreateCommand(w *worker) *cobra.Command {
	var d declaration
	c := &cobra.Command{
		Use:   "create -f FILE|DIR...",
		Short: "Make the connectors that files declare; those that are there already are an error",
		RunE: w.asking(func(cmd *cobra.Command, c *client.Client, args []string) error {
			list, err := declared.Read(append(d.files, args...))
			if err != nil {
				return err
			}
			var errs []error
			for _, one := range list {
				err := c.Create(cmd.Context(), one.Name, declared.Config(one), one.Initial)
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: created\n", one.Name)
				}
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		}),
	}
	d.addFiles(c)
	return c
}

// showPlan shows what differs.
func showPlan(out io.Writer, form *output.Form, plan []declared.Change) error {
	if form.ForPeople() {
		return printPlan(out, plan, form.Wide())
	}
	return form.Value(out, plan)
}

// printPlan shows people what differs; all is also what does not.
func printPlan(out io.Writer, plan []declared.Change, all bool) error {
	var b strings.Builder
	counts := map[declared.Action]int{}
	marks := map[declared.Action]string{declared.Created: "+", declared.Changed: "~", declared.Deleted: "-", declared.Same: "="}
	for _, c := range plan {
		counts[c.Action]++
		if c.Action == declared.Same && !all {
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", marks[c.Action], c.Name)
		for _, k := range c.Keys {
			if k.Old != nil {
				fmt.Fprintf(&b, "    - %s: %s\n", k.Key, *k.Old)
			}
			if k.New != nil {
				fmt.Fprintf(&b, "    + %s: %s\n", k.Key, *k.New)
			}
		}
	}
	fmt.Fprintf(&b, "%d to create, %d to change, %d to delete, %d unchanged\n",
		counts[declared.Created], counts[declared.Changed], counts[declared.Deleted], counts[declared.Same])
	_, err := io.WriteString(out, b.String())
	return err
}
