// Package watch tells how far connectors are that commands run.
package watch

import (
	"context"
	"errors"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime"
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

// Sample gives the value of one of a task's own metrics.
func Sample(s runtime.Stats, name string) float64 {
	for _, m := range s.Metrics {
		if m.Name == name {
			return m.Value
		}
	}
	return 0
}
