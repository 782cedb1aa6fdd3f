package cli

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

func newWorkerCommand(name string) *cobra.Command {
	from := source{roleOf: func(int) config.Role { return config.AnyRole }}
	c := &cobra.Command{
		Use:   "worker -f FILE...",
		Short: "Run the connectors of some files, and those made over the REST API",
		Long: `Runs a worker by itself: it keeps the offsets of sources in a file. With
--distributed it shares connectors with the other workers of its group.id, as
Kafka Connect's distributed workers do: they are made over the REST API of any of
them, and kept with offsets and statuses in three topics that the file names by
config.storage.topic, offset.storage.topic and status.storage.topic.

A file is YAML, Java properties or JSON. One with "worker:" and "connectors:"
is a whole configuration; one with connector.class is a connector; any other holds
the worker's keys. CONNECT_* in the environment and --set go over the files:
CONNECT_BOOTSTRAP_SERVERS and --set bootstrap.servers=... are the same.

SIGTERM and SIGINT stop it: what was read is delivered and committed first.
SIGHUP reads the files again, and so does --watch when they change: connectors
that differ are started, stopped or started again, the others go on. Files with
a mistake change nothing.`,
		Example: "  " + name + " worker -f flow.yaml\n  " + name + " worker -f worker.properties -f sink.json --set connectors.sink.tasks.max=4\n  " + name + " worker --distributed -f worker.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if from.files = append(from.files, args...); len(from.files) == 0 {
				return errors.New("which files? give at least one with -f")
			}
			return runWorker(cmd, &from)
		},
	}
	c.Flags().StringArrayVarP(&from.files, "file", "f", nil, "file of the worker or of connectors; more than once for several")
	from.addTo(c)
	c.Flags().BoolVar(&from.distributed, "distributed", false, "share connectors with the other workers of the same group.id")
	return c
}

func newStandaloneCommand() *cobra.Command {
	from := source{roleOf: func(i int) config.Role {
		if i == 0 {
			return config.WorkerRole
		}
		return config.ConnectorRole
	}}
	c := &cobra.Command{
		Use:   "connect-standalone WORKER.properties [CONNECTOR.properties...]",
		Short: "Run a worker as Kafka Connect's connect-standalone does, on the same files",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			from.files = args
			return runWorker(cmd, &from)
		},
	}
	from.addTo(c)
	return c
}

func newDistributedCommand() *cobra.Command {
	from := source{distributed: true, roleOf: func(int) config.Role { return config.WorkerRole }}
	c := &cobra.Command{
		Use:   "connect-distributed WORKER.properties",
		Short: "Run a worker as Kafka Connect's connect-distributed does, on the same file",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			from.files = args
			return runWorker(cmd, &from)
		},
	}
	from.addTo(c)
	return c
}

// runWorker runs a worker until the command's context ends.
func runWorker(cmd *cobra.Command, from *source) error {
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	log := slog.Default()
	reloads := from.asked(ctx)
	s, err := from.read()
	if err != nil {
		return err
	}
	if wrong := report(cmd.ErrOrStderr(), config.Lint(s, connector.Plugins, Defaults)); wrong > 0 {
		return ErrSaid
	}
	w, err := StartWorker(ctx, WorkerOptions{Setup: s, Log: log})
	if err != nil {
		return err
	}
	var ended error
	for ctx.Err() == nil && ended == nil {
		select {
		case <-reloads:
			from.reload(w, cmd.ErrOrStderr(), log)
		case <-w.asksReload:
			from.reload(w, cmd.ErrOrStderr(), log)
		case ended = <-w.ended:
		case <-ctx.Done():
		}
	}
	log.Info("stopping")
	limited, done := context.WithTimeout(context.WithoutCancel(ctx), w.Patience())
	defer done()
	if err := w.Close(limited); err != nil {
		log.Warn("stop: " + err.Error()) // nothing is lost: what was not committed comes again
	}
	return ended
}
