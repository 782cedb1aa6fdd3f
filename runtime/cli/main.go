package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/failures"
	"github.com/axiom-data-science/hydraulics/internal/loggers"
	"github.com/axiom-data-science/hydraulics/runtime/internal/steer"
)

// Defaults holds the files that are part of the program: what relative paths
// in a configuration stand for that are not beside it. A program sets it, if
// at all, before Main.
var Defaults fs.FS

// Commit names the source that the program was built from. The linker sets it;
// without it the build's own record of the version control counts, if there is
// one.
var Commit string

// ErrSaid is returned by a command that has already said what is wrong: Main
// exits with 1 and prints nothing more.
var ErrSaid = errors.New("the reasons are printed above")

// Main runs the command line of a program of this name, with further commands, and
// ends the process: with 0, after an error with 1, or with the number that the
// documents name for it. SIGINT and SIGTERM end the context of the command,
// which then stops in an orderly way; a second one ends the process at once.
func Main(name string, commands ...*cobra.Command) {
	limitMemory()
	paceCollector()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from then on signals do what they do by default
	root := Root(name, commands...)
	if err := root.ExecuteContext(ctx); err != nil {
		if !errors.Is(err, ErrSaid) && !errors.Is(err, steer.ErrDiffers) {
			fmt.Fprintln(root.ErrOrStderr(), "error: "+failures.Text(err))
		}
		os.Exit(steer.ExitCode(err))
	}
}

// Root makes the command line of a program of this name: the commands of every
// worker and those given.
func Root(name string, commands ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:           name,
		Short:         "Moves records between systems and Kafka, as Kafka Connect does",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(name),
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	level := root.PersistentFlags().String("log-level", "info", "what is logged: debug, info, warn or error")
	form := root.PersistentFlags().String("log-format", "text", "how it is logged: text or json")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		log, err := newLog(cmd, *level, *form)
		if err == nil {
			slog.SetDefault(slog.New(loggers.Wrap(log.Handler())))
		}
		return err
	}
	root.AddCommand(newWorkerCommand(name), newStandaloneCommand(), newDistributedCommand(), newLintCommand(), newDoctorCommand(name), newPreviewCommand(name), newTestCommand(name), newSchemaCommand(name), newPluginsCommand(), newVersionCommand(), newExplainCommand(name), newImportCommand(), newAccessCommand(),
		steer.ConnectorsCommand(), steer.TapCommand(), steer.TopCommand(), steer.OffsetsCommand(), steer.ContextsCommand(), steer.MigrateCommand())
	root.AddCommand(commands...)
	refuseUnknown(root)
	return root
}

// refuseUnknown makes the commands that only hold others an error for a word
// that is none of them: cobra would print the help and end with success, which
// a script takes for a command that was run.
func refuseUnknown(c *cobra.Command) {
	for _, sub := range c.Commands() {
		refuseUnknown(sub)
	}
	if c.Runnable() || !c.HasSubCommands() {
		return
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		c.SuggestionsMinimumDistance = 2
		names := c.SuggestionsFor(args[0])
		if len(names) == 0 {
			for _, sub := range c.Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, sub.Name())
				}
			}
			return fmt.Errorf("%s: no command %q, there are %s", c.CommandPath(), args[0], strings.Join(names, ", "))
		}
		return fmt.Errorf("%s: no command %q, did you mean %s?", c.CommandPath(), args[0], strings.Join(names, " or "))
	}
}

// newLog makes the logger that --log-level and --log-format ask for.
func newLog(cmd *cobra.Command, level, form string) (*slog.Logger, error) {
	var o slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %s: want debug, info, warn or error", level)
	}
	o.Level = l
	switch form {
	case "text":
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &o)), nil
	}
	return nil, fmt.Errorf("--log-format %s: want text or json", form)
}
