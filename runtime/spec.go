package runtime

import (
	"context"
	"log/slog"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/tracing"
)

// Kind is what a connector does.
type Kind string

// The kinds. A stream is ours: topic in, transforms, topic out.
const (
	KindSource Kind = "source"
	KindSink   Kind = "sink"
	KindStream Kind = "stream"
)

// TaskSpec is what a task is to do.
type TaskSpec struct {
	Connector string
	Task      int
	Kind      Kind
	// Props are the connector's, resolved. TaskProps are what its plugin gets:
	// one of [Worker.TaskConfigs]; nil is Props themselves.
	Props     connector.Props
	TaskProps connector.Props
	// Latest gives TaskProps with what their references stand for by now; nil is
	// that they have none.
	Latest func() (connector.Props, error)
	// Worker are the worker's: converters, client properties, intervals.
	Worker connector.Props
	// Failed is the error that ended the last run, where the restart policy starts
	// the task again.
	Failed error
	// Paused starts the task paused.
	Paused bool
}

// Options are what a worker needs.
type Options struct {
	// Plugins default to connector.Plugins.
	Plugins *connector.Registry
	// Offsets keeps the offsets of sources.
	Offsets offset.Store
	// Topics remembers the topics that connectors use; nil is that the worker does.
	Topics ActiveTopics
	// Open connects to Kafka; the default is that of a kafka.Pool.
	Open func(ctx context.Context, o kafka.Options) (*kafka.Client, error)
	Log  *slog.Logger
	// Tracer makes spans of batches and stages; nil makes none.
	Tracer *tracing.Tracer
}
