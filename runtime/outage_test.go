package runtime

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// A broker that goes away and comes back stops a flow, and no task fails: what
// was on its way is sent again, in order.
func TestFlowSurvivesABrokerOutage(t *testing.T) {
	t.Parallel()
	b := kafkatest.New(t) // stops after the tasks, which start later
	f := &flow{t: t, broker: b.Addr(), offsets: t.TempDir() + "/offsets"}
	var err error
	if f.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{f.broker}, ClientID: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	f.topic("numbers", 2)
	f.topic("risen", 2)
	const n = 2000
	s := &script{}
	var outages atomic.Int64
	s.poll = func(i int) error { // stays near the sink, so that there is work in each outage
		for len(s.values())+500+200*int(outages.Load()) < i && t.Context().Err() == nil {
			pace()
		}
		return nil
	}
	w, _ := f.worker(s)
	w.options.Plugins.Add(connector.TransformType, func() connector.Plugin { return &rising{} })
	task, source := f.start(w, KindSource, "n", connector.Props{"topic": "numbers", "count": strconv.Itoa(n), "wait": "true"})
	_, stream := f.start(w, KindStream, "st", connector.Props{"topics": "numbers", "topic": "risen", "transforms": "r", "transforms.r.type": "rising"})
	_, sink := f.start(w, KindSink, "k", connector.Props{"topics": "risen"})
	for i := range 3 {
		eventually(t, "progress", func() bool { return len(s.values()) > i*200 })
		outages.Add(1)
		b.Stop()
		eventually(t, "records to pile up", func() bool { return task.Snapshot().Active > 100 })
		b.Restart()
	}
	eventually(t, "all numbers", func() bool { return len(count(s.values())) == n })
	for name, see := range map[string]*watcher{"source": source, "stream": stream, "sink": sink} {
		if err := see.failure(); err != nil {
			t.Errorf("the %s failed: %v", name, err)
		}
	}
	exactly(t, "topic of the source", f.tally("numbers"), n)
	t.Logf("repeats: stream %d, sink %d", repeats(t, "stream", f.tally("risen"), n), repeats(t, "sink", count(s.values()), n))
}
