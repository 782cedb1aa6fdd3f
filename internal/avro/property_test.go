package avro

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	tw "github.com/twmb/avro"
	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TestRandomSchemas writes random values of random schemas: they come back as
// they were, and the oracle reads the same bytes and writes them again.
func TestRandomSchemas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawing{t: t}
		schema := d.schema(3)
		text, err := FromConnect(schema, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		v := d.value(schema)
		data, err := s.Append(nil, v)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		back, err := s.Decode(data)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := connector.Validate(s.Connect(), back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := s.Append(nil, back)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%s: %x is written again as %x (%v)", text, data, again, err)
		}
		oracle(t, text, data)
	})
}

// fataler is what rapid and testing have in common.
type fataler interface{ Fatalf(string, ...any) }

// oracle holds bytes that this package wrote against twmb/avro.
func oracle(t fataler, text string, data []byte) {
	o := tw.MustParse(text)
	var generic any
	rest, err := o.Decode(data, &generic, tw.TaggedUnions())
	if err != nil || len(rest) > 0 {
		t.Fatalf("%s: the oracle refuses %x: %v, %d bytes left", text, data, err, len(rest))
	}
	again, err := o.Encode(generic, tw.TaggedUnions())
	if err != nil || !bytes.Equal(again, data) {
		t.Fatalf("%s: the oracle writes %x for %x (%v)", text, again, data, err)
	}
}

// drawing draws schemas and values.
type drawing struct {
	t     *rapid.T
	names int
}

func (d *drawing) schema(depth int) *connector.Schema {
	simple := []*connector.Schema{connector.Int8Schema, connector.Int16Schema, connector.Int32Schema, connector.Int64Schema, connector.Float32Schema,
		connector.Float64Schema, connector.BooleanSchema, connector.StringSchema, connector.BytesSchema, connector.DateSchema,
		connector.TimestampSchema, connector.TimeSchema, connector.DecimalSchema(3)}
	limit := len(simple) + 2
	if depth == 0 {
		limit = len(simple) - 1
	}
	var s *connector.Schema
	switch n := rapid.IntRange(0, limit).Draw(d.t, "type"); {
	case n < len(simple):
		s = simple[n]
	case n == len(simple):
		s = connector.ArrayOf(d.schema(depth - 1))
	case n == len(simple)+1:
		key := connector.StringSchema
		if rapid.Bool().Draw(d.t, "int keys") {
			key = connector.Int32Schema
		}
		s = connector.MapOf(key, connector.Int64Schema)
	default:
		d.names++
		name := fmt.Sprintf("n%d.S", d.names)
		fields := make([]connector.Field, rapid.IntRange(0, 4).Draw(d.t, "fields"))
		for i := range fields {
			fields[i] = connector.F(fmt.Sprintf("f%d", i), d.schema(depth-1))
		}
		s = connector.StructOf(name, fields...)
	}
	if rapid.Bool().Draw(d.t, "optional") {
		s = s.AsOptional()
	}
	return s
}

func (d *drawing) value(s *connector.Schema) any {
	if s.Optional() && rapid.Bool().Draw(d.t, "null") {
		return nil
	}
	switch s.Name() {
	case connector.DateName:
		return time.Unix(86400*rapid.Int64Range(-1e6, 1e6).Draw(d.t, "day"), 0).UTC()
	case connector.TimeName:
		return time.UnixMilli(rapid.Int64Range(0, 86399999).Draw(d.t, "time")).UTC()
	case connector.TimestampName:
		return time.UnixMilli(rapid.Int64Range(-1e14, 1e14).Draw(d.t, "timestamp")).UTC()
	case connector.DecimalName:
		return connector.NewDecimal(rapid.Int64().Draw(d.t, "decimal"), 3)
	}
	switch s.Type() {
	case connector.Int8:
		return rapid.Int8().Draw(d.t, "int8")
	case connector.Int16:
		return rapid.Int16().Draw(d.t, "int16")
	case connector.Int32:
		return rapid.Int32().Draw(d.t, "int32")
	case connector.Int64:
		return rapid.Int64().Draw(d.t, "int64")
	case connector.Float32:
		return math.Float32frombits(rapid.Uint32Range(0, 0x7f800000).Draw(d.t, "float"))
	case connector.Float64:
		return rapid.Float64().Draw(d.t, "double")
	case connector.Boolean:
		return rapid.Bool().Draw(d.t, "bool")
	case connector.String:
		return rapid.String().Draw(d.t, "string")
	case connector.Bytes:
		return append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(d.t, "bytes")...)
	case connector.Array:
		list := make([]any, rapid.IntRange(0, 3).Draw(d.t, "length"))
		for i := range list {
			list[i] = d.value(s.Elem())
		}
		return list
	case connector.Map:
		// One entry: the oracle's order of several is not defined.
		if s.Key().Type() == connector.String {
			return map[string]any{rapid.String().Draw(d.t, "key"): d.value(s.Elem())}
		}
		return map[any]any{rapid.Int32().Draw(d.t, "key"): d.value(s.Elem())}
	}
	st := connector.NewStruct(s)
	for _, f := range s.Fields() {
		st.Set(f.Name, d.value(f.Schema))
	}
	return st
}

// FuzzDecode feeds bad data: what is read is what the oracle reads, and nothing
// panics or asks for endless memory.
func FuzzDecode(f *testing.F) {
	schemas := []string{`"long"`, `["null","string"]`, `["null","int","string"]`, `{"type":"map","values":"double"}`,
		`{"type":"array","items":{"type":"record","name":"r","fields":[{"name":"a","type":["bytes","null"]},{"name":"b","type":"float"}]}}`, everything}
	var parsed []*Schema
	for i, text := range schemas {
		s := parse(f, text)
		parsed = append(parsed, s)
		f.Add(i, []byte{2, 4, 6, 8})
	}
	if data, err := parsed[len(parsed)-1].Append(nil, everythingValue(parsed[len(parsed)-1].Connect())); err == nil {
		f.Add(len(parsed)-1, data)
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		if which < 0 || which >= len(parsed) {
			return
		}
		s := parsed[which]
		v, err := s.Decode(data)
		if err != nil {
			return
		}
		if err := connector.Validate(s.Connect(), v); err != nil {
			t.Fatalf("what is read does not fit its schema: %v", err)
		}
		var generic any
		if rest, err := tw.MustParse(schemas[which]).Decode(data, &generic); err != nil || len(rest) > 0 {
			t.Fatalf("the oracle refuses %x: %v, %d bytes left", data, err, len(rest))
		}
		out, err := s.Append(nil, v)
		if err != nil {
			return // a decimal of more digits than its schema says may be read
		}
		back, err := s.Decode(out)
		if err != nil || !connector.ValuesEqual(v, back) {
			t.Fatalf("%v comes back as %v (%v)", v, back, err)
		}
	})
}
