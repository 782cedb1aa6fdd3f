package avro

import (
	"fmt"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// As gives what reads values that were written with s as values of another schema,
// by Avro's rules of resolution: fields by name or by an alias of that one, others
// left out, new ones from their defaults, numbers widened. The error names what can
// never be read so.
func (s *Schema) As(other *Schema) (*Schema, error) {
	x := &resolver{records: map[[2]*node]*resolvedRecord{}}
	r, err := x.resolve(s.root, other.root, other.connect)
	if err != nil {
		return nil, connector.Data(err)
	}
	as := *other
	as.reader = r
	return &as, nil
}

// resolver compiles readers from one schema into another.
type resolver struct {
	records map[[2]*node]*resolvedRecord
}

// resolve compiles what reads values of w as those of r, whose Connect schema is s.
func (x *resolver) resolve(w, r *node, s *connector.Schema) (reader, error) {
	switch {
	case w.kind == kindUnion:
		return x.fromUnion(w, r, s)
	case r.kind == kindUnion:
		return x.intoUnion(w, r, s)
	case w.kind == kindRecord && r.kind == kindRecord:
		return x.record(w, r, s)
	case w.kind == kindArray && r.kind == kindArray:
		return x.array(w, r, s)
	case w.kind == kindMap && r.kind == kindMap:
		elem, err := x.resolve(w.elem, r.elem, s.Elem())
		return &mapReader{elem}, err
	case w.kind == kindEnum && r.kind == kindEnum && simpleName(w.name) == simpleName(r.name):
		e := newEnumReader(w)
		for i, symbol := range w.symbols {
			if !slices.Contains(r.symbols, symbol) {
				e.symbols[i] = nil
			}
		}
		return &knownEnum{e, r}, nil
	case r.widens(w):
		return &wideReader{w, r.kind}, nil
	case r.sameBytes(w):
		return compileReader(r, s)
	}
	return nil, misfitf("it was written as %s, and is to be read as %s", w.describe(), r.describe())
}

// sameBytes tells whether values of w are written as those of n are.
func (n *node) sameBytes(w *node) bool {
	switch {
	case w.kind == kindInt && (n.kind == kindInt || n.kind == kindLong), w.kind == kindLong && n.kind == kindLong:
		return w.logical == n.logical || w.logical == "" || n.logical == ""
	case w.kind == kindString && n.kind == kindBytes, w.kind == kindBytes && n.kind == kindString:
		return w.logical == "" && n.logical == ""
	case w.kind == kindFixed && simpleName(w.name) != simpleName(n.name):
		return false
	}
	return w.kind == n.kind && w.size == n.size && w.logical == n.logical && w.scale == n.scale
}

func simpleName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// widens tells whether numbers of w are read as floating-point numbers of n.
func (n *node) widens(w *node) bool {
	switch w.kind {
	case kindInt, kindLong:
		return (n.kind == kindFloat || n.kind == kindDouble) && w.logical == ""
	case kindFloat:
		return n.kind == kindDouble
	}
	return false
}

// wideReader reads a number as a floating-point one.
type wideReader struct {
	from *node
	to   kind
}

func (r *wideReader) read(in *input) (any, error) {
	if r.from.kind == kindFloat {
		v, err := floatReader{}.read(in)
		if err != nil {
			return nil, err
		}
		return float64(v.(float32)), nil
	}
	i, err := in.long()
	switch {
	case err != nil:
		return nil, err
	case r.to == kindFloat:
		return float32(i), nil
	}
	return float64(i), nil
}

// knownEnum refuses symbols that the other schema does not have.
type knownEnum struct {
	*enumReader
	to *node
}

func (r *knownEnum) read(in *input) (any, error) {
	v, err := r.enumReader.read(in)
	if err == nil && v == nil {
		err = misfitf("a symbol of the schema that it was written with is none of %s", r.to.describe())
	}
	return v, err
}

func (x *resolver) array(w, r *node, s *connector.Schema) (reader, error) {
	out := &arrayReader{size: leastSize(w.elem)}
	var err error
	if s.Type() != connector.Map {
		out.elem, err = x.resolve(w.elem, r.elem, s.Elem())
		return out, err
	}
	if !w.elem.isMapEntry() {
		return nil, misfitf("it was written as an array, and is to be read as a map")
	}
	if out.key, err = x.resolve(w.elem.fields[0].node, r.elem.fields[0].node, s.Key()); err != nil {
		return nil, err
	}
	out.value, err = x.resolve(w.elem.fields[1].node, r.elem.fields[1].node, s.Elem())
	return out, err
}

// branchesReader reads a union by what each of its branches is read as.
type branchesReader struct {
	branches []reader
	wrong    []error // of the branches that cannot be read
}

func (x *resolver) fromUnion(w, r *node, s *connector.Schema) (reader, error) {
	out := &branchesReader{make([]reader, len(w.branches)), make([]error, len(w.branches))}
	failed := 0
	for i, b := range w.branches {
		if out.branches[i], out.wrong[i] = x.resolve(b, r, s); out.wrong[i] != nil {
			failed++
		}
	}
	if failed == len(w.branches) && failed > 0 {
		return nil, out.wrong[failed-1]
	}
	return out, nil
}

func (r *branchesReader) read(in *input) (any, error) {
	i, err := in.int()
	switch {
	case err != nil:
		return nil, err
	case i < 0 || i >= int64(len(r.branches)):
		return nil, misfitf("the union has no branch %d", i)
	case r.wrong[i] != nil:
		return nil, r.wrong[i]
	}
	return r.branches[i].read(in)
}

// intoUnion reads a value as one of a union: the branch of its own kind and name, or
// the first that takes it.
func (x *resolver) intoUnion(w, r *node, s *connector.Schema) (reader, error) {
	if w.kind == kindNull {
		if !slices.ContainsFunc(r.branches, func(b *node) bool { return b.kind == kindNull }) {
			return nil, misfitf("it was written as null, and is to be read as %s", r.describe())
		}
		return nullReader{}, nil
	}
	if other, _ := r.optional(); other != nil {
		return x.resolve(w, other, s)
	}
	if r.single {
		return x.resolve(w, r.branches[0], s)
	}
	fields := make([]int, len(r.branches))
	next := 0
	for i, b := range r.branches {
		if b.kind != kindNull {
			fields[i] = next
			next++
		}
	}
	for _, exact := range []bool{true, false} {
		for i, b := range r.branches {
			if b.kind == kindNull || exact && (b.kind != w.kind || b.name != w.name || b.logical != w.logical) {
				continue
			}
			field := s.Fields()[fields[i]]
			if inner, err := x.resolve(w, b, field.Schema); err == nil {
				return &memberReader{s, field.Index, inner}, nil
			}
		}
	}
	return nil, misfitf("it was written as %s, and no branch of the union takes it", w.describe())
}

// memberReader reads a value as a union's struct with one field set.
type memberReader struct {
	schema *connector.Schema
	field  int
	value  reader
}

func (r *memberReader) read(in *input) (any, error) {
	v, err := r.value.read(in)
	if err != nil {
		return nil, err
	}
	values := make([]any, len(r.schema.Fields()))
	values[r.field] = v
	return connector.StructFrom(r.schema, values), nil
}

// resolvedRecord reads a record's fields in the order that they were written in.
type resolvedRecord struct {
	schema *connector.Schema
	steps  []step
	unset  []any // the fields' defaults, where nothing was written
	loop   bool
}

// step reads a field and puts it at an index, -1 is nowhere.
type step struct {
	name  string
	value reader
	index int
}

func (x *resolver) record(w, r *node, s *connector.Schema) (reader, error) {
	at := [2]*node{w, r}
	if out := x.records[at]; out != nil {
		return out, nil
	}
	if r.loop != nil {
		s = r.loop.self
	}
	out := &resolvedRecord{schema: s, unset: make([]any, len(r.fields)), loop: w.loop != nil}
	x.records[at] = out
	written := make([]int, len(w.fields)) // where each goes
	for i := range written {
		written[i] = -1
	}
	for i, f := range r.fields {
		from := slices.IndexFunc(w.fields, func(g field) bool { return g.name == f.name })
		for _, alias := range f.aliases {
			if from < 0 {
				from = slices.IndexFunc(w.fields, func(g field) bool { return g.name == alias })
			}
		}
		if from >= 0 {
			written[from] = i
			continue
		}
		if !f.hasDefault {
			return nil, in(f.name, misfitf("it was not written, and has no default"))
		}
		def, err := defaultValue(f.node, s.Fields()[i].Schema, f.def)
		if err != nil {
			return nil, fmt.Errorf("field %s: default: %w", f.name, err)
		}
		out.unset[i] = def
	}
	for i, f := range w.fields {
		var value reader
		var err error
		if to := written[i]; to >= 0 {
			value, err = x.resolve(f.node, r.fields[to].node, s.Fields()[to].Schema)
		} else {
			value, err = skipped(f.node)
		}
		if err != nil {
			return nil, in(f.name, err)
		}
		out.steps = append(out.steps, step{f.name, value, written[i]})
	}
	return out, nil
}

// skipped reads what is left out.
func skipped(n *node) (reader, error) {
	s, err := toConnect(n, false)
	if err != nil {
		return nil, err
	}
	return compileReader(n, s)
}

func (r *resolvedRecord) read(src *input) (any, error) {
	if r.loop {
		if src.depth++; src.depth > maxNested {
			return nil, tooDeep(r.schema)
		}
		defer func() { src.depth-- }()
	}
	values := slices.Clone(r.unset)
	for _, s := range r.steps {
		v, err := s.value.read(src)
		if err != nil {
			return nil, in(s.name, err)
		}
		if s.index >= 0 {
			values[s.index] = v
		}
	}
	return connector.StructFrom(r.schema, values), nil
}
