package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TransformCase describes a transform to [Transform].
type TransformCase struct {
	New   func() connector.Transform
	Props connector.Props
	// Records are what the transform is given; good ones and bad ones. The suite
	// adds a tombstone of each key, and records of other shapes.
	Records []connector.Record
	// Context is the plugin's context; the zero value is [Context].
	Context connector.Context
	// KnownFailures are cases of the suite that the transform fails, with the reason.
	KnownFailures map[string]string
}

// Transform checks the promises of a transform, which package connector's
// comments make and doc.go of this package lists.
func Transform(t *testing.T, c TransformCase) { suite(t, c.KnownFailures, c.promises()) }

func (c TransformCase) promises() []promise {
	return []promise{
		{"describes itself", func(t testing.TB) { Plugin(t, c.New()) }},
		{"closes twice and without a configuration", c.closes},
		{"results are valid", c.valid},
		{"leaves its input alone", c.leaves},
		{"results stay as they are", c.results},
		{"a record has the same result whatever came before", c.independent},
		{"instances do not disturb each other", c.concurrent},
		{"a batch is its records", c.batch},
		{"leaves no goroutine", c.goroutines},
	}
}

// records are the case's, a tombstone for each of their keys, and what a
// transform meets sooner or later.
func (c TransformCase) records() []connector.Record {
	records := slices.Clone(c.Records)
	for _, r := range c.Records {
		r.Value = nil
		records = append(records, r)
		r.ValueSchema = nil
		records = append(records, r)
	}
	return append(records, oddRecords()...)
}

// recursive is the schema of a struct that can hold itself.
var recursive = func() *connector.Schema {
	s, err := connector.Recursive(func(self *connector.Schema) (*connector.Schema, error) {
		return connector.NewStructSchema("recursive", []connector.Field{connector.F("odd", connector.OptionalStringSchema), connector.F("next", self.AsOptional())})
	})
	if err != nil {
		panic(err)
	}
	return s
}()

func oddRecords() []connector.Record {
	object := connector.StructOf("odd", connector.F("odd", connector.OptionalStringSchema))
	values := []struct {
		schema *connector.Schema
		value  any
	}{
		{nil, nil}, {object.AsOptional(), nil}, {nil, "text"}, {connector.StringSchema, "text"}, {nil, map[string]any{}},
		{nil, map[any]any{int32(1): "x"}}, {nil, []any{nil}}, {object, connector.NewStruct(object)}, {nil, []byte(nil)}, {connector.Float64Schema, 0.5},
		{recursive, connector.NewStruct(recursive).Set("next", connector.NewStruct(recursive))},
	}
	var records []connector.Record
	for i, v := range values {
		r := connector.NewRecord("odd", nil, nil, v.schema, v.value)
		r.Partition, r.Origin = 0, connector.Origin{Topic: "odd", Offset: int64(i)}
		records = append(records, r)
	}
	return records
}

// applying is a configured transform and the store it has, if it wants one.
type applying struct {
	transform connector.Transform
	store     *Store
}

func (c TransformCase) configure(t testing.TB) applying {
	t.Helper()
	tr := c.New()
	ctx := c.Context
	if ctx.Log == nil {
		ctx = Context(t)
	}
	if err := tr.Configure(ctx, Configure(t, tr, c.Props)); err != nil {
		t.Fatalf("configure: %v", err)
	}
	t.Cleanup(func() { _ = closeOnce(tr) })
	return applying{tr, new(Store)}
}

func closeOnce(p connector.Plugin) error {
	if c, ok := p.(connector.Closer); ok {
		return c.Close()
	}
	return nil
}

// apply gives the result of one record; a panic is an error of the kind fatal.
func (a applying) apply(r connector.Record) (result connector.Result) {
	defer func() {
		if p := recover(); p != nil {
			result = connector.Result{Err: connector.Fatal(fmt.Errorf("panic: %v", p))}
		}
	}()
	if s, ok := a.transform.(connector.StatefulTransform); ok {
		out, keep, err := s.ApplyStateful(context.Background(), a.store, r)
		return connector.Result{Record: out, Keep: keep, Err: err}
	}
	out, keep, err := a.transform.Apply(context.Background(), r)
	return connector.Result{Record: out, Keep: keep, Err: err}
}

func (a applying) applyAll(records []connector.Record) []connector.Result {
	results := make([]connector.Result, len(records))
	for i, r := range records {
		results[i] = a.apply(r)
	}
	return results
}

func (c TransformCase) closes(t testing.TB) {
	fresh := c.New()
	a := c.configure(t)
	a.applyAll(c.records())
	for _, tr := range []connector.Transform{fresh, fresh, a.transform, a.transform} {
		if err := closeOnce(tr); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func (c TransformCase) valid(t testing.TB) {
	records := c.records()
	for i, got := range c.configure(t).applyAll(records) {
		if got.Err != nil {
			checkRecordError(t, fmt.Sprintf("record %d (%v)", i, records[i].Value), got.Err)
			continue
		}
		if !got.Keep {
			continue
		}
		if err := connector.Validate(got.Record.ValueSchema, got.Record.Value); err != nil && got.Record.Value != nil {
			t.Errorf("record %d: the result does not fit its schema: %v", i, err)
		}
		if err := connector.Validate(got.Record.KeySchema, got.Record.Key); err != nil && got.Record.Key != nil {
			t.Errorf("record %d: the result's key does not fit its schema: %v", i, err)
		}
		for _, v := range []any{got.Record.Key, got.Record.Value} {
			if s, ok := v.(*connector.Struct); ok {
				if err := s.Validate(); err != nil {
					t.Errorf("record %d: the result does not fit its schema: %v", i, err)
				}
			}
		}
	}
}

// checkRecordError wants that an error of one record does not end the task.
func checkRecordError(t testing.TB, what string, err error) {
	t.Helper()
	if connector.KindOf(err) == connector.KindFatal {
		t.Errorf("%s: one record ends the task: %v", what, err)
	}
	if errors.Is(err, context.Canceled) {
		t.Errorf("%s: %v", what, err)
	}
}

func (c TransformCase) leaves(t testing.TB) {
	records := copyRecords(c.records())
	before := copyRecords(records)
	a := c.configure(t)
	a.applyAll(records)
	if b, ok := a.transform.(connector.BatchTransform); ok {
		b.ApplyBatch(context.Background(), slices.Clone(records))
	}
	for i := range before {
		if !sameRecord(records[i], before[i]) {
			t.Fatalf("record %d was changed in place: it is %+v, was %+v", i, records[i], before[i])
		}
	}
}

// results wants that what was handed over is not changed by what comes later.
func (c TransformCase) results(t testing.TB) {
	records := c.records()
	a := c.configure(t)
	var results, copies []connector.Result
	keep := func(r connector.Result) {
		results = append(results, r)
		r.Record = copyRecord(r.Record)
		copies = append(copies, r)
	}
	for _, r := range records {
		keep(a.apply(r))
	}
	if b, ok := a.transform.(connector.BatchTransform); ok {
		for range 2 {
			for _, r := range b.ApplyBatch(context.Background(), slices.Clone(records)) {
				keep(r)
			}
		}
	}
	if err := closeOnce(a.transform); err != nil {
		t.Errorf("close: %v", err)
	}
	for i := range results {
		if results[i].Err == nil && results[i].Keep && !sameRecord(results[i].Record, copies[i].Record) {
			t.Fatalf("result %d was changed after it was handed over: it was %+v, and is %+v", i, copies[i].Record, results[i].Record)
		}
	}
}

// independent applies the records backwards too. A transform with a store
// depends on what came before, through the store alone.
func (c TransformCase) independent(t testing.TB) {
	records := c.records()
	first, again := c.configure(t).applyAll(records), c.configure(t)
	if _, stateful := again.transform.(connector.StatefulTransform); stateful {
		compareResults(t, "the second time", again.applyAll(records), first)
		again.store = new(Store)
		compareResults(t, "with an empty store", again.applyAll(records), first)
		return
	}
	back := make([]connector.Result, len(records))
	for i, r := range slices.Backward(records) {
		back[i] = again.apply(r)
	}
	compareResults(t, "in another order", back, first)
	compareResults(t, "by the same instance once more", again.applyAll(records), first)
}

func (c TransformCase) concurrent(t testing.TB) {
	records := c.records()
	want := c.configure(t).applyAll(records)
	instances := []applying{c.configure(t), c.configure(t), c.configure(t)}
	results := make([][]connector.Result, len(instances))
	var wait sync.WaitGroup
	for i, a := range instances {
		wait.Go(func() {
			for range 3 {
				a.store = new(Store)
				results[i] = a.applyAll(records)
			}
		})
	}
	wait.Wait()
	for _, got := range results {
		compareResults(t, "beside other instances", got, want)
	}
}

// batch compares batches of several sizes with the records one by one.
func (c TransformCase) batch(t testing.TB) {
	a := c.configure(t)
	b, ok := a.transform.(connector.BatchTransform)
	if !ok {
		t.Skip("the transform takes no batches")
	}
	records := c.records()
	want := c.configure(t).applyAll(records)
	if got := b.ApplyBatch(context.Background(), nil); len(got) != 0 {
		t.Errorf("an empty batch gives %d results", len(got))
	}
	for _, size := range []int{len(records), 1, 3} {
		var got []connector.Result
		for part := range slices.Chunk(records, size) {
			batch := slices.Clone(part)
			results := b.ApplyBatch(context.Background(), batch)
			if len(results) != len(part) {
				t.Fatalf("%d results of %d records", len(results), len(part))
			}
			got = append(got, results...)
			clear(batch) // the slice is not kept
		}
		compareResults(t, fmt.Sprintf("in batches of %d", size), got, want)
	}
}

func compareResults(t testing.TB, how string, got, want []connector.Result) {
	t.Helper()
	for i, w := range want {
		g := got[i]
		if (g.Err == nil) != (w.Err == nil) || w.Err == nil && (g.Keep != w.Keep || w.Keep && !sameRecord(g.Record, w.Record)) {
			t.Fatalf("record %d gives %+v %s, alone %+v", i, g, how, w)
		}
	}
}

func (c TransformCase) goroutines(t testing.TB) {
	noneLeft(t, func() {
		for range 2 {
			a := c.configure(t)
			a.applyAll(c.records())
			if err := closeOnce(a.transform); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
}
