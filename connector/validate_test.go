package connector

import (
	"math"
	"strings"
	"testing"
	"time"
)

// TestValidate names the field that does not fit, at any depth, and never its value.
func TestValidate(t *testing.T) {
	inner := StructOf("inner", F("n", Int32Schema), F("o", OptionalStringSchema), F("d", Int32Schema.WithDefault(int32(7))))
	outer := StructOf("outer", F("s", inner), F("list", ArrayOf(inner).AsOptional()))
	filled := NewStruct(inner).Set("n", int32(1))
	tests := []struct {
		name   string
		schema *Schema
		value  any
		err    string
	}{
		{"no schema takes all", nil, struct{}{}, ""},
		{"null of an optional schema", OptionalInt8Schema, nil, ""},
		{"null of a required schema", Int8Schema, nil, "Invalid value: null used for required value, schema type: INT8"},
		{"each type", Int8Schema, int8(1), ""},
		{"int16", Int16Schema, int16(1), ""},
		{"float64", Float64Schema, float64(1), ""},
		{"boolean", BooleanSchema, true, ""},
		{"bytes", BytesSchema, []byte{1}, ""},
		{"decimal", DecimalSchema(2), NewDecimal(1, 2), ""},
		{"bytes for a decimal", DecimalSchema(2), []byte{1}, "expected bytes " + DecimalName + ", got bytes"},
		{"decimal for bytes", BytesSchema, NewDecimal(1, 2), "expected bytes, got decimal"},
		{"time for an integer", Int64Schema, time.UnixMilli(0), "expected int64, got time"},
		{"map of texts", MapOf(StringSchema, Int32Schema), map[string]any{"a": int32(1)}, ""},
		{"map of texts, value", MapOf(StringSchema, Int32Schema), map[string]any{"a": "secret"}, `field ["a"]: expected int32, got string`},
		{"texts for integer keys", MapOf(Int32Schema, Int32Schema), map[string]any{"a": int32(1)}, "expected map, got map"},
		{"map of integers", MapOf(Int32Schema, BooleanSchema), map[any]any{int32(1): true}, ""},
		{"map of integers, key", MapOf(Int32Schema, BooleanSchema), map[any]any{int64(1): true}, "field  key: expected int32, got int64"},
		{"map of integers, value", MapOf(Int32Schema, StringSchema), map[any]any{int32(1): true}, "field [1]: expected string, got boolean"},
		{"array for a map", MapOf(StringSchema, Int32Schema), []any{}, "expected map, got array"},
		{"struct for an array", ArrayOf(inner), filled, "expected array, got struct inner"},
		{"struct", inner, filled, ""},
		{"a required field that is not set", inner, NewStruct(inner), `null used for required field: "n", schema type: INT32`},
		{"a value that was not checked", inner, StructFrom(inner, []any{"secret", nil, nil}), "field n: expected int32, got string"},
		{"the same within a struct", outer, StructFrom(outer, []any{NewStruct(inner), nil}), `null used for required field: "s.n", schema type: INT32`},
		{"the same within a list", outer, StructFrom(outer, []any{filled, []any{filled, NewStruct(inner)}}), `null used for required field: "list[1].n"`},
		{"a struct of the same shape", inner, NewStruct(inner.AsOptional()).Set("n", int32(1)), ""},
		{"a struct of another name", inner, NewStruct(inner.WithName("x")), "struct schemas do not match: expected struct inner, got struct x"},
		{"a struct with fewer fields", inner, NewStruct(StructOf("inner", inner.Fields()[0])), "struct schemas do not match"},
		{"a struct with another field", StructOf("", F("a", Int8Schema)), NewStruct(StructOf("", F("a", Int16Schema))), "struct schemas do not match"},
		{"what is no value at all", Int32Schema, int(1), "expected int32, got int"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Validate(tt.schema, tt.value)
			switch {
			case tt.err == "" && err != nil, tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%v, want %q", err, tt.err)
			case err != nil && KindOf(err) != KindData:
				t.Errorf("%v is %s", err, KindOf(err))
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("%v shows the value", err)
			}
		})
	}
}

// TestPutChecksWithin refuses a struct that is not complete as the field of another.
func TestPutChecksWithin(t *testing.T) {
	inner := StructOf("", F("n", Int32Schema))
	outer := NewStruct(StructOf("", F("s", inner)))
	if err := outer.Put("s", NewStruct(inner)); err == nil || !strings.Contains(err.Error(), `"s.n"`) {
		t.Errorf("a struct without its required field is taken: %v", err)
	}
	if err := outer.Put("s", NewStruct(inner).Set("n", int32(1))); err != nil {
		t.Error(err)
	}
}

// Clauses: C2.
func TestValuesEqual(t *testing.T) {
	schema := StructOf("", F("n", Float64Schema))
	same := []struct{ a, b any }{
		{nil, nil}, {int32(1), int32(1)}, {[]byte{1}, []byte{1}}, {math.NaN(), math.NaN()}, {float32(math.NaN()), float32(math.NaN())},
		{NewDecimal(1, 2), NewDecimal(1, 2)},
		{time.UnixMilli(1), time.UnixMilli(1).In(time.FixedZone("x", 3600))},
		{[]any{1.5, "a"}, []any{1.5, "a"}},
		{map[string]any{"a": []any{}}, map[string]any{"a": []any{}}},
		{map[any]any{int32(1): true}, map[any]any{int32(1): true}},
		{NewStruct(schema).Set("n", 1.0), NewStruct(schema).Set("n", 1.0)},
	}
	for _, tt := range same {
		if !ValuesEqual(tt.a, tt.b) {
			t.Errorf("%v differs from %v", tt.a, tt.b)
		}
	}
	other := []struct{ a, b any }{
		{nil, int32(0)}, {int32(1), int64(1)}, {float32(1), float64(1)}, {float64(1), 2.0}, {float32(1), float32(2)},
		{NewDecimal(10, 1), NewDecimal(100, 2)}, {NewDecimal(1, 0), 1}, {time.UnixMilli(1), int64(1)},
		{[]any{1.5}, []any{1.5, 1.5}}, {[]any{1.5}, []any{2.5}}, {[]any{1.5}, "x"},
		{map[string]any{"a": 1}, map[string]any{"b": 1}}, {map[string]any{}, map[any]any{}}, {map[any]any{1: 1}, map[any]any{1: 2}},
		{NewStruct(schema), (*Struct)(nil)}, {NewStruct(schema), NewStruct(schema).Set("n", 1.0)},
		{NewStruct(schema), NewStruct(schema.WithDoc("x"))}, {NewStruct(schema), 1},
	}
	for _, tt := range other {
		if ValuesEqual(tt.a, tt.b) {
			t.Errorf("%v is the same as %v", tt.a, tt.b)
		}
	}
}
