package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
)

// databaseVariable has the address of the flow's database, where no flag says it.
const databaseVariable = "HYDRAULICS_DATABASE_URL"

// newDatabaseCommand makes `hydraulics database`, which brings the tables and views of
// the plankton flow to a version.
func newDatabaseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "database",
		Short: "Bring the flow's tables and views in PostgreSQL to a version",
		Long: "Makes and changes the tables and views of the plankton flow. Each change is a version, which is noted in the table " + pg.VersionTable + ".\n" +
			"A database that was filled before there were versions is adopted as it is, with its rows. Workers never change it: they look at its version (database.version of the sink).",
	}
	var url string
	cmd.PersistentFlags().StringVar(&url, "url", "", "database, such as postgres://user@localhost:5441/topics; one with a password is better in "+databaseVariable)
	with := func(do func(ctx context.Context, cmd *cobra.Command, d *migrations.Database) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			d, err := openDatabase(url)
			if err != nil {
				return err
			}
			return errors.Join(do(cmd.Context(), cmd, d), d.Close())
		}
	}
	var dropData bool
	down := &cobra.Command{Use: "down", Short: "Leave the newest version for the one before", Args: cobra.NoArgs, RunE: with(func(ctx context.Context, cmd *cobra.Command, d *migrations.Database) error {
		name, err := d.Down(ctx, dropData)
		switch {
		case err != nil:
			return err
		case name == "":
			name = "nothing: the database has no version"
		}
		fmt.Fprintln(cmd.OutOrStdout(), "left", name)
		return nil
	})}
	down.Flags().BoolVar(&dropData, "drop-data", false, "also where tables go that have rows")
	var form output.Form
	status := &cobra.Command{Use: "status", Short: "Say which versions the database has; changes nothing", Args: cobra.NoArgs, RunE: with(func(ctx context.Context, cmd *cobra.Command, d *migrations.Database) error {
		states, err := d.Status(ctx)
		if err != nil {
			return err
		}
		return form.Print(cmd.OutOrStdout(), states, versionTable(states))
	})}
	form.AddTo(status)
	cmd.AddCommand(&cobra.Command{Use: "up", Short: "Bring the database to the newest version", Args: cobra.NoArgs, RunE: with(func(ctx context.Context, cmd *cobra.Command, d *migrations.Database) error {
		names, err := d.Up(ctx)
		for _, name := range names {
			fmt.Fprintln(cmd.OutOrStdout(), "ran", name)
		}
		if err == nil && len(names) == 0 {
			fmt.Fprintln(cmd.OutOrStdout(), "the database has the newest version")
		}
		return err
	})}, down, status)
	return cmd
}

// openDatabase opens the database of the flag, else of the environment.
func openDatabase(url string) (*migrations.Database, error) {
	if url == "" {
		url = os.Getenv(databaseVariable)
	}
	if url == "" {
		return nil, errors.New("which database? --url postgres://..., or " + databaseVariable + " in the environment")
	}
	conf, _, err := pg.ParseOptions(pg.Options{URL: url, ApplicationName: "hydraulics database"})
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	files, err := fs.Sub(configs.FS, "migrations")
	if err != nil {
		return nil, err
	}
	return migrations.Open(conf.ConnConfig, files)
}

// versionTable is the versions for people.
func versionTable(states []migrations.State) output.Table {
	t := output.Table{Columns: []string{"VERSION", "NAME", "SINCE"}}
	for _, s := range states {
		since := "not yet"
		if s.Since != nil {
			since = s.Since.UTC().Format(time.RFC3339)
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(s.Version), s.Name, since})
	}
	return t
}
