package connector

import "maps"

// loop is what a reference to a struct around it stands for.
type loop struct{ schema *Schema } // nil until it is made

// Recursive gives the schema of a struct that can hold itself, which build makes of a
// reference to it. The reference has the name, fields and attributes of the whole
// schema, but for its own default and whether it is optional; [Schema.Cyclic] tells it
// apart. Within build it has none of them yet.
func Recursive(build func(self *Schema) (*Schema, error)) (*Schema, error) {
	l := new(loop)
	s, err := build(&Schema{typ: Object, loop: l})
	if err != nil {
		return nil, err
	}
	l.schema = s
	return s, nil
}

// Cyclic tells a schema that is a reference to a struct around it, where what visits
// the parts of a schema has to end: it would never come to an end.
func (s *Schema) Cyclic() bool { return s.loop != nil }

// whole gives the schema that a reference stands for, s itself where it is none.
func (s *Schema) whole() *Schema {
	if s.loop == nil || s.loop.schema == nil {
		return s
	}
	return s.loop.schema
}

// pair are two schemas that are being compared.
type pair struct{ a, b *Schema }

// equal compares schemas. Those that come up again while they are being compared, in
// open, are equal unless something else tells them apart.
func (s *Schema) equal(o *Schema, open map[pair]bool) bool {
	if s == o {
		return true
	}
	if s == nil || o == nil || s.optional != o.optional || s.hasDefault != o.hasDefault || !ValuesEqual(s.def, o.def) {
		return false
	}
	if s.Cyclic() || o.Cyclic() {
		at := pair{s.whole(), o.whole()}
		if at.a == at.b || open[at] {
			return true
		}
		open = maps.Clone(open)
		if open == nil {
			open = map[pair]bool{}
		}
		open[at] = true
		s, o = at.a, at.b
	}
	if s.typ != o.typ || s.name != o.name || s.version != o.version || s.doc != o.doc || !maps.Equal(s.params, o.params) ||
		len(s.fields) != len(o.fields) || !s.key.equal(o.key, open) || !s.elem.equal(o.elem, open) {
		return false
	}
	for i, f := range s.fields {
		if f.Name != o.fields[i].Name || !f.Schema.equal(o.fields[i].Schema, open) {
			return false
		}
	}
	return true
}
