package metric

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axiom-data-science/hydraulics/runtime"
)

// ours writes what is ours of a task, in base units.
func (w writer) ours(s runtime.Stats) {
	w.counter("hydraulics_task_records_in_total", "Records that came in.", s.RecordsIn)
	w.counter("hydraulics_task_records_out_total", "Records that went out and were acknowledged.", s.RecordsOut)
	w.counter("hydraulics_task_records_dropped_total", "Records that transforms dropped.", s.Dropped)
	w.counter("hydraulics_task_commit_failures_total", "Commits of offsets that failed.", s.Commits.Failed)
	w.value(prometheus.CounterValue, "hydraulics_task_commit_seconds_total", "Time spent on commits of offsets.", s.Commits.Time.Total.Seconds(), nil)
	w.waits(s.Waits)
	if s.Class != "" { // it has been made
		w.gauge("hydraulics_task_info", "1 with what the task runs, in the words of Kafka Connect's task metrics.", 1,
			"connector_class", s.Class, "connector_type", string(s.Kind), "connector_version", s.Version)
	}
	for tp, lag := range s.Lag {
		w.gauge("hydraulics_task_lag_records", "Records of a partition that are still to be read.", float64(lag),
			"topic", tp.Topic, "partition", strconv.Itoa(int(tp.Partition)))
	}
	if s.Kind == runtime.KindSink {
		w.timing("hydraulics_task_end_to_end_seconds", "How old the oldest record of a batch was when the sink had taken it.", s.EndToEnd)
	}
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
		w.timing("hydraulics_stage_batch_seconds", "Times of a batch in a stage.", st.Time)
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

// timing writes how long calls took as a histogram.
func (w writer) timing(name, help string, t runtime.Timing) {
	desc, values := w.desc(name, help, nil)
	buckets, count := map[float64]uint64{}, uint64(0)
	for i, bound := range runtime.Buckets {
		count += uint64(t.Counts[i])
		buckets[bound.Seconds()] = count
	}
	w.histogram(desc, values, uint64(t.Count), t.Total.Seconds(), buckets)
}
