package connectortest

import (
	"context"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// chooser is a sink that keeps its promises: it writes when it holds a dozen records,
// or is asked twice, and says how far it is.
type chooser struct {
	buffer
	safe  map[connector.TopicPartition]int64
	asked bool
	spoil func(safe map[connector.TopicPartition]int64)
}

func (c *chooser) Put(ctx context.Context, records []connector.Record) error {
	c.asked = false
	return c.buffer.Put(ctx, records)
}

func (c *chooser) PreCommit(ctx context.Context, current map[connector.TopicPartition]int64) (map[connector.TopicPartition]int64, error) {
	if len(c.held) >= 12 || c.asked {
		if err := c.Flush(ctx); err != nil {
			return nil, err
		}
		c.safe = maps.Clone(current)
	}
	c.asked = true
	safe := maps.Clone(c.safe)
	maps.DeleteFunc(safe, func(tp connector.TopicPartition, _ int64) bool { _, mine := current[tp]; return !mine })
	if c.spoil != nil && len(safe) > 0 {
		c.spoil(safe)
	}
	return safe, nil
}

func newChooser(s *shelf, spoil func(map[connector.TopicPartition]int64)) connector.Sink {
	return &chooser{buffer: buffer{appender: appender{shelf: s}}, spoil: spoil}
}

func TestPreCommitterThatKeepsItsPromises(t *testing.T) {
	Sink(t, sinkCase(func(s *shelf) connector.Sink { return newChooser(s, nil) }, false))
}

// Clauses: A14.
func TestBadPreCommitters(t *testing.T) {
	bad := func(name, fails, says string, of func(s *shelf) connector.Sink) badCase {
		return badCase{name: name, fails: fails, says: says, promises: sinkCase(of, false).promises()}
	}
	shift := func(by int64) func(s *shelf) connector.Sink {
		return func(s *shelf) connector.Sink {
			return newChooser(s, func(safe map[connector.TopicPartition]int64) {
				for tp := range safe {
					safe[tp] += by
				}
			})
		}
	}
	runBad(t, []badCase{
		bad("chooses more than it was given", "what may be committed is held", "PreCommit gives offset", shift(1)),
		bad("chooses a partition that is not its own", "what may be committed is held", "PreCommit gives offset 1 of other[0], and was given 0", func(s *shelf) connector.Sink {
			return newChooser(s, func(safe map[connector.TopicPartition]int64) { safe[connector.TopicPartition{Topic: "other"}] = 1 })
		}),
		bad("chooses what it has not written", "what may be committed is held", "may be committed, and the system does not hold it", func(s *shelf) connector.Sink {
			return &hasty{buffer{appender: appender{shelf: s}}}
		}),
	})
}

// hasty is a sink that chooses all it was given, whatever it holds.
type hasty struct{ buffer }

func (h *hasty) PreCommit(_ context.Context, current map[connector.TopicPartition]int64) (map[connector.TopicPartition]int64, error) {
	return current, nil
}

func TestPartitions(t *testing.T) {
	a, b := connector.TopicPartition{Topic: "t"}, connector.TopicPartition{Topic: "t", Partition: 1}
	p := Context(t).Sink.(*Partitions)
	if err := p.Pause(a); err == nil {
		t.Error("a partition that is not there is paused")
	}
	p.Assign(a, b)
	for _, err := range []error{p.Pause(a, b), p.Resume(b), p.Seek(b, 7)} {
		if err != nil {
			t.Error(err)
		}
	}
	p.RequestCommit()
	paused, seeks, commits := p.Asked()
	if d := cmp.Diff([]connector.TopicPartition{a}, paused); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[connector.TopicPartition]int64{b: 7}, seeks); d != "" || commits != 1 {
		t.Errorf("%s, %d commits", d, commits)
	}
	if d := cmp.Diff([]connector.TopicPartition{a, b}, p.Assignment()); d != "" {
		t.Error(d)
	}
}
