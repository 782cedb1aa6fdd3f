package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

func newLintCommand() *cobra.Command {
	var form form
	var elsewhere bool
	c := &cobra.Command{
		Use:   "lint FILE...",
		Short: "Say everything that is wrong with the files of a worker",
		Long: `Checks files as a worker with them would: the keys of the worker, of every
connector, transform, predicate and converter, listeners, logins and stores. Keys that nobody knows are
warnings. Exits with 1 where a worker would not start, or a connector would fail
at once: for want of a file or a variable too, unless the files are for another
machine (--elsewhere).`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, problems := new(config.Setup), []config.Problem{}
			for _, name := range args {
				err := s.ReadFile(name, config.AnyRole)
				if p, ok := errors.AsType[config.Problem](err); ok {
					p.Code = "H1007"
					problems = append(problems, p)
				} else if err != nil {
					return err
				}
			}
			s.Distributed = s.NamesCluster()
			problems = append(problems, config.Lint(s, connector.Plugins, Defaults)...)
			problems = config.Coded(append(problems, lintConnections(s, Defaults)...))
			for i := range problems {
				if p := &problems[i]; p.Fails && !(p.Here && elsewhere) {
					p.Warning = false
				}
			}
			out := cmd.OutOrStdout()
			if form.json {
				if err := printJSON(cmd, problems); err != nil {
					return err
				}
				out = io.Discard
			}
			if report(out, problems) > 0 {
				if !form.json {
					fmt.Fprintf(cmd.ErrOrStderr(), "what a code means: %s explain CODE\n", cmd.Root().Name())
				}
				return ErrSaid
			}
			return nil
		},
	}
	form.addTo(c)
	c.Flags().BoolVar(&elsewhere, "elsewhere", false, "take a file or variable that is not here for one that is where the worker runs")
	return c
}

// report prints problems and gives the number of those that are not warnings.
func report(out io.Writer, problems []config.Problem) int {
	wrong := 0
	for _, p := range problems {
		if !p.Warning {
			wrong++
		}
		fmt.Fprint(out, p)
		if p.Code != "" {
			fmt.Fprint(out, " [", p.Code, "]")
		}
		fmt.Fprintln(out)
	}
	return wrong
}
