package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
	"github.com/axiom-data-science/hydraulics/internal/deadletters"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
)

// newDLQCommand makes `hydraulics dlq`, which works with dead letters.
func newDLQCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "List, show and replay dead letters",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newDLQListCommand(), newDLQShowCommand(), newDLQReplayCommand())
	return cmd
}

func newDLQListCommand() *cobra.Command {
	var s deadletters.Source
	var form output.Form
	cmd := newLettersCommand("list", &s, func(cmd *cobra.Command) error {
		return s.List(cmd.Context(), cmd.OutOrStdout(), form)
	})
	cmd.Short = "Count dead letters by cause"
	cmd.Long = "Counts the letters of a dead-letter topic by cause, that is connector, stage and exception, with the error of the last one."
	cmd.Example = "  hydraulics dlq list ifcb-dead-letters --bootstrap-server localhost:9092"
	form.AddTo(cmd)
	return cmd
}

func newDLQShowCommand() *cobra.Command {
	var s deadletters.Source
	var as string
	var most int
	cmd := newLettersCommand("show", &s, func(cmd *cobra.Command) error {
		return s.Show(cmd.Context(), cmd.OutOrStdout(), most, as == "json")
	})
	cmd.Short = "Show dead letters one by one"
	cmd.Long = "Shows each letter: where it is from, why it died, its key, value and headers. As JSON it is one object a line."
	cmd.Example = "  hydraulics dlq show ifcb-dead-letters --bootstrap-server localhost:9092 --stage VALUE_CONVERTER --max 3"
	cmd.Flags().IntVar(&most, "max", 20, "how many at most, 0 for all")
	addOutputFlag(cmd, &as)
	return cmd
}

func newDLQReplayCommand() *cobra.Command {
	var r deadletters.Replay
	cmd := newLettersCommand("replay", &r.Source, func(cmd *cobra.Command) error {
		if r.Rate < 0 || r.MaxReplays < 1 {
			return fmt.Errorf("--rate %v --max-replays %d: want no negative rate, and at least one replay", r.Rate, r.MaxReplays)
		}
		report, err := r.Run(cmd.Context())
		if err == nil || report.Read > 0 {
			report.Print(cmd.OutOrStdout(), r.DryRun)
		}
		if err != nil {
			return fmt.Errorf("%w\nthe same command goes on behind what has arrived", err)
		}
		return nil
	})
	cmd.Short = "Send the records of dead letters again"
	cmd.Long = "Sends each record to the topic that it was read from, with its key, value, timestamp and headers as they were.\n" +
		"The header hydraulics.dlq.replays counts how often: a record that dies again and again is left out in the end.\n" +
		"How far it has come is kept in a consumer group, one for each filter and target: broken off, it goes on there, and\n" +
		"what was sent since the last commit (500 letters or 5 seconds) goes again. Letters that come meanwhile are for the next time.\n" +
		"A group has one replay at a time, wherever it was started: another one is refused."
	cmd.Example = "  hydraulics dlq replay ifcb-dead-letters --bootstrap-server localhost:9092 --connector ifcb-stats --dry-run\n" +
		"  hydraulics dlq replay ifcb-dead-letters --bootstrap-server localhost:9092 --connector ifcb-stats --rate 50"
	flags := cmd.Flags()
	flags.StringVar(&r.To, "to", "", "send to this topic, in place of the one that a record was read from")
	flags.BoolVar(&r.DryRun, "dry-run", false, "say what would be sent, and send nothing")
	flags.Float64Var(&r.Rate, "rate", 0, "records per second, 0 for as many as possible")
	flags.IntVar(&r.MaxReplays, "max-replays", 3, "leave out a record that was replayed so often")
	flags.BoolVar(&r.Restart, "restart", false, "begin with the first letter, also after an earlier replay")
	flags.StringVar(&r.Group, "group", "", "consumer group that keeps how far it has come; without it hydraulics-dlq-TOPIC and a sum of filter and target")
	return cmd
}

// newLettersCommand makes a command about the letters of a topic.
func newLettersCommand(name string, s *deadletters.Source, run func(cmd *cobra.Command) error) *cobra.Command {
	var broker, file string
	s.Open = func(ctx context.Context, role string) (*kafka.Client, error) {
		settings, err := connection.Read(file)
		if err != nil {
			return nil, err
		}
		c, err := kafka.Open(ctx, kafka.Options{Bootstrap: strings.Split(broker, ","), Props: connection.Keys(settings, role+".")})
		if err != nil {
			return nil, fmt.Errorf("kafka: %w", err)
		}
		return c, nil
	}
	cmd := &cobra.Command{
		Use:  name + " TOPIC",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.SilenceUsage = true // what follows is no mistake in the command line
			s.Topic = args[0]
			return run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&broker, "bootstrap-server", "localhost:9092", "host:port of Kafka, or several with commas between them")
	addKafkaFlag(cmd, &file)
	flags.StringVar(&s.Filter.Connector, "connector", "", "only letters of this connector")
	flags.StringVar(&s.Filter.Stage, "stage", "", "only those that died in this stage, such as VALUE_CONVERTER or TASK_PUT")
	flags.StringVar(&s.Filter.Exception, "exception", "", "only those with this exception, a class or its last part")
	flags.StringVar(&s.Filter.From, "from", "", "only records that were read from this topic")
	flags.StringVar(&s.Filter.Message, "message", "", "only those whose error has a match of this regular expression")
	return cmd
}

// addOutputFlag adds the flag of commands that print for people or for programs.
func addOutputFlag(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", "text", "how it is printed: text or json")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *output != "text" && *output != "json" {
			return fmt.Errorf("--output %s: want text or json", *output)
		}
		return nil
	}
}
