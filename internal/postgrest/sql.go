package postgrest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// builder makes SQL. Values and keys from a request become parameters, names
// are quoted: nothing else of a request gets into the text.
type builder struct {
	strings.Builder
	table *table
	args  []any
	steps map[any]int // parameters of the keys and indexes of JSON paths
}

// value adds a parameter; the server infers its type.
func (b *builder) value(v any) {
	b.args = append(b.args, v)
	b.WriteString("$" + strconv.Itoa(len(b.args)))
}

func (b *builder) add(parts ...string) {
	for _, p := range parts {
		b.WriteString(p)
	}
}

// path adds a column or a place in a JSON column.
func (b *builder) path(p path) {
	name := b.table.sql() + "." + pg.Quote(p.column)
	if len(p.steps) == 0 {
		b.add(name)
		return
	}
	// Arrays and composites are JSON too, seen as such.
	if c := b.table.column(p.column); c != nil && c.base != "json" && c.base != "jsonb" {
		name = "to_jsonb(" + name + ")"
	}
	b.add(name)
	for _, s := range p.steps {
		arrow := "->"
		if s.text {
			arrow = "->>"
		}
		b.add(arrow)
		if s.isIndex {
			b.step(s.index)
			b.add("::int4")
		} else {
			b.step(s.key)
			b.add("::text")
		}
	}
}

// step adds a parameter, the same one for the same value: a path that is
// selected and one to order by are the same expression then.
func (b *builder) step(v any) {
	if n, ok := b.steps[v]; ok {
		b.WriteString("$" + strconv.Itoa(n))
		return
	}
	b.value(v)
	if b.steps == nil {
		b.steps = map[any]int{}
	}
	b.steps[v] = len(b.args)
}

func (t *tree) sql(b *builder) {
	word := " AND "
	if t.or {
		word = " OR "
	}
	if t.not {
		b.add("NOT ")
	}
	b.add("(")
	for i, part := range t.parts {
		if i > 0 {
			b.add(word)
		}
		part.sql(b)
	}
	b.add(")")
}

func (f *filter) sql(b *builder) {
	if f.not {
		b.add("NOT ")
	}
	b.add("(")
	defer b.add(")")
	switch {
	case searches[f.operator] != "":
		f.search(b)
		return
	case f.operator == "is":
		b.path(f.path)
		b.add(" IS ", f.value)
		return
	case f.operator == "in":
		b.path(f.path)
		b.add(" = ANY (")
		b.value(arrayLiteral(f.list))
		b.add(")")
		return
	}
	value := f.value
	if f.operator == "like" || f.operator == "ilike" {
		value = strings.ReplaceAll(value, "*", "%")
	}
	b.path(f.path)
	b.add(" ", operators[f.operator], " ")
	if f.quantity == "" {
		b.value(value)
		return
	}
	b.add(strings.ToUpper(f.quantity), " (")
	b.value(value)
	b.add(")")
}

// search adds a full text search. A column that is no tsvector is made one.
func (f *filter) search(b *builder) {
	language := func() {
		if f.language != "" {
			b.value(f.language)
			b.add("::text::regconfig, ")
		}
	}
	c := b.table.column(f.path.column)
	vector := c == nil || c.base == "tsvector"
	if !vector || len(f.path.steps) > 0 {
		b.add("to_tsvector(")
		language()
		b.path(f.path)
		b.add(")")
	} else {
		b.path(f.path)
	}
	b.add(" @@ ", searches[f.operator], "(")
	language()
	b.value(f.value)
	b.add(")")
}

// arrayLiteral gives a list as PostgreSQL reads it.
func arrayLiteral(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

// typeNames are the names of types that are words of the grammar and so cannot
// be quoted, or several words. All others are quoted.
var typeNames = map[string]string{
	"int": "int4", "integer": "int4", "smallint": "int2", "bigint": "int8", "real": "float4", "float": "float8", "double precision": "float8",
	"decimal": "numeric", "dec": "numeric", "boolean": "bool", "char": "bpchar", "character": "bpchar", "character varying": "varchar",
	"bit varying": "varbit", "time without time zone": "time", "time with time zone": "timetz",
	"timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
}

func typeSQL(name string) string {
	if known, ok := typeNames[strings.ToLower(name)]; ok {
		name = known
	}
	return pg.Quote(name)
}

// column adds an expression of the select list and its name.
func (b *builder) column(c column) {
	if c.star {
		b.add(b.table.sql(), ".*")
		return
	}
	cast := func(kind string, inner func()) {
		if kind == "" {
			inner()
			return
		}
		b.add("CAST(")
		inner()
		b.add(" AS ", typeSQL(kind), ")")
	}
	value := func() { cast(c.cast, func() { b.path(c.path) }) }
	switch {
	case c.aggregate == "":
		value()
	case c.path.column == "":
		cast(c.castAfter, func() { b.add("count(*)") })
	default:
		cast(c.castAfter, func() { b.add(c.aggregate, "("); value(); b.add(")") })
	}
	b.add(" AS ", pg.Quote(c.name()))
}

// name is the key in the answer: the alias, the aggregate, the last key of a
// path or the column.
func (c column) name() string {
	switch {
	case c.alias != "":
		return c.alias
	case c.aggregate != "":
		return c.aggregate
	}
	for i := len(c.path.steps) - 1; i >= 0; i-- {
		if !c.path.steps[i].isIndex {
			return c.path.steps[i].key
		}
	}
	return c.path.column
}

// query is a request as far as it is about rows.
type query struct {
	table      *table
	columns    []column
	conditions []condition
	order      []ordering
	limit      int64 // -1 is all
	offset     int64
}

// rows adds the whole selection without order and page.
func (q *query) rows(b *builder) {
	columns := q.columns
	grouped := q.aggregated()
	if grouped {
		columns = q.expanded()
	}
	b.add("SELECT ")
	var groups []string
	for i, c := range columns {
		if i > 0 {
			b.add(", ")
		}
		b.column(c)
		if c.aggregate == "" {
			groups = append(groups, strconv.Itoa(i+1))
		}
	}
	b.add(" FROM ", q.table.sql())
	for i, c := range q.conditions {
		if i == 0 {
			b.add(" WHERE ")
		} else {
			b.add(" AND ")
		}
		c.sql(b)
	}
	if grouped && len(groups) > 0 {
		b.add(" GROUP BY ", strings.Join(groups, ", "))
	}
}

func (q *query) aggregated() bool {
	for _, c := range q.columns {
		if c.aggregate != "" {
			return true
		}
	}
	return false
}

// expanded gives the columns with * written out.
func (q *query) expanded() []column {
	var all []column
	for _, c := range q.columns {
		if !c.star {
			all = append(all, c)
			continue
		}
		for _, x := range q.table.columns {
			all = append(all, column{path: path{column: x.name}})
		}
	}
	return all
}

// page adds the selection with order and page. Pages without an order would
// not fit together: they are in the order of the primary key.
func (q *query) page(b *builder) {
	q.rows(b)
	order := q.order
	if len(order) == 0 && (q.limit >= 0 || q.offset > 0) && !q.aggregated() {
		for _, name := range q.table.key {
			order = append(order, ordering{path: path{column: name}})
		}
	}
	for i, o := range order {
		if i == 0 {
			b.add(" ORDER BY ")
		} else {
			b.add(", ")
		}
		b.path(o.path)
		if o.desc {
			b.add(" DESC")
		}
		if o.nulls != "" {
			b.add(" NULLS ", o.nulls)
		}
	}
	if q.limit >= 0 {
		b.add(" LIMIT ")
		b.value(q.limit)
	}
	if q.offset > 0 {
		b.add(" OFFSET ")
		b.value(q.offset)
	}
}

// form is what a query's answer looks like.
type form struct {
	media    string
	stripped bool // without nulls
	empty    bool // no body: HEAD
}

// document gives the statement for the page's rows, each as one JSON text, for
// CSV as they are; counted ones begin with the number of the page's rows.
func (q *query) document(f form, counted bool) (string, []any) {
	b := &builder{table: q.table}
	b.add("SELECT ")
	if counted {
		b.add("count(*) OVER (), ")
	}
	switch {
	case f.media == mediaCSV:
		b.add("_hydraulics_row.*")
	case f.stripped:
		b.add("json_strip_nulls(row_to_json(_hydraulics_row))")
	default:
		b.add("row_to_json(_hydraulics_row)")
	}
	b.add(" FROM (")
	q.page(b)
	b.add(") AS _hydraulics_row")
	return b.String(), b.args
}

// pageCount gives the statement for the number of the page's rows.
func (q *query) pageCount() (string, []any) {
	b := &builder{table: q.table}
	b.add("SELECT count(*) FROM (")
	q.page(b)
	b.add(") AS page")
	return b.String(), b.args
}

// count gives the statement for the number of all rows.
func (q *query) count() (string, []any) {
	b := &builder{table: q.table}
	b.add("SELECT count(*) FROM (")
	q.rows(b)
	b.add(") AS everything")
	return b.String(), b.args
}

// plan gives the statement for the planner's estimate of all rows.
func (q *query) plan() (string, []any) {
	b := &builder{table: q.table}
	b.add("EXPLAIN (FORMAT JSON) ")
	q.rows(b)
	return b.String(), b.args
}

// sql gives the table's quoted name.
func (t *table) sql() string { return fmt.Sprintf("%s.%s", pg.Quote(t.schema), pg.Quote(t.name)) }
