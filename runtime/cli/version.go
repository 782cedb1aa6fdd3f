package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// product is the program whose version [config.Version] is.
const product = "hydraulics"

func newVersionCommand() *cobra.Command {
	var form form
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if form.json {
				return printJSON(cmd, map[string]string{"name": cmd.Root().Name(), "version": config.Version, "commit": commit()})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", cmd.Root().Name(), version(cmd.Root().Name()))
			return err
		},
	}
	form.addTo(c)
	return c
}

// version gives the version and the commit, as --version prints them.
func version(name string) string {
	if name != product {
		return "(" + product + " " + config.Version + ", commit " + commit() + ")" // the program has one of its own
	}
	return config.Version + " (commit " + commit() + ")"
}

// commit gives the commit that the program was built from.
func commit() string {
	if Commit != "" {
		return Commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(len(s.Value), 16)]
			}
		}
	}
	return "unknown"
}
