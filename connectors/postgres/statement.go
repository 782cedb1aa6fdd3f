package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// plan is how the records of one shape are written to a table: one statement
// that takes an array per column.
type plan struct {
	table     *pg.Table
	operation string      // insert, upsert, update, delete, truncate
	fields    []field     // those of the shape that the statement takes
	columns   []pg.Column // one per field
	forms     []form      // one per field
	keyForms  string      // those of the key's columns
	keys      []int       // indexes of the key's columns
	sql       string
	room      room
}

func newPlan(sh *shape, table *pg.Table, mode string) (*plan, error) {
	p := &plan{table: table, operation: mode}
	switch {
	case sh.truncate:
		p.operation, p.sql = modeTruncate, "TRUNCATE TABLE "+table.Name.SQL()
		return p, nil
	case sh.delete:
		p.operation = modeDelete
	}
	columns, err := columnsOf(table, sh.fields)
	if err != nil {
		return nil, err
	}
	for i, f := range sh.fields {
		if columns[i].Generated && !f.key { // the server computes it
			continue
		}
		as := formOf(&f, &columns[i])
		if f.key {
			p.keys = append(p.keys, len(p.columns))
			p.keyForms += string(rune(as))
		}
		p.fields, p.columns, p.forms = append(p.fields, f), append(p.columns, columns[i]), append(p.forms, as)
	}
	if err := p.checkKey(); err != nil {
		return nil, err
	}
	if sh.partial && (p.operation == modeUpsert || p.operation == modeUpdate) {
		p.operation = modeUpdate // the row is there, and an INSERT would want the columns that are left out
		if len(p.sets()) == 0 {
			p.operation = modeNothing
			return p, nil
		}
	}
	switch p.operation {
	case modeInsert, modeUpsert:
		p.sql = p.insert()
	case modeUpdate:
		if len(p.sets()) == 0 {
			return nil, fmt.Errorf("table %s: insert.mode=update has no column to set: all fields belong to the key, or to columns that take no change", table.Name)
		}
		p.sql = p.update()
	default:
		p.sql = "DELETE FROM " + table.Name.SQL() + " AS t USING " + p.rows() + " WHERE " + p.match()
	}
	return p, nil
}

// columnsOf gives the column of each field. A name that a column has exactly is
// that column's; one that differs in case finds a column that no other field has.
// Two fields of one column are an error of the records that have both.
func columnsOf(table *pg.Table, fields []field) ([]pg.Column, error) {
	columns := make([]pg.Column, len(fields))
	taken := map[string]string{} // fields by column
	for i, f := range fields {
		c, ok := table.Column(f.name)
		if !ok {
			return nil, fmt.Errorf("table %s has no column %s", table.Name, f.name)
		}
		if other, twice := taken[c.Name]; twice {
			if f.name == c.Name {
				f.name, other = other, f.name
			}
			return nil, connector.Data(fmt.Errorf("table %s: field %s has no column of its own: column %s is that of the field %s; rename one (ReplaceField), or leave it out with fields.whitelist",
				table.Name, f.name, c.Name, other))
		}
		taken[c.Name], columns[i] = f.name, c
	}
	return columns, nil
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

// rows gives the FROM item that turns the arrays into rows u(c0, c1, ...). In a
// SELECT list unnest gives its values one by one; in FROM each array would be
// laid down as a table first.
func (p *plan) rows() string {
	arrays := make([]string, len(p.columns))
	for i, as := range p.forms {
		arrays[i] = fmt.Sprintf("unnest($%d::%s[]) AS c%d", i+1, forms[as].name, i)
	}
	return "(SELECT " + strings.Join(arrays, ", ") + ") AS u"
}

// cell gives the expression for a column's value. The type has no length, so
// that a text too long is refused on assignment and not cut by a cast.
func (p *plan) cell(i int) string {
	if p.forms[i] != asText || p.columns[i].OID == pgtype.TextOID {
		return fmt.Sprintf("u.c%d", i)
	}
	return fmt.Sprintf("u.c%d::%s", i, p.columns[i].Type)
}

// insert leaves generated columns out, and gives identity columns the record's
// values. What a view is made of is not known here: the words do no harm there.
func (p *plan) insert() string {
	var names, values []string
	overriding := ""
	for i, c := range p.columns {
		if c.AlwaysIdentity || p.table.Kind == pg.View {
			overriding = "OVERRIDING SYSTEM VALUE "
		}
		if !c.Generated {
			names, values = append(names, pg.Quote(c.Name)), append(values, p.cell(i))
		}
	}
	sql := "INSERT INTO " + p.table.Name.SQL() + " (" + strings.Join(names, ", ") + ") " + overriding + "SELECT " + strings.Join(values, ", ") + " FROM " + p.rows()
	if p.operation == modeInsert {
		return sql
	}
	var keys, sets []string
	for _, n := range p.keyNames() {
		keys = append(keys, pg.Quote(n))
	}
	for _, i := range p.sets() {
		n := pg.Quote(p.columns[i].Name)
		sets = append(sets, n+" = EXCLUDED."+n)
	}
	sql += " ON CONFLICT (" + strings.Join(keys, ", ") + ") DO "
	if len(sets) == 0 {
		return sql + "NOTHING"
	}
	return sql + "UPDATE SET " + strings.Join(sets, ", ")
}

// sets gives the indexes of the columns that a change of a row sets.
func (p *plan) sets() []int {
	var sets []int
	for i, c := range p.columns {
		if !slices.Contains(p.keys, i) && !c.Generated && !c.AlwaysIdentity {
			sets = append(sets, i)
		}
	}
	return sets
}

func (p *plan) update() string {
	var sets []string
	for _, i := range p.sets() {
		sets = append(sets, pg.Quote(p.columns[i].Name)+" = "+p.cell(i))
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

// rights are what the statement needs on the table.
func (p *plan) rights() []pg.Right {
	var sets, inserted []string
	for _, i := range p.sets() {
		sets = append(sets, p.columns[i].Name)
	}
	for _, c := range p.columns {
		if !c.Generated {
			inserted = append(inserted, c.Name)
		}
	}
	right := func(privilege string, columns []string) []pg.Right {
		if len(columns) == 0 {
			return nil
		}
		return []pg.Right{{Privilege: privilege, Columns: columns}}
	}
	insert, set, read := right("INSERT", inserted), right("UPDATE", sets), right("SELECT", p.keyNames())
	switch p.operation {
	case modeTruncate:
		return []pg.Right{{Privilege: "TRUNCATE"}}
	case modeInsert:
		return insert
	case modeUpsert: // EXCLUDED is read with the right to read the column
		return slices.Concat(insert, set, read, right("SELECT", sets))
	case modeUpdate:
		return slices.Concat(set, read)
	}
	return append(read, pg.Right{Privilege: "DELETE"})
}
