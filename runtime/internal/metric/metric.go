package metric

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Herder is what the metrics need of a herder.
type Herder interface {
	Connectors() []string
	Status(name string) (herder.ConnectorStatus, error)
	Snapshots() []runtime.Stats
}

// Handler answers a scrape of Prometheus with the metrics of a worker and its
// Go process.
func Handler(h Herder) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{h})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// collector makes metrics of snapshots.
type collector struct{ herder Herder }

// Describe describes nothing: what there is depends on connectors and plugins.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect gives all metrics as of now.
func (c collector) Collect(out chan<- prometheus.Metric) {
	w := writer{out: out}
	names := c.herder.Connectors()
	w.gauge("kafka_connect_worker_connector_count", "Connectors of this worker.", float64(len(names)))
	total := 0
	for _, name := range names {
		s, err := c.herder.Status(name)
		if err != nil {
			continue // deleted meanwhile
		}
		total += len(s.Tasks)
		w.connector(s)
	}
	w.gauge("kafka_connect_worker_task_count", "Tasks of this worker.", float64(total))
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

func (w writer) gauge(name, help string, v float64, labels ...string) {
	w.value(prometheus.GaugeValue, name, help, v, labels)
}

func (w writer) counter(name, help string, v int64, labels ...string) {
	w.value(prometheus.CounterValue, name, help, float64(v), labels)
}

func (w writer) connector(s herder.ConnectorStatus) {
	w = w.with("connector", s.Name)
	w.gauge("hydraulics_connector_state", "1 with the state that the connector is in.", 1, "state", string(s.Connector.State), "kind", s.Kind)
	w.gauge("kafka_connect_worker_connector_total_task_count", "Tasks of the connector.", float64(len(s.Tasks)))
	counts := map[state.State]int{}
	restarting := 0
	for _, t := range s.Tasks {
		counts[t.State]++
		if t.Restarts != nil && !t.Restarts.Next.IsZero() {
			restarting++
		}
	}
	for word, st := range map[string]state.State{"running": state.Running, "paused": state.Paused, "failed": state.Failed,
		"unassigned": state.Unassigned, "destroyed": state.Destroyed, "restarting": state.Restarting} {
		w.gauge("kafka_connect_worker_connector_"+word+"_task_count", "Tasks of the connector that are "+word+".", float64(counts[st]))
	}
	w.gauge("hydraulics_connector_tasks_to_restart", "Failed tasks that will start again by themselves.", float64(restarting))
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func average(t runtime.Timing) time.Duration {
	if t.Count == 0 {
		return 0
	}
	return t.Total / time.Duration(t.Count)
}

func (w writer) task(s runtime.Stats) {
	w = w.with("connector", s.Connector, "task", strconv.Itoa(s.Task))
	w.ours(s)
	if s.Class != "" { // it has been made
		w.gauge("hydraulics_task_info", "1 with what the task runs, in the words of Kafka Connect's task metrics.", 1,
			"connector_class", s.Class, "connector_type", string(s.Kind), "connector_version", s.Version)
	}
	w.gauge("kafka_connect_connector_task_status", "1 with the status that the task has.", 1, "status", string(s.State))
	w.gauge("kafka_connect_connector_task_offset_commit_max_time_ms", "Longest commit of offsets.", millis(s.Commits.Time.Max))
	w.gauge("kafka_connect_connector_task_offset_commit_avg_time_ms", "Average commit of offsets.", millis(average(s.Commits.Time)))
	if s.Batches.Count > 0 {
		w.gauge("kafka_connect_connector_task_batch_size_avg", "Average records in a batch.", float64(s.RecordsIn)/float64(s.Batches.Count))
	}
	if s.Kind == runtime.KindSource {
		w.source(s)
	} else {
		w.sink(s)
	}
	e := s.Errors
	w.counter("kafka_connect_task_error_total_record_failures", "Attempts that failed.", e.Failures)
	w.counter("kafka_connect_task_error_total_record_errors", "Failures that no retry cured.", e.Errors)
	w.counter("kafka_connect_task_error_total_records_skipped", "Records that were tolerated.", e.Skipped)
	w.counter("kafka_connect_task_error_total_retries", "Attempts that were made again.", e.Retries)
	w.counter("kafka_connect_task_error_total_errors_logged", "Errors of records that were logged.", e.Logged)
	w.counter("kafka_connect_task_error_deadletterqueue_produce_requests", "Dead letters sent.", e.DeadLetters)
	w.counter("kafka_connect_task_error_deadletterqueue_produce_failures", "Dead letters that Kafka did not take.", e.DeadLetterFailures)
	if !e.LastTime.IsZero() {
		w.gauge("kafka_connect_task_error_last_error_timestamp", "When the last error was, in milliseconds since 1970.", float64(e.LastTime.UnixMilli()))
	}
	for _, x := range s.Metrics {
		w.sample(x)
	}
}

func (w writer) source(s runtime.Stats) {
	w.counter("kafka_connect_source_task_source_record_poll_total", "Records that the source gave.", s.RecordsIn)
	w.counter("kafka_connect_source_task_source_record_write_total", "Records that Kafka took.", s.RecordsOut)
	w.gauge("kafka_connect_source_task_source_record_active_count", "Records that Kafka has not taken yet.", float64(s.Active))
	w.batch("kafka_connect_source_task_poll_batch", "a poll", first(s.Stages))
}

func (w writer) sink(s runtime.Stats) {
	w.counter("kafka_connect_sink_task_sink_record_read_total", "Records read from Kafka.", s.RecordsIn)
	w.counter("kafka_connect_sink_task_sink_record_send_total", "Records that the sink took, or that a stream wrote.", s.RecordsOut)
	w.gauge("kafka_connect_sink_task_sink_record_active_count", "Records whose offsets are not committed yet.", float64(s.Active))
	w.gauge("kafka_connect_sink_task_partition_count", "Partitions that the task has.", float64(len(s.Lag)))
	w.counter("kafka_connect_sink_task_offset_commit_completion_total", "Commits of offsets.", s.Commits.Completed)
	var most int64
	for tp, lag := range s.Lag {
		most = max(most, lag)
		w.gauge("hydraulics_task_lag_records", "Records of a partition that are still to be read.", float64(lag),
			"topic", tp.Topic, "partition", strconv.Itoa(int(tp.Partition)))
	}
	w.gauge("kafka_connect_sink_task_sink_record_lag_max", "Records still to be read of the partition with the most.", float64(most))
	if s.Kind == runtime.KindSink {
		w.batch("kafka_connect_sink_task_put_batch", "a put", last(s.Stages))
	}
}

func first(list []runtime.StageStats) (s runtime.StageStats) {
	if len(list) > 0 {
		s = list[0]
	}
	return s
}

func last(list []runtime.StageStats) (s runtime.StageStats) {
	if len(list) > 0 {
		s = list[len(list)-1]
	}
	return s
}

func (w writer) batch(name, what string, s runtime.StageStats) {
	w.gauge(name+"_max_time_ms", "Longest time of "+what+".", millis(s.Time.Max))
	w.gauge(name+"_avg_time_ms", "Average time of "+what+".", millis(average(s.Time)))
}

func (w writer) ours(s runtime.Stats) {
	w.counter("hydraulics_task_records_in_total", "Records that came in.", s.RecordsIn)
	w.counter("hydraulics_task_records_out_total", "Records that went out and were acknowledged.", s.RecordsOut)
	w.counter("hydraulics_task_records_dropped_total", "Records that transforms dropped.", s.Dropped)
	w.counter("hydraulics_task_commit_failures_total", "Commits of offsets that failed.", s.Commits.Failed)
	w.value(prometheus.CounterValue, "hydraulics_task_commit_seconds_total", "Time spent on commits of offsets.", s.Commits.Time.Total.Seconds(), nil)
	w.waits(s.Waits)
	if !s.Newest.IsZero() {
		w.gauge("hydraulics_task_freshness_seconds", "Age of the newest record that went out.", time.Since(s.Newest).Seconds())
	}
	if !s.LastOut.IsZero() {
		w.gauge("hydraulics_task_last_out_timestamp_seconds", "When records last went out, in seconds since 1970.", float64(s.LastOut.UnixMilli())/1000)
	}
	for _, st := range s.Stages {
		w := w.with("stage", st.Name)
		w.counter("hydraulics_stage_records_total", "Records that a stage has seen.", st.Records)
		w.counter("hydraulics_stage_errors_total", "Records that failed in a stage.", st.Errors)
		w.value(prometheus.CounterValue, "hydraulics_stage_seconds_total", "Time spent in a stage.", st.Time.Total.Seconds(), nil)
		w.gauge("hydraulics_stage_batch_seconds_max", "Longest time of a batch in a stage.", st.Time.Max.Seconds())
	}
}

// waits writes what a task waits for. The label names the place, not the error.
func (w writer) waits(x *runtime.Waits) {
	stalled, waited, place := 0.0, 0.0, ""
	if x != nil {
		waited, place = time.Since(x.Since).Seconds(), x.For
		if x.Stalled {
			stalled = 1
		}
	}
	w.gauge("hydraulics_task_stalled", "1 when the task has got nowhere for task.stalled.ms, with what it waits for.", stalled, "waits_for", place)
	w.gauge("hydraulics_task_waiting_seconds", "How long the task has been kept from its work.", waited)
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
		m, err := prometheus.NewConstHistogram(desc, count, x.Value, buckets, values...)
		if err != nil {
			m = prometheus.NewInvalidMetric(desc, err)
		}
		w.out <- m
	}
}
