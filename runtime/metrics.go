package runtime

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Sample is one metric that a plugin made, at one moment.
type Sample struct {
	Name   string
	Help   string
	Type   string   // counter, gauge or histogram
	Labels []string // alternating names and values
	Value  float64  // of a counter or gauge; the sum of a histogram
	// Buckets are a histogram's upper bounds and Counts how many observations
	// each holds beside those of lower ones; the last count has no bound.
	Buckets []float64
	Counts  []uint64
}

// metrics keeps what a task's plugins count. It is safe for use from several
// goroutines.
type metrics struct {
	mu     sync.Mutex
	byName map[string]*metric
}

type metric struct {
	mu sync.Mutex
	s  Sample
}

var _ connector.Metrics = (*metrics)(nil)

func (m *metrics) get(kind, name, help string, buckets []float64, labels []string) *metric {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := kind + "\xff" + name + "\xff" + strings.Join(labels, "\xff")
	x, ok := m.byName[key]
	if !ok {
		x = &metric{s: Sample{Name: name, Help: help, Type: kind, Labels: slices.Clone(labels)}}
		if kind == "histogram" {
			x.s.Buckets = slices.Sorted(slices.Values(buckets))
			x.s.Counts = make([]uint64, len(buckets)+1)
		}
		if m.byName == nil {
			m.byName = map[string]*metric{}
		}
		m.byName[key] = x
	}
	return x
}

// Counter gives the counter of this name and these labels.
func (m *metrics) Counter(name, help string, labels ...string) connector.Counter {
	return m.get("counter", name, help, nil, labels)
}

// Gauge gives the gauge of this name and these labels.
func (m *metrics) Gauge(name, help string, labels ...string) connector.Gauge {
	return m.get("gauge", name, help, nil, labels)
}

// Histogram gives the histogram of this name and these labels.
func (m *metrics) Histogram(name, help string, buckets []float64, labels ...string) connector.Histogram {
	return m.get("histogram", name, help, buckets, labels)
}

// Add adds to a counter; a counter only grows.
func (x *metric) Add(n float64) {
	if !(n > 0) || math.IsInf(n, 1) {
		return
	}
	x.mu.Lock()
	x.s.Value += n
	x.mu.Unlock()
}

// Set sets a gauge.
func (x *metric) Set(v float64) {
	x.mu.Lock()
	x.s.Value = v
	x.mu.Unlock()
}

// Observe adds an observation to a histogram.
func (x *metric) Observe(v float64) {
	i, _ := slices.BinarySearch(x.s.Buckets, v)
	x.mu.Lock()
	x.s.Value += v
	x.s.Counts[i]++
	x.mu.Unlock()
}

// samples gives all metrics by name and labels.
func (m *metrics) samples() []Sample {
	m.mu.Lock()
	all := make([]*metric, 0, len(m.byName))
	for _, x := range m.byName {
		all = append(all, x)
	}
	m.mu.Unlock()
	list := make([]Sample, len(all))
	for i, x := range all {
		x.mu.Lock()
		list[i] = x.s
		list[i].Counts = slices.Clone(x.s.Counts)
		x.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.Labels, b.Labels))
	})
	return list
}
