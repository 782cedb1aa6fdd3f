package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Context gives a plugin's context over the parts of this package. The log goes
// to the test's.
func Context(t testing.TB) connector.Context {
	t.Helper()
	return connector.Context{
		Connector: t.Name(),
		Log:       slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Metrics:   new(Metrics),
		Offsets:   new(Offsets),
		Reporter:  new(Reporter),
		Sink:      new(Partitions),
	}
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

var _ io.Writer = testWriter{}

// Offsets are committed source offsets in memory.
type Offsets struct {
	mu sync.Mutex
	m  map[string]json.RawMessage
}

// Commit stores the offset of a record, through JSON as the runtime does.
func (o *Offsets) Commit(r connector.SourceRecord) error {
	key, err := json.Marshal(r.SourcePartition)
	if err != nil {
		return err
	}
	value, err := json.Marshal(r.SourceOffset)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.m == nil {
		o.m = map[string]json.RawMessage{}
	}
	o.m[string(key)] = value
	return nil
}

// Offset gives the committed offset of a partition with numbers as json.Number.
func (o *Offsets) Offset(_ context.Context, partition map[string]any) (map[string]any, error) {
	key, err := json.Marshal(partition)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	value, ok := o.m[string(key)]
	if !ok {
		return nil, nil
	}
	var offset map[string]any
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	return offset, d.Decode(&offset)
}

// Reporter keeps what a sink reports.
type Reporter struct {
	mu      sync.Mutex
	records []connector.Record
	causes  []error
}

// Report keeps a record and its cause.
func (r *Reporter) Report(_ context.Context, rec connector.Record, cause error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records, r.causes = append(r.records, rec), append(r.causes, cause)
	return nil
}

// Wait has nothing to wait for.
func (*Reporter) Wait(context.Context) error { return nil }

// Reported gives the records and causes so far.
func (r *Reporter) Reported() ([]connector.Record, []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records), slices.Clone(r.causes)
}

// Partitions are a sink's partitions, and what it asks for of them. In a suite
// nothing is done about that but what follows from a commit.
type Partitions struct {
	mu       sync.Mutex
	assigned []connector.TopicPartition
	paused   map[connector.TopicPartition]bool
	seeks    map[connector.TopicPartition]int64
	commits  int
}

var _ connector.SinkContext = (*Partitions)(nil)

// Assign sets the partitions that the task has.
func (p *Partitions) Assign(partitions ...connector.TopicPartition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.assigned = slices.Clone(partitions)
}

// Assignment gives the partitions that the task has.
func (p *Partitions) Assignment() []connector.TopicPartition {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.assigned)
}

// Pause notes that partitions are to be paused.
func (p *Partitions) Pause(partitions ...connector.TopicPartition) error {
	return p.on(partitions, func(tp connector.TopicPartition) { set(&p.paused, tp, true) })
}

// Resume notes that they are not.
func (p *Partitions) Resume(partitions ...connector.TopicPartition) error {
	return p.on(partitions, func(tp connector.TopicPartition) { delete(p.paused, tp) })
}

// Seek notes where a partition is to go on.
func (p *Partitions) Seek(partition connector.TopicPartition, offset int64) error {
	return p.on([]connector.TopicPartition{partition}, func(tp connector.TopicPartition) { set(&p.seeks, tp, offset) })
}

// RequestCommit counts requests.
func (p *Partitions) RequestCommit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commits++
}

// Asked gives what the sink has asked for: the partitions that are paused, where
// partitions are to go on, and how often a commit was requested.
func (p *Partitions) Asked() (paused []connector.TopicPartition, seeks map[connector.TopicPartition]int64, commits int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tp := range p.assigned {
		if p.paused[tp] {
			paused = append(paused, tp)
		}
	}
	return paused, maps.Clone(p.seeks), p.commits
}

func (p *Partitions) on(partitions []connector.TopicPartition, do func(connector.TopicPartition)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tp := range partitions {
		if !slices.Contains(p.assigned, tp) {
			return fmt.Errorf("%s[%d] is not assigned to this task", tp.Topic, tp.Partition)
		}
	}
	for _, tp := range partitions {
		do(tp)
	}
	return nil
}

// set sets an entry of a map, which may be nil.
func set[V any](m *map[connector.TopicPartition]V, tp connector.TopicPartition, v V) {
	if *m == nil {
		*m = map[connector.TopicPartition]V{}
	}
	(*m)[tp] = v
}

// Store is a keyed store in memory.
type Store struct{ m map[string][]byte }

// Get gives a value and whether the key is there.
func (s *Store) Get(key []byte) ([]byte, bool, error) {
	v, ok := s.m[string(key)]
	return v, ok, nil
}

// Put stores a value.
func (s *Store) Put(key, value []byte) error {
	if s.m == nil {
		s.m = map[string][]byte{}
	}
	s.m[string(key)] = value
	return nil
}

// Delete forgets a key.
func (s *Store) Delete(key []byte) error {
	delete(s.m, string(key))
	return nil
}

// Len gives the number of keys.
func (s *Store) Len() int { return len(s.m) }

// Metrics keeps the values of a plugin's metrics.
type Metrics struct {
	mu     sync.Mutex
	values map[string]float64
}

// Value gives a metric's value: a counter's sum, a gauge's last, a histogram's
// number of observations.
func (m *Metrics) Value(name string, labels ...string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[metricKey(name, labels)]
}

func metricKey(name string, labels []string) string { return name + "|" + strings.Join(labels, "|") }

// Counter gives a counter.
func (m *Metrics) Counter(name, _ string, labels ...string) connector.Counter {
	return metric{m, metricKey(name, labels)}
}

// Gauge gives a gauge.
func (m *Metrics) Gauge(name, _ string, labels ...string) connector.Gauge {
	return metric{m, metricKey(name, labels)}
}

// Histogram gives a histogram.
func (m *Metrics) Histogram(name, _ string, _ []float64, labels ...string) connector.Histogram {
	return metric{m, metricKey(name, labels)}
}

type metric struct {
	m   *Metrics
	key string
}

func (x metric) change(f func(old float64) float64) {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	if x.m.values == nil {
		x.m.values = map[string]float64{}
	}
	x.m.values[x.key] = f(x.m.values[x.key])
}

func (x metric) Add(n float64)   { x.change(func(old float64) float64 { return old + n }) }
func (x metric) Set(v float64)   { x.change(func(float64) float64 { return v }) }
func (x metric) Observe(float64) { x.Add(1) }
