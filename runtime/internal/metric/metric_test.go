package metric

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

type fakeHerder struct{}

func (fakeHerder) Connectors() []string { return []string{"src", "flow"} }
func (fakeHerder) Status(name string) (herder.ConnectorStatus, error) {
	return herder.ConnectorStatus{Name: name, Kind: "sink", Connector: herder.Status{State: state.Running, Here: true},
		Tasks: []herder.Status{{State: state.Running, Here: true}, {ID: 1, State: state.Failed, Here: true, Restarts: &herder.Restarts{Next: time.Unix(1, 0)}}}}, nil
}
func (fakeHerder) Startups() (connectors, tasks herder.Startups) {
	return herder.Startups{}, herder.Startups{Succeeded: 3, Failed: 1}
}
func (fakeHerder) Snapshots() []runtime.Stats {
	return []runtime.Stats{
		{Connector: "src", Kind: runtime.KindSource, Class: "org.example.Source", Version: "2", State: state.Running, RecordsIn: 7, RecordsOut: 5, Active: 2,
			Batches: runtime.Timing{Count: 2}, RecentIn: runtime.Recent{Count: 2, Sum: 7, Max: 4, Span: 35 * time.Second},
			Stages: []runtime.StageStats{{Name: "poll", Java: "TASK_POLL", Records: 7, Time: runtime.Timing{Count: 2, Total: 4 * time.Second, Max: 3 * time.Second,
				Counts: [11]int64{6: 1, 7: 1}, Recent: runtime.Recent{Count: 2, Sum: 4, Max: 3}}}},
			Metrics: []runtime.Sample{
				{Name: "ifcb_bins_total", Help: "Bins.", Type: "counter", Labels: []string{"dataset", "a", "task", "mine"}, Value: 3},
				{Name: "ifcb_wait_seconds", Help: "Wait.", Type: "histogram", Buckets: []float64{1, 2}, Counts: []uint64{1, 0, 4}, Value: 9},
				{Name: "not a name", Help: "x", Type: "gauge", Value: 1},
			}},
		{Connector: "flow", Task: 1, Kind: runtime.KindSink, State: state.Failed, RecordsIn: 1,
			Lag: map[connector.TopicPartition]int64{{Topic: "t", Partition: 3}: 12}, Errors: runtime.Errors{Skipped: 4, LastTime: time.Unix(10, 0)}, Waits: &runtime.Waits{For: "Kafka", Since: time.Now(), Stalled: true}},
	}
}

// Clauses: L7.
func TestHandler(t *testing.T) {
	w := httptest.NewRecorder()
	Handler(fakeHerder{}, nil).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Errorf("status %d: one plugin's mistake hides all", w.Code)
	}
	text := w.Body.String()
	for _, want := range []string{
		`kafka_connect_worker_connector_count 2`,
		`kafka_connect_worker_task_count 4`,
		`kafka_connect_worker_connector_failed_task_count{connector="src"} 1`,
		`hydraulics_connector_tasks_to_restart{connector="src"} 1`,
		`kafka_connect_source_task_source_record_poll_total{connector="src",task="0"} 7`,
		`kafka_connect_source_task_source_record_active_count{connector="src",task="0"} 2`,
		`kafka_connect_source_task_poll_batch_avg_time_ms{connector="src",task="0"} 2000`,
		`kafka_connect_connector_task_batch_size_avg{connector="src",task="0"} 3.5`,
		`kafka_connect_connector_task_batch_size_max{connector="src",task="0"} 4`,
		`kafka_connect_source_task_source_record_poll_rate{connector="src",task="0"} 0.2`,
		`hydraulics_stage_batch_seconds_bucket{connector="src",stage="poll",task="0",le="10"} 1`,
		`hydraulics_stage_batch_seconds_count{connector="src",stage="poll",task="0"} 2`,
		`kafka_connect_worker_task_startup_attempts_total 4`,
		`kafka_connect_worker_task_startup_failure_percentage 0.25`,
		`kafka_connect_worker_connector_startup_success_percentage 0`,
		`hydraulics_stage_seconds_total{connector="src",stage="poll",task="0"} 4`,
		`ifcb_bins_total{connector="src",dataset="a",task="0"} 3`,
		`ifcb_wait_seconds_bucket{connector="src",task="0",le="2"} 1`,
		`ifcb_wait_seconds_count{connector="src",task="0"} 5`,
		`kafka_connect_sink_task_sink_record_lag_max{connector="flow",task="1"} 12`,
		`hydraulics_task_lag_records{connector="flow",partition="3",task="1",topic="t"} 12`,
		`kafka_connect_task_error_total_records_skipped{connector="flow",task="1"} 4`,
		`kafka_connect_task_error_last_error_timestamp{connector="flow",task="1"} 10000`,
		`kafka_connect_connector_task_status{connector="flow",status="failed",task="1"} 1`,
		`hydraulics_task_info{connector="src",connector_class="org.example.Source",connector_type="source",connector_version="2",task="0"} 1`,
		`hydraulics_task_stalled{connector="src",task="0",waits_for=""} 0`,
		`hydraulics_task_stalled{connector="flow",task="1",waits_for="Kafka"} 1`,
		`hydraulics_task_waiting_seconds{connector="flow",task="1"}`,
		`go_goroutines`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, `hydraulics_task_info{connector="flow"`) {
		t.Error("a task that was not made says what it runs")
	}
	if t.Failed() {
		t.Log(text)
	}
}
