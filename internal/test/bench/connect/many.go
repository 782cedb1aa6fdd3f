package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
)

// crowd is many connectors of one kind, which have nothing to do.
type crowd struct {
	name   string
	number int
	state  string // initial_state; empty is running
	config func(b *bench, i int) map[string]string
}

// first is how many connectors there are when it is measured first: code and pools that
// all of them need are there then.
const first = 10

// read is how many records a sink has read before it has nothing to do.
const read = 1000

// crowds are what a worker has many of: sources write to one topic, sinks read another.
func crowds(topic, full string) []crowd {
	source := func(b *bench, i int) map[string]string {
		return map[string]string{"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1",
			"file": filepath.Join(b.dir, "lines.txt"), "topic": topic}
	}
	return []crowd{
		{"stopped", 1000, "STOPPED", source},
		{"file sources at the end of their files", 100, "", source},
		{"file sources at the end of their files", 1000, "", source},
		{"file sinks at the end of their topic", 200, "", func(b *bench, i int) map[string]string {
			return map[string]string{"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "tasks.max": "1",
				"file": filepath.Join(b.dir, fmt.Sprint("sink-", i, ".txt")), "topics": full}
		}},
	}
}

// crowded measures what a worker takes of memory, time and descriptors for many
// connectors that have nothing to do, by the difference to a few of them.
func (b *bench) crowded(ctx context.Context, only string, rest time.Duration) (err error) {
	chosen, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if b.broker = os.Getenv("HYDRAULICS_KAFKA_BOOTSTRAP"); b.broker == "" {
		embedded, err := broker.Start(broker.Options{})
		if err != nil {
			return err
		}
		defer embedded.Stop()
		b.broker = embedded.Addr()
	}
	shut, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shut()) }()
	topic := b.topics.name("idle")
	if err := b.topics.create(ctx, topic); err != nil {
		return err
	}
	full, err := b.topics.fill(ctx, "full", read, 1, texts(100))
	if err != nil {
		return err
	}
	if err := writeLines(filepath.Join(b.dir, "lines.txt"), 1, 100); err != nil {
		return err
	}
	fmt.Println("| connectors | MB of all | KB of each | heap | stacks | goroutines | descriptors of all | of each | CPU, % of a core | list with status, ms | its CPU, ms |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, c := range crowds(topic, full) {
		if !chosen.MatchString(c.name) {
			continue
		}
		if err := b.measure(ctx, c, rest); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// measure prints the line of one crowd.
func (b *bench) measure(ctx context.Context, c crowd, rest time.Duration) error {
	w, _, err := b.worker(ctx, ours)
	if err != nil {
		return err
	}
	defer w.stop()
	if err := w.gather(ctx, b, c, 0, first); err != nil {
		return err
	}
	time.Sleep(rest)
	few, err := w.footprint()
	if err != nil {
		return err
	}
	if err := w.gather(ctx, b, c, first, c.number); err != nil {
		return err
	}
	time.Sleep(rest)
	before, err := w.cost()
	if err != nil {
		return err
	}
	time.Sleep(idleFor)
	after, err := w.cost()
	if err != nil {
		return err
	}
	idle := after.cpu - before.cpu
	all, err := w.footprint()
	if err != nil {
		return err
	}
	if before, err = w.cost(); err != nil {
		return err
	}
	list, err := w.list(c.number)
	if err != nil {
		return err
	}
	listed, err := w.cost()
	if err != nil {
		return err
	}
	each := func(of func(footprint) float64) float64 { return (of(all) - of(few)) / float64(c.number-first) }
	fmt.Printf("| %d %s | %.0f | %.1f | %.1f | %.1f | %.1f | %.0f | %.2f | %.2f | %.0f (%.0f to %.0f) | %.0f |\n", c.number, c.name, all.memory/(1<<20),
		each(func(f footprint) float64 { return f.memory })/(1<<10), each(func(f footprint) float64 { return f.heap })/(1<<10),
		each(func(f footprint) float64 { return f.stacks })/(1<<10), each(func(f footprint) float64 { return f.goroutines }),
		all.descriptors, each(func(f footprint) float64 { return f.descriptors }), 100*idle.Seconds()/idleFor.Seconds(),
		list[len(list)/2], list[0], list[len(list)-1], (listed.cpu-before.cpu).Seconds()*1e3/float64(len(list)))
	return nil
}

// gather makes connectors of a crowd and waits until they are what they are to be.
func (w *worker) gather(ctx context.Context, b *bench, c crowd, from, to int) error {
	want := c.state
	if want == "" {
		want = "RUNNING"
	}
	for i := from; i < to; i++ {
		body := map[string]any{"name": fmt.Sprint("crowd-", i), "config": c.config(b, i)}
		if c.state != "" {
			body["initial_state"] = c.state
		}
		if err := w.post(ctx, body); err != nil {
			return err
		}
	}
	return w.await(ctx, fmt.Sprint(to, " ", want), 100*time.Millisecond, func() (bool, error) {
		res, err := http.Get(w.url + "/connectors?expand=status")
		if err != nil {
			return false, err
		}
		defer res.Body.Close()
		var all map[string]struct {
			Status struct {
				Connector struct{ State string }
				Tasks     []struct{ State, Trace string }
			}
		}
		if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
			return false, err
		}
		for name, c := range all {
			if c.Status.Connector.State != want || want == "RUNNING" && len(c.Status.Tasks) == 0 {
				return false, nil
			}
			for _, t := range c.Status.Tasks {
				if t.State == "FAILED" {
					return false, fmt.Errorf("%s has failed: %s", name, t.Trace)
				}
				if t.State != want {
					return false, nil
				}
			}
		}
		return true, nil
	})
}

// post makes a connector.
func (w *worker) post(ctx context.Context, body map[string]any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return w.request(ctx, http.MethodPost, "/connectors", data)
}

// footprint is what a worker has taken.
type footprint struct{ memory, heap, stacks, goroutines, descriptors float64 }

// footprint asks the system, and then the worker's metrics: an answer of these takes
// memory, too.
func (w *worker) footprint() (f footprint, err error) {
	status, err := w.stat.NewStatus()
	if err != nil {
		return f, err
	}
	descriptors, err := w.stat.FileDescriptorsLen()
	if err != nil {
		return f, err
	}
	f.memory, f.descriptors = float64(status.VmRSS), float64(descriptors)
	res, err := http.Get(w.url + "/metrics")
	if err != nil {
		return f, err
	}
	defer res.Body.Close()
	found := 0
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if to, ok := map[string]*float64{"go_goroutines": &f.goroutines, "go_memstats_stack_inuse_bytes": &f.stacks, "go_memstats_next_gc_bytes": &f.heap}[name]; ok {
			if *to, err = strconv.ParseFloat(value, 64); err != nil {
				return f, err
			}
			found++
		}
	}
	if found < 3 {
		return f, errors.New("its metrics do not tell of its memory")
	}
	f.heap = (f.heap - f.stacks) / 2 // the collector runs again when what it left, with the stacks once more, has doubled
	return f, nil
}

// list times answers with the state and configuration of all connectors, in
// milliseconds, sorted.
func (w *worker) list(number int) ([]float64, error) {
	var took []float64
	for range 11 {
		began := time.Now()
		res, err := http.Get(w.url + "/connectors?expand=status&expand=info")
		if err != nil {
			return nil, err
		}
		var buf bytes.Buffer
		_, err = io.Copy(&buf, res.Body)
		if _ = res.Body.Close(); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1e3)
		var all map[string]json.RawMessage
		if err := json.Unmarshal(buf.Bytes(), &all); err != nil || len(all) != number {
			return nil, fmt.Errorf("%d connectors in the list, want %d: %w", len(all), number, err)
		}
	}
	slices.Sort(took)
	return took, nil
}
