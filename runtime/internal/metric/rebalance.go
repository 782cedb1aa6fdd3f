package metric

import (
	"math"
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
