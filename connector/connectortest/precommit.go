package connectortest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// readFrom gives the partition that a record was read from.
func readFrom(r connector.Record) connector.TopicPartition {
	return connector.TopicPartition{Topic: r.Origin.Topic, Partition: r.Origin.Partition}
}

// settle has a sink make durable what it has taken, and keep offsets. What a
// PreCommitter does not choose yet is to be asked for again.
func (r running) settle(ctx context.Context) error {
	switch s := r.sink.(type) {
	case connector.PreCommitter:
		if err := r.choose(ctx, s); err != nil {
			return err
		}
		for tp, at := range r.taken {
			if safe := r.safe[tp]; safe < at {
				return connector.Retriable(fmt.Errorf("of %s[%d] the sink has taken what is before offset %d, and PreCommit gives %d", tp.Topic, tp.Partition, at, safe))
			}
		}
	case connector.Flusher:
		if err := s.Flush(ctx); err != nil {
			return err
		}
	}
	if s, ok := r.sink.(connector.OffsetKeeper); ok {
		return s.KeepOffsets(ctx, maps.Clone(r.taken))
	}
	return nil
}

// choose asks for the offsets that may be committed.
func (r running) choose(ctx context.Context, s connector.PreCommitter) error {
	chosen, err := s.PreCommit(ctx, maps.Clone(r.taken))
	if err != nil {
		return err
	}
	for tp, at := range chosen {
		if taken, ok := r.taken[tp]; !ok || at > taken || at < 0 {
			return connector.Fatal(fmt.Errorf("PreCommit gives offset %d of %s[%d], and was given %d", at, tp.Topic, tp.Partition, taken))
		}
	}
	maps.Copy(r.safe, chosen)
	return nil
}

// chooses reads what a PreCommitter's system holds whenever it says that offsets
// may be committed.
func (c SinkCase) chooses(t testing.TB) {
	r := c.start(t, c.System(t))
	s, ok := r.sink.(connector.PreCommitter)
	if !ok {
		return
	}
	records := c.records(t)
	for n := 0; n < len(records); n += 10 {
		r.deliver(records[n : n+10])
		r.retry("choice of offsets", func() error { return r.choose(t.Context(), s) })
		held := r.system.Held()
		for _, rec := range records[:n+10] {
			item := c.Item(rec)
			if c.Key != nil || item == "" || rec.Origin.Offset >= r.safe[readFrom(rec)] {
				continue // one with a key may have made way for a later one
			}
			if !slices.Contains(held, item) {
				t.Fatalf("%s[%d]@%d may be committed, and the system does not hold it: %q", rec.Origin.Topic, rec.Origin.Partition, rec.Origin.Offset, item)
			}
		}
	}
	r.flush()
	c.check(t, "after the last choice", r.system, records, once)
}
