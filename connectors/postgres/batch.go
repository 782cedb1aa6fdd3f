package postgres

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// maxBytes bounds the values of one statement.
const maxBytes = 16 << 20

// batch is the rows of one Put, sorted into groups that one statement writes.
//
// The operations on one key keep their order by waves: a row of another group
// than its key's last one goes into a later wave, one of the same group
// replaces it. Within a wave every key is there once, so the groups of a wave
// can be written in any order, and the rows of a group sorted by key, which is
// the order in which all tasks lock them.
//
// An exact batch replaces nothing: each row of a key has a wave of its own, so
// that a row whose successor is refused is still written.
type batch struct {
	cells  *cells
	exact  bool
	waves  []map[string]*group
	latest map[rowKey]place
}

// rowKey is the key of a row in one table, as keyOf gives it.
type rowKey struct {
	table pg.Name
	key   string
}

type place struct {
	wave  int
	group *group
	row   int
}

// group is rows for one statement.
type group struct {
	plan  *plan
	rows  []row
	bytes []byte // the elements of all rows
	ends  []int  // where each element ends in bytes, len(plan.columns) per row
}

type row struct {
	record int // in the Put
	first  int // index of the row's first element in ends
}

func newBatch(c *cells, exact bool) *batch {
	return &batch{cells: c, exact: exact, latest: map[rowKey]place{}}
}

// add puts a record into its group. Its error is about this record.
func (b *batch) add(p *plan, record int, r *connector.Record, defaults bool) error {
	elements, ends, err := b.encode(p, r, defaults)
	if err != nil {
		return err
	}
	if len(p.keys) == 0 {
		b.group(0, p).put(record, elements, ends)
		return nil
	}
	key := rowKey{p.table.Name, string(keyOf(p, elements, ends))}
	last, seen := b.latest[key]
	wave := last.wave
	switch {
	case !seen:
	case last.group.plan.sql != p.sql || b.exact && p.operation != modeInsert:
		wave++
	case p.operation == modeInsert: // the second one is the server's to refuse
		last.group.put(record, elements, ends)
		return nil
	default:
		last.group.replace(last.row, record, elements, ends)
		return nil
	}
	g := b.group(wave, p)
	b.latest[key] = place{wave, g, len(g.rows)}
	g.put(record, elements, ends)
	return nil
}

func (b *batch) group(wave int, p *plan) *group {
	for len(b.waves) <= wave {
		b.waves = append(b.waves, map[string]*group{})
	}
	g := b.waves[wave][p.sql]
	if g == nil {
		g = &group{plan: p}
		b.waves[wave][p.sql] = g
	}
	return g
}

func (b *batch) encode(p *plan, r *connector.Record, defaults bool) (elements []byte, ends []int, err error) {
	ends = make([]int, len(p.columns))
	for i := range p.columns {
		f := &p.fields[i]
		if elements, err = b.cells.element(elements, f, &p.columns[i], f.value(r, defaults)); err != nil {
			return nil, nil, err
		}
		ends[i] = len(elements)
	}
	return elements, ends, nil
}

// keyOf gives the elements of a row's key, which part themselves: each is in
// quotes or NULL.
func keyOf(p *plan, elements []byte, ends []int) []byte {
	var key []byte
	for _, k := range p.keys {
		from := 0
		if k > 0 {
			from = ends[k-1]
		}
		key = append(key, elements[from:ends[k]]...)
	}
	return key
}

func (g *group) put(record int, elements []byte, ends []int) {
	g.rows = append(g.rows, row{})
	g.replace(len(g.rows)-1, record, elements, ends)
}

func (g *group) replace(at, record int, elements []byte, ends []int) {
	g.rows[at] = row{record: record, first: len(g.ends)}
	base := len(g.bytes)
	g.bytes = append(g.bytes, elements...)
	for _, end := range ends {
		g.ends = append(g.ends, base+end)
	}
}

func (g *group) element(r row, column int) []byte {
	from := 0
	if i := r.first + column; i > 0 {
		from = g.ends[i-1]
	}
	return g.bytes[from:g.ends[r.first+column]]
}

// size is the bytes of a row's elements.
func (g *group) size(r row) int {
	n := 0
	for i := range g.plan.columns {
		n += len(g.element(r, i))
	}
	return n
}

// chunk is rows that one execution of a group's statement writes.
type chunk struct {
	group *group
	rows  []row
}

// chunks gives everything in the order to be written, at most limit rows at once.
func (b *batch) chunks(limit int) []chunk {
	var all []chunk
	for _, wave := range b.waves {
		groups := make([]*group, 0, len(wave))
		for _, g := range wave {
			groups = append(groups, g)
		}
		slices.SortFunc(groups, func(x, y *group) int { return cmp.Compare(x.plan.sql, y.plan.sql) })
		for _, g := range groups {
			all = append(all, g.chunks(limit)...)
		}
	}
	return all
}

func (g *group) chunks(limit int) []chunk {
	if g.plan.operation != modeInsert || len(g.plan.keys) > 0 {
		slices.SortStableFunc(g.rows, func(x, y row) int {
			for _, k := range g.plan.keys {
				if c := bytes.Compare(g.element(x, k), g.element(y, k)); c != 0 {
					return c
				}
			}
			return 0
		})
	}
	var all []chunk
	from, size := 0, 0
	for i, r := range g.rows {
		n := g.size(r)
		if i > from && (i-from >= limit || size+n > maxBytes) {
			all = append(all, chunk{g, g.rows[from:i]})
			from, size = i, 0
		}
		size += n
	}
	return append(all, chunk{g, g.rows[from:]})
}

// args gives the statement's arguments: an array literal per column.
func (c chunk) args() []any {
	args := make([]any, len(c.group.plan.columns))
	for i := range args {
		literal := []byte{'{'}
		for n, r := range c.rows {
			if n > 0 {
				literal = append(literal, ',')
			}
			literal = append(literal, c.group.element(r, i)...)
		}
		args[i] = string(append(literal, '}'))
	}
	return args
}
