package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

func newWorkerCommand(name string) *cobra.Command {
	var files, sets []string
	var distributed bool
	c := &cobra.Command{
		Use:   "worker -f FILE...",
		Short: "Run the connectors of some files, and those made over the REST API",
		Long: `Runs a worker by itself: it keeps the offsets of sources in a file.

A file is YAML, Java properties or JSON. One with "worker:" and "connectors:"
is a whole journey; one with connector.class is a connector; any other holds
the worker's keys. CONNECT_* in the environment and --set go over the files:
CONNECT_BOOTSTRAP_SERVERS and --set bootstrap.servers=... are the same.

SIGTERM and SIGINT stop it: what was read is delivered and committed first.`,
		Example: "  " + name + " worker -f flow.yaml\n  " + name + " worker -f worker.properties -f sink.json --set connectors.sink.tasks.max=4",
		RunE: func(cmd *cobra.Command, args []string) error {
			if distributed {
				return errors.New("--distributed is not there yet: run several workers on files of their own, " +
					"which share the partitions of their sinks and streams, with one of them for the sources")
			}
			if files = append(files, args...); len(files) == 0 {
				return errors.New("which files? give at least one with -f")
			}
			s, err := config.Read(files...)
			if err != nil {
				return err
			}
			return runWorker(cmd, s, sets)
		},
	}
	c.Flags().StringArrayVarP(&files, "file", "f", nil, "file of the worker or of connectors; more than once for several")
	c.Flags().StringArrayVar(&sets, "set", nil, "key=value for the worker, connectors.NAME.key=value for a connector")
	c.Flags().BoolVar(&distributed, "distributed", false, "share connectors with other workers (not there yet)")
	return c
}

func newStandaloneCommand() *cobra.Command {
	var sets []string
	c := &cobra.Command{
		Use:   "connect-standalone WORKER.properties [CONNECTOR.properties...]",
		Short: "Run a worker as Kafka Connect's connect-standalone does, on the same files",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s := new(config.Setup)
			for i, name := range args {
				role := config.ConnectorRole
				if i == 0 {
					role = config.WorkerRole
				}
				if err := s.ReadFile(name, role); err != nil {
					return err
				}
			}
			return runWorker(cmd, s, sets)
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "key=value for the worker, connectors.NAME.key=value for a connector")
	return c
}

// runWorker runs a journey until the command's context ends.
func runWorker(cmd *cobra.Command, s *config.Setup, sets []string) error {
	ctx, log := cmd.Context(), slog.Default()
	if err := s.ApplyEnv(os.Environ()); err != nil {
		return err
	}
	for _, assignment := range sets {
		if err := s.Set(assignment); err != nil {
			return err
		}
	}
	if wrong := report(cmd.ErrOrStderr(), config.Lint(s, connector.Plugins, Defaults)); wrong > 0 {
		return ErrSaid
	}
	w, err := StartWorker(ctx, WorkerOptions{Setup: s, Log: log})
	if err != nil {
		return err
	}
	<-ctx.Done()
	log.Info("stopping")
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Patience())
	defer cancel()
	if err := w.Close(limited); err != nil {
		log.Warn("stop: " + err.Error()) // nothing is lost: what was not committed comes again
	}
	return nil
}
