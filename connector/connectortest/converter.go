package connectortest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Pair is a schema and a value of it. Without a schema the value is plain.
type Pair struct {
	Schema *connector.Schema
	Value  any
}

// ConverterCase describes a converter to [Converter].
type ConverterCase struct {
	New   func() connector.Converter
	Props connector.Props
	// Values survive the round trip, the value by content.
	Values []Pair
	// Bad are bytes that the converter must refuse.
	Bad [][]byte
	// Untyped says that any value is written as the text that it prints as, as by
	// Kafka Connect's StringConverter: schemas are not looked at.
	Untyped bool
	// KnownFailures are cases of the suite that the converter fails, with the reason.
	KnownFailures map[string]string
}

// Converter checks the promises of a converter, which package connector's
// comments make and doc.go of this package lists.
func Converter(t *testing.T, c ConverterCase) { suite(t, c.KnownFailures, c.promises()) }

func (c ConverterCase) promises() []promise {
	return []promise{
		{"describes itself", func(t testing.TB) { Plugin(t, c.New()) }},
		{"closes twice and without a configuration", c.closes},
		{"reads back what it writes", c.roundTrip},
		{"null stays null", c.null},
		{"leaves values as they are", c.leaves},
		{"bytes stay as they are", c.bytesStay},
		{"does not keep the bytes it reads", c.notKept},
		{"refuses bad bytes", c.bad},
		{"refuses values that do not fit and names the field", c.misfits},
		{"odd values do no harm", c.odd},
		{"instances do not disturb each other", c.concurrent},
		{"leaves no goroutine", c.goroutines},
	}
}

// topic is where the case's values go; those of other schemas go elsewhere, since
// a topic may have one schema only.
const topic = "topic"

func (c ConverterCase) configure(t testing.TB, key bool) connector.Converter {
	t.Helper()
	conv := c.New()
	if err := conv.Configure(Context(t), Configure(t, conv, c.Props), key); err != nil {
		t.Fatalf("configure: %v", err)
	}
	t.Cleanup(func() { _ = closeOnce(conv) })
	return conv
}

// write gives the bytes of all values of the case.
func (c ConverterCase) write(t testing.TB, conv connector.Converter) [][]byte {
	t.Helper()
	written := make([][]byte, len(c.Values))
	for i, p := range c.Values {
		data, err := conv.FromConnect(context.Background(), topic, p.Schema, p.Value)
		if err != nil {
			t.Fatalf("value %d: %v", i, err)
		}
		written[i] = data
	}
	return written
}

func (c ConverterCase) closes(t testing.TB) {
	fresh, used := c.New(), c.configure(t, false)
	c.write(t, used)
	for _, conv := range []connector.Converter{fresh, fresh, used, used} {
		if err := closeOnce(conv); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func (c ConverterCase) roundTrip(t testing.TB) {
	for _, key := range []bool{false, true} {
		conv := c.configure(t, key)
		written, again := c.write(t, conv), c.write(t, conv)
		for i, p := range c.Values {
			if !bytes.Equal(written[i], again[i]) {
				t.Errorf("value %d is written differently the second time: %q, then %q", i, written[i], again[i])
			}
			schema, back, err := conv.ToConnect(context.Background(), topic, written[i])
			if err != nil {
				t.Errorf("value %d: %v", i, err)
				continue
			}
			if err := connector.Validate(schema, back); err != nil {
				t.Errorf("value %d: what is read does not fit its schema: %v", i, err)
			}
			if !sameContent(back, p.Value) {
				t.Errorf("value %d: %#v comes back as %#v", i, p.Value, back)
			}
		}
	}
}

// null wants that a tombstone stays one, in both directions.
func (c ConverterCase) null(t testing.TB) {
	conv := c.configure(t, false)
	if data, err := conv.FromConnect(context.Background(), topic, nil, nil); data != nil || err != nil {
		t.Errorf("null is written as %q (%v)", data, err)
	}
	if _, v, err := conv.ToConnect(context.Background(), topic, nil); v != nil || err != nil {
		t.Errorf("null is read as %v (%v)", v, err)
	}
}

func (c ConverterCase) leaves(t testing.TB) {
	conv := c.configure(t, false)
	var values, before []any
	for i, p := range c.Values {
		v := copyValue(p.Value)
		values, before = append(values, v), append(before, copyValue(v))
		if _, err := conv.FromConnect(context.Background(), topic, p.Schema, v); err != nil {
			t.Fatalf("value %d: %v", i, err)
		}
	}
	for i := range values {
		if !connector.ValuesEqual(values[i], before[i]) {
			t.Errorf("value %d was changed: it is %#v, was %#v", i, values[i], before[i])
		}
	}
}

// bytesStay wants that neither bytes nor values that were handed over are
// changed by what is converted later.
func (c ConverterCase) bytesStay(t testing.TB) {
	conv := c.configure(t, false)
	var written, copies [][]byte
	var read, readCopies []any
	for i, p := range c.Values {
		data, err := conv.FromConnect(context.Background(), topic, p.Schema, p.Value)
		if err != nil {
			t.Fatalf("value %d: %v", i, err)
		}
		written, copies = append(written, data), append(copies, slices.Clone(data))
		_, v, err := conv.ToConnect(context.Background(), topic, slices.Clone(data))
		if err != nil {
			t.Fatalf("value %d: %v", i, err)
		}
		read, readCopies = append(read, v), append(readCopies, copyValue(v))
	}
	c.write(t, conv)
	for i := range written {
		if !bytes.Equal(written[i], copies[i]) {
			t.Errorf("the bytes of value %d were changed after they were handed over: %q, were %q", i, written[i], copies[i])
		}
		if !connector.ValuesEqual(read[i], readCopies[i]) {
			t.Errorf("value %d was changed after it was read: %#v, was %#v", i, read[i], readCopies[i])
		}
	}
}

func (c ConverterCase) notKept(t testing.TB) {
	conv := c.configure(t, false)
	for i, written := range c.write(t, conv) {
		data := slices.Clone(written) // it may be the value's own
		before := slices.Clone(data)
		_, v, err := conv.ToConnect(context.Background(), topic, data)
		if err != nil {
			t.Fatalf("value %d: %v", i, err)
		}
		if !bytes.Equal(data, before) {
			t.Errorf("value %d: the bytes that were read are changed: %q, were %q", i, data, before)
		}
		if _, isBytes := v.([]byte); isBytes {
			continue // the value may be the bytes themselves
		}
		was := copyValue(v)
		for j := range data {
			data[j] = 0xAA
		}
		if !connector.ValuesEqual(v, was) {
			t.Errorf("value %d keeps the bytes it was read from: it is %#v by now, was %#v", i, v, was)
		}
	}
}

func (c ConverterCase) bad(t testing.TB) {
	conv := c.configure(t, false)
	for _, data := range c.Bad {
		_, v, err := conv.ToConnect(context.Background(), topic, data)
		if err == nil {
			t.Errorf("%q is read as %v", data, v)
			continue
		}
		checkDataError(t, fmt.Sprintf("%q", data), err)
	}
}

func checkDataError(t testing.TB, what string, err error) {
	t.Helper()
	if k := connector.KindOf(err); k != connector.KindData && k != connector.KindUnmarked {
		t.Errorf("%s: error %v is %s, want data", what, err, k)
	}
}

// misfits hands over structs with a value that is not what the schema says.
func (c ConverterCase) misfits(t testing.TB) {
	if c.Untyped {
		t.Skip("the converter has no types")
	}
	const field = "misfit"
	conv := c.configure(t, false)
	wrong := map[*connector.Schema][]any{
		connector.Int32Schema:                      {"text", int64(1) << 40, true, nil, []any{int32(1)}},
		connector.StringSchema:                     {int32(1), []byte("x"), nil},
		connector.BooleanSchema:                    {"true", int8(1)},
		connector.Float64Schema:                    {"0.5", []byte{1}},
		connector.ArrayOf(connector.Int32Schema):   {"text", []any{"text"}, map[string]any{}},
		connector.TimestampSchema:                  {"2020-01-01", true},
		connector.DecimalSchema(2):                 {"1.00", 1.0},
		connector.OptionalBytesSchema.WithDoc("b"): {"text", int32(1)},
	}
	good := map[connector.Type]any{connector.Int32: int32(1), connector.String: "x", connector.Boolean: true, connector.Float64: 0.5,
		connector.Array: []any{int32(1)}, connector.Int64: time.UnixMilli(0).UTC(), connector.Bytes: nil}
	for schema, values := range wrong {
		object := connector.StructOf("misfits", connector.F("before", connector.StringSchema), connector.F(field, schema))
		fine := good[schema.Type()]
		if schema.Name() == connector.DecimalSchema(2).Name() {
			fine = connector.NewDecimal(100, 2)
		}
		where := "misfit-" + schema.Type().String() + schema.Name()
		if _, err := conv.FromConnect(context.Background(), where, object, connector.StructFrom(object, []any{"x", fine})); err != nil {
			continue // not a type for this converter
		}
		for _, v := range values {
			data, err := conv.FromConnect(context.Background(), where, object, connector.StructFrom(object, []any{"x", v}))
			switch {
			case err == nil:
				t.Errorf("%#v as %s is written as %q", v, schema.Type(), data)
			case !strings.Contains(err.Error(), field):
				t.Errorf("%#v as %s: the error does not name the field: %v", v, schema.Type(), err)
			}
			if err != nil {
				checkDataError(t, fmt.Sprintf("%#v as %s", v, schema.Type()), err)
			}
		}
	}
}

// odd hands over what a converter meets sooner or later: it may refuse, but not
// panic, and not as a matter of the task.
func (c ConverterCase) odd(t testing.TB) {
	conv := c.configure(t, false)
	for i, r := range oddRecords() {
		if _, err := conv.FromConnect(context.Background(), fmt.Sprint("odd-", i), r.ValueSchema, r.Value); err != nil {
			checkDataError(t, fmt.Sprintf("value %#v", r.Value), err)
		}
	}
	for _, data := range [][]byte{{}, {0}, []byte("{"), []byte("null"), bytes.Repeat([]byte{0xff}, 9), {0, 0, 0, 0}} {
		if _, _, err := conv.ToConnect(context.Background(), topic, data); err != nil {
			checkDataError(t, fmt.Sprintf("bytes %q", data), err)
		}
	}
}

func (c ConverterCase) concurrent(t testing.TB) {
	want := c.write(t, c.configure(t, false))
	instances := []connector.Converter{c.configure(t, false), c.configure(t, false), c.configure(t, false)}
	got := make([][][]byte, len(instances))
	errs := make([]error, len(instances))
	var wait sync.WaitGroup
	for i, conv := range instances {
		wait.Go(func() {
			for range 20 {
				got[i] = nil
				for _, p := range c.Values {
					data, err := conv.FromConnect(context.Background(), topic, p.Schema, p.Value)
					if err == nil {
						_, _, err = conv.ToConnect(context.Background(), topic, slices.Clone(data))
					}
					if err != nil {
						errs[i] = err
						return
					}
					got[i] = append(got[i], data)
				}
			}
		})
	}
	wait.Wait()
	for i := range instances {
		if errs[i] != nil {
			t.Fatalf("beside other instances: %v", errs[i])
		}
		for j := range want {
			if !bytes.Equal(got[i][j], want[j]) {
				t.Fatalf("value %d is written as %q beside other instances, alone as %q", j, got[i][j], want[j])
			}
		}
	}
}

func (c ConverterCase) goroutines(t testing.TB) {
	noneLeft(t, func() {
		for range 2 {
			conv := c.configure(t, false)
			c.write(t, conv)
			if err := closeOnce(conv); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
}
