package avro

import (
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestCheck(t *testing.T) {
	s := connector.StructOf
	f := connector.F
	for name, c := range map[string]struct {
		avro string
		from *connector.Schema
		want string // "" takes it
	}{
		"no schema":        {`"int"`, nil, ""},
		"widths":           {`"int"`, connector.Int64Schema, ""},
		"rounding":         {`"float"`, connector.Float64Schema, ""},
		"optional":         {`"string"`, connector.OptionalStringSchema, ""},
		"text for int":     {`"int"`, connector.StringSchema, "expected int, the value's schema says string"},
		"float for int":    {`"long"`, connector.Float32Schema, "expected long"},
		"time":             {`{"type":"long","logicalType":"timestamp-millis"}`, connector.TimestampSchema, ""},
		"date as time":     {`{"type":"int","logicalType":"time-millis"}`, connector.DateSchema, "expected int (time-millis)"},
		"date as int":      {`"int"`, connector.DateSchema, "expected int, the value's schema says int32 org.apache.kafka.connect.data.Date"},
		"decimal":          {`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, connector.DecimalSchema(2), ""},
		"bytes as decimal": {`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, connector.BytesSchema, "expected bytes (decimal)"},
		"nested": {`{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":{"type":"record","name":"i","fields":[{"name":"prob","type":"float"}]}}}]}`,
			s("x", f("a", connector.ArrayOf(s("y", f("prob", connector.StringSchema))))), "field a[].prob: expected float"},
		"missing": {`{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":1},{"name":"c","type":"int"}]}`,
			s("x", f("d", connector.Int32Schema)), "record r needs a, c, which"},
		"map for record":  {`{"type":"record","name":"r","fields":[{"name":"a","type":"int"}]}`, connector.MapOf(connector.StringSchema, connector.Int32Schema), ""},
		"text for record": {`{"type":"record","name":"r","fields":[]}`, connector.StringSchema, "expected record r"},
		"map":             {`{"type":"map","values":"long"}`, connector.MapOf(connector.StringSchema, connector.StringSchema), "field []: expected long"},
		"map of ints":     {`{"type":"array","items":{"type":"record","name":"io.confluent.connect.avro.MapEntry","fields":[{"name":"key","type":"int"},{"name":"value","type":"int"}]}}`, connector.MapOf(connector.Int32Schema, connector.Int32Schema), ""},
		"union":           {`["null","int","string"]`, connector.StringSchema, ""},
		"no branch":       {`["null","int","string"]`, connector.BooleanSchema, "no branch of the union"},
		"enum":            {`{"type":"enum","name":"e","symbols":["A"]}`, connector.StringSchema, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := parse(t, c.avro).Check(c.from)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err != nil && connector.KindOf(err) != connector.KindData {
				t.Errorf("the error is %s, want data", connector.KindOf(err))
			}
		})
	}
}

// TestUnionValues writes plain values into the branch that holds them as they
// are, and Confluent's struct of a union into the one it names.
func TestUnionValues(t *testing.T) {
	s := parse(t, `["null","int","long","double",{"type":"record","name":"a.R","fields":[{"name":"x","type":"int"}]}]`)
	u := s.Connect()
	r, _ := u.Field("R")
	record := connector.NewStruct(r.Schema).Set("x", int32(1))
	for name, c := range map[string]struct {
		value any
		want  []byte
	}{
		"null":             {nil, []byte{0}},
		"int":              {int32(1), []byte{2, 2}},
		"long":             {int64(1), []byte{4, 2}},
		"small float":      {float32(0), []byte{6, 0, 0, 0, 0, 0, 0, 0, 0}},
		"record":           {record, []byte{8, 2}},
		"map":              {map[string]any{"x": int32(1)}, []byte{8, 2}},
		"struct of union":  {connector.NewStruct(u).Set("long", int64(1)), []byte{4, 2}},
		"none of a struct": {connector.NewStruct(u), []byte{0}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.Append(nil, c.value)
			if err != nil || string(got) != string(c.want) {
				t.Errorf("%v (%v), want %v", got, err, c.want)
			}
		})
	}
	if _, err := s.Append(nil, connector.NewStruct(connector.StructOf(unionName, connector.F("other", connector.Int32Schema))).Set("other", int32(1))); err == nil || !strings.Contains(err.Error(), "no branch other") {
		t.Errorf("%v", err)
	}
}
