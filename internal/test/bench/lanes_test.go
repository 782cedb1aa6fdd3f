package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// laneVariable tells a process that it is the worker of a lane: the lane, the broker, a file or topic and perhaps a
// registry, with spaces between.
const laneVariable = "HYDRAULICS_BENCH_LANE"

// These name files for the worker's profiles, to which the lane's name is added.
const (
	laneProfileVariable    = "LANE_PROFILE"
	laneMemProfileVariable = "LANE_MEMPROFILE"
)

// laneLines is how many lines of 100 bytes a lane takes.
const laneLines = 500_000

// lane is what a connector does, with its end.
type lane struct {
	kind    runtime.Kind
	yaml    string
	records int64
}

// texts has keys and values be texts.
const texts = "    key.converter: string\n    value.converter: string\n"

// hoist are the transforms that `make bench-connect` has Java make too.
const hoist = `    transforms:
      - hoist-field: {field: line}
      - insert-field: {static.field: n, static.value: "42"}
      - cast: {spec: "n:int32"}
      - replace-field: {renames: "line:message"}
`

// lanes are connectors between a file and a topic, and between two topics.
var lanes = map[string]lane{
	"file-to-topic":            {runtime.KindSource, "    connector.class: file-source\n    topic: lines\n    file: OUT\n" + texts, laneLines},
	"file-to-topic-transforms": {runtime.KindSource, "    connector.class: file-source\n    topic: lines\n    file: OUT\n" + texts + hoist, laneLines},
	"topic-to-file":            {runtime.KindSink, "    connector.class: file-sink\n    topics: lines\n    file: OUT\n" + texts, laneLines},
	"topic-to-topic": {runtime.KindStream, "    connector.class: stream\n    topics: lines\n    topic: copies\n" + texts +
		"    input.key.converter: string\n    input.value.converter: string\n", laneLines},
}

// BenchmarkLanes measures how many records a task takes per second of its process's CPU time between a file and a
// topic, or two topics, and what it allocates for each: the start included, the broker not, which is in another process.
func BenchmarkLanes(b *testing.B) {
	if places := os.Getenv(laneVariable); places != "" {
		place := strings.Fields(places)
		beLane(b, lanes[place[0]], place[1:])
		return
	}
	in := filepath.Join(b.TempDir(), "lines.txt")
	writeLines(b, in)
	broker := kafkatest.Start(b)
	for _, lane := range []string{"file-to-topic", "file-to-topic-transforms", "topic-to-file", "topic-to-topic"} {
		b.Run(lane, func(b *testing.B) {
			file := in
			if lane == "topic-to-file" {
				file = filepath.Join(b.TempDir(), "out.txt")
			}
			var sum laneCost
			for b.Loop() {
				sum.add(laneTime(b, lane, broker, file))
			}
			b.ReportMetric(0, "ns/op") // of both processes together: it says nothing
			b.ReportMetric(sum.passes*laneLines/sum.cpu.Seconds(), "records/CPU-s")
			b.ReportMetric(sum.allocs/sum.passes, "allocs/record")
			b.ReportMetric(sum.bytes/sum.passes, "B/record")
		})
	}
}

// idleSources is how many connectors an idle worker has.
const idleSources = 100

// BenchmarkIdle measures what a worker takes that follows files to which nothing comes: descriptors, memory and
// time of the processor.
func BenchmarkIdle(b *testing.B) {
	if places := os.Getenv(laneVariable); places != "" {
		beIdle(b, strings.Fields(places))
		return
	}
	file := filepath.Join(b.TempDir(), "lines.txt")
	check(b, os.WriteFile(file, []byte("a line\n"), 0o600))
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkIdle$", "-test.benchtime=1x")
	if profile := os.Getenv(laneProfileVariable); profile != "" {
		cmd.Args = append(cmd.Args, "-test.cpuprofile="+profile+".idle")
	}
	cmd.Env = append(os.Environ(), laneVariable+"="+kafkatest.Start(b)+" "+file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		var descriptors, memory, core float64
		if n, _ := fmt.Sscanf(line, idleReport, &descriptors, &memory, &core); n == 3 {
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(descriptors, "descriptors")
			b.ReportMetric(memory, "MB")
			b.ReportMetric(core, "%-of-a-core")
			return
		}
	}
	b.Fatalf("it does not say what it takes:\n%s", out)
}

// idleReport is how the worker's process says what it takes.
const idleReport = "idle: %f descriptors, %f MB, %f percent\n"

// beIdle is the worker's process.
func beIdle(b *testing.B, places []string) {
	f := &flow{b: b, broker: places[0]}
	f.startWorker()
	spec := f.spec(runtime.KindSource, "    connector.class: file-source\n    topic: lines\n    file: "+places[1]+"\n    key.converter: string\n    value.converter: string\n")
	spec.Worker["offset.flush.interval.ms"] = "10000"
	var tasks []*runtime.Task
	for i := range idleSources {
		spec.Connector = fmt.Sprint("idle-", i)
		task, err := f.worker.StartTask(spec, func(e runtime.Event) {
			if e.Err != nil {
				b.Error(e.Err)
			}
		})
		check(b, err)
		tasks = append(tasks, task)
	}
	f.await(tasks, func(s runtime.Stats) int64 { return s.RecordsOut }, idleSources)
	time.Sleep(5 * time.Second)
	self, err := procfs.Self()
	check(b, err)
	const long = 20 * time.Second
	before, err := self.Stat()
	check(b, err)
	time.Sleep(long)
	after, err := self.Stat()
	check(b, err)
	status, err := self.NewStatus()
	check(b, err)
	descriptors, err := self.FileDescriptorsLen()
	check(b, err)
	if profile := os.Getenv(laneMemProfileVariable); profile != "" {
		writeHeap(b, profile+".idle")
	}
	fmt.Printf("\n"+idleReport, float64(descriptors), float64(status.VmRSS)/(1<<20), 100*(after.CPUTime()-before.CPUTime())/long.Seconds())
	for _, task := range tasks {
		check(b, task.Stop(b.Context()))
	}
}

// writeHeap writes a profile of what is in use.
func writeHeap(b *testing.B, name string) {
	f, err := os.Create(name)
	check(b, err)
	goruntime.GC()
	check(b, pprof.WriteHeapProfile(f))
	check(b, f.Close())
}

// laneCost is what passes through a lane took.
type laneCost struct {
	passes        float64
	cpu, took     time.Duration
	allocs, bytes float64 // of each record
}

func (c *laneCost) add(o laneCost) {
	c.passes, c.cpu, c.took, c.allocs, c.bytes = c.passes+o.passes, c.cpu+o.cpu, c.took+o.took, c.allocs+o.allocs, c.bytes+o.bytes
}

// laneReport is how the worker's process says what a record allocates.
const laneReport = "lane: %f allocations, %f bytes\n"

// laneTime takes all lines through a lane, in a process of its own.
func laneTime(b *testing.B, name string, places ...string) laneCost {
	cmd := laneCommand("Lanes", name, places...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
	return costOf(b, cmd, string(out))
}

// laneCommand is the worker of a lane of a benchmark.
func laneCommand(benchmark, name string, places ...string) *exec.Cmd {
	return workerCommand(benchmark, name, laneVariable+"="+name+" "+strings.Join(places, " "))
}

// workerCommand is this program as a benchmark's worker of a lane, with the profiles that are wanted.
func workerCommand(benchmark, lane, variable string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^Benchmark"+benchmark+"$", "-test.benchtime=1x")
	lane = strings.ReplaceAll(lane, " ", "-")
	if profile := os.Getenv(laneProfileVariable); profile != "" {
		cmd.Args = append(cmd.Args, "-test.cpuprofile="+profile+"."+lane)
	}
	if profile := os.Getenv(laneMemProfileVariable); profile != "" {
		cmd.Args = append(cmd.Args, "-test.memprofile="+profile+"."+lane, "-test.memprofilerate=4096")
	}
	cmd.Env = append(os.Environ(), variable)
	return cmd
}

// costOf gives what a process that has ended took, with what it says itself.
func costOf(b *testing.B, cmd *exec.Cmd, out string) laneCost {
	cost := laneCost{passes: 1, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	for line := range strings.Lines(out) {
		if n, _ := fmt.Sscanf(line, laneReport, &cost.allocs, &cost.bytes); n == 2 {
			return cost
		}
	}
	b.Fatalf("it does not say what it allocates:\n%s", out)
	return cost
}

func writeLines(b *testing.B, name string) {
	f, err := os.Create(name)
	check(b, err)
	w := bufio.NewWriter(f)
	for i := range laneLines {
		fmt.Fprintf(w, "%0100d\n", i)
	}
	check(b, w.Flush())
	check(b, f.Close())
}

// beLane is the worker's process: places are the broker, where it writes (or reads, of a source), and a registry.
func beLane(b *testing.B, l lane, places []string) {
	f := &flow{b: b, broker: places[0]}
	if len(places) > 2 {
		f.registry = places[2]
	}
	f.startWorker()
	spec := f.spec(l.kind, strings.Replace(l.yaml, "OUT", places[1], 1))
	spec.Connector = fmt.Sprint(spec.Connector, "-", os.Getpid())
	var before, after goruntime.MemStats
	goruntime.ReadMemStats(&before)
	task, err := f.worker.StartTask(spec, func(e runtime.Event) {
		if e.Err != nil {
			b.Error(e.Err)
		}
	})
	check(b, err)
	f.await([]*runtime.Task{task}, func(s runtime.Stats) int64 { return s.RecordsOut }, l.records)
	goruntime.ReadMemStats(&after)
	n := float64(l.records)
	fmt.Printf("\n"+laneReport, float64(after.Mallocs-before.Mallocs)/n, float64(after.TotalAlloc-before.TotalAlloc)/n)
	check(b, task.Stop(b.Context()))
}
