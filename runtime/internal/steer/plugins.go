package steer

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
)

// Catalogue knows plugins and their keys: those of a worker, or of the program.
type Catalogue interface {
	Plugins(ctx context.Context) ([]client.Plugin, error)
	Keys(ctx context.Context, plugin string) ([]client.Key, error)
}

// PluginCommands make `list` and `describe` for `plugins`: of a worker where one is
// named, else of the program's own.
func PluginCommands(own Catalogue) []*cobra.Command {
	return []*cobra.Command{newPluginsListCommand(own), newPluginsDescribeCommand(own)}
}

// among makes what a command does with the plugins of a worker, or of the program.
func (w *worker) among(own Catalogue, do func(cmd *cobra.Command, c Catalogue, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if !w.target.Given() {
			return do(cmd, own, args)
		}
		return w.asking(func(cmd *cobra.Command, c *client.Client, args []string) error { return do(cmd, c, args) })(cmd, args)
	}
}

func newPluginsListCommand(own Catalogue) *cobra.Command {
	w := new(worker)
	var form output.Form
	c := &cobra.Command{
		Use:               "list",
		Short:             "List the plugins of a running worker, or those of this program where none is named",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: w.among(own, func(cmd *cobra.Command, c Catalogue, _ []string) error {
			list, err := c.Plugins(cmd.Context())
			if err != nil {
				return err
			}
			table := output.Table{Columns: []string{"TYPE", "CLASS", "VERSION"}}
			for _, p := range list {
				table.Add(p.Type, p.Class, cmp.Or(p.Version, "-"))
			}
			return form.Print(cmd.OutOrStdout(), list, table)
		}),
	}
	w.addTo(c, "url", ofURL)
	form.AddTo(c)
	return c
}

func newPluginsDescribeCommand(own Catalogue) *cobra.Command {
	w := new(worker)
	var form output.Form
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "List the keys of a plugin of a running worker, or of this program where none is named",
		Args:  cobra.ExactArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []string
			quick := &worker{target: w.target}
			quick.target.Timeout = completionTimeout
			err := quick.among(own, func(cmd *cobra.Command, c Catalogue, _ []string) error {
				list, err := c.Plugins(cmd.Context())
				for _, p := range list {
					names = append(names, p.Class)
				}
				return err
			})(cmd, nil)
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return left(names, args, begun), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: w.among(own, func(cmd *cobra.Command, c Catalogue, args []string) error {
			keys, err := c.Keys(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			table := output.Table{Columns: []string{"KEY", "TYPE", "REQUIRED", "DEFAULT", "IMPORTANCE", "+DESCRIPTION"}}
			for _, k := range keys {
				required, def := "", ""
				if k.Required {
					required = "yes"
				}
				if k.Default != nil {
					def = *k.Default
				}
				table.Add(k.Name, strings.ToLower(k.Type), cmp.Or(required, "-"), cmp.Or(def, "-"), strings.ToLower(k.Importance), strings.Join(strings.Fields(k.Doc), " "))
			}
			return form.Print(cmd.OutOrStdout(), keys, table)
		}),
	}
	w.addTo(c, "url", ofURL)
	form.AddTo(c)
	return c
}
