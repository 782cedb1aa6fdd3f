package runtime

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/tracing"
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

// TestSpansOfBatches asks for a span per batch, linked to its records' traces, and
// one below it per stage, of all three journeys.
func TestSpansOfBatches(t *testing.T) {
	f := newFlow(t)
	for _, topic := range []string{"in", "out"} {
		f.topic(topic, 1)
	}
	ended := tracetest.NewSpanRecorder()
	s := &script{}
	w := f.headerWorker(s)
	w.options.Tracer = tracing.New(sdk.NewTracerProvider(sdk.WithSpanProcessor(ended)))
	task, _ := f.start(w, KindSource, "so", connector.Props{"topic": "in", "count": "1", "transforms": "mark", "transforms.mark.type": "InsertHeader",
		"transforms.mark.header": "traceparent", "transforms.mark.value.literal": traces["traceparent"]})
	f.ended(task)
	f.start(w, KindStream, "st", connector.Props{"topics": "in", "topic": "out"})
	f.start(w, KindSink, "si", connector.Props{"topics": "out"})
	eventually(t, "commit of the sink", func() bool { return f.committed("connect-si", "out") == 1 })
	got := map[string][]string{}
	for _, s := range ended.Ended() {
		if s.Name() != "batch" || s.Status().Code == codes.Error {
			continue
		}
		about := attribute.NewSet(s.Attributes()...)
		name, _ := about.Value("connector")
		var list []string
		for _, l := range s.Links() {
			list = append(list, "link "+l.SpanContext.SpanID().String())
		}
		for _, c := range ended.Ended() {
			if c.Parent().SpanID() == s.SpanContext().SpanID() {
				list = append(list, c.Name())
			}
		}
		got[name.AsString()] = append(got[name.AsString()], list...)
	}
	const link, keys, values, headers = "link 00f067aa0ba902b7", "key converter (text)", "value converter (text)", "header converter (simple)"
	want := map[string][]string{
		"so": {"transform mark (insert-header)", headers, keys, values},
		"st": {link, keys, values, headers, headers, keys, values},
		"si": {link, keys, values, headers, "sink (collect)"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The stage that cuts a batch has the error, those behind it have none.
func TestSpanOfTheStageThatFails(t *testing.T) {
	ended := tracetest.NewSpanRecorder()
	j := testJourney(new(tolerance),
		oneStage("first", func(n, _ int) error {
			if n == 1 {
				return errTest
			}
			return nil
		}),
		oneStage("second", func(int, int) error { return nil }))
	j.tracer = tracing.New(sdk.NewTracerProvider(sdk.WithSpanProcessor(ended)))
	b := testBatch(2)
	span := j.span(t.Context(), b)
	j.run(span.In(t.Context()), b)
	span.End(b.stop)
	got := map[string]codes.Code{}
	for _, s := range ended.Ended() {
		got[s.Name()] = s.Status().Code
	}
	if d := cmp.Diff(map[string]codes.Code{"first": codes.Error, "second": codes.Unset, "batch": codes.Error}, got); d != "" {
		t.Error(d)
	}
}
