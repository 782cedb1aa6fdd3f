package connector

import (
	"strings"
	"testing"
)

// node gives the schema of a list's node, whose values may be of another type.
func node(t *testing.T, value *Schema) *Schema {
	t.Helper()
	s, err := Recursive(func(self *Schema) (*Schema, error) {
		s, err := NewStructSchema("Node", []Field{F("v", value), F("next", self.AsOptional()), F("more", ArrayOf(self).AsOptional())})
		if err != nil {
			return nil, err
		}
		return s.WithDoc("a node").WithVersion(2).WithParameter("k", "p"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecursiveSchemas(t *testing.T) {
	s, same, other := node(t, Int32Schema), node(t, Int32Schema), node(t, StringSchema)
	next, _ := s.Field("next")
	if !next.Schema.Cyclic() || s.Cyclic() || next.Schema.Name() != "Node" || next.Schema.Version() != 2 || next.Schema.Doc() != "a node" || next.Schema.Parameters()["k"] != "p" {
		t.Errorf("the reference is %+v", next.Schema)
	}
	if len(next.Schema.Fields()) != 3 || !next.Schema.Optional() || next.Schema.AsRequired().Optional() {
		t.Error("the reference has not the fields and place that it should have")
	}
	for name, c := range map[string]struct {
		a, b *Schema
		want bool
	}{
		"the same":                             {s, same, true},
		"another type":                         {s, other, false},
		"another type within":                  {s, mustWithFields(t, s, F("v", Int32Schema), F("next", other.AsOptional()), F("more", ArrayOf(s).AsOptional())), false},
		"a reference and what it stands for":   {next.Schema, s.AsOptional(), true},
		"a reference of another schema":        {next.Schema, same.AsOptional(), true},
		"a place that must not be null":        {next.Schema, s, false},
		"one step more":                        {s, mustWithFields(t, s, F("v", Int32Schema), F("next", same.AsOptional()), F("more", ArrayOf(s).AsOptional())), true},
		"another name of the outermost":        {s, s.WithName("Root"), false},
		"a reference with a name of its own":   {next.Schema.WithName("Other"), next.Schema, false},
		"another name, and the same within it": {s.WithName("Root"), same.WithName("Root"), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got, back := c.a.Equal(c.b), c.b.Equal(c.a); got != c.want || back != c.want {
				t.Errorf("%v and %v, want %v", got, back, c.want)
			}
		})
	}
}

func mustWithFields(t *testing.T, s *Schema, fields ...Field) *Schema {
	t.Helper()
	s, err := s.WithFields(fields)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecursiveValues(t *testing.T) {
	s := node(t, Int32Schema)
	next, _ := s.Field("next")
	inner := NewStruct(next.Schema).Set("v", int32(2))
	if inner.Schema() != s {
		t.Error("a struct has a reference for its schema")
	}
	v := NewStruct(s).Set("v", int32(1)).Set("next", inner).Set("more", []any{NewStruct(node(t, Int32Schema)).Set("v", int32(3))})
	if err := v.Validate(); err != nil {
		t.Error(err)
	}
	if err := NewStruct(s).Put("next", NewStruct(node(t, StringSchema)).Set("v", "x")); err == nil {
		t.Error("a node of another type is one of this")
	}
	if err := NewStruct(s).Put("next", NewStruct(StructOf("Other"))); err == nil || !strings.Contains(err.Error(), "expected struct Node, got struct Other") {
		t.Error(err)
	}
	if !ValuesEqual(v, v.Clone()) {
		t.Error("it is not equal to a copy")
	}
}
