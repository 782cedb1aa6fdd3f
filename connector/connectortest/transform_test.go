package connectortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// adder is a transform that keeps its promises: it adds a field to a map. The
// functions spoil it.
type adder struct {
	info
	configure func() error
	apply     func(r connector.Record) (connector.Record, bool, error)
	batch     func(records []connector.Record) []connector.Result
	close     func() error
}

func (a *adder) Configure(connector.Context, connector.Config) error {
	if a.configure != nil {
		return a.configure()
	}
	return nil
}

func (a *adder) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if a.apply != nil {
		return a.apply(r)
	}
	return add(r, 1)
}

func add(r connector.Record, n int64) (connector.Record, bool, error) {
	value, ok := r.Value.(map[string]any)
	if !ok {
		return r, false, connector.Data(fmt.Errorf("expected a map, got %T", r.Value))
	}
	value = maps.Clone(value)
	value["n"] = n
	r.Value = value
	return r, true, nil
}

func (a *adder) ApplyBatch(ctx context.Context, records []connector.Record) []connector.Result {
	if a.batch != nil {
		return a.batch(records)
	}
	return a.each(ctx, records)
}

func (a *adder) each(ctx context.Context, records []connector.Record) []connector.Result {
	results := make([]connector.Result, len(records))
	for i, r := range records {
		results[i].Record, results[i].Keep, results[i].Err = a.Apply(ctx, r)
	}
	return results
}

func (a *adder) Close() error {
	if a.close != nil {
		return a.close()
	}
	return nil
}

func transformCase(spoil func(a *adder)) TransformCase {
	record := func(name string) connector.Record {
		return connector.NewRecord("t", connector.StringSchema, name, nil, map[string]any{"name": name})
	}
	return TransformCase{
		New:     func() connector.Transform { a := new(adder); spoil(a); return a },
		Records: []connector.Record{record("one"), record("two"), record("three")},
	}
}

func TestTransformThatKeepsItsPromises(t *testing.T) {
	Transform(t, transformCase(func(*adder) {}))
}

func TestBadTransforms(t *testing.T) {
	bad := func(name, fails, says string, spoil func(a *adder)) badCase {
		return badCase{name: name, fails: fails, says: says, promises: transformCase(spoil).promises()}
	}
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	leaks := bad("a goroutine for each configuration", "leaves no goroutine", "goroutines are left behind", func(a *adder) {
		a.configure = func() error { go func() { <-forever }(); return nil }
	})
	leaks.waits = true
	var shared atomic.Int64
	const valid, leaves, stay, batch = "results are valid", "leaves its input alone", "results stay as they are", "a batch is its records"
	runBad(t, []badCase{
		leaks,
		bad("changes its input", leaves, "record 0 was changed in place", func(a *adder) {
			a.apply = func(r connector.Record) (connector.Record, bool, error) {
				if value, ok := r.Value.(map[string]any); ok {
					value["n"] = int64(1)
				}
				return r, true, nil
			}
		}),
		bad("changes the input of a batch", leaves, "record 0 was changed in place", func(a *adder) {
			a.batch = func(records []connector.Record) []connector.Result {
				for _, r := range records {
					if value, ok := r.Value.(map[string]any); ok {
						delete(value, "name")
					}
				}
				return make([]connector.Result, len(records))
			}
		}),
		bad("one value for all results", stay, "result 0 was changed after it was handed over", func(a *adder) {
			one := map[string]any{}
			a.apply = func(r connector.Record) (connector.Record, bool, error) {
				value, ok := r.Value.(map[string]any)
				if !ok {
					return r, false, errors.New("no map")
				}
				clear(one)
				maps.Copy(one, value)
				r.Value = one
				return r, true, nil
			}
		}),
		bad("a batch in another order", batch, "in batches of", func(a *adder) {
			a.batch = func(records []connector.Record) []connector.Result {
				results := a.each(context.Background(), records)
				slices.Reverse(results)
				return results
			}
		}),
		bad("a batch without its bad records", batch, "results of", func(a *adder) {
			a.batch = func(records []connector.Record) []connector.Result {
				return slices.DeleteFunc(a.each(context.Background(), records), func(r connector.Result) bool { return r.Err != nil })
			}
		}),
		bad("a bad record fails its batch", batch, "record 0 gives", func(a *adder) {
			a.batch = func(records []connector.Record) []connector.Result {
				results := a.each(context.Background(), records)
				for _, r := range results {
					if r.Err != nil {
						return slices.Repeat([]connector.Result{{Err: r.Err}}, len(records))
					}
				}
				return results
			}
		}),
		bad("keeps the slice of a batch", batch, "in batches of 1, alone", func(a *adder) {
			var last []connector.Record
			a.batch = func(records []connector.Record) []connector.Result {
				results := a.each(context.Background(), records)
				if len(last) > 0 {
					results[0].Record = last[0]
				}
				last = records
				return results
			}
		}),
		bad("panics on a tombstone", valid, "panic: interface conversion", func(a *adder) {
			a.apply = func(r connector.Record) (connector.Record, bool, error) {
				_ = r.Value.(map[string]any)
				return add(r, 1)
			}
		}),
		bad("ends its task over a record", valid, "one record ends the task", func(a *adder) {
			a.apply = func(r connector.Record) (connector.Record, bool, error) {
				out, keep, err := add(r, 1)
				return out, keep, connector.Fatal(err)
			}
		}),
		bad("a result that does not fit its schema", valid, "the result does not fit its schema", func(a *adder) {
			a.apply = func(r connector.Record) (connector.Record, bool, error) {
				r.ValueSchema, r.Value = connector.Int64Schema, "one"
				return r, true, nil
			}
		}),
		bad("remembers records", "a record has the same result whatever came before", "in another order", func(a *adder) {
			n := int64(0)
			a.apply = func(r connector.Record) (connector.Record, bool, error) { n++; return add(r, n) }
		}),
		bad("instances share a state", "instances do not disturb each other", "beside other instances", func(a *adder) {
			a.apply = func(r connector.Record) (connector.Record, bool, error) { return add(r, shared.Add(1)) }
		}),
		bad("fails to close again", "closes twice and without a configuration", "close: closed already", func(a *adder) {
			closed := false
			a.close = func() error {
				if closed {
					return errors.New("closed already")
				}
				closed = true
				return nil
			}
		}),
	})
}
