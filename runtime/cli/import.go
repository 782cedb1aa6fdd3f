package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
)

func newImportCommand() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Turn files of other programs into files of a worker"}
	c.AddCommand(newSeedCommand(), newImportOffsetsCommand())
	return c
}

func newImportOffsetsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "offsets FILE [TO]",
		Short: "Take over the offset file of Java's connect-standalone, so that sources go on where they were",
		Long: `Reads the file that offset.storage.file.filename names, as Java's worker wrote
it, and puts one of this worker in its place; Java's is kept with .java behind
its name. With TO Java's file stays as it is. Stop the Java worker first.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			to := args[len(args)-1]
			counts, err := offset.ImportJava(args[0], to)
			if err != nil {
				return fmt.Errorf("import: %w", err)
			}
			for _, name := range slices.Sorted(maps.Keys(counts)) {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: offsets of %s: %d\n", to, name, counts[name])
			}
			if len(counts) == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: there were no offsets\n", to)
			}
			return nil
		},
	}
}
