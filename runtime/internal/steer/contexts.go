package steer

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
)

// ContextsCommand makes `contexts`, which shows the workers that have names, and
// chooses the one that is meant where none is named.
func ContextsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "contexts",
		Short: "List the workers that have names, and choose the one that commands ask",
	}
	c.AddCommand(newContextsListCommand(), newContextsUseCommand())
	return c
}

// contextView is a context as it is shown, without its login.
type contextView struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	Current bool   `json:"current"`
}

func newContextsListCommand() *cobra.Command {
	var form output.Form
	c := &cobra.Command{
		Use:               "list",
		Short:             "List contexts; a star is before the current one",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			contexts, err := client.Target{}.Contexts()
			if err != nil {
				return err
			}
			list := []contextView{}
			table := output.Table{Columns: []string{"", "NAME", "URL"}}
			for _, name := range contexts.Names() {
				v := contextView{name, client.ShownURL(contexts.Of[name]["url"]), name == contexts.Current}
				list = append(list, v)
				mark := map[bool]string{true: "*"}[v.Current]
				table.Add(mark, v.Name, cmp.Or(v.URL, "-"))
			}
			return form.Print(cmd.OutOrStdout(), list, table)
		},
	}
	form.AddTo(c)
	return c
}

func newContextsUseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "use NAME",
		Short: "Have commands ask the worker of a context where they are told no other",
		Args:  cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			contexts, err := client.Target{}.Contexts()
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return left(contexts.Names(), nil, begun), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			contexts, err := client.Target{}.Contexts()
			if err != nil {
				return err
			}
			if err := contexts.Use(args[0]); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is the current context\n", args[0])
			return err
		},
	}
}
