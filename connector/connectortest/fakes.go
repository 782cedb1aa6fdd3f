package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
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

// Reported gives the records and causes so far.
func (r *Reporter) Reported() ([]connector.Record, []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records), slices.Clone(r.causes)
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
