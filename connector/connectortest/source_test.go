package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Records of counter: partitions a and b in turn, each numbered.
const counterWant = 20

// counter is a source that keeps its promises: two partitions of numbers. The
// functions spoil it.
type counter struct {
	info
	away *atomic.Bool
	next map[string]int64
	turn int

	starts func(c *counter) error
	polls  func(c *counter, ctx context.Context) ([]connector.SourceRecord, error)
	idle   func(ctx context.Context) ([]connector.SourceRecord, error)
	spoil  func(c *counter, r *connector.SourceRecord)
	stops  func() error
	offset func(name string, n int64) map[string]any
	resume func(name string, committed int64) int64
	batch  int64
}

func (c *counter) Start(ctx context.Context, cc connector.Context, _ connector.Config) error {
	c.next = map[string]int64{}
	for _, name := range []string{"a", "b"} {
		off, err := cc.Offsets.Offset(ctx, map[string]any{"name": name})
		if err != nil {
			return err
		}
		if n, ok := off["next"].(json.Number); ok {
			if c.next[name], err = n.Int64(); err != nil {
				return err
			}
			if c.resume != nil {
				c.next[name] = c.resume(name, c.next[name])
			}
		}
	}
	if c.starts != nil {
		return c.starts(c)
	}
	return nil
}

func (c *counter) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if c.polls != nil {
		return c.polls(c, ctx)
	}
	return c.poll(ctx)
}

func (c *counter) poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if c.away.Load() {
		return nil, connector.Retriable(errors.New("the counter is away"))
	}
	for range 2 {
		name := []string{"a", "b"}[c.turn%2]
		c.turn++
		if records := c.give(name); len(records) > 0 {
			return records, nil
		}
	}
	if c.idle != nil {
		return c.idle(ctx)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (c *counter) give(name string) []connector.SourceRecord {
	batch := max(c.batch, 3)
	var records []connector.SourceRecord
	for ; c.next[name] < counterWant/2 && int64(len(records)) < batch; c.next[name]++ {
		n := c.next[name]
		r := connector.SourceRecord{
			Record:          connector.NewRecord("t", nil, nil, connector.Int64Schema, n),
			SourcePartition: map[string]any{"name": name},
			SourceOffset:    map[string]any{"next": n + 1},
		}
		if c.offset != nil {
			r.SourceOffset = c.offset(name, n)
		}
		if c.spoil != nil {
			c.spoil(c, &r)
		}
		records = append(records, r)
	}
	return records
}

func (c *counter) Stop() error {
	if c.stops != nil {
		return c.stops()
	}
	return nil
}

func sourceCase(spoil func(c *counter)) SourceCase {
	away := new(atomic.Bool)
	return SourceCase{
		New: func() connector.Source {
			c := &counter{away: away}
			spoil(c)
			return c
		},
		Want:  counterWant,
		Break: func() func() { away.Store(true); return func() { away.Store(false) } },
	}
}

func TestSourceThatKeepsItsPromises(t *testing.T) {
	Source(t, sourceCase(func(*counter) {}))
	t.Run("and is done", func(t *testing.T) {
		Source(t, sourceCase(func(c *counter) {
			c.idle = func(context.Context) ([]connector.SourceRecord, error) { return nil, connector.ErrDone }
		}))
	})
}

// Clauses: A1.
func TestBadSources(t *testing.T) {
	bad := func(name, fails, says string, spoil func(c *counter)) badCase {
		return badCase{name: name, fails: fails, says: says, promises: sourceCase(spoil).promises()}
	}
	waits := func(b badCase) badCase { b.waits = true; return b }
	ends := func(c *counter) { // so that a record that is lost does not cost the suite its patience
		c.idle = func(context.Context) ([]connector.SourceRecord, error) { return nil, connector.ErrDone }
	}
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	var runs atomic.Int64
	const resumes, repeats, outage, leaves = "resumes behind every committed offset", "gives valid records, the same ones again",
		"an outage loses nothing", "leaves records as they are"
	runBad(t, []badCase{
		waits(bad("an idle Poll waits without end", "an idle Poll ends with its context", "an idle Poll whose context was cancelled does not return", func(c *counter) {
			c.idle = func(context.Context) ([]connector.SourceRecord, error) { <-forever; return nil, nil }
		})),
		bad("goes on without end", "an idle Poll ends with its context", "after 20 records there comes one more", func(c *counter) {
			c.idle = func(context.Context) ([]connector.SourceRecord, error) {
				return []connector.SourceRecord{{Record: connector.NewRecord("t", nil, nil, nil, "more")}}, nil
			}
		}),
		waits(bad("a goroutine for each start", "leaves no goroutine", "goroutines are left behind", func(c *counter) {
			c.starts = func(*counter) error { go func() { <-forever }(); return nil }
		})),
		bad("the offset is that of the batch's end", resumes, "the source gives", func(c *counter) {
			ends(c)
			c.offset = func(_ string, n int64) map[string]any { return map[string]any{"next": n - n%3 + 3} }
		}),
		bad("the offset is one ahead", resumes, "the source gives 18 records, want 19", func(c *counter) {
			ends(c)
			c.offset = func(_ string, n int64) map[string]any { return map[string]any{"next": n + 2} }
		}),
		bad("the offset is one behind", resumes, "a restart behind record 1 of 20: record 0 of partition", func(c *counter) {
			c.offset = func(_ string, n int64) map[string]any { return map[string]any{"next": n} }
		}),
		bad("does not resume", resumes, "a restart behind record 1 of 20: record 0 of partition", func(c *counter) {
			c.resume = func(string, int64) int64 { return 0 }
		}),
		bad("only resumes at even places", resumes, "record 0 of partition", func(c *counter) {
			c.resume = func(_ string, n int64) int64 { return n &^ 1 }
		}),
		bad("one partition resumes where the other does", resumes, "the source gives 18 records, want 19", func(c *counter) {
			c.starts = func(c *counter) error {
				c.next["a"] = max(c.next["a"], c.next["b"])
				c.next["b"] = c.next["a"]
				return nil
			}
			ends(c)
		}),
		bad("offsets count from where it resumed", "loses nothing over restarts", "restarts within every batch: record 2 of partition", func(c *counter) {
			from := map[string]int64{}
			c.resume = func(name string, n int64) int64 { from[name] = n; return n }
			c.offset = func(name string, n int64) map[string]any { return map[string]any{"next": n + 1 - from[name]} }
		}),
		bad("records beside a retriable error", outage, "are lost: those beside a retriable error are discarded", func(c *counter) {
			ends(c)
			c.polls = func(c *counter, ctx context.Context) ([]connector.SourceRecord, error) {
				if !c.away.Load() {
					return c.poll(ctx)
				}
				return c.give("a"), connector.Retriable(errors.New("away"))
			}
		}),
		bad("forgets what it was reading when it failed", outage, "outages: record 0 of partition", func(c *counter) {
			ends(c)
			c.polls = func(c *counter, ctx context.Context) ([]connector.SourceRecord, error) {
				if c.away.Load() {
					c.give("a")
				}
				return c.poll(ctx)
			}
		}),
		bad("ends its task in an outage", outage, "an outage is not retriable but unmarked", func(c *counter) {
			c.polls = func(c *counter, ctx context.Context) ([]connector.SourceRecord, error) {
				if c.away.Load() {
					return nil, errors.New("away")
				}
				return c.poll(ctx)
			}
		}),
		bad("cannot start in an outage", outage, "start in an outage is not retriable but unmarked", func(c *counter) {
			c.starts = func(c *counter) error {
				if c.away.Load() {
					return errors.New("away")
				}
				return nil
			}
		}),
		bad("one map for all offsets", leaves, "was changed after it was handed over", func(c *counter) {
			one := map[string]any{}
			c.offset = func(_ string, n int64) map[string]any { one["next"] = n + 1; return one }
		}),
		bad("one slice for all batches", leaves, "was changed after it was handed over", func(c *counter) {
			var one []connector.SourceRecord
			c.polls = func(c *counter, ctx context.Context) ([]connector.SourceRecord, error) {
				records, err := c.poll(ctx)
				one = append(one[:0], records...)
				return one, err
			}
		}),
		bad("one value for all records", leaves, "was changed after it was handed over", func(c *counter) {
			schema := connector.ArrayOf(connector.Int64Schema)
			one := []any{nil}
			c.spoil = func(_ *counter, r *connector.SourceRecord) { one[0] = r.Value; r.ValueSchema, r.Value = schema, one }
		}),
		bad("another order each time", repeats, "another run without a commit: record 0 of partition", func(c *counter) {
			run := runs.Add(1)
			c.spoil = func(_ *counter, r *connector.SourceRecord) {
				if n := r.Value.(int64); n < 2 && run%2 == 0 {
					r.Value = 1 - n
				}
			}
		}),
		bad("a value that does not fit", repeats, "value: expected int64, got string", func(c *counter) {
			c.spoil = func(_ *counter, r *connector.SourceRecord) { r.Value = fmt.Sprint(r.Value) }
		}),
		bad("no topic", repeats, "record has no topic", func(c *counter) {
			c.spoil = func(_ *counter, r *connector.SourceRecord) { r.Topic = "" }
		}),
		bad("an offset that is no JSON", repeats, "source offset is not JSON", func(c *counter) {
			c.spoil = func(_ *counter, r *connector.SourceRecord) { r.SourceOffset["at"] = math.NaN() }
		}),
		bad("a record too few", repeats, "the source gives 19 records, want 20", func(c *counter) {
			ends(c)
			c.starts = func(c *counter) error { c.next["b"] = max(1, c.next["b"]); return nil }
		}),
		bad("needs a start to stop", "stops twice and without a start", "Stop: panic", func(c *counter) {
			var running *atomic.Bool
			c.stops = func() error { running.Store(false); return nil }
		}),
		bad("fails to stop again", "stops twice and without a start", "stop: closed already", func(c *counter) {
			stopped := false
			c.stops = func() error {
				if stopped {
					return errors.New("closed already")
				}
				stopped = true
				return nil
			}
		}),
	})
}
