package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
)

// newSimulateCommand makes `hydraulics simulate`, which stands in for an instrument and its dashboard.
func newSimulateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "stand in for an instrument: serve a dashboard, write labelled images",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newSimulateImagesCommand())
	return cmd
}

func newSimulateImagesCommand() *cobra.Command {
	var (
		out      string
		perClass int
		seed     uint64
	)
	cmd := &cobra.Command{
		Use:   "images --out DIR",
		Short: "write labelled synthetic images, one folder per class",
		Long: "Writes DIR/<class>/<class>_<n>.png for every synthetic class and DIR/labels.csv with the true volume of each\n" +
			"particle. The same seed gives the same images.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := plankton.WriteImages(out, perClass, seed); err != nil {
				return err
			}
			classes := plankton.Classes()
			fmt.Fprintf(cmd.OutOrStdout(), "%d images of %d classes in %s\n", perClass*len(classes), len(classes), out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder to write to; made when absent")
	cmd.Flags().IntVar(&perClass, "per-class", 100, "images per class")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed; the same one gives the same images")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}
