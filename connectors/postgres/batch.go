package postgres

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// maxBytes bounds the values of one statement, mostBytes those of one row: the server
// takes no message of a gigabyte, and ends the connection of who sends it one.
const maxBytes, mostBytes = 16 << 20, 1<<30 - 1<<20

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
	size   int // the most records
	spare  int // rows that groups may still be made with room for
	waves  []map[string]*group
	latest map[rowKey]place
	eras   map[pg.Name]era
	most   int // bytes of a row

	// The row at hand: its elements, where each ends, and its key.
	elements []byte
	ends     []uint32
	key      []byte
}

// era is rows of a table whose keys have the same forms, which alone can be told
// apart by their bytes. Those of another form begin an era in a wave of its own.
type era struct {
	forms string
	wave  int
}

// rowKey is the key of a row in one table, as keyOf gives it.
type rowKey struct {
	table pg.Name
	era   int
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
	bytes []byte   // the elements of all rows
	ends  []uint32 // where each element ends in bytes, len(plan.columns) per row
}

type row struct {
	record int // in the Put
	first  int // index of the row's first element in ends
}

func newBatch(c *cells, exact bool, size int) *batch {
	return &batch{cells: c, exact: exact, size: size, spare: size, eras: map[pg.Name]era{}, most: mostBytes}
}

// add puts a record into its group. Its error is about this record.
func (b *batch) add(p *plan, record int, r *connector.Record, defaults bool) error {
	if err := b.encode(p, r, defaults); err != nil {
		return err
	}
	if p.operation == modeTruncate { // behind all that came before, and before all that comes
		b.eras[p.table.Name] = era{wave: len(b.waves) + 1}
		b.group(len(b.waves), p).put(record, nil, nil)
		return nil
	}
	if len(p.keys) == 0 {
		b.group(b.eras[p.table.Name].wave, p).put(record, b.elements, b.ends)
		return nil
	}
	era := b.era(p)
	b.key = keyOf(b.key[:0], p, b.elements, b.ends)
	if b.latest == nil {
		b.latest = make(map[rowKey]place, b.size)
	}
	last, seen := b.latest[rowKey{p.table.Name, era, string(b.key)}] // looks up without a copy of the key
	wave := last.wave
	switch {
	case !seen:
		wave = era
	case last.group.plan.sql != p.sql || b.exact && p.operation != modeInsert:
		wave++
	case p.operation == modeInsert: // the second one is the server's to refuse
		last.group.put(record, b.elements, b.ends)
		return nil
	default:
		last.group.replace(last.row, record, b.elements, b.ends)
		return nil
	}
	g := b.group(wave, p)
	b.latest[rowKey{p.table.Name, era, string(b.key)}] = place{wave, g, len(g.rows)}
	g.put(record, b.elements, b.ends)
	return nil
}

// era gives the first wave for rows of a plan.
func (b *batch) era(p *plan) int {
	e, begun := b.eras[p.table.Name]
	if !begun || e.forms != p.keyForms {
		e = era{forms: p.keyForms}
		if begun {
			e.wave = len(b.waves)
		}
		b.eras[p.table.Name] = e
	}
	return e.wave
}

func (b *batch) group(wave int, p *plan) *group {
	for len(b.waves) <= wave {
		b.waves = append(b.waves, map[string]*group{})
	}
	g := b.waves[wave][p.sql]
	if g == nil {
		g = &group{plan: p}
		if n := min(p.room.rows, b.spare); wave == 0 && n > 0 { // there may be a wave of each record, and as many tables
			b.spare -= n
			g.rows, g.bytes, g.ends = make([]row, 0, n), make([]byte, 0, p.room.bytes/p.room.rows*n), make([]uint32, 0, n*len(p.columns))
		}
		b.waves[wave][p.sql] = g
	}
	return g
}

// encode makes a record the row at hand.
func (b *batch) encode(p *plan, r *connector.Record, defaults bool) (err error) {
	elements, ends := b.elements[:0], b.ends[:0]
	for i := range p.columns {
		f := &p.fields[i]
		if elements, err = b.cells.cell(elements, f, &p.columns[i], p.forms[i], f.value(r, defaults)); err != nil {
			return err
		}
		if len(elements) > b.most {
			return connector.Data(fmt.Errorf("its values have more than %d bytes, which no statement of PostgreSQL takes", b.most))
		}
		ends = append(ends, uint32(len(elements)))
	}
	b.elements, b.ends = elements, ends
	return nil
}

// keyOf adds the elements of a row's key, which part themselves: each begins with
// its length.
func keyOf(key []byte, p *plan, elements []byte, ends []uint32) []byte {
	for _, k := range p.keys {
		from := uint32(0)
		if k > 0 {
			from = ends[k-1]
		}
		key = append(key, elements[from:ends[k]]...)
	}
	return key
}

// room is what a plan's groups are made with: what the largest ones of late have had, so
// that none grows bit by bit.
type room struct{ rows, bytes int }

func (r *room) learn(g *group) {
	r.rows, r.bytes = max(len(g.rows), r.rows*7/8), max(len(g.bytes), r.bytes*7/8)
}

func (g *group) put(record int, elements []byte, ends []uint32) {
	g.rows = append(g.rows, row{})
	g.replace(len(g.rows)-1, record, elements, ends)
}

func (g *group) replace(at, record int, elements []byte, ends []uint32) {
	g.rows[at] = row{record: record, first: len(g.ends)}
	base := uint32(len(g.bytes))
	g.bytes = append(g.bytes, elements...)
	for _, end := range ends {
		g.ends = append(g.ends, base+end)
	}
}

func (g *group) element(r row, column int) []byte {
	from := uint32(0)
	if i := r.first + column; i > 0 {
		from = g.ends[i-1]
	}
	return g.bytes[from:g.ends[r.first+column]]
}

// size is the bytes of a row's elements.
func (g *group) size(r row) int {
	if len(g.plan.columns) == 0 {
		return 0
	}
	from := uint32(0)
	if r.first > 0 {
		from = g.ends[r.first-1]
	}
	return int(g.ends[r.first+len(g.plan.columns)-1] - from)
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
			g.plan.room.learn(g)
			all = append(all, g.chunks(limit)...)
		}
	}
	return all
}

func (g *group) chunks(limit int) []chunk {
	if g.plan.operation != modeInsert || len(g.plan.keys) > 0 {
		slices.SortFunc(g.rows, func(x, y row) int {
			for _, k := range g.plan.keys {
				if c := bytes.Compare(g.element(x, k), g.element(y, k)); c != 0 {
					return c
				}
			}
			return cmp.Compare(x.record, y.record)
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

// args gives the statement's arguments: a binary array per column.
func (c chunk) args() [][]byte {
	args := make([][]byte, len(c.group.plan.columns))
	for i, as := range c.group.plan.forms {
		size, nulls := 0, false
		for _, r := range c.rows {
			e := c.group.element(r, i)
			size, nulls = size+len(e), nulls || isNull(e)
		}
		args[i] = as.array(make([]byte, 0, size+arrayHeader), len(c.rows), nulls)
		for _, r := range c.rows {
			args[i] = append(args[i], c.group.element(r, i)...)
		}
	}
	return args
}

// same tells whether another chunk is the same rows of the same records, in the
// same statement.
func (c chunk) same(o chunk) bool {
	return o.group != nil && c.group.plan.sql == o.group.plan.sql && slices.EqualFunc(c.rows, o.rows, func(x, y row) bool { return x.record == y.record })
}
