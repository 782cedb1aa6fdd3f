package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/drawn"
)

// coast is a dashboard of generation 2 whose datasets come and go. Each has an instrument of its own, from 901 on.
type coast struct {
	t           *testing.T
	mu          sync.Mutex
	names       []string // in the order of their instruments
	handlers    []http.Handler
	instruments []*drawn.Instrument
	gone        map[string]bool
	images      map[string]bool // the keys of all that were taken
}

func (c *coast) add(name string) {
	c.t.Helper()
	dir := c.t.TempDir()
	instrument := drawn.NewInstrument(dir, 901+len(c.names), 2)
	handler, err := dashboard.New(dashboard.Options{Dir: dir, Generation: 2, Dataset: name})
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names, c.handlers, c.instruments = append(c.names, name), append(c.handlers, handler), append(c.instruments, instrument)
}

// take adds a bin to a dataset.
func (c *coast) take(set int, at time.Time) {
	c.t.Helper()
	id := c.instruments[set].Take(c.t, at)
	answer := httptest.NewRecorder()
	c.handlers[set].ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/data/"+id.String()+".adc", nil))
	targets, err := ifcb.ReadADC(answer.Body, id.Schema())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, t := range targets {
		if t.HasImage() {
			c.images[id.Target(t.Number).String()] = true
		}
	}
}

func (c *coast) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	var names []string
	serve := http.NotFound
	asked := r.URL.Path + "?" + r.URL.RawQuery
	for i, name := range c.names {
		if c.gone[name] {
			continue
		}
		names = append(names, fmt.Sprintf("%q", name))
		if strings.Contains(asked, name) || strings.Contains(asked, fmt.Sprintf("IFCB%d", 901+i)) {
			serve = c.handlers[i].ServeHTTP
		}
	}
	c.mu.Unlock()
	if r.URL.Path == "/api/list_datasets" {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"datasets": [%s]}`, strings.Join(names, ", "))
		return
	}
	serve(w, r)
}

// A source of all datasets takes those that the dashboard gains while it runs, and goes on with the others when one is
// gone: no image is missing.
func TestDatasetsOfARunningSource(t *testing.T) {
	c := &coast{t: t, gone: map[string]bool{}, images: map[string]bool{}}
	c.add("bay")
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	s := newStream(t)
	published := func() map[string]bool {
		keys := map[string]bool{}
		for _, m := range s.read("images") {
			keys[string(m.Key)] = true
		}
		return keys
	}
	expect := func(when string) {
		t.Helper()
		await(t, when, func() bool { return len(published()) == len(c.images) })
	}
	at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	c.take(0, at)
	s.topic("images", 1)
	s.start("flow.yaml", fmt.Sprintf(`
worker:
  bootstrap.servers: %s
  offset.storage.file.filename: %s
  offset.flush.interval.ms: 100
  key.converter: string
  value.converter: {class: json, schemas.enable: false}
connectors:
  all:
    connector.class: ifcb
    dashboard.url: %s
    datasets: "*"
    datasets.interval.ms: 100
    poll.interval.ms: 100
    tasks.max: 2
    topic: images
    format: json
`, s.broker, filepath.Join(s.dir, "offsets"), server.URL))
	expect("the first dataset")
	c.add("atoll")
	c.take(1, at)
	expect("a second one")
	c.add("cape") // shares a task
	c.take(2, at)
	c.take(0, at.Add(time.Hour))
	expect("a third one, and a new bin of the first")
	c.mu.Lock()
	c.gone["atoll"] = true
	c.mu.Unlock()
	c.take(2, at.Add(time.Hour))
	expect("one is gone")
	for key := range published() {
		if !c.images[key] {
			t.Errorf("%s was not taken", key)
		}
	}
}
