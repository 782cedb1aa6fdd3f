package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/offset"
)

// The two forms of ingest, and the bins that each begins with.
const (
	ingestFeed    = "feed"
	ingestStation = "station"
)

// newIngestCommand makes `hydraulics ingest`, which publishes a dashboard's images once.
func newIngestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Publish the images of a dashboard once",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(
		newIngestFormCommand("feed", ingestFeed, "Publish the newest bins of a dashboard"),
		newIngestFormCommand("station", ingestStation, "Publish the oldest bins of a dashboard, day by day"))
	return cmd
}

// newPublishFeedImagesCommand makes the original's name of `hydraulics ingest feed`.
func newPublishFeedImagesCommand() *cobra.Command {
	return newIngestFormCommand("publish-feed-images", ingestFeed, "The same as ingest feed")
}

// newPublishStationImagesCommand makes the original's name of `hydraulics ingest station`.
func newPublishStationImagesCommand() *cobra.Command {
	return newIngestFormCommand("publish-station-images", ingestStation, "The same as ingest station")
}

func newIngestFormCommand(name, form, short string) *cobra.Command {
	in := ingestion{form: form}
	cmd := &cobra.Command{
		Use:   name + " DASHBOARD TOPIC BROKER",
		Short: short,
		Long: "Runs the source ifcb once: DASHBOARD is the URL of a dataset on a dashboard of either generation, BROKER is\n" +
			"host:port of Kafka, or several with commas between them. Keys are such as D20190728T212639_IFCB104_00002.\n" +
			"What was published is noted in a file: a run that broke off goes on where it was, one that was done adds nothing.",
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.dashboard, in.topic, in.broker = args[0], args[1], args[2]
			return in.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&in.bins, "nbins", 25, "how many bins, -1 for all")
	flags.StringVar(&in.format, "format", "json", "json: a JSON object without schema, the image in base64; avro: a record with a schema")
	flags.StringVar(&in.registry, "registry", "", "URL of the schema registry, for --format avro")
	flags.StringVar(&in.binsTopic, "bins-topic", "", "topic for a record per bin, which hydraulics ifcb gaps reads; without it there is none")
	addKafkaFlag(cmd, &in.kafka)
	flags.StringVar(&in.offsets, "offsets", "", "file that notes what was published; without it one in the user's cache folder")
	flags.DurationVar(&in.patience, "patience", time.Minute, "how long to try again without any progress before giving up")
	return cmd
}

// ingestion is what one run of `hydraulics ingest` was asked for.
type ingestion struct {
	form, dashboard, topic, broker string
	bins                           int
	format, registry, offsets      string
	binsTopic                      string
	kafka                          string // file of --kafka-config
	patience                       time.Duration
}

// connector names the form: each has offsets of its own, since the ledger of
// the newest bins and that of the oldest do not meet.
func (in ingestion) connector() string { return "ingest-" + in.form }

// props configure the source and how its records are written. Bins come in the
// order of time, so that the offset stays small whatever their number.
func (in ingestion) props() (connector.Props, error) {
	p := connector.Props{
		"name": in.connector(), "connector.class": "ifcb",
		"topic": in.topic, "dashboard.url": in.dashboard, "mode": "once", "nbins": strconv.Itoa(in.bins),
		"start.from": "newest", "order": "oldest", "format": in.format, "bins.topic": in.binsTopic, "key.converter": "string",
		// An image of the largest region an IFCB takes is above Kafka's default of 1 MiB.
		"producer.override.max.request.size": "4194304", "topic.creation.default.max.message.bytes": "4194304",
	}
	if in.form == ingestStation {
		p["start.from"] = "oldest"
	}
	switch {
	case in.format == "json" && in.registry != "":
		return nil, errors.New("--registry: json has no schema to register: add --format avro")
	case in.format == "json":
		p["value.converter"], p["value.converter.schemas.enable"] = "json", "false"
	case in.format == "avro" && in.registry == "":
		return nil, errors.New("--format avro: its schema goes to a schema registry: add --registry URL")
	case in.format == "avro":
		p["value.converter"], p["value.converter.schema.registry.url"] = "avro", in.registry
	default:
		return nil, fmt.Errorf("--format: %q is neither json nor avro", in.format)
	}
	source, err := connector.Plugins.New(connector.SourceType, "ifcb")
	if err != nil {
		return nil, err
	}
	_, err = connector.ParsePlugin(source, p)
	return p, err
}

// worker gives the worker's keys: how to connect, for all clients and for each
// role that has its own.
func (in ingestion) worker() (connector.Props, error) {
	given, err := readKafkaConfig(in.kafka)
	if err != nil {
		return nil, err
	}
	p := connector.Props{"bootstrap.servers": in.broker, "offset.flush.interval.ms": "1000"}
	for _, role := range []string{"", "producer.", "admin."} {
		for key, value := range connectionKeys(given.WithPrefix(role)) {
			p[role+key] = value
		}
	}
	return p, nil
}

// run publishes, and tells at its end what was.
func (in ingestion) run(ctx context.Context, out, logs io.Writer) error {
	fail := func(err error) error { return fmt.Errorf("ingest %s: %w", in.form, err) }
	props, err := in.props()
	if err != nil {
		return fail(err)
	}
	settings, err := in.worker()
	if err != nil {
		return fail(err)
	}
	name, err := in.offsetFile()
	if err != nil {
		return fail(err)
	}
	offsets, err := offset.OpenFile(name)
	if err != nil {
		return fail(err)
	}
	defer offsets.Close()
	show := newProgress(out, logs)
	worker, err := runtime.NewWorker(runtime.Options{Offsets: offsets, Log: show.log()})
	if err != nil {
		return fail(err)
	}
	var failed error // written before the task is done
	task, err := worker.StartTask(runtime.TaskSpec{Connector: in.connector(), Kind: runtime.KindSource, Props: props,
		Worker: settings},
		func(e runtime.Event) { failed = e.Err })
	if err != nil {
		return fail(err)
	}
	gaveUp := watch(ctx, task, in.patience, show)
	show.end()
	<-task.Done()
	stats := task.Snapshot()
	fmt.Fprintf(out, "%d images of %d bins published to %s; noted in %s\n",
		in.images(stats), int(sample(stats, "ifcb_bins_total")), in.topic, name)
	switch bins, images := sample(stats, "ifcb_bins_failed_total"), sample(stats, "ifcb_images_failed_total"); {
	case failed != nil:
		return fail(failed)
	case gaveUp != nil:
		return fail(gaveUp)
	case bins+images > 0:
		return fail(fmt.Errorf("%g bins and %g single images could not be had, the log names them; they are not asked for again: "+
			"for that use another file with --offsets", bins, images))
	}
	return nil
}

// images is how many images Kafka has taken: all records, but those about bins, which come behind theirs.
func (in ingestion) images(s runtime.Stats) int64 {
	if in.binsTopic == "" {
		return s.RecordsOut
	}
	bins := sample(s, "ifcb_bins_total") + sample(s, "ifcb_bins_failed_total") + sample(s, "ifcb_bins_skipped_total")
	return max(s.RecordsOut-int64(bins), 0)
}

// offsetFile gives the file that notes what was published: one per dashboard,
// topic and broker.
func (in ingestion) offsetFile() (string, error) {
	if in.offsets != "" {
		return in.offsets, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: name a file with --offsets", err)
	}
	dir := filepath.Join(cache, "hydraulics", "ingest")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("%w: name a file with --offsets", err)
	}
	key := strings.Join([]string{strings.TrimSuffix(in.dashboard, "/"), in.topic, in.broker}, "\n")
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(dir, fmt.Sprintf("%x.offsets", sum[:8])), nil
}

// sample gives the value of one of a task's own metrics.
func sample(s runtime.Stats, name string) float64 {
	for _, m := range s.Metrics {
		if m.Name == name {
			return m.Value
		}
	}
	return 0
}
