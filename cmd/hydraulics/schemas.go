package main

import (
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/configs/schemas"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
)

// newSchemasCommand makes `hydraulics schemas`, which looks after the schemas in a registry.
func newSchemasCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schemas",
		Short: "Register Avro schemas",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newSchemasUpdateCommand())
	return cmd
}

func newSchemasUpdateCommand() *cobra.Command {
	var (
		force bool
		dir   string
		user  string
	)
	cmd := &cobra.Command{
		Use:   "update NAME|all REGISTRY_URL",
		Short: "Register schema files, each under the subject <namespace>-<record name>",
		Long: "Registers every NAME.avsc and NAME-*.avsc (all: every *.avsc) of hydraulics itself, or of --dir, where .proto and .json\n" +
			"(JSON Schema) are taken, too, and files that these refer to are registered before them. The subject is the schema's\n" +
			"namespace with dashes for dots, a dash, and its record's name: ifcb-stats-value. In .proto it is of the package and\n" +
			"the first message, in .json of the title: ocean.Sample. Its compatibility is set to BACKWARD first, to\n" +
			"NONE with --force. Several URLs of one registry are given with commas between them. A user's password comes from the\n" +
			"environment variable SCHEMA_REGISTRY_PASSWORD.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var files fs.FS = schemas.Files
			if dir != "" {
				files = os.DirFS(dir)
			}
			found, err := registry.FindFiles(files, args[0])
			if err != nil {
				return err
			}
			client, err := registry.New(registry.Options{URLs: strings.Split(args[1], ","), User: user,
				Password: connector.Password(os.Getenv("SCHEMA_REGISTRY_PASSWORD"))})
			if err != nil {
				return err
			}
			defer client.Close()
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			if registry.Update(cmd.Context(), client, found, force, log) != nil {
				return cli.ErrSaid // by the log, file by file
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "register schemas that are not compatible with those before")
	cmd.Flags().StringVar(&dir, "dir", "", "folder of *.avsc, *.proto and *.json files; without it those of hydraulics itself")
	cmd.Flags().StringVar(&user, "user", "", "user, where the registry asks for one")
	return cmd
}
