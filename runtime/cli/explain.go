package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/failures"
)

func newExplainCommand(name string) *cobra.Command {
	var form form
	c := &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Say what an error with a code means, and its remedy",
		Long: `Errors in a log, in a task's trace and from lint end in a code, such as [H2001]. This
says what such a failure is, what it comes from and what to do. Without a code it
lists them all.`,
		Example: "  " + name + " explain H2001",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var codes []cobra.Completion
			for _, f := range failures.All() {
				if len(args) == 0 && strings.HasPrefix(f.Code, strings.ToUpper(begun)) {
					codes = append(codes, cobra.CompletionWithDesc(f.Code, f.Title))
				}
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			list := failures.All()
			if len(args) == 1 {
				f, ok := failures.Find(args[0])
				if !ok {
					return fmt.Errorf("no failure has the code %s; \"%s\" lists them", args[0], cmd.CommandPath())
				}
				list = []failures.Failure{f}
			}
			switch {
			case form.json:
				return printJSON(cmd, list)
			case len(args) == 1:
				f := list[0]
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n\nCause: %s\n\nRemedy: %s\n", f.Code, f.Title, f.Cause, f.Remedy)
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "CODE\tWHAT")
			for _, f := range list {
				fmt.Fprintf(w, "%s\t%s\n", f.Code, f.Title)
			}
			return w.Flush()
		},
	}
	form.addTo(c)
	return c
}
