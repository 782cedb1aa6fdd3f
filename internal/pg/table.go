package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Querier runs queries: a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Kind is what a relation is, as pg_class.relkind has it.
type Kind rune

// The kinds of relations that rows can be written to.
const (
	OrdinaryTable    Kind = 'r'
	PartitionedTable Kind = 'p'
	View             Kind = 'v'
)

// Table is a relation as it is in the server.
type Table struct {
	OID     uint32
	Name    Name // with its schema
	Kind    Kind
	Columns []Column // in order, without dropped ones
	// PrimaryKey names the columns of the primary key in its order.
	PrimaryKey []string
	// Unique are the column sets that ON CONFLICT can name, the primary key's among them.
	Unique [][]string
}

// Column is a column of a table.
type Column struct {
	Name string
	// Type is what the column is at heart: the type below domains, without a
	// length. An explicit cast to it never cuts a value, unlike one to varchar(7).
	Type string
	// OID is that type's.
	OID uint32
	// Category is pg_type.typcategory: A array, N number, S text, D time...
	Category byte
	// Elem is the type of an array's elements, empty for others.
	Elem string
	// Listable tells that unnest(type[]) gives the type's values one by one.
	Listable bool
	// Generated tells that the server computes the column: it takes no value.
	Generated bool
	// AlwaysIdentity tells that the column takes a value with OVERRIDING SYSTEM
	// VALUE only, and never a change.
	AlwaysIdentity bool
}

// Column finds a column by name, by exact spelling first, then ignoring case.
func (t *Table) Column(name string) (Column, bool) {
	name = cut(name)
	if i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name }); i >= 0 {
		return t.Columns[i], true
	}
	if i := slices.IndexFunc(t.Columns, func(c Column) bool { return strings.EqualFold(c.Name, name) }); i >= 0 {
		return t.Columns[i], true
	}
	return Column{}, false
}

// HasUnique tells whether ON CONFLICT can name exactly these columns.
func (t *Table) HasUnique(columns []string) bool {
	want := slices.Sorted(slices.Values(columns))
	return slices.ContainsFunc(t.Unique, func(u []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(u)), want)
	})
}

const columnsSQL = `
WITH RECURSIVE a AS (
	SELECT attnum, attname, atttypid, attgenerated <> '' AS generated, attidentity = 'a' AS identity
	FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
), base AS (
	SELECT attnum, atttypid AS typ FROM a
	UNION ALL
	SELECT base.attnum, y.typbasetype FROM base JOIN pg_catalog.pg_type y ON y.oid = base.typ WHERE y.typtype = 'd'
)
SELECT a.attname::text, pg_catalog.format_type(y.oid, -1), y.oid, y.typcategory::text,
	CASE WHEN y.typcategory = 'A' THEN pg_catalog.format_type(y.typelem, -1) ELSE '' END,
	y.typcategory <> 'A' AND y.typtype <> 'c' AND y.typarray <> 0, a.generated, a.identity
FROM a JOIN base USING (attnum) JOIN pg_catalog.pg_type y ON y.oid = base.typ
WHERE y.typtype <> 'd' ORDER BY a.attnum`

const uniqueSQL = `
SELECT i.indisprimary, array_agg(a.attname::text ORDER BY k.n)
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1 AND i.indisunique AND i.indimmediate AND i.indisvalid
	AND i.indpred IS NULL AND i.indexprs IS NULL AND k.n <= i.indnkeyatts
GROUP BY i.indexrelid, i.indisprimary ORDER BY i.indisprimary DESC, i.indexrelid`

// ReadTable reads a table's structure; nil without an error when there is no
// such relation. A name without schema is looked up along the search path.
func ReadTable(ctx context.Context, q Querier, name Name) (*Table, error) {
	t := new(Table)
	var kind string
	err := q.QueryRow(ctx, `SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = pg_catalog.to_regclass($1)`, name.SQL()).Scan(&t.OID, &t.Name.Schema, &t.Name.Table, &kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	t.Kind = Kind(kind[0])
	if err := t.readColumns(ctx, q); err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	if err := t.readUnique(ctx, q); err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	return t, nil
}

func (t *Table) readColumns(ctx context.Context, q Querier) error {
	rows, err := q.Query(ctx, columnsSQL, t.OID)
	if err != nil {
		return err
	}
	t.Columns, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Column, err error) {
		var category string
		err = row.Scan(&c.Name, &c.Type, &c.OID, &category, &c.Elem, &c.Listable, &c.Generated, &c.AlwaysIdentity)
		if category != "" {
			c.Category = category[0]
		}
		return c, err
	})
	return err
}

func (t *Table) readUnique(ctx context.Context, q Querier) error {
	rows, err := q.Query(ctx, uniqueSQL, t.OID)
	if err != nil {
		return err
	}
	var primary bool
	var columns []string
	_, err = pgx.ForEachRow(rows, []any{&primary, &columns}, func() error {
		t.Unique = append(t.Unique, slices.Clone(columns))
		if primary {
			t.PrimaryKey = slices.Clone(columns)
		}
		return nil
	})
	return err
}
