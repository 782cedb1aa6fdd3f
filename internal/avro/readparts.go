package avro

import (
	"math"
	"reflect"

	"github.com/axiom-data-science/hydraulics/connector"
)

// emptyItems bounds the number of items that take no bytes, which a few bytes of
// bad data could otherwise ask for without end.
const emptyItems = 1 << 20

// leastSize gives the least number of bytes that a value takes.
func leastSize(n *node) int {
	switch n.kind {
	case kindNull:
		return 0
	case kindFloat:
		return 4
	case kindDouble:
		return 8
	case kindFixed:
		return n.size
	case kindRecord:
		if n.loop != nil {
			return 1 // the number of a branch or of items, at which each of them may end
		}
		sum := 0
		for _, f := range n.fields {
			sum += leastSize(f.node)
		}
		return sum
	}
	return 1
}

// items reads the blocks of an array or a map, calling item for each of them.
// Items take at least size bytes each.
func (in *input) items(size int, grow func(n int), item func() error) error {
	total := 0
	for {
		count, err := in.long()
		if err != nil {
			return err
		}
		if count == 0 {
			return nil
		}
		if count < 0 {
			if _, err := in.long(); err != nil { // the block's size in bytes
				return err
			}
			if count == math.MinInt64 {
				return errShort
			}
			count = -count
		}
		limit := int64(emptyItems - total)
		if size > 0 {
			limit = int64(len(in.rest) / size)
		}
		if count > limit {
			return errShort
		}
		total += int(count)
		grow(int(count))
		for range count {
			if err := item(); err != nil {
				return err
			}
		}
	}
}

type arrayReader struct {
	elem       reader
	size       int
	key, value reader // of map entries, nil for others
}

func newArrayReader(n *node, s *connector.Schema) (reader, error) {
	r := &arrayReader{size: leastSize(n.elem)}
	var err error
	if s.Type() != connector.Map {
		r.elem, err = compileReader(n.elem, s.Elem())
		return r, err
	}
	if r.key, err = compileReader(n.elem.fields[0].node, s.Key()); err != nil {
		return nil, err
	}
	r.value, err = compileReader(n.elem.fields[1].node, s.Elem())
	return r, err
}

func (r *arrayReader) read(in *input) (any, error) {
	if r.key != nil {
		return r.readEntries(in)
	}
	list := []any{}
	grow := func(n int) {
		if len(list) == 0 {
			list = make([]any, 0, n)
		}
	}
	err := in.items(r.size, grow, func() error {
		v, err := r.elem.read(in)
		if err != nil {
			return inIndex(len(list), err)
		}
		list = append(list, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func (r *arrayReader) readEntries(in *input) (any, error) {
	m := map[any]any{}
	err := in.items(r.size, func(int) {}, func() error {
		k, err := r.key.read(in)
		if err != nil {
			return err
		}
		if k != nil && !reflect.TypeOf(k).Comparable() {
			return misfitf("a map's key is a %s", typeName(k))
		}
		m[k], err = r.value.read(in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

type mapReader struct{ elem reader }

func (r *mapReader) read(in *input) (any, error) {
	m := map[string]any{}
	err := in.items(1, func(int) {}, func() error {
		k, err := in.text()
		if err != nil {
			return err
		}
		if m[k], err = r.elem.read(in); err != nil {
			return inKey(k, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

type optionalReader struct {
	null  int64
	other reader
}

func (r *optionalReader) read(in *input) (any, error) {
	branch, err := in.int()
	switch {
	case err != nil:
		return nil, err
	case branch == r.null:
		return nil, nil
	case branch == 1-r.null:
		return r.other.read(in)
	}
	return nil, misfitf("the union has no branch %d", branch)
}

// singleReader reads a union of one type as that one.
type singleReader struct{ only reader }

func (r *singleReader) read(in *input) (any, error) {
	branch, err := in.int()
	switch {
	case err != nil:
		return nil, err
	case branch != 0:
		return nil, misfitf("the union has no branch %d", branch)
	}
	return r.only.read(in)
}

// unionReader reads any other union as Confluent's struct of it.
type unionReader struct {
	schema   *connector.Schema
	branches []reader
	fields   []int // the branches' fields, -1 for null
}

func newUnionReader(n *node, s *connector.Schema) (reader, error) {
	if other, null := n.optional(); other != nil {
		r, err := compileReader(other, s)
		return &optionalReader{int64(null), r}, err
	}
	if n.single {
		r, err := compileReader(n.branches[0], s)
		return &singleReader{r}, err
	}
	u := &unionReader{schema: s}
	next := 0
	for _, b := range n.branches {
		if b.kind == kindNull {
			u.branches, u.fields = append(u.branches, nullReader{}), append(u.fields, -1)
			continue
		}
		f := s.Fields()[next]
		next++
		r, err := compileReader(b, f.Schema)
		if err != nil {
			return nil, err
		}
		u.branches, u.fields = append(u.branches, r), append(u.fields, f.Index)
	}
	return u, nil
}

func (r *unionReader) read(in *input) (any, error) {
	branch, err := in.int()
	if err != nil {
		return nil, err
	}
	if branch < 0 || branch >= int64(len(r.branches)) {
		return nil, misfitf("the union has no branch %d", branch)
	}
	v, err := r.branches[branch].read(in)
	if err != nil || r.fields[branch] < 0 {
		return nil, err
	}
	values := make([]any, len(r.schema.Fields()))
	values[r.fields[branch]] = v
	return connector.StructFrom(r.schema, values), nil
}

type recordReader struct {
	schema *connector.Schema
	names  []string
	fields []reader
	loop   bool // it can hold itself
}

func newRecordReader(n *node, s *connector.Schema) (reader, error) {
	r := &recordReader{schema: s}
	if n.loop != nil {
		if n.loop.reader != nil {
			return n.loop.reader, nil
		}
		r.schema, r.loop, n.loop.reader = n.loop.self, true, r
		s = r.schema
	}
	for i, f := range n.fields {
		x, err := compileReader(f.node, s.Fields()[i].Schema)
		if err != nil {
			return nil, err
		}
		r.names, r.fields = append(r.names, f.name), append(r.fields, x)
	}
	return r, nil
}

func (r *recordReader) read(src *input) (any, error) {
	if r.loop {
		if src.depth++; src.depth > maxNested {
			return nil, tooDeep(r.schema)
		}
		defer func() { src.depth-- }()
	}
	values := make([]any, len(r.fields))
	for i, f := range r.fields {
		v, err := f.read(src)
		if err != nil {
			return nil, in(r.names[i], err)
		}
		values[i] = v
	}
	return connector.StructFrom(r.schema, values), nil
}
