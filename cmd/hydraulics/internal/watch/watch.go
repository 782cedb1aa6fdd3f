// Package watch tells how far connectors are that commands run, and whether they fail.
package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/state"
)

// Every is how often commands look whether what they run is done.
const Every = 300 * time.Millisecond

// StopTime is how long a run that is interrupted may take to deliver what it has.
const StopTime = 15 * time.Second

// CaughtUp tells whether a group has committed everything in a topic.
func CaughtUp(ctx context.Context, client *kafka.Client, group, topic string) (bool, error) {
	ends, err := client.EndOffsets(ctx, topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return true, nil // nothing was ever written to it
	}
	if err != nil {
		return false, err
	}
	committed, err := client.CommittedOffsets(ctx, group)
	if err != nil {
		return false, err
	}
	for tp, end := range ends {
		if end > committed[tp] {
			return false, nil
		}
	}
	return true, nil
}

// Failed gives the error of the first connector that could not be split into
// tasks, or has one that failed and does not start again by itself.
func Failed(h *herder.Herder) error {
	for _, name := range h.Connectors() {
		status, err := h.Status(name)
		if err != nil {
			return err
		}
		if status.Connector.State == state.Failed {
			return fmt.Errorf("connector %s failed: %s", name, status.Connector.Trace)
		}
		for _, t := range status.Tasks {
			if t.State == state.Failed && (t.Restarts == nil || t.Restarts.Next.IsZero()) {
				return fmt.Errorf("task %s/%d failed: %s", name, t.ID, t.Trace)
			}
		}
	}
	return nil
}

// Sample gives the value of one of a task's own metrics.
func Sample(s runtime.Stats, name string) float64 {
	for _, m := range s.Metrics {
		if m.Name == name {
			return m.Value
		}
	}
	return 0
}
