package metric

import (
	"math"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/cluster"
)

// rebalances writes what a worker knows of its cluster.
func (w writer) rebalances(p cluster.Placement, r cluster.Rebalances, now time.Time) {
	const name = "kafka_connect_worker_rebalance_"
	w.text(name+"connect_protocol", "1 with the way in which the cluster shares its work.", "connect_protocol", p.Version.Name())
	w.text(name+"leader_name", "1 with the URL of the worker that leads the cluster, empty while nobody is known.", "leader_name", p.LeaderURL)
	leads := 0.0
	if p.Leads() {
		leads = 1
	}
	w.gauge("hydraulics_worker_leads", "1 on the worker that leads its cluster.", leads)
	w.gauge(name+"epoch", "The generation of the cluster.", float64(p.Generation))
	w.counter(name+"completed_rebalances_total", "Rebalances that the worker was in.", r.Completed)
	on := 0.0
	if r.On {
		on = 1
	}
	w.gauge(name+"rebalancing", "1 while a rebalance is on.", on)
	average, since := math.NaN(), math.NaN()
	if r.Completed > 0 {
		average, since = millis(r.Total)/float64(r.Completed), millis(now.Sub(r.Last))
	}
	w.gauge(name+"rebalance_avg_time_ms", "How long rebalances took on average.", average)
	w.gauge(name+"rebalance_max_time_ms", "How long the longest rebalance took.", millis(r.Longest))
	w.gauge(name+"time_since_last_rebalance_ms", "How long ago the last rebalance was over.", since)
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// peers writes who shares the cluster's work, and what the last rebalance did.
func (w writer) peers(v cluster.View) {
	if v.Generation == 0 {
		return
	}
	w.gauge("hydraulics_cluster_workers", "Workers of the cluster.", float64(len(v.Peers)))
	for _, p := range v.Peers {
		connectors, tasks := p.Counts()
		leads := strconv.FormatBool(p.Leads)
		w.gauge("hydraulics_cluster_worker_connectors", "Connectors that a worker of the cluster was assigned.", float64(connectors), "worker", p.URL, "leads", leads, "version", p.Software)
		w.gauge("hydraulics_cluster_worker_tasks", "Tasks that a worker of the cluster was assigned.", float64(tasks), "worker", p.URL, "leads", leads, "version", p.Software)
	}
	w.gauge("hydraulics_cluster_waiting", "Connectors and tasks that no worker has.", float64(v.Waiting))
	w.gauge("hydraulics_cluster_rebalance_given", "Connectors and tasks that workers got in the last rebalance.", float64(v.Given))
	w.gauge("hydraulics_cluster_rebalance_taken", "Connectors and tasks that were taken from workers in the last rebalance.", float64(v.Taken))
	for _, c := range v.Causes {
		w.gauge("hydraulics_cluster_rebalance_cause", "1 with a cause of the last rebalance.", 1, "cause", string(c))
	}
}
