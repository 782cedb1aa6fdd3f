package metric

import (
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
)

// Herder is what the metrics need of a herder.
type Herder interface {
	Connectors() []string
	Status(name string) (herder.ConnectorStatus, error)
	Snapshots() []runtime.Stats
	Startups() (connectors, tasks herder.Startups)
}

// Cluster is what the metrics need of a worker's membership in its cluster.
type Cluster interface {
	Placement() cluster.Placement
	Rebalances() cluster.Rebalances
	View() cluster.View
}

// Handler answers a scrape of Prometheus with the metrics of a worker, which is in a
// cluster or, nil, by itself, and its Go process.
func Handler(h Herder, c Cluster) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{h, c})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// collector makes metrics of snapshots.
type collector struct {
	herder  Herder
	cluster Cluster // may be nil
}

// Describe describes nothing: what there is depends on connectors and plugins.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect gives all metrics as of now.
func (c collector) Collect(out chan<- prometheus.Metric) {
	w := writer{out: out}
	names := c.herder.Connectors()
	connectorsHere, tasksHere := 0, 0
	for _, name := range names {
		s, err := c.herder.Status(name)
		if err != nil {
			continue // deleted meanwhile
		}
		if s.Connector.Here {
			connectorsHere++
		}
		s.Tasks = slices.DeleteFunc(s.Tasks, func(t herder.Status) bool { return !t.Here })
		tasksHere += len(s.Tasks)
		if s.Connector.Here || len(s.Tasks) > 0 {
			w.connector(s) // of what others run, their metrics tell
		}
	}
	w.gauge("kafka_connect_worker_connector_count", "Connectors of this worker.", float64(connectorsHere))
	w.gauge("kafka_connect_worker_task_count", "Tasks of this worker.", float64(tasksHere))
	if c.cluster != nil {
		w.rebalances(c.cluster.Placement(), c.cluster.Rebalances(), time.Now())
		w.peers(c.cluster.View())
	}
	connectors, tasks := c.herder.Startups()
	w.startups("connector", connectors)
	w.startups("task", tasks)
	for _, s := range c.herder.Snapshots() {
		w.task(s)
	}
}

// writer writes metrics with the labels of one connector or task.
type writer struct {
	out    chan<- prometheus.Metric
	labels []string // alternating names and values
}

func (w writer) with(labels ...string) writer {
	w.labels = append(w.labels[:len(w.labels):len(w.labels)], labels...)
	return w
}

// desc describes a metric. A label that is there already is not added again.
func (w writer) desc(name, help string, more []string) (*prometheus.Desc, []string) {
	var names, values []string
	seen := map[string]bool{}
	for _, list := range [][]string{w.labels, more} {
		for i := 0; i+1 < len(list); i += 2 {
			if !seen[list[i]] {
				seen[list[i]] = true
				names, values = append(names, list[i]), append(values, list[i+1])
			}
		}
	}
	return prometheus.NewDesc(name, help, names, nil), values
}

func (w writer) value(t prometheus.ValueType, name, help string, v float64, labels []string) {
	desc, values := w.desc(name, help, labels)
	m, err := prometheus.NewConstMetric(desc, t, v, values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(desc, err)
	}
	w.out <- m
}

// text writes what is a text in JMX: 1 with the text as a label.
func (w writer) text(name, help, label, text string) { w.gauge(name, help, 1, label, text) }

func (w writer) gauge(name, help string, v float64, labels ...string) {
	w.value(prometheus.GaugeValue, name, help, v, labels)
}

func (w writer) counter(name, help string, v int64, labels ...string) {
	w.value(prometheus.CounterValue, name, help, float64(v), labels)
}

// sample writes a metric that a plugin counts itself.
func (w writer) sample(x runtime.Sample) {
	switch x.Type {
	case "counter":
		w.value(prometheus.CounterValue, x.Name, x.Help, x.Value, x.Labels)
	case "gauge":
		w.value(prometheus.GaugeValue, x.Name, x.Help, x.Value, x.Labels)
	case "histogram":
		desc, values := w.desc(x.Name, x.Help, x.Labels)
		buckets, count := map[float64]uint64{}, uint64(0)
		for i, n := range x.Counts {
			count += n
			if i < len(x.Buckets) {
				buckets[x.Buckets[i]] = count
			}
		}
		w.histogram(desc, values, count, x.Value, buckets)
	}
}

func (w writer) histogram(desc *prometheus.Desc, values []string, count uint64, sum float64, buckets map[float64]uint64) {
	m, err := prometheus.NewConstHistogram(desc, count, sum, buckets, values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(desc, err)
	}
	w.out <- m
}
