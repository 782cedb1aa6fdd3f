package reclassify

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
)

// withinName is the type of the transform that bounds a run.
const withinName = "reclassify-within"

// runHeader is a header with the run that a statistics record is from.
const runHeader = "reclassify.run"

func registerWithin(r *connector.Registry) {
	r.Add(connector.TransformType, func() connector.Plugin { return new(within) })
}

// within drops the images that are not of a run: behind its ends, or taken at
// another time. Those whose time cannot be read pass, and fail where it is used.
type within struct {
	run          string
	ends         map[connector.TopicPartition]int64
	since, until int64
}

var _ connector.Transform = (*within)(nil)

// Info describes the plugin.
func (*within) Info() connector.Info {
	return connector.Info{Name: withinName, Version: "1.0.0", Doc: "Drops images that are not of a run of hydraulics reclassify, and marks the others."}
}

// ConfigDef gives the keys.
func (*within) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "run", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Doc: "Name of the run."},
		connector.Key{Name: "ends", Type: connector.ListKey, Default: "", Doc: "TOPIC:PARTITION:OFFSET of where the run ends."},
		connector.Key{Name: "since", Type: connector.LongKey, Default: 0, Doc: "First sample's time, seconds since 1970; 0 for any."},
		connector.Key{Name: "until", Type: connector.LongKey, Default: 0, Doc: "Time that samples are before, seconds since 1970; 0 for any."},
	)
}

// Configure reads the bounds.
func (w *within) Configure(_ connector.Context, conf connector.Config) error {
	w.run, w.since, w.until, w.ends = conf.String("run"), conf.Int64("since"), conf.Int64("until"), map[connector.TopicPartition]int64{}
	for _, s := range conf.List("ends") {
		parts := strings.Split(s, ":")
		if len(parts) != 3 {
			return connector.Fatal(fmt.Errorf("ends: %q is not TOPIC:PARTITION:OFFSET", s))
		}
		partition, err := strconv.ParseInt(parts[1], 10, 32)
		if err != nil {
			return connector.Fatal(fmt.Errorf("ends: %q: %w", s, err))
		}
		end, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return connector.Fatal(fmt.Errorf("ends: %q: %w", s, err))
		}
		w.ends[connector.TopicPartition{Topic: parts[0], Partition: int32(partition)}] = end
	}
	return nil
}

// Apply keeps an image of the run.
func (w *within) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if r.Origin.Offset >= w.ends[connector.TopicPartition{Topic: r.Origin.Topic, Partition: r.Origin.Partition}] {
		return r, false, nil
	}
	if t, ok := sampleTime(r.Value); ok && (w.since != 0 && t < w.since || w.until != 0 && t >= w.until) {
		return r, false, nil
	}
	r.Headers = r.Headers.With(runHeader, connector.StringSchema, w.run)
	return r, true, nil
}

// sampleTime gives when a sample was taken, in either form of images and in
// statistics; false where that cannot be read.
func sampleTime(value any) (int64, bool) {
	for _, name := range []string{"time", "datetime"} {
		if t, ok := fields.Int64(field(value, name)); ok {
			return t, true
		}
	}
	return 0, false
}

// field gives a field of a struct or map, nil without one.
func field(value any, name string) any {
	v, _ := fields.Get(value, name)
	return v
}
