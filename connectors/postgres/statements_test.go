package postgres

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// counted is a table whose statements a sequence counts, which no rollback sets
// back: also those that are refused.
const counted = `CREATE TABLE t (id int PRIMARY KEY, name text CHECK (name <> 'bad'));
	CREATE SEQUENCE statements;
	CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('statements'); RETURN NULL; END $$;
	CREATE TRIGGER counts BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION counts();`

// A row that is refused costs few statements, however many rows stand beside it.
//
// Clauses: W7.
func TestStatementsForRefusedRows(t *testing.T) {
	d := newDatabase(t, counted)
	s, reporter := d.start(t, upsert)
	whole := func(n int) []int {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	}
	logarithm := func(n int) int { return 1 + 2*bits.Len(uint(n-1)) }
	tests := []struct {
		rows int
		bad  []int
		most int
	}{
		{1, []int{0}, 1}, {2, []int{0}, logarithm(2)}, {3, []int{2}, logarithm(3)}, {100, []int{0}, logarithm(100)},
		{1000, []int{517}, logarithm(1000)}, {1025, []int{1024}, logarithm(1025)},
		{2, whole(2), 3}, {33, whole(33), 2*33 - 1}, {64, []int{1, 17, 40, 63}, 2*64 - 1}, {50, nil, 1},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d of %d", len(test.bad), test.rows), func(t *testing.T) {
			pgtest.Exec(t, d, "TRUNCATE t; SELECT setval('statements', 1, false)")
			before, _ := reporter.Reported()
			var records []connector.Record
			for i := range test.rows {
				name := "good"
				if slices.Contains(test.bad, i) {
					name = "bad"
				}
				records = append(records, pair(int32(i), name))
			}
			put(t, s, records...)
			statements, err := strconv.Atoi(pgtest.Rows(t, d, "SELECT nextval('statements') - 1")[0])
			if err != nil || statements == 0 || statements > test.most {
				t.Errorf("%d statements, at most %d are enough (%v)", statements, test.most, err)
			}
			after, _ := reporter.Reported()
			if n := len(after) - len(before); n != len(test.bad) {
				t.Errorf("%d reported, want %d", n, len(test.bad))
			}
			wantRows(t, d, "SELECT count(*) FROM t", fmt.Sprint(test.rows-len(test.bad)))
		})
	}
}

// Rows are written without the right to make temporary tables, and the catalog
// does not grow with the batches.
func TestWritesLeaveNothingBehind(t *testing.T) {
	d := newDatabase(t, plainTable)
	user := d.user(t)
	pgtest.Exec(t, d, "GRANT ALL ON t TO "+user)
	pgtest.Exec(t, d, "DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$")
	s, _ := d.start(t, with(upsert, "connection.user", user))
	const catalog = "SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute), pg_relation_size('pg_class'), pg_relation_size('pg_attribute')"
	put(t, s, pair(0, "a"))
	before := pgtest.Rows(t, d, catalog)
	for i := range int32(500) {
		put(t, s, pair(i, "a"), pair(i+1, "b"))
	}
	wantRows(t, d, catalog, before...)
	wantRows(t, d, "SELECT count(*) FROM t", "501")
}

// Keys that come in two forms, as a number and as text, are still one row.
//
// Clauses: W2.
func TestKeyOfTwoForms(t *testing.T) {
	d := newDatabase(t, plainTable)
	s, _ := d.start(t, upsert)
	texts := connector.StructOf("texts", connector.F("id", connector.StringSchema), connector.F("name", connector.OptionalStringSchema))
	put(t, s, pair(1, "a"), connector.NewRecord("t", nil, nil, texts, connector.StructFrom(texts, []any{"1", "b"})), pair(2, "c"), pair(1, "d"),
		connector.NewRecord("t", nil, nil, texts, connector.StructFrom(texts, []any{"2", "e"})))
	wantRows(t, d, "SELECT * FROM t ORDER BY id", "1|d", "2|e")
}
