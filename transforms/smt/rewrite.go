package smt

import (
	"maps"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
)

// node says what becomes of the fields of a struct or map. The zero value
// leaves all as they are.
type node struct {
	children   map[string]*node
	order      []string // the children's names, sorted
	change     change
	added      []insertion
	skipOthers bool // fields without a child are left out
}

// change is what becomes of one field.
type change struct {
	drop bool
	name string // the new one, empty for the old
	// schema and value give the new ones of the old; nil leaves them. A value
	// of a map has no schema, and is nil where there is none.
	schema func(*connector.Schema) (*connector.Schema, error)
	value  func(*connector.Schema, any) (any, error)
}

// at gives the node of a path, made where it is not there.
func (n *node) at(p path) *node {
	for _, step := range p {
		child := n.children[step]
		if child == nil {
			child = new(node)
			if n.children == nil {
				n.children = map[string]*node{}
			}
			n.children[step] = child
			n.order = append(n.order, step)
			slices.Sort(n.order)
		}
		n = child
	}
	return n
}

// adds tells whether a field is added to this struct or map or below it.
func (n *node) adds() bool {
	for _, child := range n.children {
		if child.adds() {
			return true
		}
	}
	return len(n.added) > 0
}

// rewriter changes fields of structs and maps, nested ones too.
type rewriter struct {
	purpose     string
	root        node
	replaceNull bool
	sameSchema  bool // no schema changes
	whole       bool // the schema stays optional, or its default
	plans       fields.Cache[*connector.Schema, *plan]
}

// plan is how structs of one schema are rewritten.
type plan struct {
	schema *connector.Schema // the new one
	fields []planned         // of its first fields
	added  []insertion       // of its last
}

// planned is a field that stays.
type planned struct {
	from   connector.Field
	nested *plan
	value  func(*connector.Schema, any) (any, error)
}

// rewrite gives the record with its key or value rewritten, which is not null.
func (w *rewriter) rewrite(p part, r connector.Record) (connector.Record, error) {
	schema, value := p.get(r)
	if schema == nil {
		m, err := wantMap(value, w.purpose)
		if err != nil {
			return r, err
		}
		out, err := w.root.mapOf(m, r)
		if err != nil || w.root.skipOthers {
			return p.with(r, nil, out), err
		}
		return p.with(r, nil, withUnnamed(out, value)), nil
	}
	s, err := wantStruct(value, w.purpose)
	if err != nil {
		return r, err
	}
	plan, err := w.plan(s.Schema())
	if err != nil {
		return r, err
	}
	out, err := w.structOf(plan, s, r)
	return p.with(r, plan.schema, out), err
}

func (w *rewriter) plan(s *connector.Schema) (*plan, error) {
	return w.plans.Get(s, func() (*plan, error) { return w.planOf(&w.root, s, w.whole) })
}

func (w *rewriter) planOf(n *node, s *connector.Schema, whole bool) (*plan, error) {
	p := &plan{schema: s, added: n.added}
	var kept []connector.Field
	for _, f := range s.Fields() {
		child := n.children[f.Name]
		if child == nil {
			if !n.skipOthers {
				kept, p.fields = append(kept, f), append(p.fields, planned{from: f})
			}
			continue
		}
		if child.change.drop {
			continue
		}
		field, planned, err := w.planField(child, f)
		if err != nil {
			return nil, err
		}
		kept, p.fields = append(kept, field), append(p.fields, planned)
	}
	for _, name := range n.order {
		if _, ok := s.Field(name); !ok && n.children[name].adds() {
			return nil, dataf("Field does not exist: %s", name)
		}
	}
	if w.sameSchema {
		return p, nil
	}
	for _, in := range n.added {
		kept = append(kept, connector.F(in.field, in.schema))
	}
	var err error
	if p.schema, err = structSchema(s, kept); err != nil || !whole {
		return p, err
	}
	return p, w.keepWhole(p, s)
}

// planField plans a field that the configuration names.
func (w *rewriter) planField(child *node, f connector.Field) (connector.Field, planned, error) {
	p := planned{from: f, value: child.change.value}
	field := connector.F(f.Name, f.Schema)
	if child.change.name != "" {
		field.Name = child.change.name
	}
	var err error
	switch {
	case child.change.schema != nil:
		field.Schema, err = child.change.schema(f.Schema)
	case f.Schema.Type() == connector.Object && (child.order != nil || len(child.added) > 0):
		if p.nested, err = w.planOf(child, f.Schema, true); err == nil {
			field.Schema = p.nested.schema
		}
	}
	return field, p, err
}

// keepWhole gives the new schema what the old one allows and has in place of null.
func (w *rewriter) keepWhole(p *plan, s *connector.Schema) error {
	if s.Optional() {
		p.schema = p.schema.AsOptional()
	}
	def, ok := s.Default()
	old, isStruct := def.(*connector.Struct)
	if !ok || !isStruct || len(p.added) > 0 {
		return nil
	}
	rewritten, err := w.structOf(p, old, connector.Record{})
	if err != nil {
		return err
	}
	p.schema, err = p.schema.TryDefault(rewritten)
	return err
}

func (w *rewriter) structOf(p *plan, s *connector.Struct, r connector.Record) (*connector.Struct, error) {
	values := make([]any, len(p.schema.Fields()))
	for i, f := range p.fields {
		v := fieldValue(s, f.from.Index, w.replaceNull)
		var err error
		switch {
		case f.nested != nil && v != nil:
			sub, err := wantStruct(v, nestedAccess)
			if err != nil {
				return nil, err
			}
			if v, err = w.structOf(f.nested, sub, r); err != nil {
				return nil, err
			}
		case f.value != nil:
			if v, err = f.value(f.from.Schema, v); err != nil {
				return nil, err
			}
		}
		if err := filled(p.schema, i, v); err != nil {
			return nil, err
		}
		values[i] = v
	}
	for i, in := range p.added {
		v, ok, err := in.value(r)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if err := filled(p.schema, len(p.fields)+i, v); err != nil {
			return nil, err
		}
		values[len(p.fields)+i] = v
	}
	return connector.StructFrom(p.schema, values), nil
}

// filled checks that a required field is not null.
func filled(s *connector.Schema, i int, v any) error {
	if f := s.Fields()[i]; v == nil && !f.Schema.Optional() {
		return connector.NewStruct(s).Put(f.Name, nil) // the error is the contract's
	}
	return nil
}

// mapOf rewrites a map. Where two fields get one name, that of the later old
// name wins.
func (n *node) mapOf(m map[string]any, r connector.Record) (map[string]any, error) {
	out := make(map[string]any, len(m)+len(n.added))
	if !n.skipOthers {
		maps.Copy(out, m)
		for name := range n.children {
			delete(out, name)
		}
	}
	for _, name := range n.order {
		child := n.children[name]
		v, there := m[name]
		if v == nil && child.adds() {
			v, there = map[string]any{}, true
		}
		if child.change.drop || !there && child.change.value == nil {
			continue
		}
		var err error
		if child.change.value != nil {
			v, err = child.change.value(nil, v)
		} else if sub, ok := v.(map[string]any); ok && (child.order != nil || len(child.added) > 0) {
			v, err = child.mapOf(sub, r)
		}
		if err != nil {
			return nil, err
		}
		to := name
		if child.change.name != "" {
			to = child.change.name
		}
		if _, old := m[to]; old && to > name && n.children[to] == nil && !n.skipOthers {
			continue
		}
		out[to] = v
	}
	return out, n.insert(out, r)
}

func (n *node) insert(out map[string]any, r connector.Record) error {
	for _, in := range n.added {
		v, ok, err := in.value(r)
		if err != nil {
			return err
		}
		if ok {
			out[in.field] = plainTime(v)
		}
	}
	return nil
}
