package connectortest

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Pair is a schema and a value of it.
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
}

// Converter checks the promises of a converter: what it writes it reads back
// to the same value, with a schema that the value fits; it writes the same
// bytes again; null survives; it does not keep the bytes it reads; and bytes it
// cannot read are an error of the kind data, never a panic.
func Converter(t *testing.T, c ConverterCase) {
	t.Run("plugin", func(t *testing.T) { Plugin(t, c.New()) })
	conv := c.New()
	if err := conv.Configure(Context(t), Configure(t, conv, c.Props), false); err != nil {
		t.Fatalf("configure: %v", err)
	}
	ctx := context.Background()
	t.Run("round trip", func(t *testing.T) {
		for i, p := range c.Values {
			data, err := conv.FromConnect(ctx, "topic", p.Schema, p.Value)
			if err != nil {
				t.Errorf("value %d: %v", i, err)
				continue
			}
			again, err := conv.FromConnect(ctx, "topic", p.Schema, p.Value)
			if err != nil || !bytes.Equal(data, again) {
				t.Errorf("value %d is written differently the second time: %q, then %q (%v)", i, data, again, err)
			}
			read := slices.Clone(data)
			schema, back, err := conv.ToConnect(ctx, "topic", read)
			if err != nil {
				t.Errorf("value %d: %v", i, err)
				continue
			}
			if err := connector.Validate(schema, back); err != nil {
				t.Errorf("value %d: what is read does not fit its schema: %v", i, err)
			}
			if _, isBytes := back.([]byte); !isBytes {
				for j := range read {
					read[j] = 0xAA // the converter may keep the bytes only as the value itself
				}
			}
			if !sameContent(back, p.Value) {
				t.Errorf("value %d: %#v comes back as %#v", i, p.Value, back)
			}
		}
	})
	t.Run("null", func(t *testing.T) {
		if _, v, err := conv.ToConnect(ctx, "topic", nil); v != nil || err != nil {
			t.Errorf("null is read as %v (%v)", v, err)
		}
	})
	t.Run("bad bytes", func(t *testing.T) {
		for _, data := range c.Bad {
			_, v, err := conv.ToConnect(ctx, "topic", data)
			if err == nil {
				t.Errorf("%q is read as %v", data, v)
			} else if k := connector.KindOf(err); k != connector.KindData && k != connector.KindUnmarked {
				t.Errorf("%q: error %v is %s, want data", data, err, k)
			}
		}
	})
}

// sameContent compares values, structs by their fields: a registry may give the
// schema that comes back another name or documentation.
func sameContent(a, b any) bool {
	x, ok := a.(*connector.Struct)
	y, ok2 := b.(*connector.Struct)
	if !ok || !ok2 {
		return connector.ValuesEqual(a, b)
	}
	if len(x.Values()) != len(y.Values()) {
		return false
	}
	for i, f := range x.Schema().Fields() {
		v, ok := y.Get(f.Name)
		if !ok || !sameContent(x.At(i), v) {
			return false
		}
	}
	return true
}
