package runtime

import (
	"context"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// topics creates topics before their first record.
type topics struct {
	create  func(ctx context.Context, spec kafka.TopicSpec) error
	enabled bool
	rules   []config.TopicRule // the last one is for what no other takes

	mu   sync.Mutex
	made map[string]bool
}

// ready tells that there is nothing to create.
func (t *topics) ready(topic string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.enabled || t.made[topic]
}

// ensure creates a topic if it is not there. With topic.creation.enable=false
// that is the broker's business.
func (t *topics) ensure(ctx context.Context, topic string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.made[topic] {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := t.create(ctx, specFor(t.rules, topic)); err != nil {
		return err
	}
	t.made[topic] = true
	return nil
}

// specFor gives how to create a topic: by the first rule that takes it.
func specFor(rules []config.TopicRule, topic string) kafka.TopicSpec {
	for i, r := range rules {
		if i == len(rules)-1 || r.Takes(topic) {
			return kafka.TopicSpec{Name: topic, Partitions: r.Partitions, Replication: r.Replication, Config: r.Config}
		}
	}
	return kafka.TopicSpec{Name: topic, Partitions: -1, Replication: -1}
}
