package connectortest

import (
	"maps"
	"math/big"
	"reflect"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
)

// copyRecord copies a record with all that could be changed in it.
func copyRecord(r connector.Record) connector.Record {
	r.Key, r.Value = copyValue(r.Key), copyValue(r.Value)
	r.Headers = slices.Clone(r.Headers)
	for i := range r.Headers {
		r.Headers[i].Value = copyValue(r.Headers[i].Value)
	}
	return r
}

func copyRecords(records []connector.Record) []connector.Record {
	copies := make([]connector.Record, len(records))
	for i, r := range records {
		copies[i] = copyRecord(r)
	}
	return copies
}

func copySourceRecord(r connector.SourceRecord) connector.SourceRecord {
	r.Record = copyRecord(r.Record)
	r.SourcePartition, _ = copyValue(r.SourcePartition).(map[string]any)
	r.SourceOffset, _ = copyValue(r.SourceOffset).(map[string]any)
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
		c := maps.Clone(x)
		for k := range c {
			c[k] = copyValue(c[k])
		}
		return c
	case connector.Decimal:
		if x.Unscaled != nil {
			x.Unscaled = new(big.Int).Set(x.Unscaled)
		}
		return x
	case *connector.Struct:
		if x == nil {
			return x
		}
		values := slices.Clone(x.Values())
		for i := range values {
			values[i] = copyValue(values[i])
		}
		return connector.StructFrom(x.Schema(), values)
	}
	return v
}

// sameRecord compares two records by content.
func sameRecord(a, b connector.Record) bool {
	sameHeader := func(x, y connector.Header) bool {
		return x.Key == y.Key && x.Schema.Equal(y.Schema) && connector.ValuesEqual(x.Value, y.Value)
	}
	return a.Topic == b.Topic && a.Partition == b.Partition && a.Timestamp == b.Timestamp && a.TimestampType == b.TimestampType &&
		a.Origin == b.Origin && slices.EqualFunc(a.Headers, b.Headers, sameHeader) &&
		a.KeySchema.Equal(b.KeySchema) && connector.ValuesEqual(a.Key, b.Key) &&
		a.ValueSchema.Equal(b.ValueSchema) && connector.ValuesEqual(a.Value, b.Value)
}

// sameSourceRecord compares two records and where they came from by content.
func sameSourceRecord(a, b connector.SourceRecord) bool {
	return sameRecord(a.Record, b.Record) && reflect.DeepEqual(a.SourcePartition, b.SourcePartition) &&
		reflect.DeepEqual(a.SourceOffset, b.SourceOffset)
}

// sameContent compares values, structs by their fields: a registry may give the
// schema that comes back another name or documentation.
func sameContent(a, b any) bool {
	switch x := a.(type) {
	case *connector.Struct:
		y, ok := b.(*connector.Struct)
		if !ok || len(x.Values()) != len(y.Values()) {
			return false
		}
		for i, f := range x.Schema().Fields() {
			v, ok := y.Get(f.Name)
			if !ok || !sameContent(x.At(i), v) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, sameContent)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, sameContent)
	}
	return connector.ValuesEqual(a, b)
}
