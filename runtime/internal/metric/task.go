package metric

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime"
)

// task writes what Kafka Connect tells of a task, under its names, and what is
// ours. Maxima, averages and rates are those of late.
func (w writer) task(s runtime.Stats) {
	w = w.with("connector", s.Connector, "task", strconv.Itoa(s.Task))
	w.ours(s)
	const group = "kafka_connect_connector_task_"
	w.text(group+"status", "1 with the status of the task.", "status", strings.ToLower(string(s.State)))
	w.gauge(group+"running_ratio", "The share of its time that the task was running.", s.Running)
	w.gauge(group+"pause_ratio", "The share of its time that the task was paused.", s.Paused)
	w.times(group+"offset_commit", "a commit of offsets", s.Commits.Time.Recent)
	ok := s.Commits.Successes
	w.gauge(group+"offset_commit_success_percentage", "The share of commits of offsets that succeeded, 0 to 1.", average(ok, 0))
	failed := 0.0
	if ok.Count > 0 {
		failed = 1 - average(ok, 0)
	}
	w.gauge(group+"offset_commit_failure_percentage", "The share of commits of offsets that failed, 0 to 1.", failed)
	w.gauge(group+"batch_size_max", "Most records in a batch.", highest(s.RecentIn))
	w.gauge(group+"batch_size_avg", "Average records in a batch.", average(s.RecentIn, math.NaN()))
	w.plugins(s)
	if s.Kind == runtime.KindSource {
		w.source(s)
	} else {
		w.sink(s)
	}
	w.errors(s.Errors)
	for _, x := range s.Metrics {
		w.sample(x)
	}
}

// average is the average observation of late, none's where there was none.
func average(r runtime.Recent, none float64) float64 {
	if r.Count == 0 {
		return none
	}
	return r.Sum / float64(r.Count)
}

// highest is the greatest observation of late, NaN where there was none.
func highest(r runtime.Recent) float64 {
	if r.Count == 0 {
		return math.NaN()
	}
	return r.Max
}

// times writes how long calls took, in milliseconds as Kafka Connect has it.
func (w writer) times(name, what string, r runtime.Recent) {
	w.gauge(name+"_max_time_ms", "Longest time of "+what+".", 1000*highest(r))
	w.gauge(name+"_avg_time_ms", "Average time of "+what+".", 1000*average(r, math.NaN()))
}

// plugins writes what the task runs. A task that was not made has nothing.
func (w writer) plugins(s runtime.Stats) {
	const group = "kafka_connect_connector_task_"
	if s.Class != "" {
		class := s.Class
		if base, ok := strings.CutSuffix(class, "Connector"); ok {
			class = base + "Task" // as the task's configuration has it
		}
		w.text(group+"task_class", "1 with the class of the task.", "task_class", class)
		w.text(group+"task_version", "1 with the version of the task's class.", "task_version", s.Version)
	}
	for _, p := range s.Plugins {
		name, of := strings.ReplaceAll(p.Role, " ", "_"), w
		prefix := group + name
		if p.Alias != "" {
			prefix = "kafka_connect_connector_" + name + "_" + name
			of = w.with(name, p.Alias)
		}
		of.text(prefix+"_class", "1 with the class of a "+p.Role+".", name+"_class", p.Class)
		of.text(prefix+"_version", "1 with the version of the class of a "+p.Role+".", name+"_version", p.Version)
	}
}

func (w writer) source(s runtime.Stats) {
	const group = "kafka_connect_source_task_"
	w.counter(group+"source_record_poll_total", "Records that the source gave.", s.RecordsIn)
	w.gauge(group+"source_record_poll_rate", "Records per second that the source gave.", s.RecentIn.Rate())
	w.counter(group+"source_record_write_total", "Records that Kafka took.", s.RecordsOut)
	w.gauge(group+"source_record_write_rate", "Records per second that Kafka took.", s.RecentOut.Rate())
	w.active(group+"source_record_active_count", "Records that Kafka has not taken yet", s)
	w.times(group+"poll_batch", "a poll", timeOf(s.Stages, "TASK_POLL"))
}

func (w writer) sink(s runtime.Stats) {
	const group = "kafka_connect_sink_task_"
	w.counter(group+"sink_record_read_total", "Records read from Kafka.", s.RecordsIn)
	w.gauge(group+"sink_record_read_rate", "Records per second read from Kafka.", s.RecentIn.Rate())
	w.counter(group+"sink_record_send_total", "Records that the sink took, or that a stream wrote.", s.RecordsOut)
	w.gauge(group+"sink_record_send_rate", "Records per second that the sink took, or that a stream wrote.", s.RecentOut.Rate())
	w.active(group+"sink_record_active_count", "Records whose offsets are not committed yet", s)
	w.gauge(group+"partition_count", "Partitions that the task has.", float64(len(s.Lag)))
	c := s.Commits
	w.gauge(group+"offset_commit_seq_no", "The number of the last commit of offsets.", float64(c.Completed+c.Failed+c.Skipped))
	w.counter(group+"offset_commit_completion_total", "Commits of offsets that were completed.", c.Completed)
	w.gauge(group+"offset_commit_completion_rate", "Commits of offsets per second that were completed.", runtime.Recent{Sum: float64(c.Time.Recent.Count), Span: c.Time.Recent.Span}.Rate())
	w.counter(group+"offset_commit_skip_total", "Commits of offsets that came too late, and were skipped.", c.Skipped)
	w.gauge(group+"offset_commit_skip_rate", "Commits of offsets per second that came too late, and were skipped.", c.Skips.Rate())
	var most int64
	for _, lag := range s.Lag {
		most = max(most, lag)
	}
	w.gauge(group+"sink_record_lag_max", "Records still to be read of the partition with the most.", float64(most))
	if s.Kind == runtime.KindSink {
		w.times(group+"put_batch", "a put", timeOf(s.Stages, "TASK_PUT"))
	}
}

func (w writer) active(name, help string, s runtime.Stats) {
	w.gauge(name, help+".", float64(s.Active))
	w.gauge(name+"_max", help+", at most.", highest(s.RecentActive))
	w.gauge(name+"_avg", help+", on average.", average(s.RecentActive, math.NaN()))
}

// timeOf gives the times of the first stage that Kafka Connect calls so.
func timeOf(list []runtime.StageStats, java string) runtime.Recent {
	if i := slices.IndexFunc(list, func(s runtime.StageStats) bool { return s.Java == java }); i >= 0 {
		return list[i].Time.Recent
	}
	return runtime.Recent{}
}

func (w writer) errors(e runtime.Errors) {
	const group = "kafka_connect_task_error_"
	w.counter(group+"total_record_failures", "Attempts that failed.", e.Failures)
	w.counter(group+"total_record_errors", "Failures that no retry cured.", e.Errors)
	w.counter(group+"total_records_skipped", "Records that were tolerated.", e.Skipped)
	w.counter(group+"total_retries", "Attempts that were made again.", e.Retries)
	w.counter(group+"total_errors_logged", "Errors of records that were logged.", e.Logged)
	w.counter(group+"deadletterqueue_produce_requests", "Dead letters sent.", e.DeadLetters)
	w.counter(group+"deadletterqueue_produce_failures", "Dead letters that Kafka did not take.", e.DeadLetterFailures)
	last := 0.0
	if !e.LastTime.IsZero() {
		last = float64(e.LastTime.UnixMilli())
	}
	w.gauge(group+"last_error_timestamp", "When the last error was, in milliseconds since 1970; 0 is never.", last)
}
