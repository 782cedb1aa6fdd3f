package avro

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

const choices = `{"type":"record","name":"ns.R","doc":"of the type","fields":[
 {"name":"e","type":{"type":"enum","name":"E","symbols":["RED","BLUE","GREEN"]}},
 {"name":"u","type":["null","int",{"type":"record","name":"P","fields":[{"name":"x","type":"int"}]}],"doc":"of the field","default":null},
 {"name":"one","type":["string"]},
 {"name":"d","type":{"type":"int","connect.default":7},"default":5}]}`

// TestOptions writes what it reads, with each option, and says what Connect sees.
func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		union   []string // its name and its fields'
		enum    string   // the parameter and value of BLUE
		one     connector.Type
		docs    string
		derived string // a part of the schema made of it
	}{
		"none":        {Options{}, []string{unionName, "int", "P"}, enumParameter + ".BLUE=BLUE", connector.String, "of the type", `"name":"e","type":{"type":"string"`},
		"enhanced":    {Options{Enhanced: true}, []string{unionName, "int", "ns.P"}, enumParameter + ".BLUE=BLUE", connector.String, "of the type", `{"type":"enum","name":"E","namespace":"ns","symbols":["BLUE","GREEN","RED"]`},
		"generalized": {Options{Generalized: true}, []string{"connect_union_1", "connect_union_field_0", "connect_union_field_1"}, generalEnum + ".BLUE=1", connector.String, "of the type", `{"type":"enum","name":"E","namespace":"ns","symbols":["RED","BLUE","GREEN"]`},
		"singletons":  {Options{KeepSingletons: true}, []string{unionName, "int", "P"}, enumParameter + ".BLUE=BLUE", connector.Object, "of the type", `"name":"one","type":["string"]`},
		"fields only": {Options{FieldsOnly: true}, []string{unionName, "int", "P"}, enumParameter + ".BLUE=BLUE", connector.String, "", `"name":"d","type":"int","default":5`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := c.options.Parse(choices)
			if err != nil {
				t.Fatal(err)
			}
			fields := s.Connect().Fields()
			union := []string{fields[1].Schema.Name()}
			for _, f := range fields[1].Schema.Fields() {
				union = append(union, f.Name)
			}
			if d := cmp.Diff(c.union, union); d != "" {
				t.Errorf("union: %s", d)
			}
			param, value, _ := strings.Cut(c.enum, "=")
			if got, _ := fields[0].Schema.Parameter(param); got != value {
				t.Errorf("parameter %s is %q, want %q", param, got, value)
			}
			if fields[2].Schema.Type() != c.one || s.Connect().Doc() != c.docs {
				t.Errorf("the union of one is a %s, the documentation %q", fields[2].Schema.Type(), s.Connect().Doc())
			}
			text, err := FromConnect(s.Connect(), c.options)
			if err != nil || !strings.Contains(text, c.derived) {
				t.Errorf("the schema made of it is %s, %v, want %s in it", text, err, c.derived)
			}
			v := connector.NewStruct(s.Connect()).Set("e", "GREEN").Set("d", int32(1))
			point := fields[1].Schema.Fields()[1]
			v.Set("u", connector.NewStruct(fields[1].Schema).Set(point.Name, connector.NewStruct(point.Schema).Set("x", int32(9))))
			var one any = "text"
			if c.one == connector.Object {
				one = connector.NewStruct(fields[2].Schema).Set("string", "text")
			}
			v.Set("one", one)
			derived, err := c.options.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []*Schema{s, derived} {
				data, err := s.Append(nil, v)
				if err != nil {
					t.Fatal(err)
				}
				back, err := s.Decode(data)
				if err != nil || back.(*connector.Struct).At(3) != int32(1) {
					t.Errorf("%v, %v", back, err)
				}
			}
		})
	}
}

// TestUnionsOfAnotherConverter writes a union's struct into a plan whose options
// name its branches in another way.
func TestUnionsOfAnotherConverter(t *testing.T) {
	const union = `["null","int",{"type":"record","name":"P","namespace":"ns","fields":[{"name":"x","type":"int"}]}]`
	plain := parse(t, union)
	for _, o := range []Options{{}, {Enhanced: true}, {Generalized: true}} {
		from, err := o.Parse(union)
		if err != nil {
			t.Fatal(err)
		}
		point := from.Connect().Fields()[1]
		v := connector.NewStruct(from.Connect()).Set(point.Name, connector.NewStruct(point.Schema).Set("x", int32(9)))
		if data, err := plain.Append(nil, v); err != nil || !cmp.Equal(data, []byte{4, 18}) {
			t.Errorf("%+v: %v, %v", o, data, err)
		}
	}
}

func TestUnionOfNull(t *testing.T) {
	s := parse(t, `{"type":"record","name":"R","fields":[{"name":"nothing","type":["null"]},{"name":"n","type":"int"}]}`)
	if v, err := s.Decode([]byte{0, 2}); err != nil || v.(*connector.Struct).At(1) != int32(1) {
		t.Errorf("%v, %v", v, err)
	}
}

func TestNullForDefault(t *testing.T) {
	s := connector.StructOf("R", connector.F("a", connector.OptionalInt32Schema.WithDefault(int32(5))))
	for want, o := range map[string]Options{"5": {}, "null": {NullForDefault: true}} {
		text, err := FromConnect(s, o)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := o.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		data, err := parsed.Append(nil, connector.NewStruct(s))
		if err != nil {
			t.Fatal(err)
		}
		if got := map[bool]string{true: "null", false: "5"}[data[0] != 0]; got != want {
			t.Errorf("null is written as %s, want %s", got, want)
		}
	}
}

// Clauses: C7.
func TestScrubbedNames(t *testing.T) {
	o := Options{Scrub: func(name string) string { return strings.ReplaceAll(name, "-", "_") }}
	inner := connector.StructOf("a-b.In-ner", connector.F("x-y", connector.Int32Schema))
	s := connector.StructOf("a-b.Out", connector.F("in-1", inner), connector.F("in-2", inner.AsOptional()))
	text, err := FromConnect(s, o)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"record","name":"Out","namespace":"a_b","fields":[{"name":"in_1","type":{"type":"record","name":"In_ner","namespace":"a_b","fields":[{"name":"x_y","type":"int"}],"connect.name":"a-b.In-ner"}},{"name":"in_2","type":["null","a_b.In_ner"],"default":null}],"connect.name":"a-b.Out"}`
	if d := cmp.Diff(want, text); d != "" {
		t.Error(d)
	}
	parsed, err := o.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Check(s); err != nil {
		t.Error(err)
	}
	data, err := parsed.Append(nil, connector.NewStruct(s).Set("in-1", connector.NewStruct(inner).Set("x-y", int32(-2))))
	if d := cmp.Diff([]byte{3, 0}, data); d != "" || err != nil {
		t.Errorf("%v, %s", err, d)
	}
}

func TestOptionalKeys(t *testing.T) {
	s := connector.MapOf(connector.OptionalStringSchema, connector.Int32Schema)
	if text, err := FromConnect(s, Options{OptionalKeys: true}); err != nil || text != `{"type":"map","values":"int"}` {
		t.Errorf("%s, %v", text, err)
	}
	if text, err := FromConnect(s, Options{}); err != nil || !strings.Contains(text, mapEntry) {
		t.Errorf("%s, %v", text, err)
	}
}

// TestAliases writes values whose fields have names that a schema gave up.
func TestAliases(t *testing.T) {
	s := parse(t, `{"type":"record","name":"R","fields":[{"name":"new","aliases":["old","older"],"type":"int"},{"name":"more","type":"int","default":3}]}`)
	for _, name := range []string{"new", "old", "older"} {
		from := connector.StructOf("R", connector.F(name, connector.Int32Schema))
		if err := s.Check(from); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, v := range []any{connector.NewStruct(from).Set(name, int32(7)), map[string]any{name: int32(7)}} {
			if data, err := s.Append(nil, v); err != nil || !cmp.Equal(data, []byte{14, 6}) {
				t.Errorf("%s of a %T: %v, %v", name, v, data, err)
			}
		}
	}
}

// TestFinerTimes writes Connect's times into the units of logical types that are
// plain numbers when they are read.
func TestFinerTimes(t *testing.T) {
	at := time.Date(2019, 7, 28, 21, 26, 39, 123456789, time.UTC)
	before := time.Date(1969, 12, 31, 23, 59, 59, 999e6, time.UTC)
	tod := time.Date(1970, 1, 1, 0, 0, 1, 5e6, time.UTC)
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		logical string
		v       time.Time
		want    int64
		wrong   string
	}{
		"micros":                {"timestamp-micros", at, 1564349199123456, ""},
		"micros before 1970":    {"timestamp-micros", before, -1000, ""},
		"nanos":                 {"timestamp-nanos", at, 1564349199123456789, ""},
		"nanos of another age":  {"timestamp-nanos", far, 0, "out of the range"},
		"local millis":          {"local-timestamp-millis", at, 1564349199123, ""},
		"local micros":          {"local-timestamp-micros", at, 1564349199123456, ""},
		"local nanos":           {"local-timestamp-nanos", at, 1564349199123456789, ""},
		"time of day":           {"time-micros", tod, 1005000, ""},
		"time of another day":   {"time-micros", at, 0, "another date"},
		"no unit of this world": {"timestamp-picos", at, 0, "expected long, got time"},
	} {
		t.Run(name, func(t *testing.T) {
			s := parse(t, `{"type":"long","logicalType":"`+c.logical+`"}`)
			data, err := s.Append(nil, c.v)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("%v, want %s", err, c.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.Decode(data); got != c.want || err != nil {
				t.Errorf("read as %v, %v, want %d", got, err, c.want)
			}
			from := connector.TimestampSchema
			if c.logical == timeMicros {
				from = connector.TimeSchema
			}
			if s.Check(from) != nil || s.Check(connector.DateSchema) == nil {
				t.Errorf("%s is taken: %v, a date: %v", from.Name(), s.Check(from), s.Check(connector.DateSchema))
			}
		})
	}
}

// TestPlainLogicalTypes reads what has no type in Connect as what it is made of.
func TestPlainLogicalTypes(t *testing.T) {
	for text, want := range map[string]*connector.Schema{
		`{"type":"string","logicalType":"uuid"}`:                         connector.StringSchema,
		`{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`:     connector.BytesSchema.WithParameter(sizeParam, "16").WithName("U"),
		`{"type":"fixed","name":"D","size":12,"logicalType":"duration"}`: connector.BytesSchema.WithParameter(sizeParam, "12").WithName("D"),
	} {
		s := parse(t, text)
		if !s.Connect().Equal(want) {
			t.Errorf("%s is %+v", text, s.Connect())
		}
		var v any = "6fa459ea-ee8a-3ca4-894e-db77e160355e"
		if want.Type() == connector.Bytes {
			v = make([]byte, map[string]int{"U": 16, "D": 12}[want.Name()])
		}
		data, err := s.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := s.Decode(data); !connector.ValuesEqual(back, v) || err != nil {
			t.Errorf("%v, %v", back, err)
		}
	}
}
