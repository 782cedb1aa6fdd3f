package bench

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// sourceVariable tells a process that it is the source: the form of its records, the broker, the registry and the
// dashboard, with spaces between.
const sourceVariable = "HYDRAULICS_BENCH_SOURCE"

// profileVariable names a file for the source's CPU profile.
const profileVariable = "SOURCE_PROFILE"

// The bins that the source process reads.
const sourceBins, perSourceBin, sourceImages = 20, 1000, sourceBins * perSourceBin

const sourceProcessYAML = `
    connector.class: ifcb
    dashboard.url: DASHBOARD
    topic: images
    key.converter: string
    mode: once
    nbins: -1
    topic.creation.default: {partitions: 4, replication.factor: -1}
    topic.creation.default.max.message.bytes: 4194304
    producer.override.max.request.size: 4194304
`

// sourceForms are what a form of the records adds to that.
var sourceForms = map[string]string{"avro": "    format: avro\n", "json": `    format: json
    bins.topic: images-bins
    value.converter: {class: json, schemas.enable: false}
`}

// BenchmarkSourceProcess measures how many images a source gives per second of its process's CPU time: the collector,
// the start and the end included, dashboard and broker not, which are in another process. Zips are stored, the median
// of the images is 5 KB.
func BenchmarkSourceProcess(b *testing.B) {
	if places := os.Getenv(sourceVariable); places != "" {
		beSource(b, strings.Fields(places))
		return
	}
	site, median := sourceDashboard(b)
	for _, form := range []string{"avro", "json"} {
		b.Run(form, func(b *testing.B) {
			cpu, passes := time.Duration(0), 0
			for b.Loop() {
				cpu += sourceTime(b, form, site)
				passes++
			}
			b.ReportMetric(0, "ns/op") // of both processes together: it says nothing
			b.ReportMetric(float64(passes*sourceImages)/cpu.Seconds(), "images/CPU-s")
			b.ReportMetric(float64(median), "B-median-image")
		})
	}
}

// sourceTime is the CPU time of a process that reads all bins into a broker of its own.
func sourceTime(b *testing.B, form, site string) time.Duration {
	f := &flow{b: b, broker: kafkatest.Start(b)}
	f.startRegistry()
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkSourceProcess$", "-test.benchtime=1x")
	if profile := os.Getenv(profileVariable); profile != "" {
		cmd.Args = append(cmd.Args, "-test.cpuprofile="+profile)
	}
	cmd.Env = append(os.Environ(), sourceVariable+"="+strings.Join([]string{form, f.broker, f.registry, site}, " "))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("source: %v\n%s", err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// beSource is the source's process.
func beSource(b *testing.B, places []string) {
	f := &flow{b: b, broker: places[1], registry: places[2], dashboard: places[3]}
	f.startWorker()
	ended := make(chan error, 1)
	task, err := f.worker.StartTask(f.spec(runtime.KindSource, sourceProcessYAML+sourceForms[places[0]]), func(e runtime.Event) {
		if e.Err != nil {
			ended <- e.Err
		}
	})
	check(b, err)
	<-task.Done()
	select {
	case err := <-ended:
		b.Fatal(err)
	default:
	}
	if got := task.Snapshot().RecordsOut; got != sourceImages+sourceBins {
		b.Fatalf("%d records, want %d", got, sourceImages+sourceBins)
	}
}

// sourceDashboard serves bins of images whose median is 5 KB, and gives that of one bin. A zip is made once: what it
// takes to make one is not the source's.
func sourceDashboard(b *testing.B) (url string, median int) {
	dir := b.TempDir()
	writeBins(b, dir)
	handler, err := dashboard.New(dashboard.Options{Dir: dir, Generation: 2})
	check(b, err)
	var mu sync.Mutex
	zips := map[string][]byte{}
	zipOf := func(r *http.Request) []byte {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := zips[r.URL.Path]; !ok {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, r)
			zips[r.URL.Path] = answer.Body.Bytes()
		}
		return zips[r.URL.Path]
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".zip") {
			handler.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/zip")
		if _, err := w.Write(zipOf(r)); err != nil {
			b.Log(err) // the source tells more
		}
	}))
	b.Cleanup(site.Close)

	files, err := ifcb.List(dir)
	check(b, err)
	var sizes []int
	for _, file := range files {
		r := httptest.NewRequest(http.MethodGet, "/data/"+file.ID.String()+".zip", nil)
		data := zipOf(r)
		archive, err := ifcb.OpenArchive(bytes.NewReader(data), int64(len(data)), file.ID)
		check(b, err)
		for _, img := range archive.Images() {
			png, _, _, err := archive.PNG(img)
			check(b, err)
			sizes = append(sizes, len(png))
		}
	}
	slices.Sort(sizes)
	return site.URL + "/demo/", sizes[len(sizes)/2]
}

// writeBins writes bins that have the same images, whose areas are spread as a log-normal distribution.
func writeBins(b *testing.B, dir string) {
	random := rand.New(rand.NewPCG(5, 2))
	var table, pixels bytes.Buffer
	for i := range perSourceBin {
		side := 91 * math.Exp(0.35*random.NormFloat64())
		gray := particle(random, int(1.2*side), int(side/1.2))
		at, size := image.Pt(random.IntN(200), random.IntN(200)), gray.Rect.Size()
		fmt.Fprintf(&table, "%d,%.6f,%.6f,%.6f,%.6f,%.6f,0.003,0.002,0.0001,0.0001,52.1,%.6f,%.6f,%d,%d,%d,%d,%d,0,0,0,0,%.6f,%.6f\n",
			i+1, float64(i), random.Float64(), random.Float64(), random.Float64(), random.Float64(), float64(i), float64(i)+0.042,
			at.X, at.Y, size.X, size.Y, pixels.Len(), float64(i)+0.05, 0.07*float64(i))
		pixels.Write(gray.Pix)
	}
	header := fmt.Sprintf("SoftwareVersion: synthetic\nroiCount: %d\nrunTime: 1200\ninhibitTime: 70\ngpsLatitude: 41.325\ngpsLongitude: -70.5667\n", perSourceBin)
	first := ""
	for i := range sourceBins {
		id, err := ifcb.NewBinID(104, time.Date(2024, 5, 1, 0, 20*i, 0, 0, time.UTC))
		check(b, err)
		stem := filepath.Join(dir, id.String())
		for ext, data := range map[string][]byte{".adc": table.Bytes(), ".roi": pixels.Bytes(), ".hdr": []byte(header)} {
			if first != "" {
				check(b, os.Link(first+ext, stem+ext))
			} else {
				check(b, os.WriteFile(stem+ext, data, 0o600))
			}
		}
		if first == "" {
			first = stem
		}
	}
}
