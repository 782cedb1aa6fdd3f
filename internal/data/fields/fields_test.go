package fields

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

var fields = []connector.Field{connector.F("area", connector.Int32Schema), connector.F("note", connector.OptionalStringSchema)}

func record(schema *connector.Schema, value any) connector.Record {
	return connector.NewRecord("t", nil, nil, schema, value)
}

func TestStruct(t *testing.T) {
	f := New(fields...)
	schema := connector.StructOf("s", connector.F("a", connector.StringSchema)).WithVersion(3)
	in := connector.NewStruct(schema).Set("a", "x")
	first, err := f.Record(record(schema, in), []any{int32(5), nil})
	if err != nil {
		t.Fatal(err)
	}
	want := connector.NewStruct(connector.StructOf("s", append(schema.Fields(), fields...)...).WithVersion(3)).Set("a", "x").Set("area", int32(5))
	if !connector.ValuesEqual(first.Value, want) || !first.ValueSchema.Equal(want.Schema()) {
		t.Errorf("%v of %v", first.Value, first.ValueSchema)
	}
	second, err := f.Record(record(schema, connector.NewStruct(schema).Set("a", "y")), []any{int32(6), "n"})
	if err != nil || second.ValueSchema != first.ValueSchema {
		t.Errorf("%v: the extended schema was made twice", err)
	}
	if len(in.Values()) != 1 || first.Value.(*connector.Struct).At(1) != int32(5) {
		t.Error("a struct was changed in place")
	}
	if _, err := f.Record(first, []any{int32(1), nil}); err == nil {
		t.Error("a field was added twice")
	}
}

func TestMap(t *testing.T) {
	in := map[string]any{"a": "x", "area": "old"}
	out, err := New(fields...).Record(record(nil, in), []any{int32(5), nil})
	if err != nil || !connector.ValuesEqual(out.Value, map[string]any{"a": "x", "area": int32(5), "note": nil}) || in["area"] != "old" {
		t.Errorf("%v from %v, %v", out.Value, in, err)
	}
}

func TestOtherValues(t *testing.T) {
	for _, v := range []any{nil, "text", []any{1}} {
		if _, err := New(fields...).Record(record(nil, v), []any{int32(5), nil}); err == nil {
			t.Errorf("fields were added to %v", v)
		}
		if _, err := Get(v, "a"); err == nil {
			t.Errorf("a field was found in %v", v)
		}
	}
}

func TestRead(t *testing.T) {
	schema := connector.StructOf("s", connector.F("a", connector.OptionalStringSchema))
	for name, value := range map[string]any{"struct": connector.NewStruct(schema), "map": map[string]any{"a": nil}} {
		t.Run(name, func(t *testing.T) {
			r, err := Of(value)
			if err != nil {
				t.Fatal(err)
			}
			if v, ok := r.Lookup("a"); v != nil || !ok {
				t.Errorf("a field that is null: %v, %t", v, ok)
			}
			if v, ok := r.Lookup("b"); v != nil || ok || r.Get("b") != nil {
				t.Errorf("a field that is not there: %v, %t", v, ok)
			}
		})
	}
}
