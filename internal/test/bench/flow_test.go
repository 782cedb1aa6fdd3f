package bench

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/configs/schemas"
	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/connectors/all"
	_ "github.com/axiom-data-science/hydraulics/converter/all"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	_ "github.com/axiom-data-science/hydraulics/transforms/all"
)

// The images of one pass of a benchmark: synthetic ones, in bins.
const bins, perBin, images = 25, 40, bins * perBin

// flow has the embedded servers and a topic with the images.
type flow struct {
	b                           *testing.B
	broker, registry, dashboard string
	worker                      *runtime.Worker
	passes                      int
}

func newFlow(b *testing.B) *flow {
	b.Helper()
	f := &flow{b: b, broker: kafkatest.Start(b)}
	f.startRegistry()
	dir := b.TempDir()
	instrument, err := dashboard.NewInstrument(dashboard.InstrumentOptions{Dir: dir, ImagesPerBin: perBin})
	check(b, err)
	for i := range bins {
		_, err := instrument.Take(time.Date(2024, 5, 1, i, 0, 0, 0, time.UTC))
		check(b, err)
	}
	handler, err := dashboard.New(dashboard.Options{Dir: dir, Generation: 2})
	check(b, err)
	site := httptest.NewServer(handler)
	b.Cleanup(site.Close)
	f.dashboard = site.URL + "/demo/"

	f.startWorker()
	return f
}

// startRegistry starts a schema registry with the flow's schemas.
func (f *flow) startRegistry() {
	f.b.Helper()
	server, err := registryd.Start(f.b.Context(), new(registryd.MemoryLog), registryd.Options{})
	check(f.b, err)
	f.b.Cleanup(server.Stop)
	f.registry = server.URL()
	client, err := registry.New(registry.Options{URLs: []string{f.registry}})
	check(f.b, err)
	f.b.Cleanup(client.Close)
	files, err := registry.FindFiles(schemas.Files, "all")
	check(f.b, err)
	check(f.b, registry.Update(f.b.Context(), client, files, false, slog.New(slog.DiscardHandler)))
}

// startWorker makes a worker without tasks.
func (f *flow) startWorker() {
	f.b.Helper()
	offsets, err := runtime.OpenOffsets(filepath.Join(f.b.TempDir(), "offsets"))
	check(f.b, err)
	f.b.Cleanup(func() { check(f.b, offsets.Close()) })
	f.worker, err = runtime.NewWorker(runtime.Options{Offsets: offsets, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	check(f.b, err)
}

// spec reads a connector that is written as YAML, with the places of the
// servers in it. Each pass has a name, and so a group and offsets, of its own.
func (f *flow) spec(kind runtime.Kind, yaml string) runtime.TaskSpec {
	f.b.Helper()
	f.passes++
	name := fmt.Sprintf("%s-%d", kind, f.passes)
	model, err := filepath.Abs("../../../configs/demo")
	check(f.b, err)
	text := "worker:\n  bootstrap.servers: \"BROKER\"\n  schema.registry.url: REGISTRY\n  key.converter: avro\n  value.converter: avro\n" +
		"  key.converter.schema.registry.url: REGISTRY\n  value.converter.schema.registry.url: REGISTRY\n  offset.flush.interval.ms: 200\n  consumer.heartbeat.interval.ms: 100\n" +
		"connectors:\n  " + name + ":\n" + yaml
	text = strings.NewReplacer("BROKER", f.broker, "REGISTRY", f.registry, "DASHBOARD", f.dashboard, "DEMO", model).Replace(text)
	journey := new(config.Setup)
	check(f.b, journey.Add("bench.yaml", []byte(text), config.AnyRole))
	for _, p := range config.Lint(journey, connector.Plugins, configs.FS) {
		f.b.Log(p)
	}
	return runtime.TaskSpec{Connector: name, Kind: kind, Props: journey.Connectors[0].Entries.Props(), Worker: journey.Worker.Props()}
}

// pass runs tasks until they have put out all images, and adds their stages to
// a profile. The clock runs from the first image that one of them has read.
func (f *flow) pass(spec runtime.TaskSpec, tasks int, p *profile) {
	f.b.Helper()
	var running []*runtime.Task
	for i := range tasks {
		spec.Task = i
		t, err := f.worker.StartTask(spec, func(e runtime.Event) {
			if e.Err != nil {
				f.b.Error(e.Err)
			}
		})
		check(f.b, err)
		running = append(running, t)
	}
	began := f.await(running, func(s runtime.Stats) int64 { return s.RecordsIn }, 1)
	ended := f.await(running, func(s runtime.Stats) int64 { return s.RecordsOut + s.Errors.Skipped }, images)
	p.images += images
	p.wall += ended.Sub(began)
	for _, t := range running {
		ctx, cancel := wait.Context()
		check(f.b, t.Stop(ctx))
		cancel()
		p.add(t.Snapshot())
	}
}

// await waits until a count of all tasks together is reached.
func (f *flow) await(tasks []*runtime.Task, count func(runtime.Stats) int64, n int64) time.Time {
	f.b.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond) // what a task says of itself takes time of the processor
	defer tick.Stop()
	for now := range tick.C {
		sum := int64(0)
		for _, t := range tasks {
			sum += count(t.Snapshot())
		}
		if sum >= n {
			return now
		}
		if now.After(deadline) || f.b.Failed() {
			f.b.Fatalf("%d of %d images", sum, n)
		}
	}
	return time.Time{}
}

// profile sums up stages, in their order.
type profile struct {
	images int
	wall   time.Duration
	stages []runtime.StageStats
}

func (p *profile) add(s runtime.Stats) {
	for i, x := range s.Stages {
		if i == len(p.stages) {
			p.stages = append(p.stages, runtime.StageStats{Name: x.Name})
		}
		p.stages[i].Time.Total += x.Time.Total
	}
}

// waits tells whether a stage's time is mostly that of waiting for records.
func waits(stage string) bool { return stage == "consumer" }

// report prints the table and gives go test the rate.
func (p *profile) report(b *testing.B) {
	rate := float64(p.images) / p.wall.Seconds()
	b.ReportMetric(rate, "images/s")
	sum := time.Duration(0)
	for _, x := range p.stages {
		if !waits(x.Name) {
			sum += x.Time.Total
		}
	}
	fmt.Printf("\n%s: %.0f images per second\n", b.Name(), rate)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "stage\tms per image\tshare\t")
	for _, x := range p.stages {
		share := "waits"
		if !waits(x.Name) {
			share = fmt.Sprintf("%.1f %%", 100*x.Time.Total.Seconds()/sum.Seconds())
		}
		fmt.Fprintf(w, "%s\t%.3f\t%s\t\n", x.Name, x.Time.Total.Seconds()*1000/float64(p.images), share)
	}
	if err := w.Flush(); err != nil {
		b.Error(err)
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// within gives the flow to a part of a benchmark.
func (f *flow) within(b *testing.B) *flow {
	f.b = b
	return f
}
