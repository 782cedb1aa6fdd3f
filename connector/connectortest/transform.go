package connectortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TransformCase describes a transform to [Transform].
type TransformCase struct {
	New   func() connector.Transform
	Props connector.Props
	// Records are what the transform is given; good ones and bad ones.
	Records []connector.Record
	// Context is the plugin's context; the zero value is [Context].
	Context connector.Context
}

// Transform checks the promises of a transform: it does not change what it was
// handed, gives the same result for the same record, gives results that fit
// their schemas, never panics on an odd record (it fails, with an error of the
// kind data), and in a batch gives for each record what it gives for it alone.
func Transform(t *testing.T, c TransformCase) {
	t.Run("plugin", func(t *testing.T) { Plugin(t, c.New()) })
	records := append(slices.Clone(c.Records), oddRecords()...)
	t.Run("leaves its input alone and repeats", func(t *testing.T) {
		apply := applier(t, c)
		again := applier(t, c)
		for i, r := range records {
			before := deepCopy(r)
			out, keep, err := apply(r)
			if !sameTransformed(r, before) {
				t.Errorf("record %d was changed in place: %+v", i, r)
			}
			checkTransformed(t, i, out, keep, err)
			out2, keep2, err2 := again(r)
			if keep != keep2 || (err == nil) != (err2 == nil) || err == nil && keep && !sameTransformed(out, out2) {
				t.Errorf("record %d gives another result the second time: %+v, then %+v", i, out, out2)
			}
		}
	})
	if _, ok := c.New().(connector.BatchTransform); ok {
		t.Run("a batch is its records", func(t *testing.T) {
			tr := configured(t, c).(connector.BatchTransform)
			single := applier(t, c)
			results := tr.ApplyBatch(t.Context(), records)
			if len(results) != len(records) {
				t.Fatalf("%d results of %d records", len(results), len(records))
			}
			for i, got := range results {
				out, keep, err := single(records[i])
				if (got.Err == nil) != (err == nil) || err == nil && (got.Keep != keep || keep && !sameTransformed(got.Record, out)) {
					t.Errorf("record %d of a batch gives %+v, alone %+v %v %v", i, got, out, keep, err)
				}
			}
			if got := tr.ApplyBatch(t.Context(), nil); len(got) != 0 {
				t.Errorf("an empty batch gives %d results", len(got))
			}
		})
	}
}

// oddRecords are what a transform meets sooner or later.
func oddRecords() []connector.Record {
	object := connector.StructOf("odd", connector.F("odd", connector.OptionalStringSchema))
	values := []struct {
		schema *connector.Schema
		value  any
	}{
		{nil, nil}, {object.AsOptional(), nil}, {nil, "text"}, {connector.StringSchema, "text"}, {nil, map[string]any{}},
		{nil, map[any]any{int32(1): "x"}}, {nil, []any{nil}}, {object, connector.NewStruct(object)}, {nil, []byte(nil)}, {connector.Float64Schema, 0.5},
	}
	var records []connector.Record
	for i, v := range values {
		r := connector.NewRecord("odd", nil, nil, v.schema, v.value)
		r.Partition, r.Origin = 0, connector.Origin{Topic: "odd", Offset: int64(i)}
		records = append(records, r)
	}
	return records
}

func configured(t *testing.T, c TransformCase) connector.Transform {
	t.Helper()
	tr := c.New()
	ctx := c.Context
	if ctx.Log == nil {
		ctx = Context(t)
	}
	if err := tr.Configure(ctx, Configure(t, tr, c.Props)); err != nil {
		t.Fatalf("configure: %v", err)
	}
	if closer, ok := tr.(connector.Closer); ok {
		t.Cleanup(func() {
			if err := closer.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	return tr
}

type applyFunc func(connector.Record) (connector.Record, bool, error)

// applier gives a fresh instance's function of one record, panics made errors.
func applier(t *testing.T, c TransformCase) applyFunc {
	t.Helper()
	tr := configured(t, c)
	store := new(Store)
	return func(r connector.Record) (out connector.Record, keep bool, err error) {
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("panic on %+v: %v", r, p)
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		if s, ok := tr.(connector.StatefulTransform); ok {
			return s.ApplyStateful(context.Background(), store, r)
		}
		return tr.Apply(context.Background(), r)
	}
}

func checkTransformed(t *testing.T, i int, out connector.Record, keep bool, err error) {
	t.Helper()
	if err != nil {
		if k := connector.KindOf(err); k == connector.KindFatal {
			t.Errorf("record %d: one record stops the task: %v", i, err)
		}
		if errors.Is(err, context.Canceled) {
			t.Errorf("record %d: %v", i, err)
		}
		return
	}
	if !keep {
		return
	}
	if err := connector.Validate(out.ValueSchema, out.Value); err != nil && out.Value != nil {
		t.Errorf("record %d: the result does not fit its schema: %v", i, err)
	}
	if err := connector.Validate(out.KeySchema, out.Key); err != nil && out.Key != nil {
		t.Errorf("record %d: the result's key does not fit its schema: %v", i, err)
	}
}

func sameTransformed(a, b connector.Record) bool {
	if a.Topic != b.Topic || a.Partition != b.Partition || a.Timestamp != b.Timestamp || len(a.Headers) != len(b.Headers) {
		return false
	}
	for i := range a.Headers {
		if a.Headers[i].Key != b.Headers[i].Key || !connector.ValuesEqual(a.Headers[i].Value, b.Headers[i].Value) {
			return false
		}
	}
	return a.KeySchema.Equal(b.KeySchema) && connector.ValuesEqual(a.Key, b.Key) &&
		a.ValueSchema.Equal(b.ValueSchema) && connector.ValuesEqual(a.Value, b.Value)
}

func deepCopy(r connector.Record) connector.Record {
	r.Key, r.Value = copyValue(r.Key), copyValue(r.Value)
	r.Headers = slices.Clone(r.Headers)
	return r
}

func copyValue(v any) any {
	switch x := v.(type) {
	case []byte:
		return slices.Clone(x)
	case []any:
		c := slices.Clone(x)
		for i := range c {
			c[i] = copyValue(c[i])
		}
		return c
	case map[string]any:
		c := maps.Clone(x)
		for k := range c {
			c[k] = copyValue(c[k])
		}
		return c
	case map[any]any:
		return maps.Clone(x)
	case *connector.Struct:
		values := slices.Clone(x.Values())
		for i := range values {
			values[i] = copyValue(values[i])
		}
		return connector.StructFrom(x.Schema(), values)
	}
	return v
}
