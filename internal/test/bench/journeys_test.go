package bench

import (
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/embedded/postgres"
	"github.com/axiom-data-science/hydraulics/runtime"
)

const sourceYAML = `
    connector.class: ifcb
    dashboard.url: DASHBOARD
    topic: images
    bins.topic: ""
    key.converter: string
    mode: once
    nbins: -1
    topic.creation.default: {partitions: 4, replication.factor: -1}
`

const streamYAML = `
    connector.class: stream
    topics: images
    topic: stats
    topic.creation.default: {partitions: 4, replication.factor: -1}
    input.key.converter: string
    key.converter:   {class: avro, subject: ifcb-stats-key, use.latest.version: true, schema.registry.url: REGISTRY}
    value.converter: {class: avro, subject: ifcb-stats-value, use.latest.version: true, schema.registry.url: REGISTRY}
    errors.tolerance: all
    transforms:
      - classify:   {model: DEMO/demo-plankton.onnx, threads: THREADS}
      - keep-best:  {key: [pid, roi], score: prob, fields: [name, prob, classifier, classification_time], retention: 30d}
      - biovolume:  {pixels.per.micron: 3.4}
      - carbon:     {diatoms: DEMO/diatoms.txt, hab: DEMO/hab.txt}
      - ifcb-stats: {}
`

const sinkYAML = `
    connector.class: postgres
    topics: stats
    connection.url: DATABASE
    table.name.format: ifcb_sample_stats
    insert.mode: upsert
    auto.create: true
    pk.mode: record_value
    pk.fields: time,ifcb_id,roi
`

// BenchmarkSource reads images of a dashboard into Kafka.
func BenchmarkSource(b *testing.B) {
	f := newFlow(b)
	var p profile
	for b.Loop() {
		f.pass(f.spec(runtime.KindSource, sourceYAML), 1, &p)
	}
	p.report(b)
}

// BenchmarkStream classifies and measures images: by one task on one core, and
// by one task per core.
func BenchmarkStream(b *testing.B) {
	f := newFlow(b)
	f.pass(f.spec(runtime.KindSource, sourceYAML), 1, new(profile))
	for _, bench := range []struct {
		name  string
		tasks int
	}{{"one core", 1}, {"all cores", cores()}} {
		b.Run(bench.name, func(b *testing.B) {
			f := f.within(b)
			var p profile
			for b.Loop() {
				f.pass(f.spec(runtime.KindStream, strings.ReplaceAll(streamYAML, "THREADS", "1")), bench.tasks, &p)
			}
			p.report(b)
		})
	}
}

// BenchmarkSink writes statistics to PostgreSQL.
func BenchmarkSink(b *testing.B) {
	f := newFlow(b)
	f.pass(f.spec(runtime.KindSource, sourceYAML), 1, new(profile))
	f.pass(f.spec(runtime.KindStream, strings.ReplaceAll(streamYAML, "THREADS", "0")), 1, new(profile))
	server, err := postgres.Start(b.Context(), postgres.Options{Dir: b.TempDir(), User: "kafka", Database: "topics"})
	check(b, err)
	b.Cleanup(func() { check(b, server.Stop()) })
	var p profile
	for b.Loop() {
		f.pass(f.spec(runtime.KindSink, strings.ReplaceAll(sinkYAML, "DATABASE", server.DSN())), 1, &p)
	}
	p.report(b)
}

func cores() int { return goruntime.GOMAXPROCS(0) }
