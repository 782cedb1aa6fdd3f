// Package tracing makes OpenTelemetry spans of what tasks do: one per batch, with
// links to the traces that its records belong to, and one below it per stage.
//
// What a record belongs to is its header traceparent, and tracestate beside it, as
// W3C Trace Context has them (https://www.w3.org/TR/trace-context/). Headers are
// read, not written: they travel with the record as all others do.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options say where spans go.
type Options struct {
	Endpoint string // base URL of a collector that takes OTLP over HTTP, such as http://localhost:4318
	Headers  map[string]string
	Service  string // name of the service
	Version  string
	Log      *slog.Logger
}

// Exporter sends spans to a collector.
type Exporter struct{ provider *sdk.TracerProvider }

// Open makes an exporter, which sends in a goroutine of its own until it is closed.
// It connects to nothing yet. Beside its options OpenTelemetry's environment
// variables count, such as OTEL_TRACES_SAMPLER and OTEL_RESOURCE_ATTRIBUTES.
func Open(ctx context.Context, o Options) (*Exporter, error) {
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil:
		return nil, errors.New("the endpoint is not a URL") // the error would print it, with a password in it
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the endpoint %s has to be http://host:port or https://host:port, where a collector takes OTLP over HTTP", u.Redacted())
	}
	client, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.JoinPath("v1/traces").String()), otlptracehttp.WithHeaders(o.Headers))
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", o.Service), attribute.String("service.version", o.Version)), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(&complaints{log: o.Log})
	return &Exporter{sdk.NewTracerProvider(sdk.WithBatcher(client), sdk.WithResource(about))}, nil
}

// Tracer gives what makes the spans, nil of a nil exporter.
func (e *Exporter) Tracer() *Tracer {
	if e == nil {
		return nil
	}
	return New(e.provider)
}

// closing is how long spans may take to be sent at the end.
const closing = 5 * time.Second

// Close sends what is left, for as long as ctx lives and five seconds at most. It is safe on a nil exporter.
func (e *Exporter) Close(ctx context.Context) error {
	if e == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, closing)
	defer cancel()
	return e.provider.Shutdown(ctx)
}

// Tracer makes spans. A nil one makes none.
type Tracer struct{ trace.Tracer }

// New makes a tracer of a provider.
func New(p trace.TracerProvider) *Tracer {
	return &Tracer{p.Tracer("github.com/axiom-data-science/hydraulics/runtime")}
}

// Carrier gives what a record says of its trace, each empty if it says nothing.
type Carrier func(record int) (traceparent, tracestate string)

// maxLinks bounds what a span links to; it is the SDK's own bound.
const maxLinks = 128

// Batch begins the span of a batch of records.
func (t *Tracer) Batch(ctx context.Context, connector string, task int, records int, of Carrier) Span {
	if t == nil {
		return Span{}
	}
	_, s := t.Start(ctx, "batch", trace.WithLinks(links(records, of)...), trace.WithAttributes(
		attribute.String("connector", connector), attribute.Int("task", task), attribute.Int("messaging.batch.message_count", records)))
	return Span{s}
}

// Stage begins the span of a stage of the batch that ctx is of. Without one there
// is no span.
func (t *Tracer) Stage(ctx context.Context, place string) Span {
	if t == nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return Span{}
	}
	_, s := t.Start(ctx, place)
	return Span{s}
}

// links gives the traces of records, each once.
func links(records int, of Carrier) []trace.Link {
	var list []trace.Link
	seen := map[trace.SpanID]bool{}
	for i := 0; i < records && len(list) < maxLinks; i++ {
		parent, state := of(i)
		if parent == "" {
			continue
		}
		carried := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": parent, "tracestate": state})
		if c := trace.SpanContextFromContext(carried); c.IsValid() && !seen[c.SpanID()] {
			seen[c.SpanID()] = true
			list = append(list, trace.Link{SpanContext: c})
		}
	}
	return list
}

// Span is a span under way, or none.
type Span struct{ span trace.Span }

// In gives a context within the span.
func (s Span) In(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.span)
}

// End ends a span. err is why not all went well.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.RecordError(err)
		s.span.SetStatus(codes.Error, err.Error())
	}
	s.span.End()
}

// complaints logs what goes wrong in sending spans, now and then.
type complaints struct {
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
}

// Handle is called by the SDK.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.last) > time.Minute {
		c.last = time.Now()
		c.log.Warn("spans cannot be sent", "error", err.Error())
	}
}
