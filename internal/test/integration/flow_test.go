//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// demoModel is the classifier that is part of the program.
const demoModel = "demo/demo-plankton.onnx"

// flow is a worker's file made of testdata/flow.yaml.tmpl, and its folder. What
// is empty is left out.
type flow struct {
	Stack                  *stack
	Dashboard              string // URL of the dataset; with it there is a source
	Follow                 bool   // the source waits for new bins
	Model                  string // with it there is a stream
	Manifest               string // of the model
	Classify               string // further keys of the transform classify
	Policy                 string // of the transform keep-best
	JSON                   bool   // images are in the original's form
	URL                    string // with it there is a REST sink
	Images, Stats, Letters string // topics
	Source, Stream         string // connectors
	Sink, Post             string
	Table, Keys            string   // of the sink
	SinkKeys               []string // further lines of the sink
	dir                    string
}

// newFlow names everything of a flow, with a stream and a sink, and registers
// its schemas.
func newFlow(s *stack) *flow {
	s.t.Helper()
	f := &flow{Stack: s, Model: demoModel, Policy: "keep-best", Table: "ifcb_sample_stats", Keys: "time,ifcb_id,roi", dir: s.t.TempDir(),
		Images: s.name("images"), Stats: s.name("stats"), Letters: s.name("letters"),
		Source: s.name("source"), Stream: s.name("stream"), Sink: s.name("sink"), Post: s.name("post")}
	if out, err := hydraulics(s.t, "schemas", "update", "all", s.registry); err != nil {
		s.t.Fatalf("schemas update: %v\n%s", err, out)
	}
	return f
}

// What the template asks of the stack.
func (f *flow) Broker() string   { return f.Stack.broker }
func (f *flow) Registry() string { return f.Stack.registry }
func (f *flow) Database() string { return f.Stack.database }
func (f *flow) Batch() int       { return 20 } // records between two commits

// write writes the file.
func (f *flow) write() string {
	t := f.Stack.t
	t.Helper()
	tmpl, err := template.ParseFiles("testdata/flow.yaml.tmpl")
	check(t, err)
	name := filepath.Join(f.dir, "flow.yaml")
	file, err := os.Create(name)
	check(t, err)
	defer file.Close()
	check(t, tmpl.Execute(file, f))
	return name
}

// start starts a worker with the flow.
func (f *flow) start() *worker {
	f.Stack.t.Helper()
	return startProgram(f.Stack.t, f.dir, program(f.Stack.t), "worker", "-f", f.write())
}

// landed tells whether every one of n images is in the table or dead-lettered
// and all that was read is committed.
func (f *flow) landed(n int) bool {
	s := f.Stack
	return s.count()+len(f.letters()) >= n && s.caughtUp("connect-"+f.Stream, f.Images) &&
		(f.Sink == "" || s.caughtUp("connect-"+f.Sink, f.Stats))
}

// through tells whether there are statistics of n images at least, however often
// each came, and all that was read is committed.
func (f *flow) through(n int) bool {
	s := f.Stack
	return s.written(f.Stats) >= n && len(s.tally(f.Stats, true)) >= n && s.caughtUp("connect-"+f.Stream, f.Images) && (f.Sink == "" || s.caughtUp("connect-"+f.Sink, f.Stats))
}

// state says how far the flow is.
func (f *flow) state() string {
	s := f.Stack
	return fmt.Sprintf("%d images, %d statistics, %d dead letters, %d rows", s.written(f.Images), s.written(f.Stats), s.written(f.Letters), s.count())
}

// letters gives the first dead letter of each image.
func (f *flow) letters() map[string]letter {
	found := map[string]letter{}
	for _, m := range f.Stack.read(f.Letters) {
		if _, again := found[string(m.Key)]; !again {
			found[string(m.Key)] = newLetter(m)
		}
	}
	return found
}

// site is a dashboard of bins in a folder.
type site struct {
	dir, url   string
	images     []string // keys of all that it serves, in order
	instrument *dashboard.Instrument
	next       time.Time // of the next bin
}

// newSite serves a folder of bins. front may answer a request in the
// dashboard's place: it returns true then.
func newSite(t *testing.T, dir string, generation int, front func(http.ResponseWriter, *http.Request) bool) *site {
	t.Helper()
	handler, err := dashboard.New(dashboard.Options{Dir: dir, Generation: generation, Dataset: "pier"})
	check(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if front == nil || !front(w, r) {
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return &site{dir: dir, url: server.URL + "/pier/"}
}

// newSyntheticSite serves synthetic bins, one every minute from yesterday on.
// Their images are new with every run: a real broker remembers those of others.
func newSyntheticSite(t *testing.T, generation, bins, images int) *site {
	t.Helper()
	dir := t.TempDir()
	instrument, err := dashboard.NewInstrument(dashboard.InstrumentOptions{Dir: dir, Seed: uint64(bins), ImagesPerBin: images})
	check(t, err)
	s := newSite(t, dir, generation, nil)
	s.instrument, s.next = instrument, time.Now().Add(-24*time.Hour)
	s.take(t, bins)
	return s
}

// take adds synthetic bins.
func (s *site) take(t *testing.T, bins int) {
	t.Helper()
	for range bins {
		id, err := s.instrument.Take(s.next)
		check(t, err)
		s.next = s.next.Add(time.Minute)
		bin, err := ifcb.Open(filepath.Join(s.dir, id.Day(), id.String()+".adc"))
		check(t, err)
		for _, roi := range bin.Served() {
			s.images = append(s.images, id.Target(roi.Number).String())
		}
		check(t, bin.Close())
	}
}

// outage is how long servers stay away.
func outage(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("HYDRAULICS_OUTAGE")
	if text == "" {
		return 20 * time.Second
	}
	if !strings.ContainsAny(text, "hms") {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	check(t, err)
	return d
}

// lasts holds a condition up for a while: what breaks it fails the test.
func lasts(t *testing.T, d time.Duration, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(d)
	await(t, d+patience, what, func() bool {
		if !holds() {
			t.Fatalf("%s: no longer", what)
		}
		return time.Now().After(end)
	})
}
