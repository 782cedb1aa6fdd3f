package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// plan is how the records of one shape are written to a table: one statement
// that takes an array per column.
type plan struct {
	shape     *shape
	table     *pg.Table
	operation string      // insert, upsert, update, delete
	columns   []pg.Column // one per field of the shape
	keys      []int       // indexes of the key's columns
	sql       string
}

func newPlan(sh *shape, table *pg.Table, mode string) (*plan, error) {
	p := &plan{shape: sh, table: table, operation: mode}
	if sh.delete {
		p.operation = "delete"
	}
	for i, f := range sh.fields {
		c, ok := table.Column(f.name)
		if !ok {
			return nil, fmt.Errorf("table %s has no column %s", table.Name, f.name)
		}
		p.columns = append(p.columns, c)
		if f.key {
			p.keys = append(p.keys, i)
		}
	}
	if err := p.checkKey(); err != nil {
		return nil, err
	}
	switch p.operation {
	case modeInsert, modeUpsert:
		p.sql = p.insert()
	case modeUpdate:
		if len(p.keys) == len(p.columns) {
			return nil, fmt.Errorf("table %s: insert.mode=update has no column to set: all fields belong to the key", table.Name)
		}
		p.sql = p.update()
	default:
		p.sql = "DELETE FROM " + table.Name.SQL() + " AS t USING " + p.rows() + " WHERE " + p.match()
	}
	return p, nil
}

// checkKey says in time what the server says as "there is no unique or
// exclusion constraint matching the ON CONFLICT specification".
func (p *plan) checkKey() error {
	if p.operation != modeUpsert || p.table.Kind == pg.View {
		return nil
	}
	names := p.keyNames()
	if len(names) == 0 {
		return fmt.Errorf("table %s: insert.mode=upsert needs the fields of a key: set pk.mode and pk.fields", p.table.Name)
	}
	if p.table.HasUnique(names) {
		return nil
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = pg.Quote(n)
	}
	has := "no primary key"
	if len(p.table.PrimaryKey) > 0 {
		has = "the primary key (" + strings.Join(p.table.PrimaryKey, ", ") + ")"
	}
	return fmt.Errorf("table %s has %s, but insert.mode=upsert needs one, or a unique index, on exactly the fields of the key: change pk.fields, or run ALTER TABLE %s ADD UNIQUE (%s)",
		p.table.Name, has, p.table.Name.SQL(), strings.Join(quoted, ", "))
}

func (p *plan) keyNames() []string {
	names := make([]string, len(p.keys))
	for i, k := range p.keys {
		names[i] = p.columns[k].Name
	}
	return names
}

// rows gives the FROM item that turns the arrays into rows u(c0, c1, ...).
func (p *plan) rows() string {
	arrays, names := make([]string, len(p.columns)), make([]string, len(p.columns))
	for i, c := range p.columns {
		kind := "text"
		if c.Listable {
			kind = c.Type
		}
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, kind)
		names[i] = fmt.Sprintf("c%d", i)
	}
	return "unnest(" + strings.Join(arrays, ", ") + ") AS u(" + strings.Join(names, ", ") + ")"
}

// cell gives the expression for a column's value. The type has no length, so
// that a text too long is refused on assignment and not cut by a cast.
func (p *plan) cell(i int) string {
	if p.columns[i].Listable {
		return fmt.Sprintf("u.c%d", i)
	}
	return fmt.Sprintf("u.c%d::%s", i, p.columns[i].Type)
}

func (p *plan) insert() string {
	names, values := make([]string, len(p.columns)), make([]string, len(p.columns))
	for i, c := range p.columns {
		names[i], values[i] = pg.Quote(c.Name), p.cell(i)
	}
	sql := "INSERT INTO " + p.table.Name.SQL() + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM " + p.rows()
	if p.operation == modeInsert {
		return sql
	}
	var keys, sets []string
	for i, n := range names {
		if slices.Contains(p.keys, i) {
			keys = append(keys, n)
		} else {
			sets = append(sets, n+" = EXCLUDED."+n)
		}
	}
	sql += " ON CONFLICT (" + strings.Join(keys, ", ") + ") DO "
	if len(sets) == 0 {
		return sql + "NOTHING"
	}
	return sql + "UPDATE SET " + strings.Join(sets, ", ")
}

func (p *plan) update() string {
	var sets []string
	for i, c := range p.columns {
		if !slices.Contains(p.keys, i) {
			sets = append(sets, pg.Quote(c.Name)+" = "+p.cell(i))
		}
	}
	return "UPDATE " + p.table.Name.SQL() + " AS t SET " + strings.Join(sets, ", ") + " FROM " + p.rows() + " WHERE " + p.match()
}

// match compares the key's columns with the row's.
func (p *plan) match() string {
	parts := make([]string, len(p.keys))
	for i, k := range p.keys {
		parts[i] = "t." + pg.Quote(p.columns[k].Name) + " = " + p.cell(k)
	}
	return strings.Join(parts, " AND ")
}
