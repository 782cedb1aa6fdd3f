// Package ingest publishes the images of a dashboard once: it runs the source ifcb until it is done.
package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/watch"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// The two forms of ingest, and the bins that each begins with.
const (
	Feed    = "feed"
	Station = "station"
)

// Options are what one run is of.
type Options struct {
	Form                     string        // Feed or Station
	Dashboard, Topic, Broker string        // several brokers with commas between them
	Bins                     int           // -1 for all
	Format                   string        // json or avro
	Registry                 string        // URL, for avro
	BinsTopic                string        // for a record per bin; empty for none
	Kafka                    string        // file of --kafka-config
	Access                   string        // file of --dashboard-config
	Offsets                  string        // file that notes what was published; empty for one in the user's cache folder
	Patience                 time.Duration // how long to try again without any progress
}

// connector names the form: each has offsets of its own, since the ledger of
// the newest bins and that of the oldest do not meet.
func (in Options) connector() string { return "ingest-" + in.Form }

// props configure the source and how its records are written. Bins come in the
// order of time, so that the offset stays small whatever their number.
func (in Options) props() (connector.Props, error) {
	p := connector.Props{
		"name": in.connector(), "connector.class": "ifcb",
		"topic": in.Topic, "dashboard.url": in.Dashboard, "mode": "once", "nbins": strconv.Itoa(in.Bins),
		"start.from": "newest", "order": "oldest", "format": in.Format, "bins.topic": in.BinsTopic, "key.converter": "string",
		// An image of the largest region an IFCB takes is above Kafka's default of 1 MiB.
		"producer.override.max.request.size": "4194304", "topic.creation.default.max.message.bytes": "4194304",
		"topic.creation.default.partitions": "-1", "topic.creation.default.replication.factor": "-1",
	}
	access, err := connection.ReadDashboard(in.Access)
	if err != nil {
		return nil, err
	}
	maps.Copy(p, access)
	if in.Form == Station {
		p["start.from"] = "oldest"
	}
	switch {
	case in.Format == "json" && in.Registry != "":
		return nil, errors.New("--registry: json has no schema to register: add --format avro")
	case in.Format == "json":
		p["value.converter"], p["value.converter.schemas.enable"] = "json", "false"
	case in.Format == "avro" && in.Registry == "":
		return nil, errors.New("--format avro: its schema goes to a schema registry: add --registry URL")
	case in.Format == "avro":
		p["value.converter"], p["value.converter.schema.registry.url"] = "avro", in.Registry
	default:
		return nil, fmt.Errorf("--format: %q is neither json nor avro", in.Format)
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
func (in Options) worker() (connector.Props, error) {
	given, err := connection.Read(in.Kafka)
	if err != nil {
		return nil, err
	}
	p := connector.Props{"bootstrap.servers": in.Broker, "offset.flush.interval.ms": "1000"}
	for _, role := range []string{"", "producer.", "admin."} {
		for key, value := range connection.Keys(given.WithPrefix(role)) {
			p[role+key] = value
		}
	}
	return p, nil
}

// Run publishes, and tells at its end what was.
func (in Options) Run(ctx context.Context, out, logs io.Writer) error {
	fail := func(err error) error { return fmt.Errorf("ingest %s: %w", in.Form, err) }
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
	offsets, err := runtime.OpenOffsets(name)
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
	gaveUp := follow(ctx, task, in.Patience, show)
	show.end()
	<-task.Done()
	stats := task.Snapshot()
	fmt.Fprintf(out, "%d images of %d bins published to %s; noted in %s\n",
		in.images(stats), int(watch.Sample(stats, "ifcb_bins_total")), in.Topic, name)
	switch bins, images := watch.Sample(stats, "ifcb_bins_failed_total"), watch.Sample(stats, "ifcb_images_failed_total"); {
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
func (in Options) images(s runtime.Stats) int64 {
	if in.BinsTopic == "" {
		return s.RecordsOut
	}
	bins := watch.Sample(s, "ifcb_bins_total") + watch.Sample(s, "ifcb_bins_failed_total") + watch.Sample(s, "ifcb_bins_skipped_total")
	return max(s.RecordsOut-int64(bins), 0)
}

// offsetFile gives the file that notes what was published: one per dashboard,
// topic and broker.
func (in Options) offsetFile() (string, error) {
	if in.Offsets != "" {
		return in.Offsets, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: name a file with --offsets", err)
	}
	dir := filepath.Join(cache, "hydraulics", "ingest")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("%w: name a file with --offsets", err)
	}
	key := strings.Join([]string{strings.TrimSuffix(in.Dashboard, "/"), in.Topic, in.Broker}, "\n")
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(dir, fmt.Sprintf("%x.offsets", sum[:8])), nil
}
