package avro

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// arrayWriter writes arrays, and maps whose keys are not strings as arrays of
// entries.
type arrayWriter struct {
	n          *node
	elem       writer
	key, value writer // of map entries, nil for others
}

func newArrayWriter(n *node) (writer, error) {
	elem, err := compileWriter(n.elem)
	if err != nil {
		return nil, err
	}
	w := &arrayWriter{n: n, elem: elem}
	if n.elem.isMapEntry() {
		if w.key, err = compileWriter(n.elem.fields[0].node); err != nil {
			return nil, err
		}
		w.value, err = compileWriter(n.elem.fields[1].node)
	}
	return w, err
}

func (w *arrayWriter) write(dst []byte, v any) ([]byte, error) {
	var err error
	switch x := v.(type) {
	case []any:
		if len(x) > 0 {
			dst = appendLong(dst, int64(len(x)))
		}
		for i, e := range x {
			if dst, err = w.elem.write(dst, e); err != nil {
				return nil, inIndex(i, err)
			}
		}
		return append(dst, 0), nil
	case map[any]any:
		if w.key != nil {
			return w.writeEntries(dst, x)
		}
	case map[string]any:
		if w.key != nil {
			entries := make(map[any]any, len(x))
			for k, e := range x {
				entries[k] = e
			}
			return w.writeEntries(dst, entries)
		}
	}
	return nil, expected(w.n, v)
}

// writeEntries writes a map's entries in the order of their keys' binary form, so
// that the same map gives the same bytes.
func (w *arrayWriter) writeEntries(dst []byte, m map[any]any) ([]byte, error) {
	entries := make([]string, 0, len(m))
	for k, e := range m {
		entry, err := w.key.write(nil, k)
		if err != nil {
			return nil, in("key", err)
		}
		if entry, err = w.value.write(entry, e); err != nil {
			return nil, in(fmt.Sprintf("[%v]", k), err)
		}
		entries = append(entries, string(entry))
	}
	slices.Sort(entries)
	if len(entries) > 0 {
		dst = appendLong(dst, int64(len(entries)))
	}
	for _, e := range entries {
		dst = append(dst, e...)
	}
	return append(dst, 0), nil
}

// mapWriter writes maps in the order of their keys, so that the same map gives
// the same bytes.
type mapWriter struct {
	n    *node
	elem writer
}

func (w *mapWriter) write(dst []byte, v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok || m == nil {
		return nil, expected(w.n, v)
	}
	if len(m) > 0 {
		dst = appendLong(dst, int64(len(m)))
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		var err error
		if dst, err = appendString(dst, k); err != nil {
			return nil, inKey(k, err)
		}
		if dst, err = w.elem.write(dst, m[k]); err != nil {
			return nil, inKey(k, err)
		}
	}
	return append(dst, 0), nil
}

// optionalWriter writes a union of null and one other type.
type optionalWriter struct {
	null, some byte // the branches' numbers as they are written
	other      writer
}

func (w *optionalWriter) write(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, w.null), nil
	}
	return w.other.write(append(dst, w.some), v)
}

// unionWriter writes any other union.
type unionWriter struct {
	n        *node
	null     int // the number of the null branch, -1 without one
	branches []writer
	byName   map[string]int
}

func newUnionWriter(n *node) (writer, error) {
	if other, null := n.optional(); other != nil {
		w, err := compileWriter(other)
		return &optionalWriter{null: byte(null) << 1, some: byte(1-null) << 1, other: w}, err
	}
	u := &unionWriter{n: n, null: -1, byName: map[string]int{}}
	place := 0 // among the branches but null
	for i, b := range n.branches {
		w, err := compileWriter(b)
		if err != nil {
			return nil, err
		}
		u.branches = append(u.branches, w)
		u.byName[b.branchName()] = i
		if b.name != "" {
			u.byName[b.name] = i // as a converter with other options names it
		}
		if b.kind == kindNull {
			u.null = i
			continue
		}
		u.byName[generalField(place)] = i
		place++
	}
	return u, nil
}

// write takes Confluent's struct of a union, whose one set field names the
// branch, or a plain value, which goes to the first branch that holds it as it
// is, else to the first that can hold it.
func (w *unionWriter) write(dst []byte, v any) ([]byte, error) {
	if s, ok := v.(*connector.Struct); ok && isUnion(s.Schema()) {
		return w.writeStruct(dst, s)
	}
	if v == nil {
		if w.null < 0 {
			return nil, expected(w.n, v)
		}
		return appendLong(dst, int64(w.null)), nil
	}
	size := len(dst)
	for _, same := range []bool{true, false} {
		for i, b := range w.branches {
			if same && !w.n.branches[i].holds(v) {
				continue
			}
			if out, err := b.write(appendLong(dst[:size], int64(i)), v); err == nil {
				return out, nil
			}
		}
	}
	names := make([]string, len(w.n.branches))
	for i, b := range w.n.branches {
		names[i] = b.describe()
	}
	return nil, misfitf("expected one of %s, got %s", strings.Join(names, ", "), typeName(v))
}

func (w *unionWriter) writeStruct(dst []byte, s *connector.Struct) ([]byte, error) {
	for i, f := range s.Schema().Fields() {
		v := s.At(i)
		if v == nil {
			continue
		}
		b, ok := w.byName[f.Name]
		if !ok {
			return nil, misfitf("the union has no branch %s", f.Name)
		}
		dst, err := w.branches[b].write(appendLong(dst, int64(b)), v)
		if err != nil {
			return nil, in(f.Name, err)
		}
		return dst, nil
	}
	if w.null < 0 {
		return nil, misfitf("no branch of the union is set")
	}
	return appendLong(dst, int64(w.null)), nil
}

// holds tells whether a value is of the very type of the node.
func (n *node) holds(v any) bool {
	switch x := v.(type) {
	case bool:
		return n.kind == kindBoolean
	case int8, int16, int32:
		return n.kind == kindInt && n.logical == ""
	case int64:
		return n.kind == kindLong && n.logical == ""
	case time.Time:
		return n.tick > 0 || n.logical == date || n.logical == timeMillis || n.logical == timestampMillis
	case float32:
		return n.kind == kindFloat
	case float64:
		return n.kind == kindDouble
	case string:
		return n.kind == kindString
	case []byte:
		return n.kind == kindBytes && n.logical == ""
	case connector.Decimal:
		return n.logical == decimal && n.scale == x.Scale
	case *connector.Struct:
		return n.kind == kindRecord && x.Schema().Name() == n.name
	}
	return false
}

// recordWriter writes structs and maps by field name.
type recordWriter struct {
	n        *node
	fields   []writer
	defaults [][]byte // the binary form of each field's default, nil without one
	last     atomic.Pointer[mapping]
}

// mapping says where a struct schema has the fields of a record: an index, or -1
// where the record's default is written.
type mapping struct {
	from    *connector.Schema
	indexes []int
}

func newRecordWriter(n *node) (writer, error) {
	w := &recordWriter{n: n, fields: make([]writer, len(n.fields)), defaults: make([][]byte, len(n.fields))}
	if n.loop != nil {
		if n.loop.writer != nil {
			return n.loop.writer, nil
		}
		n.loop.writer = w
	}
	for i, f := range n.fields {
		var err error
		if w.fields[i], err = compileWriter(f.node); err != nil {
			return nil, err
		}
		if !f.hasDefault {
			continue
		}
		s, err := toConnect(f.node, false)
		if err != nil {
			return nil, err
		}
		def, err := defaultValue(f.node, s, f.def)
		if err != nil {
			return nil, fmt.Errorf("field %s: default: %w", f.name, err)
		}
		if w.defaults[i], err = w.fields[i].write([]byte{}, def); err != nil {
			return nil, fmt.Errorf("field %s: default: %w", f.name, err)
		}
	}
	return w, nil
}

func (w *recordWriter) write(dst []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case *connector.Struct:
		if x != nil {
			return w.writeStruct(dst, x)
		}
	case map[string]any:
		if x != nil {
			return w.writeMap(dst, x)
		}
	}
	return nil, expected(w.n, v)
}

func (w *recordWriter) writeStruct(dst []byte, s *connector.Struct) ([]byte, error) {
	m := w.last.Load()
	if m == nil || m.from != s.Schema() {
		var err error
		if m, err = w.mapFrom(s.Schema()); err != nil {
			return nil, err
		}
		w.last.Store(m)
	}
	for i, at := range m.indexes {
		if at < 0 {
			dst = append(dst, w.defaults[i]...)
			continue
		}
		v := s.At(at)
		if fs := m.from.Fields()[at].Schema; v == nil && !(fs.Optional() && w.n.options.NullForDefault) {
			v, _ = fs.Default()
		}
		var err error
		if dst, err = w.fields[i].write(dst, v); err != nil {
			return nil, in(w.n.fields[i].name, err)
		}
	}
	return dst, nil
}

// mapFrom finds the record's fields in a struct schema and names all those that
// are nowhere.
func (w *recordWriter) mapFrom(s *connector.Schema) (*mapping, error) {
	m := &mapping{from: s, indexes: make([]int, len(w.n.fields))}
	var missing []string
	for i, f := range w.n.fields {
		x, ok := w.n.find(s, f)
		m.indexes[i] = x.Index
		if !ok {
			m.indexes[i] = -1
			if w.defaults[i] == nil {
				missing = append(missing, f.name)
			}
		}
	}
	return m, missingFields(w.n, missing)
}

// find gives the field of a struct schema that a record's field is written from:
// that of its name, as Avro has it, or of one of its aliases.
func (n *node) find(s *connector.Schema, f field) (connector.Field, bool) {
	for _, name := range append([]string{f.name}, f.aliases...) {
		if x, ok := s.Field(name); ok {
			return x, true
		}
	}
	if n.options.Scrub != nil {
		for _, x := range s.Fields() {
			if n.options.Scrub(x.Name) == f.name {
				return x, true
			}
		}
	}
	return connector.Field{}, false
}

func missingFields(n *node, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return misfitf("%s needs %s, which the value does not have and which has no default", n.describe(), strings.Join(names, ", "))
}

func (w *recordWriter) writeMap(dst []byte, m map[string]any) ([]byte, error) {
	var missing []string
	for i, f := range w.n.fields {
		v, ok := m[f.name]
		for _, alias := range f.aliases {
			if !ok {
				v, ok = m[alias]
			}
		}
		if !ok {
			if w.defaults[i] == nil {
				missing = append(missing, f.name)
			}
			dst = append(dst, w.defaults[i]...)
			continue
		}
		var err error
		if dst, err = w.fields[i].write(dst, v); err != nil {
			return nil, in(f.name, err)
		}
	}
	return dst, missingFields(w.n, missing)
}
