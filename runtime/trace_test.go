package runtime

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// traces are headers of W3C Trace Context and Baggage; two look like numbers.
var traces = map[string]string{
	"traceparent":  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	"x-b3-traceid": "0e10",
	"baggage":      "1e5",
	"tracestate":   "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
}

// TestTraceContextPassesThrough takes the headers of traces through a source, a
// stream and a sink, with the worker's default header converter: the trace that a
// record belongs to is the same at its end, and in a dead letter.
func TestTraceContextPassesThrough(t *testing.T) {
	f := newFlow(t)
	for _, topic := range []string{"in", "out"} {
		f.topic(topic, 1)
	}
	s := &script{}
	w := f.headerWorker(s)
	task, _ := f.start(w, KindSource, "so", connector.Props{"topic": "in", "count": "1", "transforms": "mark", "transforms.mark.type": "InsertHeader",
		"transforms.mark.header": "traceparent", "transforms.mark.value.literal": traces["traceparent"]})
	f.ended(task)
	var headers []kafka.Header
	for key, value := range traces {
		headers = append(headers, kafka.Header{Key: key, Value: []byte(value)})
	}
	f.produce("in", kafka.Message{Value: []byte("7"), Timestamp: connector.NoTimestamp, Headers: headers},
		kafka.Message{Value: []byte("bad"), Timestamp: connector.NoTimestamp, Headers: headers})
	f.start(w, KindStream, "st", connector.Props{"topics": "in", "topic": "out", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead",
		"errors.deadletterqueue.topic.replication.factor": "1"})
	eventually(t, "commit of the stream", func() bool { return f.committed("connect-st", "in") == 3 })
	all := append(f.read("out"), f.read("dead")...)
	if len(all) != 3 {
		t.Fatalf("%d records, want 3", len(all))
	}
	for i, m := range all {
		want := traces
		if i == 0 {
			want = map[string]string{"traceparent": traces["traceparent"]}
		}
		got := map[string]string{}
		for _, h := range m.Headers {
			got[h.Key] = string(h.Value)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("record %d: %s", i, d)
		}
	}
	f.start(w, KindSink, "si", connector.Props{"topics": "out"})
	eventually(t, "commit of the sink", func() bool { return f.committed("connect-si", "out") == 2 })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		if v, _ := r.Headers.Last("traceparent"); v.Value != traces["traceparent"] {
			t.Errorf("the sink got traceparent %v", v.Value)
		}
	}
}
