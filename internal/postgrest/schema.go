package postgrest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// schema is what is known of the tables, and of the time zones.
type schema struct {
	tables    map[string]map[string]*table // by schema and name
	timezones map[string]bool
}

// table is a table or view.
type table struct {
	schema, name, comment string
	readable              bool // for the anonymous role
	columns               []tableColumn
	key                   []string // of the primary key
}

// tableColumn is a column of a table.
type tableColumn struct {
	name, comment string
	kind          string // as people write it, such as character varying
	base          string // the type's own name, such as varchar
	length        int    // the most characters, 0 without a limit
	array         bool
	required      bool // not null and without default
	words         []string
}

func (t *table) column(name string) *tableColumn {
	if i := slices.IndexFunc(t.columns, func(c tableColumn) bool { return c.name == name }); i >= 0 {
		return &t.columns[i]
	}
	return nil
}

const tablesSQL = `
SELECT n.nspname::text, c.relname::text, coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), ''),
	pg_catalog.has_table_privilege($2::text, c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege($2::text, c.oid, 'SELECT'),
	coalesce((SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.n) FROM pg_catalog.pg_index i
		CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
		JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = c.oid AND i.indisprimary AND k.n <= i.indnkeyatts), '{}'::text[])
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition`

const columnsSQL = `
SELECT n.nspname::text, c.relname::text, a.attname::text, coalesce(pg_catalog.col_description(c.oid, a.attnum), ''),
	pg_catalog.format_type(a.atttypid, NULL), y.typname::text, y.typcategory = 'A',
	CASE WHEN y.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN a.atttypmod - 4 ELSE 0 END,
	a.attnotnull AND NOT a.atthasdef AND a.attidentity = '',
	coalesce((SELECT pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = a.atttypid), '{}'::text[])
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
ORDER BY c.oid, a.attnum`

// readSchema reads the tables of the schemas, and what the role may see.
func readSchema(ctx context.Context, q pg.Querier, schemas []string, role string) (*schema, error) {
	if err := checkAccess(ctx, q, schemas, role); err != nil {
		return nil, err
	}
	s := &schema{tables: map[string]map[string]*table{}, timezones: map[string]bool{}}
	for _, name := range schemas {
		s.tables[name] = map[string]*table{}
	}
	rows, err := q.Query(ctx, tablesSQL, schemas, role)
	if err != nil {
		return nil, fmt.Errorf("tables: %w", err)
	}
	var t table
	_, err = pgx.ForEachRow(rows, []any{&t.schema, &t.name, &t.comment, &t.readable, &t.key}, func() error {
		one := t
		one.key = slices.Clone(t.key)
		s.tables[t.schema][t.name] = &one
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tables: %w", err)
	}
	if rows, err = q.Query(ctx, columnsSQL, schemas); err != nil {
		return nil, fmt.Errorf("columns: %w", err)
	}
	var of, name string
	var c tableColumn
	_, err = pgx.ForEachRow(rows, []any{&of, &name, &c.name, &c.comment, &c.kind, &c.base, &c.array, &c.length, &c.required, &c.words}, func() error {
		if t := s.tables[of][name]; t != nil { // made between the two queries
			one := c
			one.words = slices.Clone(c.words)
			t.columns = append(t.columns, one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("columns: %w", err)
	}
	if rows, err = q.Query(ctx, "SELECT name FROM pg_catalog.pg_timezone_names"); err != nil {
		return nil, fmt.Errorf("time zones: %w", err)
	}
	zones, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, z := range zones {
		s.timezones[z] = true
	}
	return s, err
}

// checkAccess says in time what would make every request fail.
func checkAccess(ctx context.Context, q pg.Querier, schemas []string, role string) error {
	var user string
	var there, member bool
	err := q.QueryRow(ctx, `SELECT current_user::text, r.oid IS NOT NULL, coalesce(pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER'), false)
		FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_roles r ON r.rolname = $1`, role).Scan(&user, &there, &member)
	switch {
	case err != nil:
		return fmt.Errorf("role %s: %w", role, err)
	case !there:
		return fmt.Errorf("role %s does not exist: run the migrations, or CREATE ROLE %s NOLOGIN", role, pg.Quote(role))
	case !member:
		return fmt.Errorf("user %s may not become role %s: run GRANT %s TO %s", user, role, pg.Quote(role), pg.Quote(user))
	}
	var missing []string
	err = q.QueryRow(ctx, `SELECT array_agg(s) FROM unnest($1::text[]) s WHERE to_regnamespace(quote_ident(s)) IS NULL`, schemas).Scan(&missing)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("schemas: %w", err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("schema %s does not exist", missing[0])
	}
	return nil
}

// like gives the table's name that is nearest to one that there is not, empty
// when none is near.
func (s *schema) like(of, name string) string {
	best, distance := "", max(2, len(name)/3)+1
	for _, candidate := range slices.Sorted(maps.Keys(s.tables[of])) {
		d := edits(name, candidate)
		if strings.HasPrefix(candidate, name) || strings.HasPrefix(name, candidate) {
			d = min(d, 1)
		}
		if d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// edits counts the characters to insert, delete or replace to get from a to b.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		above := row[0]
		row[0] = i + 1
		for j := range y {
			cost := above
			if x[i] != y[j] {
				cost++
			}
			above = row[j+1]
			row[j+1] = min(cost, row[j]+1, above+1)
		}
	}
	return row[len(y)]
}
