package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/readapi"
	"github.com/axiom-data-science/hydraulics/internal/postgrest"
)

// readAPI is what `hydraulics read-api` was asked for.
type readAPI struct {
	file   string
	config postgrest.Config
}

// newReadAPICommand makes `hydraulics read-api`, which answers HTTP queries on
// the tables of a database as PostgREST does.
func newReadAPICommand() *cobra.Command {
	var a readAPI
	var flags postgrest.Config
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "read-api [FILE]",
		Short: "Answer HTTP queries on the tables of a database, as PostgREST does",
		Long: "Serves the tables and views of a PostgreSQL schema, read only, with PostgREST's query language:\n" +
			"  curl 'localhost:3000/ifcb_sample_stats?hab=is.true&order=time.desc&limit=5'\n" +
			"A configuration file has PostgREST's format; PGRST_ variables of the environment count more than it, flags most.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if a.file != "" {
					return errors.New("a configuration file is given twice, by --config and as an argument")
				}
				a.file = args[0]
			}
			if err := a.read(os.LookupEnv); err != nil {
				return err
			}
			a.override(cmd, flags, timeout)
			a.config.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return readapi.Run(cmd.Context(), a.config, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&a.file, "config", "", "configuration file in PostgREST's format")
	f.StringVar(&flags.URI, "db-uri", "", "database, such as postgres://user@localhost:5441/topics; one with a password is better in PGRST_DB_URI")
	f.StringSliceVar(&flags.Schemas, "db-schema", []string{"public"}, "schemas to serve, the first one by default")
	f.StringVar(&flags.AnonRole, "db-anon-role", "web_anon", "role that queries run as")
	f.Int64Var(&flags.MaxRows, "db-max-rows", 0, "most rows of an answer; 0 is no limit")
	f.BoolVar(&flags.Aggregates, "db-aggregates-enabled", false, "offer count(), sum(), avg(), max() and min() in select")
	f.StringVar(&flags.Host, "server-host", "127.0.0.1", "address to listen on; * is every one")
	f.IntVar(&flags.Port, "server-port", 3000, "port to listen on")
	f.IntVar(&flags.AdminPort, "admin-server-port", 0, "port of /live and /ready; 0 is none")
	f.DurationVar(&timeout, "statement-timeout", 30*time.Second, "longest a query may take")
	return cmd
}

// read reads the configuration file, if there is one, and the environment.
func (a *readAPI) read(lookup func(string) (string, bool)) error {
	var file io.Reader = strings.NewReader("")
	if a.file != "" {
		f, err := os.Open(a.file)
		if err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
		defer func() { _ = f.Close() }()
		file = f
	}
	var err error
	if a.config, err = postgrest.ReadConfig(file, lookup); err != nil {
		return fmt.Errorf("configuration %s: %w", a.file, err)
	}
	return nil
}

// override puts flags over the configuration, and the flags' defaults where
// nothing else says.
func (a *readAPI) override(cmd *cobra.Command, flags postgrest.Config, timeout time.Duration) {
	c := &a.config
	given := cmd.Flags().Changed
	if given("db-uri") {
		c.URI = flags.URI
	}
	if given("db-schema") || len(c.Schemas) == 0 {
		c.Schemas = flags.Schemas
	}
	if given("db-anon-role") || c.AnonRole == "" {
		c.AnonRole = flags.AnonRole
	}
	if given("db-max-rows") {
		c.MaxRows = flags.MaxRows
	}
	if given("db-aggregates-enabled") {
		c.Aggregates = flags.Aggregates
	}
	if given("server-host") || c.Host == "" {
		c.Host = flags.Host
	}
	if given("server-port") || c.Port == 0 {
		c.Port = flags.Port
	}
	if given("admin-server-port") {
		c.AdminPort = flags.AdminPort
	}
	c.StatementTimeout = timeout
}
