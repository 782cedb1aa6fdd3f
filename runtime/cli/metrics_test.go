package cli

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	_ "github.com/axiom-data-science/hydraulics/transforms/predicate"
)

// series matches a line of a scrape: a name, labels and a value.
var series = regexp.MustCompile(`(?m)^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$`)

// scrape gives the labels of each series of a worker, by name.
func scrape(t *testing.T, w *Worker) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, m := range series.FindAllStringSubmatch(get(t, w.RESTURL()+"/metrics"), -1) {
		found[m[1]] = append(found[m[1]], m[2])
	}
	return found
}

// words gives each of the words with each of the ends.
func words(prefix, list string, ends ...string) (names []string) {
	if len(ends) == 0 {
		ends = []string{""}
	}
	for _, word := range strings.Fields(list) {
		for _, end := range ends {
			names = append(names, prefix+word+end)
		}
	}
	return names
}

// parityMetrics are Kafka Connect's metrics, by the series' labels that are asked
// of each.
func parityMetrics() map[string][]string {
	const c = "kafka_connect_"
	source, sink := `connector="lines",task="0"`, `connector="sorted",task="0"`
	task := slices.Concat(
		words(c+"connector_task_", "status running_ratio pause_ratio offset_commit_success_percentage offset_commit_failure_percentage task_class task_version"),
		words(c+"connector_task_", "offset_commit", "_max_time_ms", "_avg_time_ms"),
		words(c+"connector_task_", "batch_size", "_max", "_avg"),
		words(c+"connector_task_", "key_converter value_converter header_converter", "_class", "_version"),
		words(c+"task_error_", "total_record_failures total_record_errors total_records_skipped total_retries total_errors_logged last_error_timestamp "+
			"deadletterqueue_produce_requests deadletterqueue_produce_failures"))
	return map[string][]string{
		"": slices.Concat(words(c+"worker_", "connector_count task_count"),
			words(c+"worker_", "connector_startup task_startup", "_attempts_total", "_success_total", "_failure_total", "_success_percentage", "_failure_percentage")),
		`connector="sorted"`: slices.Concat(words(c+"worker_connector_", "total running paused failed unassigned destroyed restarting", "_task_count"),
			words(c+"connector_", "status connector_type connector_class connector_version")),
		source: slices.Concat(task,
			words(c+"source_task_", "source_record_poll source_record_write", "_rate", "_total"),
			words(c+"source_task_", "poll_batch", "_max_time_ms", "_avg_time_ms"),
			words(c+"source_task_", "source_record_active_count", "", "_max", "_avg")),
		sink: slices.Concat(task,
			words(c+"sink_task_", "sink_record_read sink_record_send", "_rate", "_total"),
			words(c+"sink_task_", "sink_record_lag_max partition_count offset_commit_seq_no"),
			words(c+"sink_task_", "offset_commit_completion offset_commit_skip", "_rate", "_total"),
			words(c+"sink_task_", "put_batch", "_max_time_ms", "_avg_time_ms"),
			words(c+"sink_task_", "sink_record_active_count", "", "_max", "_avg"),
			words("hydraulics_task_", "freshness_seconds end_to_end_seconds_count lag_records")),
		sink + `,transform="mark"`:  words(c+"connector_transform_transform_", "class version"),
		sink + `,predicate="lines"`: words(c+"connector_predicate_predicate_", "class version"),
	}
}

// carries tells whether labels of a series have the wanted ones among them.
func carries(labels, wanted string) bool {
	for _, label := range strings.Split(wanted, ",") {
		if label != "" && !slices.Contains(strings.Split(labels, ","), label) {
			return false
		}
	}
	return true
}

// metricsWorker runs a source and, made over the REST API, a sink.
func metricsWorker(t *testing.T) *Worker {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.txt")
	if err := os.WriteFile(in, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, write(t, "flow.yaml", `
worker:
  bootstrap.servers: `+kafkatest.Start(t)+`
  listeners: http://127.0.0.1:0
  page.listener: http://127.0.0.1:0
  key.converter: string
  value.converter: string
  offset.flush.interval.ms: 100
  consumer.metadata.max.age.ms: 200
connectors:
  lines: {connector.class: file-source, topic: lines, file: `+in+`, topic.creation.default: {partitions: 1, replication.factor: -1}}
`))
	t.Cleanup(func() { stop(t, w) })
	res, err := http.Post(w.RESTURL()+"/connectors", "application/json", strings.NewReader(`{"name": "sorted", "config": {
		"connector.class": "file-sink", "topics": "lines", "file": "`+out+`", "transforms": "mark", "predicates": "lines",
		"transforms.mark.type": "org.apache.kafka.connect.transforms.InsertHeader", "transforms.mark.header": "by", "transforms.mark.value.literal": "x",
		"transforms.mark.predicate": "lines", "predicates.lines.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicates.lines.pattern": "lines"}}`))
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(res.Body)
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("POST /connectors: %v, status %d: %s", err, res.StatusCode, said)
	}
	wait.Until(t, "the lines", func() bool { data, err := os.ReadFile(out); return err == nil && string(data) == "one\ntwo\n" })
	return w
}

// Clauses: L1, L3, L4, L5, L6, L7.
func TestMetricsOfKafkaConnect(t *testing.T) {
	w := metricsWorker(t)
	found := scrape(t, w)
	for labels, names := range parityMetrics() {
		for _, name := range names {
			if !slices.ContainsFunc(found[name], func(has string) bool { return carries(has, labels) }) {
				t.Errorf("no %s{%s}, but %q", name, labels, found[name])
			}
		}
	}

	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.RESTURL()+"/connectors/sorted", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatalf("DELETE: %v, status %d", err, res.StatusCode)
	}
	for name, all := range scrape(t, w) {
		if slices.ContainsFunc(all, func(labels string) bool { return carries(labels, `connector="sorted"`) }) {
			t.Errorf("%s is still there for a connector that was deleted", name)
		}
	}
}

// TestDashboardAndAlertsAskForWhatIsThere holds the files for Grafana and
// Prometheus to the metrics of a worker.
func TestDashboardAndAlertsAskForWhatIsThere(t *testing.T) {
	found := scrape(t, metricsWorker(t))
	name := regexp.MustCompile(`\b(?:kafka_connect|hydraulics|process|go)_[a-z_]+\b`)
	for _, file := range []string{"grafana/hydraulics.json", "prometheus/hydraulics.rules.yaml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "configs", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		asked := name.FindAllString(string(data), -1)
		if len(asked) == 0 {
			t.Errorf("%s asks for nothing", file)
		}
		for _, name := range asked {
			if _, ok := found[name]; !ok {
				t.Errorf("%s asks for %s, which no worker has", file, name)
			}
		}
	}
}
