package values

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
)

// TestRecordedAnswers compares with what Kafka Connect 4.3.1 answered.
//
// Clauses: C4.
func TestRecordedAnswers(t *testing.T) {
	javavectors.Replay(t, replay, "values.parseString", "values.inferSchema", "values.convertToBoolean", "values.convertToByte",
		"values.convertToShort", "values.convertToInteger", "values.convertToLong", "values.convertToFloat", "values.convertToDouble",
		"values.convertToString", "values.convertToList", "values.convertToMap", "values.convertToStruct", "values.convertToDate",
		"values.convertToTime", "values.convertToTimestamp", "values.convertToDecimal")
}

func replay(_ *testing.T, c javavectors.Case) error {
	var in struct {
		String *string `json:"string"`
		Scale  int     `json:"scale"`
		javavectors.Converted
	}
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return err
	}
	schema, value, err := in.Pair()
	if err != nil {
		return err
	}
	op := c.Component[len("values."):]
	if op == "parseString" {
		if in.String == nil {
			return null(c)
		}
		got := Parse(*in.String)
		return same(c, got.Schema, got.Value)
	}
	var got any
	if op == "inferSchema" {
		s, err := Infer(value)
		if c.Expect.Error != nil {
			return c.Expect.Error.CheckError(err)
		}
		want, werr := javavectors.Schema(c.Expect.Output)
		if err != nil || werr != nil || !s.Equal(want) {
			return fmt.Errorf("%+v %v, want %+v", s, err, want)
		}
		return nil
	}
	got, err = convert(op, schema, value, in.Scale)
	if c.Expect.Error != nil {
		return c.Expect.Error.CheckError(err)
	}
	if err != nil {
		return err
	}
	want, err := javavectors.Value(nil, c.Expect.Output)
	if err != nil {
		want, err = javavectors.Value(schema, c.Expect.Output)
	}
	if newer := c.Expect.FloatText; newer != "" && got == newer {
		return nil
	}
	if err != nil || !connector.ValuesEqual(got, want) {
		return fmt.Errorf("%#v, want %#v, %v", got, want, err)
	}
	return nil
}

// convert calls what stands behind one of Java's functions.
func convert(op string, from *connector.Schema, v any, scale int) (any, error) {
	to, ok := map[string]*connector.Schema{
		"convertToBoolean": connector.BooleanSchema, "convertToByte": connector.Int8Schema, "convertToShort": connector.Int16Schema,
		"convertToInteger": connector.Int32Schema, "convertToLong": connector.Int64Schema, "convertToFloat": connector.Float32Schema,
		"convertToDouble": connector.Float64Schema, "convertToString": connector.StringSchema,
	}[op]
	if ok {
		return Convert(to.AsOptional(), from, v)
	}
	to = map[string]*connector.Schema{
		"convertToList": connector.ArrayOf(connector.StringSchema), "convertToMap": connector.MapOf(connector.StringSchema, connector.StringSchema),
		"convertToStruct": connector.StructOf(""), "convertToDate": connector.DateSchema, "convertToTime": connector.TimeSchema,
		"convertToTimestamp": connector.TimestampSchema, "convertToDecimal": connector.DecimalSchema(scale),
	}[op]
	return Convert(to, from, v)
}

func null(c javavectors.Case) error {
	if string(c.Expect.Output) == "null" {
		return nil
	}
	return same(c, nil, nil)
}

func same(c javavectors.Case, schema *connector.Schema, value any) error {
	if c.Expect.Error != nil {
		return c.Expect.Error.CheckError(nil)
	}
	var want javavectors.Converted
	if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
		return err
	}
	ws, wv, err := want.Pair()
	if err != nil || !schema.Equal(ws) || !connector.ValuesEqual(value, wv) {
		return fmt.Errorf("%+v %#v, want %+v %#v, %v", schema, value, ws, wv, err)
	}
	return nil
}

func TestParseAndFormat(t *testing.T) {
	for text, want := range map[string]Pair{
		"12":               {connector.Int8Schema, int8(12)},
		"1.5":              {connector.Float32Schema, float32(1.5)},
		"1e999999999":      {connector.DecimalSchema(-999999999), connector.Decimal{Unscaled: big.NewInt(1), Scale: -999999999}},
		`["a", "b"]`:       {connector.ArrayOf(connector.StringSchema), []any{"a", "b"}},
		`{"a": 1, "b": 2}`: {connector.MapOf(connector.StringSchema, connector.Int8Schema), map[string]any{"a": int8(1), "b": int8(2)}},
		`{[1]: 2}`:         {connector.StringSchema, `{[1]: 2}`},
	} {
		got := Parse(text)
		if !got.Schema.Equal(want.Schema) || !connector.ValuesEqual(got.Value, want.Value) {
			t.Errorf("%s: %+v", text, got)
		}
	}
	got, err := Format([]any{"a\"b", []byte{1}, nil, int64(3), map[string]any{"k": true}})
	if d := cmp.Diff(`["a\"b","AQ==",null,3,{"k":true}]`, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := Format(struct{}{}); connector.KindOf(err) != connector.KindData {
		t.Errorf("a value of Go: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`[1,"a",{2:[3]}]`, `{"a":2017-01-03T06:30:01.864Z}`, `"\\"`, "-1e-5000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := Parse(text)
		if _, err := Format(p.Value); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
