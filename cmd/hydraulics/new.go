package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/scaffold"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

func newNewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Write a module with a source, sink or transform of your own, which passes its tests and runs",
	}
	for _, kind := range scaffold.Kinds {
		cmd.AddCommand(newKindCommand(kind))
	}
	return cmd
}

func newKindCommand(kind string) *cobra.Command {
	m := scaffold.Module{Kind: kind}
	cmd := &cobra.Command{
		Use:   kind + " NAME",
		Short: "Write a module with the " + kind + " NAME: code, test, README, a file to run",
		Long: `Writes a Go module into a new folder: the ` + kind + `, the suite that holds it to what a
worker relies on, a program with it and the plugins of hydraulics, a README and a file
to run. It is built against the checkout that --replace names, or that this program or
the current folder is in; else against the released version of this program.`,
		Example:           "  hydraulics new " + kind + " ctd-probe\n  cd ctd-probe && go test ./... && go run . plugins ctd-probe",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m.Name = args[0]
			if m.Dir == "" {
				m.Dir = m.Name
			}
			if m.Path == "" {
				m.Path = "example.org/" + m.Name
			}
			if m.Version == "" {
				m.Version = "v" + config.Version
				if m.Replace == "" {
					m.Replace = checkout()
				}
			}
			var err error
			if m.Replace != "" {
				if m.Replace, err = filepath.Abs(m.Replace); err != nil {
					return err
				}
			}
			written, err := m.Write(cmd.Context())
			if err != nil {
				return err
			}
			where := m.Version
			if m.Replace != "" {
				where = m.Replace
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, against hydraulics %s\nnext: cd %s && go test ./...\n", m.Dir, strings.Join(written, ", "), where, m.Dir)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&m.Dir, "dir", "", "folder to write (default NAME)")
	f.StringVar(&m.Path, "module", "", "path of the module (default example.org/NAME)")
	f.StringVar(&m.Replace, "replace", "", "checkout of hydraulics to build against")
	f.StringVar(&m.Version, "version", "", "released version of hydraulics to build against (default that of this program)")
	cmd.MarkFlagsMutuallyExclusive("replace", "version")
	return cmd
}

// checkout gives the checkout of hydraulics that this program or the current folder is
// in, empty without one.
func checkout() string {
	var starts []string
	if program, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(program))
	}
	if here, err := os.Getwd(); err == nil {
		starts = append(starts, here)
	}
	for _, dir := range starts {
		for {
			if scaffold.IsCheckout(dir) {
				return dir
			}
			up := filepath.Dir(dir)
			if up == dir {
				break
			}
			dir = up
		}
	}
	return ""
}
