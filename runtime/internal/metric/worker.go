package metric

import (
	"strings"

	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// startups writes how starts of connectors or of tasks went.
func (w writer) startups(what string, s herder.Startups) {
	name := "kafka_connect_worker_" + what + "_startup_"
	attempts := s.Succeeded + s.Failed
	w.counter(name+"attempts_total", "Starts of a "+what+".", attempts)
	w.counter(name+"success_total", "Starts of a "+what+" that succeeded.", s.Succeeded)
	w.counter(name+"failure_total", "Starts of a "+what+" that failed.", s.Failed)
	w.gauge(name+"success_percentage", "The share of starts of a "+what+" that succeeded, 0 to 1.", share(s.Succeeded, attempts))
	w.gauge(name+"failure_percentage", "The share of starts of a "+what+" that failed, 0 to 1.", share(s.Failed, attempts))
}

// share is part of all; of nothing it is 0, as Kafka has it.
func share(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

func (w writer) connector(s herder.ConnectorStatus) {
	w = w.with("connector", s.Name)
	w.gauge("hydraulics_connector_state", "1 with the state that the connector is in.", 1, "state", string(s.Connector.State), "kind", s.Kind)
	w.text("kafka_connect_connector_status", "1 with the status of the connector.", "status", strings.ToLower(string(s.Connector.State)))
	w.text("kafka_connect_connector_connector_type", "1 with the type of the connector: source, sink or stream.", "connector_type", s.Kind)
	w.text("kafka_connect_connector_connector_class", "1 with the class of the connector.", "connector_class", s.Class)
	w.text("kafka_connect_connector_connector_version", "1 with the version of the connector's class.", "connector_version", s.Connector.Version)
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
