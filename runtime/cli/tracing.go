package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/tracing"
)

// openTraces opens what sends a worker's spans, nil where no collector is named.
func openTraces(ctx context.Context, conf connector.Config, log *slog.Logger) (*tracing.Exporter, error) {
	const endpoint, headers = "otel.exporter.otlp.endpoint", "otel.exporter.otlp.headers"
	if conf.String(endpoint) == "" {
		return nil, nil
	}
	list, err := headersOf(conf.Password(headers))
	if err != nil {
		return nil, fmt.Errorf("worker: %s: %w", headers, err)
	}
	e, err := tracing.Open(ctx, tracing.Options{Endpoint: conf.String(endpoint), Headers: list,
		Service: conf.String("otel.service.name"), Version: config.Version, Log: log})
	if err != nil {
		return nil, fmt.Errorf("worker: %s: %w", endpoint, err)
	}
	return e, nil
}

// headersOf reads headers written as NAME=VALUE,NAME=VALUE.
func headersOf(text connector.Password) (map[string]string, error) {
	list := map[string]string{}
	for pair := range strings.SplitSeq(text.Secret(), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, errors.New("headers are written as NAME=VALUE, separated by commas")
		}
		list[name] = strings.TrimSpace(value)
	}
	return list, nil
}
