package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// laneVariable tells a process that it is the worker of a lane: the lane, the broker and a file, with spaces between.
const laneVariable = "HYDRAULICS_BENCH_LANE"

// laneLines is how many lines of 100 bytes a lane takes.
const laneLines = 500_000

// lanes are connectors between a file and a topic.
var lanes = map[string]struct {
	kind runtime.Kind
	yaml string
	done func(runtime.Stats) int64
}{
	"file-to-topic": {runtime.KindSource, "    connector.class: file-source\n    topic: lines\n", func(s runtime.Stats) int64 { return s.RecordsOut }},
	"topic-to-file": {runtime.KindSink, "    connector.class: file-sink\n    topics: lines\n", func(s runtime.Stats) int64 { return s.RecordsOut }},
}

// BenchmarkLanes measures how many records a task takes per second of its process's CPU time between a file and a
// topic, and what it allocates for each: the start included, the broker not, which is in another process.
func BenchmarkLanes(b *testing.B) {
	if places := os.Getenv(laneVariable); places != "" {
		beLane(b, strings.Fields(places))
		return
	}
	in := filepath.Join(b.TempDir(), "lines.txt")
	writeLines(b, in)
	broker := kafkatest.Start(b)
	for i, lane := range []string{"file-to-topic", "topic-to-file"} {
		b.Run(lane, func(b *testing.B) {
			file := []string{in, filepath.Join(b.TempDir(), "out.txt")}[i]
			var used time.Duration
			said := ""
			passes := 0
			for b.Loop() {
				passes++
				cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkLanes$", "-test.benchtime=1x")
				if profile := os.Getenv("LANE_PROFILE"); profile != "" {
					cmd.Args = append(cmd.Args, "-test.cpuprofile="+profile+"."+lane)
				}
				if profile := os.Getenv("LANE_MEMPROFILE"); profile != "" {
					cmd.Args = append(cmd.Args, "-test.memprofile="+profile+"."+lane, "-test.memprofilerate=4096")
				}
				cmd.Env = append(os.Environ(), laneVariable+"="+strings.Join([]string{lane, broker, file}, " "))
				out, err := cmd.CombinedOutput()
				if err != nil {
					b.Fatalf("%s: %v\n%s", lane, err, out)
				}
				used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				said = string(out)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(passes*laneLines)/used.Seconds(), "records/CPU-s")
			for line := range strings.Lines(said) {
				var allocs, bytes float64
				if _, err := fmt.Sscanf(line, "lane: %f allocs, %f bytes", &allocs, &bytes); err == nil {
					b.ReportMetric(allocs, "allocs/record")
					b.ReportMetric(bytes, "B/record")
				}
			}
		})
	}
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

// beLane is the worker's process.
func beLane(b *testing.B, places []string) {
	lane := lanes[places[0]]
	f := &flow{b: b, broker: places[1]}
	f.startWorker()
	spec := f.spec(lane.kind, lane.yaml+"    file: "+places[2]+"\n    key.converter: string\n    value.converter: string\n")
	spec.Connector = fmt.Sprint(spec.Connector, "-", os.Getpid())
	var before, after goruntime.MemStats
	goruntime.ReadMemStats(&before)
	task, err := f.worker.StartTask(spec, func(e runtime.Event) {
		if e.Err != nil {
			b.Error(e.Err)
		}
	})
	check(b, err)
	f.await([]*runtime.Task{task}, lane.done, laneLines)
	goruntime.ReadMemStats(&after)
	fmt.Printf("\nlane: %.2f allocs, %.0f bytes\n", float64(after.Mallocs-before.Mallocs)/laneLines, float64(after.TotalAlloc-before.TotalAlloc)/laneLines)
	check(b, task.Stop(b.Context()))
}
