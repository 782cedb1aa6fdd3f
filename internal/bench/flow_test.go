package bench

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/configs/schemas"
	"github.com/axiom-data-science/hydraulics/connector"
	ifcbsource "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/converter/avro"
	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	"github.com/axiom-data-science/hydraulics/runtime/config"

	_ "github.com/axiom-data-science/hydraulics/converter/all"
	_ "github.com/axiom-data-science/hydraulics/transforms/all"
)

// stream is the demo's stream connector with one task.
const stream = `
worker:
  bootstrap.servers: %s
  schema.registry.url: %s
  offset.storage.file.filename: %s
  key.converter: avro
  value.converter: avro
connectors:
  stats:
    connector.class: stream
    topics: images
    topic: stats
    input.key.converter: string
    key.converter:   {class: avro, subject: ifcb-stats-key, use.latest.version: true}
    value.converter: {class: avro, subject: ifcb-stats-value, use.latest.version: true}
    state.topic.replication.factor: 1
    transforms:
      - classify:   {model: demo/demo-plankton.onnx}
      - keep-best:  {key: [pid, roi], score: prob, fields: [name, prob, classifier, classification_time]}
      - biovolume:  {}
      - carbon:     {}
      - ifcb-stats: {}
`

// BenchmarkStream takes synthetic images through the demo's stream connector on
// the embedded broker, b.N at a time, and reports images per second and each
// stage's share of the time of all stages.
func BenchmarkStream(b *testing.B) {
	dir := b.TempDir()
	server, err := broker.Start(broker.Options{Dir: filepath.Join(dir, "kafka")})
	check(b, err)
	defer server.Stop()
	url := startRegistry(b, server)
	client, err := kafka.Open(b.Context(), kafka.Options{Bootstrap: []string{server.Addr()}})
	check(b, err)
	defer client.Close()
	fill(b, client, url, b.N)

	journey := new(config.Journey)
	text := fmt.Sprintf(stream, server.Addr(), url, filepath.Join(dir, "offsets"))
	check(b, journey.Add(filepath.Join(dir, "bench.yaml"), []byte(text), config.AnyRole))
	b.ResetTimer()
	worker, err := cli.StartWorker(b.Context(), cli.WorkerOptions{Journey: journey, Defaults: configs.FS, Quiet: true,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	check(b, err)
	stats := await(b, worker, int64(b.N))
	b.StopTimer()
	report(b, stats)
	ctx, cancel := context.WithTimeout(context.Background(), worker.Patience())
	defer cancel()
	check(b, worker.Close(ctx))
}

// await waits until the task has put out n records.
func await(b *testing.B, worker *cli.Worker, n int64) runtime.Stats {
	b.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, s := range worker.Herder.Snapshots() {
			if s.Errors.Errors > 0 {
				b.Fatalf("task failed: %s", s.Errors.Last)
			}
			if s.RecordsOut >= n {
				return s
			}
		}
		<-tick.C
	}
}

// report gives the rate and each stage's share; waiting for Kafka is no stage.
func report(b *testing.B, s runtime.Stats) {
	b.Helper()
	total := time.Duration(0)
	for _, stage := range s.Stages {
		if stage.Name != "consumer" {
			total += stage.Time.Total
		}
	}
	b.ReportMetric(float64(s.RecordsOut)/b.Elapsed().Seconds(), "images/s")
	b.ReportMetric(0, "ns/op")
	for _, stage := range s.Stages {
		if stage.Name == "consumer" || stage.Time.Total == 0 {
			continue
		}
		b.ReportMetric(100*float64(stage.Time.Total)/float64(total), "%"+strings.NewReplacer(" ", "-", "(", "", ")", "").Replace(stage.Name))
	}
}

func startRegistry(b *testing.B, server *broker.Broker) string {
	b.Helper()
	log, err := server.OpenLog(b.Context(), "_schemas")
	check(b, err)
	b.Cleanup(log.Close)
	r, err := registryd.Start(b.Context(), log, registryd.Options{})
	check(b, err)
	b.Cleanup(r.Stop)
	client, err := registry.New(registry.Options{URLs: []string{r.URL()}})
	check(b, err)
	defer client.Close()
	files, err := registry.FindFiles(fs.FS(schemas.Files), "all")
	check(b, err)
	check(b, registry.Update(b.Context(), client, files, false, slog.New(slog.DiscardHandler)))
	return r.URL()
}

// fill writes n image records, as the ifcb source does.
func fill(b *testing.B, client *kafka.Client, url string, n int) {
	b.Helper()
	check(b, client.CreateTopic(b.Context(), kafka.TopicSpec{Name: "images", Partitions: 1, Replication: 1}))
	conv := new(avro.Converter)
	conf, err := connector.ParsePlugin(conv, connector.Props{"schema.registry.url": url})
	check(b, err)
	check(b, conv.Configure(connector.Context{}, conf, false))
	producer, err := client.NewProducer(kafka.ProducerOptions{})
	check(b, err)
	images := drawn(b)
	for i := range n {
		img := images[i%len(images)]
		value := connector.NewStruct(ifcbsource.ImageSchema)
		for name, v := range map[string]any{"pid": "D20261125T000000_IFCB901", "ifcb_id": "IFCB901", "time": int64(1795564800), "roi": int32(i + 1),
			"image": img.png, "width": int32(img.width), "height": int32(img.height), "dataset": "bench"} {
			check(b, value.Put(name, v))
		}
		data, err := conv.FromConnect(b.Context(), "images", ifcbsource.ImageSchema, value)
		check(b, err)
		key := fmt.Sprintf("D20261125T000000_IFCB901_%05d", i+1)
		check(b, producer.Send(b.Context(), kafka.Message{Topic: "images", Partition: 0, Key: []byte(key), Value: data, Timestamp: connector.NoTimestamp},
			func(_ connector.RecordMetadata, err error) {
				if err != nil {
					b.Error(err)
				}
			}))
	}
	check(b, producer.Flush(b.Context()))
	check(b, producer.Close())
}

type picture struct {
	png           []byte
	width, height int
}

// drawn gives 200 synthetic images, always the same.
func drawn(b *testing.B) []picture {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var list []picture
	for range 200 {
		p := plankton.Pick(rng)
		var buf bytes.Buffer
		check(b, png.Encode(&buf, p.Image))
		list = append(list, picture{slices.Clone(buf.Bytes()), p.Image.Rect.Dx(), p.Image.Rect.Dy()})
	}
	return list
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
