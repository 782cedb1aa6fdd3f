package avro

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tw "github.com/twmb/avro"

	"github.com/axiom-data-science/hydraulics/connector"
)

func parse(t testing.TB, text string, references ...string) *Schema {
	t.Helper()
	s, err := Parse(text, references...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

const everything = `{"type":"record","name":"All","namespace":"test.all","fields":[
 {"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},
 {"name":"s","type":"string"},{"name":"y","type":"bytes"},{"name":"e","type":{"type":"enum","name":"E","symbols":["RED","GREEN"]}},
 {"name":"x","type":{"type":"fixed","name":"X","size":3}},
 {"name":"o","type":["null","string"],"default":null},{"name":"p","type":["int","null"],"default":7},
 {"name":"a","type":{"type":"array","items":{"type":"record","name":"Item","fields":[{"name":"prob","type":"float"},{"name":"again","type":"E"}]}}},
 {"name":"m","type":{"type":"map","values":"long"}},
 {"name":"dec","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}},
 {"name":"fdec","type":{"type":"fixed","name":"D","size":5,"logicalType":"decimal","precision":10,"scale":3}},
 {"name":"day","type":{"type":"int","logicalType":"date"}},{"name":"tod","type":{"type":"int","logicalType":"time-millis"}},
 {"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"u","type":["null","int","string","Item"],"default":null}]}`

func everythingValue(s *connector.Schema) *connector.Struct {
	elem, _ := s.Field("a")
	item := elem.Schema.Elem()
	u, _ := s.Field("u")
	return connector.NewStruct(s).Set("b", true).Set("i", int32(-7)).Set("l", int64(math.MinInt64)).Set("f", float32(0.1)).Set("d", 0.1).
		Set("s", "é").Set("y", []byte{0, 255}).Set("e", "GREEN").Set("x", []byte{1, 2, 3}).Set("o", "some").
		Set("a", []any{connector.NewStruct(item).Set("prob", float32(0.5)).Set("again", "RED")}).
		Set("m", map[string]any{"k": int64(1)}).Set("dec", connector.NewDecimal(-12345, 2)).Set("fdec", connector.NewDecimal(-5, 3)).
		Set("day", time.Date(2019, 7, 28, 0, 0, 0, 0, time.UTC)).Set("tod", time.UnixMilli(12345).UTC()).
		Set("ts", time.UnixMilli(1564349199123).UTC()).
		Set("u", connector.NewStruct(u.Schema).Set("string", "branch"))
}

func TestRoundTripAndOracle(t *testing.T) {
	s := parse(t, everything)
	v := everythingValue(s.Connect())
	data, err := s.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	back, err := s.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want := v.Clone().Set("p", int32(7)) // the default of a field that was not set
	if !connector.ValuesEqual(want, back) {
		t.Errorf("got  %v\nwant %v", back.(*connector.Struct).Values(), want.Values())
	}
	oracle := tw.MustParse(everything)
	var generic any
	if rest, err := oracle.Decode(data, &generic); err != nil || len(rest) > 0 {
		t.Fatalf("oracle: %v, %d bytes left", err, len(rest))
	}
	again, err := oracle.Encode(generic)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(again, data); diff != "" {
		t.Errorf("the oracle writes other bytes: %s", diff)
	}
}

func TestErrorsNameThePath(t *testing.T) {
	s := parse(t, everything)
	with := func(name string, v any) map[string]any {
		full := everythingValue(s.Connect())
		m := map[string]any{}
		for i, f := range s.Connect().Fields() {
			m[f.Name] = full.At(i)
		}
		m["p"] = int32(1)
		m[name] = v
		return m
	}
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"nested":           {with("a", []any{map[string]any{"prob": 1.5, "again": "RED"}, map[string]any{"prob": "x", "again": "RED"}}), "field a[1].prob: expected float, got string"},
		"map":              {with("m", map[string]any{"k": "x"}), `field m["k"]: expected long, got string`},
		"int range":        {with("i", int64(1<<40)), "field i: 1099511627776 is out of the range of int"},
		"float range":      {with("f", 1e300), "field f: 1e+300 is out of the range of float"},
		"inexact int":      {with("f", int32(1<<30)), "field f: expected float, got int"},
		"float into int":   {with("i", 5.0), "field i: expected int, got double"},
		"null":             {with("s", nil), "field s: expected string, got null"},
		"symbol":           {with("e", "BLUE"), `field e: "BLUE" is not a symbol of enum test.all.E`},
		"fixed size":       {with("x", []byte{1}), "field x: expected 3 bytes for fixed test.all.X, got 1"},
		"scale":            {with("dec", connector.NewDecimal(1, 3)), "field dec: expected a decimal of scale 2, got one of scale 3"},
		"precision":        {with("dec", connector.NewDecimal(10_000_000_000, 2)), "field dec: the decimal has more than the 10 digits of its schema"},
		"date":             {with("day", time.Unix(1, 0)), "field day: expected a date, got one with a time of day"},
		"time of day":      {with("tod", time.Unix(1e9, 0)), "field tod: expected a time of day on 1970-01-01, got another date"},
		"text":             {with("s", "\xff"), "field s: the text is not UTF-8"},
		"union":            {with("u", true), "field u: expected one of null, int, string, record test.all.Item, got boolean"},
		"not a struct":     {"x", "expected record test.all.All, got string"},
		"missing":          {map[string]any{"b": true, "i": int32(1)}, "record test.all.All needs l, f, d, s, y, e, x, a, m, dec, fdec, day, tod, ts, which the value does not have and which has no default"},
		"missing (struct)": {connector.NewStruct(connector.StructOf("z", connector.F("b", connector.OptionalBooleanSchema))), "record test.all.All needs i, l, f, d, s, y, e, x, a, m, dec, fdec, day, tod, ts, which the value does not have and which has no default"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Append(nil, c.value)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if connector.KindOf(err) != connector.KindData {
				t.Errorf("the error is %s, want data", connector.KindOf(err))
			}
		})
	}
}

func TestWritesByName(t *testing.T) {
	s := parse(t, `{"type":"record","name":"value","namespace":"ifcb.stats","fields":[{"name":"roi","type":"int"},{"name":"prob","type":"float"},{"name":"note","type":"string","default":"none"}]}`)
	from := connector.StructOf("other", connector.F("extra", connector.StringSchema), connector.F("prob", connector.Float64Schema),
		connector.F("roi", connector.Int64Schema.WithDefault(int64(9))))
	data, err := s.Append(nil, connector.NewStruct(from).Set("extra", "x").Set("prob", 0.1))
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{int32(9), float32(0.1), "none"}
	if diff := cmp.Diff(want, v.(*connector.Struct).Values()); diff != "" {
		t.Error(diff)
	}
}

func TestFloatRounds(t *testing.T) {
	s := parse(t, `"float"`)
	for _, f := range []float64{0.1, -3.4, 1e-50, math.Inf(1), math.NaN(), math.MaxFloat32} {
		data, err := s.Append(nil, f)
		if err != nil {
			t.Errorf("%g: %v", f, err)
			continue
		}
		if v, _ := s.Decode(data); !connector.ValuesEqual(v, float32(f)) {
			t.Errorf("%g is read as %v, want %g", f, v, float32(f))
		}
	}
}

func TestBadData(t *testing.T) {
	s := parse(t, everything)
	good, err := s.Append(nil, everythingValue(s.Connect()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := s.Decode(good[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are read as a value", n, len(good))
		} else if connector.KindOf(err) != connector.KindData {
			t.Fatalf("error %v is %s, want data", err, connector.KindOf(err))
		}
	}
	for name, c := range map[string]struct {
		schema string
		data   []byte
		want   string
	}{
		"bytes left":     {`"int"`, []byte{2, 2}, "1 bytes follow the value"},
		"int range":      {`"int"`, []byte{0xff, 0xff, 0xff, 0xff, 0x7f}, "out of the range of int"},
		"65 bits":        {`"long"`, bytes.Repeat([]byte{0xff}, 11), "more than 64 bits"},
		"boolean":        {`"boolean"`, []byte{2}, "a boolean is the byte 2"},
		"huge length":    {`"bytes"`, []byte{0xfe, 0xff, 0xff, 0xff, 0x7f}, "ends within"},
		"huge array":     {`{"type":"array","items":{"type":"record","name":"empty","fields":[]}}`, []byte{0xfe, 0xff, 0xff, 0xff, 0x7f}, "ends within"},
		"negative":       {`"string"`, []byte{1}, "ends within"},
		"branch":         {`["null","int"]`, []byte{4}, "no branch 2"},
		"symbol":         {`{"type":"enum","name":"e","symbols":["A"]}`, []byte{2}, "no symbol 1"},
		"text":           {`"string"`, []byte{2, 0xff}, "not UTF-8"},
		"connect int8":   {`{"type":"int","connect.type":"int8"}`, []byte{0xfe, 0x7f}, "out of the range of int8"},
		"path":           {`{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":"boolean"}}]}`, []byte{4, 1, 9}, "field a[1]: a boolean"},
		"least negative": {`{"type":"array","items":"int"}`, append(bytes.Repeat([]byte{0xff}, 9), 1, 0), "ends within"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := parse(t, c.schema).Decode(c.data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v; want an error with %q", v, err, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"record"`: "avro schema",
		`{"type":"record","name":"r","fields":[{"name":"next","type":"r"}]}`:                                                          "record r always holds itself",
		`{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"record","name":"s","fields":[{"name":"b","type":"r"}]}}]}`: "always holds itself",
		`{"type":"record","name":"r","fields":[{"name":"n","type":"null"}]}`:                                                          "a null type",
		`[{"type":"record","name":"a.X","fields":[]},{"type":"record","name":"b.X","fields":[]},"string"]`:                            "two branches",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", text, err, want)
		}
	}
}

// Clauses: C7.
func TestReferences(t *testing.T) {
	s := parse(t, `{"type":"record","name":"b.Outer","fields":[{"name":"in","type":"a.Inner"}]}`, `{"type":"record","name":"a.Inner","fields":[{"name":"n","type":"int"}]}`)
	data, err := s.Append(nil, map[string]any{"in": map[string]any{"n": int32(3)}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]byte{6}, data); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsAreFieldErrors(t *testing.T) {
	_, err := parse(t, `"int"`).Append(nil, "x")
	if _, ok := errors.AsType[*fieldError](err); !ok {
		t.Errorf("%T", err)
	}
}
