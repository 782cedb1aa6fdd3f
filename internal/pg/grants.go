package pg

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Right is a privilege, such as INSERT, on columns of a table; without columns
// on the table.
type Right struct {
	Privilege string
	Columns   []string
}

const lackingSQL = `
SELECT current_user::text, pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'),
	coalesce((SELECT array_agg(DISTINCT r.privilege) FROM unnest($2::text[], $3::text[]) AS r(privilege, col)
		WHERE NOT CASE WHEN r.col = '' THEN pg_catalog.has_table_privilege(c.oid, r.privilege)
			ELSE pg_catalog.has_column_privilege(c.oid, r.col, r.privilege) END), '{}')
FROM pg_catalog.pg_class c WHERE c.oid = $1`

// Grants asks the server which of the rights the user lacks, and gives the
// statements that grant them, empty when there are all: what is refused then
// with 42501 is a row, by a policy or a function.
func (t *Table) Grants(ctx context.Context, q Querier, rights []Right) (string, error) {
	var privileges, columns []string
	for _, r := range rights {
		if len(r.Columns) == 0 {
			privileges, columns = append(privileges, r.Privilege), append(columns, "")
		}
		for _, c := range r.Columns {
			privileges, columns = append(privileges, r.Privilege), append(columns, c)
		}
	}
	var user string
	var usage bool
	var lacking []string
	if err := q.QueryRow(ctx, lackingSQL, t.OID, privileges, columns).Scan(&user, &usage, &lacking); err != nil {
		return "", fmt.Errorf("privileges on table %s: %w", t.Name, err)
	}
	var grants []string
	to := " TO " + pgx.Identifier{user}.Sanitize()
	if !usage {
		grants = append(grants, "GRANT USAGE ON SCHEMA "+Quote(t.Name.Schema)+to)
	}
	if len(lacking) > 0 {
		slices.Sort(lacking)
		grants = append(grants, "GRANT "+strings.Join(lacking, ", ")+" ON "+t.Name.SQL()+to)
	}
	return strings.Join(grants, "; "), nil
}
