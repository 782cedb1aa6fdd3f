package tracing

import (
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// span is what a collector was told of one.
type span struct {
	Name    string
	Parent  string // its name
	Links   []string
	Records int64
	Error   string
}

func TestSpansArriveAtACollector(t *testing.T) {
	got, headers := make(chan *collector.ExportTraceServiceRequest, 1), make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		req := &collector.ExportTraceServiceRequest{}
		if err := proto.Unmarshal(body, req); err != nil || r.URL.Path != "/base/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		got <- req
		headers <- r.Header
	}))
	defer server.Close()
	e, err := Open(t.Context(), Options{Endpoint: server.URL + "/base", Headers: map[string]string{"X-Token": "secret"},
		Service: "ship", Version: "1.2.3", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tracer := e.Tracer()
	parents := []string{
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"", "not one", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
	}
	batch := tracer.Batch(t.Context(), "classify", 3, len(parents), func(i int) (string, string) { return parents[i], "" })
	ctx := batch.In(t.Context())
	tracer.Stage(ctx, "value converter (avro)").End(nil)
	stage := tracer.Stage(ctx, "sink (rest)")
	stage.End(errors.New("classify/3: sink (rest): no answer"))
	batch.End(nil)
	ctx, cancel := wait.Context()
	defer cancel()
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if token := (<-headers).Get("X-Token"); token != "secret" {
		t.Errorf("the collector got the token %q", token)
	}
	service, spans := told(<-got)
	if service != "ship 1.2.3" {
		t.Errorf("the service is %s", service)
	}
	want := []span{
		{Name: "value converter (avro)", Parent: "batch"},
		{Name: "sink (rest)", Parent: "batch", Error: "classify/3: sink (rest): no answer"},
		{Name: "batch", Links: []string{"00f067aa0ba902b7", "b7ad6b7169203331"}, Records: 5},
	}
	if diff := cmp.Diff(want, spans); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// told reads the one resource of a request.
func told(req *collector.ExportTraceServiceRequest) (service string, list []span) {
	about := map[string]string{}
	for _, a := range req.ResourceSpans[0].Resource.Attributes {
		about[a.Key] = a.Value.GetStringValue()
	}
	names := map[string]string{}
	spans := req.ResourceSpans[0].ScopeSpans[0].Spans
	for _, s := range spans {
		names[string(s.SpanId)] = s.Name
	}
	for _, s := range spans {
		one := span{Name: s.Name, Parent: names[string(s.ParentSpanId)], Error: s.GetStatus().GetMessage()}
		for _, l := range s.Links {
			one.Links = append(one.Links, hex.EncodeToString(l.SpanId))
		}
		for _, a := range s.Attributes {
			if a.Key == "messaging.batch.message_count" {
				one.Records = a.Value.GetIntValue()
			}
		}
		list = append(list, one)
	}
	return about["service.name"] + " " + about["service.version"], list
}

func TestWrongEndpoints(t *testing.T) {
	for endpoint, want := range map[string]string{
		"localhost:4317":             "http://host:port",
		"http://":                    "http://host:port",
		"grpc://u:hush@host:4317":    "http://host:port",
		"http://u:hush@host:port/\n": "not a URL",
	} {
		_, err := Open(t.Context(), Options{Endpoint: endpoint})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v, want an error with %q", endpoint, err, want)
		}
	}
}

func TestWithoutATracerNothingIsAllocated(t *testing.T) {
	var tracer *Tracer
	ctx := t.Context()
	n := testing.AllocsPerRun(100, func() {
		batch := tracer.Batch(ctx, "c", 0, 1, nil)
		tracer.Stage(batch.In(ctx), "sink").End(nil)
		batch.End(nil)
	})
	if n != 0 {
		t.Errorf("a batch allocates %v times without a tracer", n)
	}
}
