package connector

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Clauses: C1.
func TestSchemaCopies(t *testing.T) {
	s := StructOf("n", F("a", Int32Schema), F("b", OptionalStringSchema)).WithVersion(2).WithDoc("d").WithParameter("p", "1")
	s = s.WithDefault(NewStruct(s).Set("a", int32(1)))
	if s.Name() != "n" || s.Version() != 2 || s.Doc() != "d" || s.Type() != Object || s.Optional() {
		t.Errorf("schema %+v", s)
	}
	if v, ok := s.Parameter("p"); v != "1" || !ok {
		t.Errorf("parameter p is %q, %v", v, ok)
	}
	params := s.Parameters()
	params["p"] = "2"
	if d := cmp.Diff(map[string]string{"p": "1"}, s.Parameters()); d != "" {
		t.Errorf("the schema's own parameters were given away: %s", d)
	}
	if f, ok := s.Field("b"); !ok || f.Index != 1 || !f.Schema.Optional() {
		t.Errorf("field b is %+v, %v", f, ok)
	}
	if f, ok := s.Field("c"); ok {
		t.Errorf("there is no field c: %+v", f)
	}
	if o := s.AsOptional(); !o.Optional() || s.Optional() || !o.AsRequired().Equal(s) {
		t.Error("optional and required are not each other's opposite")
	}
	if _, has := s.WithoutDefault().Default(); has {
		t.Error("WithoutDefault leaves one")
	}
	n, err := s.WithFields([]Field{F("c", Int64Schema)})
	if err != nil {
		t.Fatal(err)
	}
	_, has := n.Default()
	_, old := n.Field("a")
	if n.Name() != "n" || n.Version() != 2 || has || old || len(n.Fields()) != 1 {
		t.Errorf("with other fields: %+v, default %v", n, has)
	}
	if _, err := s.WithFields([]Field{F("c", Int64Schema), F("c", Int64Schema)}); err == nil {
		t.Error("a repeated field is taken")
	}
}

func TestSchemaRefusals(t *testing.T) {
	if _, err := NewStructSchema("n", []Field{F("a", nil)}); err == nil || !strings.Contains(err.Error(), "schema n: field a has no schema") {
		t.Errorf("a field without a schema: %v", err)
	}
	_, err := NewStructSchema("n", []Field{F("a", Int8Schema), F("a", Int8Schema)})
	if err == nil || KindOf(err) != KindData || !strings.Contains(err.Error(), "field name duplication a") {
		t.Errorf("a repeated field: %v", err)
	}
	if _, err := Int8Schema.TryDefault("x"); err == nil || !strings.Contains(err.Error(), "default: expected int8, got string") {
		t.Errorf("a default of another type: %v", err)
	}
	for name, f := range map[string]func(){
		"StructOf":    func() { StructOf("n", F("a", nil)) },
		"WithDefault": func() { Int8Schema.WithDefault("x") },
		"NewStruct":   func() { NewStruct(Int8Schema) },
		"StructFrom":  func() { StructFrom(StructOf("n", F("a", Int8Schema)), nil) },
		"Set":         func() { NewStruct(StructOf("n")).Set("a", 1) },
	} {
		if text := panicOf(f); text == "" {
			t.Errorf("%s takes a mistake of the program", name)
		}
	}
}

// panicOf gives what f panics with, "" where it does not.
func panicOf(f func()) (text string) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case error:
			text = v.Error()
		case string:
			text = v
		}
	}()
	f()
	return ""
}

// Clauses: C1.
func TestTypes(t *testing.T) {
	for typ, want := range map[Type]string{Int8: "int8", Bytes: "bytes", Object: "struct", 0: "", 100: "Type(100)", -1: "Type(-1)"} {
		if typ.String() != want {
			t.Errorf("type %d prints %s, want %s", int8(typ), typ, want)
		}
	}
	for typ := Int8; typ <= Object; typ++ {
		s := PrimitiveSchema(typ)
		if typ.Primitive() != (s != nil) || s != nil && (s.Type() != typ || s.Optional()) {
			t.Errorf("the primitive schema of %s is %+v", typ, s)
		}
	}
	var none *Schema
	if none.Elem() != nil || none.Key() != nil {
		t.Error("the parts of a value without schema have one")
	}
	m := MapOf(StringSchema, ArrayOf(Int8Schema))
	if m.Key() != StringSchema || m.Elem().Elem() != Int8Schema {
		t.Error("a map's parts are others")
	}
}

func TestDecimalScale(t *testing.T) {
	if n, err := DecimalScale(DecimalSchema(-3)); n != -3 || err != nil {
		t.Errorf("scale %d, %v", n, err)
	}
	for want, s := range map[string]*Schema{
		"schema bad: parameter scale is missing":    BytesSchema.WithName("bad"),
		`schema bad: scale "two" is not an integer`: BytesSchema.WithName("bad").WithParameter("scale", "two"),
	} {
		if _, err := DecimalScale(s); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	var zero Decimal
	if zero.String() != "0" || !zero.Equal(Decimal{}) || zero.Equal(NewDecimal(0, 0)) {
		t.Error("a decimal without a number is not the same as itself alone")
	}
}

// Clauses: A18.
func TestRecordsAndHeaders(t *testing.T) {
	r := NewRecord("t", StringSchema, "k", Int32Schema, int32(1))
	if r.Partition != AnyPartition || r.Timestamp != NoTimestamp || !r.Origin.IsZero() {
		t.Errorf("a new record has a place: %+v", r)
	}
	h := Headers{}.With("a", nil, 1).With("b", nil, 2).With("a", nil, 3)
	if last, ok := h.Last("a"); !ok || last.Value != 3 {
		t.Errorf("the last header a is %+v, %v", last, ok)
	}
	if _, ok := h.Last("c"); ok {
		t.Error("there is a header c")
	}
	if d := cmp.Diff(Headers{{Key: "b", Value: 2}}, h.Without("a"), cmp.Comparer((*Schema).Equal)); d != "" {
		t.Error(d)
	}
	s := NewStruct(StructOf("n", F("a", Int8Schema)))
	if v, ok := s.Get("b"); ok {
		t.Errorf("there is a field b: %v", v)
	}
	if len(s.Values()) != 1 || s.Schema().Name() != "n" {
		t.Errorf("%+v", s)
	}
}
