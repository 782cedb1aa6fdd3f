package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/topics"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/output"
)

// newTopicsCommand makes `hydraulics topics`, which looks into topics.
func newTopicsCommand() *cobra.Command {
	cluster := new(topics.Cluster)
	cmd := &cobra.Command{
		Use:   "topics",
		Short: "List and describe topics, and show their records",
		Long:  "Looks into the topics of a Kafka cluster. It only reads, and joins no consumer group.",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newTopicsListCommand(cluster), newTopicsDescribeCommand(cluster), newTopicsTailCommand(cluster))
	for _, c := range cmd.Commands() {
		c.Flags().StringVar(&cluster.Broker, "bootstrap-server", "",
			"host:port of Kafka, or several with commas between them; without it bootstrap.servers of --kafka-config, else localhost:9092")
		addKafkaFlag(c, &cluster.Config)
	}
	return cmd
}

func newTopicsListCommand(cluster *topics.Cluster) *cobra.Command {
	var form output.Form
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List topics",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cluster.List(cmd.Context(), cmd.OutOrStdout(), form, all)
		},
	}
	form.AddTo(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "also those of Kafka itself")
	return cmd
}

func newTopicsDescribeCommand(cluster *topics.Cluster) *cobra.Command {
	var form output.Form
	cmd := &cobra.Command{
		Use:               "describe TOPIC...",
		Short:             "Show partitions, where they begin and end, their brokers, and how records are kept",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeTopics(cluster),
		RunE: func(cmd *cobra.Command, args []string) error {
			return cluster.Describe(cmd.Context(), cmd.OutOrStdout(), form, args)
		},
	}
	form.AddTo(cmd)
	return cmd
}

func newTopicsTailCommand(cluster *topics.Cluster) *cobra.Command {
	var t topics.Tail
	var form string
	cmd := &cobra.Command{
		Use:   "tail TOPIC",
		Short: "Show records of a topic, decoded",
		Long: `Shows records of a topic, partition after partition, up to where these end now,
or what is added, too (--follow). Converters are those of the flags, or of the
worker's file that --kafka-config names; without either keys and values are shown
as text, or in base64. What cannot be decoded is shown with the reason.`,
		Example: "  hydraulics topics tail ifcb-sample-stats --value-converter avro --registry http://localhost:8081 --from -5\n" +
			"  hydraulics topics tail ifcb-images --kafka-config worker.yaml --from 2h --key D20190728T212639_IFCB104 -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeTopics(cluster),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.Cluster, t.Topic, t.Now, t.Notes = *cluster, args[0], time.Now(), cmd.ErrOrStderr()
			return t.Run(cmd.Context(), cmd.OutOrStdout(), form == "json")
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&t.From, "from", "-10", "where each partition begins: beginning, end, an offset, -10 for the last ten, a time such as 2026-07-28T21:26:39Z or an age such as 2h")
	flags.IntVar(&t.Partition, "partition", -1, "only this partition")
	flags.StringVar(&t.Tail.Key, "key", "", "only records with this key, as it is shown or as its bytes are")
	flags.BoolVarP(&t.Follow, "follow", "F", false, "go on with what is added")
	flags.IntVar(&t.Max, "max", 0, "end after so many records, 0 for no bound")
	flags.Int64Var(&t.Bytes, "max-bytes", 64<<20, "end after so many bytes of keys and values, read in search of a key, too; 0 for no bound")
	flags.DurationVar(&t.For, "for", 5*time.Minute, "end after this time, 0 for no bound")
	flags.StringVar(&t.Converters.Key, "key-converter", "", "converter of the keys, such as string or avro: a name or class of \"plugins\"")
	flags.StringVar(&t.Converters.Value, "value-converter", "", "converter of the values")
	flags.StringVar(&t.Registry, "registry", "", "URL of the schema registry, for converters that want one")
	flags.StringArrayVar(&t.Settings, "converter-set", nil, "further key of a converter, such as value.converter.schemas.enable=false")
	for _, flag := range []string{"key-converter", "value-converter"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			for _, i := range connector.Plugins.List(connector.ConverterType) {
				names = append(names, cobra.CompletionWithDesc(i.Name, i.Doc))
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		}) // fails for flags that are not there
	}
	addOutputFlag(cmd, &form)
	return cmd
}

// completeTopics gives a shell the names of topics.
func completeTopics(cluster *topics.Cluster) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
		defer cancel()
		names, err := cluster.Names(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
