package postgres

import (
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// A table that is altered under a running sink is seen before a record, or the
// configuration, is blamed for what it was.
//
// Clauses: W2.
func TestTableAlteredUnderTheSink(t *testing.T) {
	number := connector.StructOf("number", connector.F("id", connector.Int32Schema), connector.F("name", connector.OptionalInt64Schema))
	numeric := func(id int32, n any) connector.Record {
		return connector.NewRecord("t", nil, nil, number, connector.StructFrom(number, []any{id, n}))
	}
	wide := connector.StructOf("wide", connector.F("id", connector.Int32Schema), connector.F("name", connector.OptionalStringSchema), connector.F("more", connector.OptionalStringSchema))
	tests := []struct {
		name, table, alter string
		before, after      connector.Record
		want               string
	}{
		{"a type is widened", "name int", "ALTER COLUMN name TYPE bigint", numeric(1, int64(3_000_000_000)), numeric(2, int64(3_000_000_001)), "2|3000000001"},
		{"a type that the value's form depends on", "name boolean", "ALTER COLUMN name TYPE bigint USING NULL", numeric(1, int64(1)), numeric(2, int64(5)), "2|5"},
		{"a length", "name varchar(3)", "ALTER COLUMN name TYPE varchar(9)", pair(1, "long"), pair(2, "long"), "2|long"},
		{"another type altogether", "name timestamptz", "ALTER COLUMN name TYPE text USING NULL", pair(1, "no time"), pair(2, "no time"), "2|no time"},
		{"a type that is gone", "name mood", "ALTER COLUMN name TYPE text; DROP TYPE mood", pair(1, "glad"), pair(2, "glad"), "2|glad"},
		{"a column that a field lacked", "name text", "ADD COLUMN more text", pair(1, "\x00"), connector.NewRecord("t", nil, nil, wide, connector.StructFrom(wide, []any{int32(2), "a", "b"})), "2|a|b"},
		{"a column renamed in case", "name text", `RENAME COLUMN name TO "Name"`, pair(1, "\x00"), pair(2, "a"), "2|a"},
		{"a column that the server computes now", "name text, UNIQUE (id, name)", "DROP COLUMN name, ADD COLUMN name text GENERATED ALWAYS AS ('n' || id) STORED", pair(1, "\x00"), pair(2, "a"), "2|n2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (id int PRIMARY KEY, "+test.table+")")
			s, reporter := d.start(t, with(upsert, "auto.create", "false"))
			put(t, s, test.before)
			if records, causes := reporter.Reported(); len(records) != 1 {
				t.Fatalf("before: reported %v", causes)
			}
			pgtest.Exec(t, d, "ALTER TABLE t "+test.alter)
			put(t, s, test.after)
			wantRows(t, d, "SELECT * FROM t", test.want)
			if records, causes := reporter.Reported(); len(records) != 1 {
				t.Errorf("after: reported %v", causes[1:])
			}
		})
	}
	t.Run("each time anew", func(t *testing.T) {
		d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name varchar(1))")
		s, reporter := d.start(t, upsert)
		for _, text := range []string{"aa", "aaa", "aaaa"} {
			put(t, s, pair(1, text))
			pgtest.Exec(t, d, "ALTER TABLE t ALTER COLUMN name TYPE varchar("+string(rune('0'+len(text)))+")")
			put(t, s, pair(1, text))
			wantRows(t, d, "SELECT name FROM t", text)
		}
		if records, causes := reporter.Reported(); len(records) != 3 {
			t.Errorf("reported %v", causes)
		}
	})
	t.Run("between the last look and the statement", func(t *testing.T) {
		d := newDatabase(t, "CREATE TABLE t (id int, name text)")
		k := d.task(t, exactly)
		other, err := d.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Rollback(t.Context()) }()
		pgtest.Exec(t, other, "ALTER TABLE t ALTER name TYPE bigint USING name::bigint") // the sink sees it with the commit
		records := numberedFrom(0, 1, 2, 3)
		for i, text := range []string{"5", "6", "\x00", "7"} { // one is bad in any case
			records[i].Value = pair(int32(i), text).Value
		}
		done := make(chan error, 1)
		go func() { done <- k.Put(t.Context(), records) }()
		waitFor(t, d, "SELECT 1 FROM pg_locks WHERE NOT granted")
		if err := other.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		wantRows(t, d, "SELECT id, name + 1 FROM t ORDER BY id", "0|6", "1|7", "3|8")
		if records, causes := k.reporter.Reported(); len(records) != 1 || records[0].Origin.Offset != 2 {
			t.Errorf("reported %v", causes)
		}
	})
	t.Run("a constraint of the key that is gone", func(t *testing.T) {
		d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
		s, _ := d.start(t, upsert)
		put(t, s, pair(1, "a"))
		pgtest.Exec(t, d, "ALTER TABLE t DROP CONSTRAINT t_pkey")
		err := s.Put(t.Context(), numbered(pair(2, "b")))
		if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "has no primary key, but insert.mode=upsert needs one") {
			t.Errorf("got %v", err)
		}
	})
}

// A column that the server fills by itself does not stop the sink.
func TestColumnsThatTheServerFills(t *testing.T) {
	key := connector.Props{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}
	named := with(key, "pk.fields", "name")
	tests := []struct {
		name, sql string
		props     connector.Props
		records   []connector.Record
		want      []string
	}{
		{"identity always as key", "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)", key, []connector.Record{pair(7, "a"), pair(7, "b"), pair(9, "c")}, []string{"7|b", "9|c"}},
		{"identity always, insert", "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)", connector.Props{}, []connector.Record{pair(7, "a")}, []string{"7|a"}},
		{"identity always beside the key", "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, name text PRIMARY KEY)", named, []connector.Record{pair(7, "a"), pair(8, "a")}, []string{"8|a"}},
		{"identity by default", "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text)", key, []connector.Record{pair(7, "a"), pair(7, "b")}, []string{"7|b"}},
		{"identity behind a view", "CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text); CREATE VIEW t AS SELECT * FROM b", with(key, "table.types", "VIEW"), []connector.Record{pair(7, "a"), pair(8, "b")}, []string{"7|a", "8|b"}},
		{"identity of a partitioned table", "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text) PARTITION BY RANGE (id); CREATE TABLE p PARTITION OF t DEFAULT", with(key, "table.types", "PARTITIONED TABLE"), []connector.Record{pair(7, "a")}, []string{"7|a"}},
		{"generated", "CREATE TABLE t (id int PRIMARY KEY, name text GENERATED ALWAYS AS ('n' || id) STORED)", key, []connector.Record{pair(7, "x"), pair(7, "y")}, []string{"7|n7"}},
		{"generated, insert", "CREATE TABLE t (id int PRIMARY KEY, name text GENERATED ALWAYS AS ('n' || id) STORED)", connector.Props{}, []connector.Record{pair(7, "x")}, []string{"7|n7"}},
		{"generated as key", "CREATE TABLE t (id int, name text GENERATED ALWAYS AS ('n' || id) STORED UNIQUE)", named, []connector.Record{pair(7, "n7"), pair(7, "n7")}, []string{"7|n7"}},
		{"generated of a type that the value is none of", "CREATE TABLE t (id int PRIMARY KEY, name bytea GENERATED ALWAYS AS ('\\x01') STORED)", key, []connector.Record{pair(7, "\x00")}, []string{`7|\x01`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, test.sql)
			s, reporter := d.start(t, test.props)
			put(t, s, test.records...)
			wantRows(t, d, "SELECT * FROM t ORDER BY 1", test.want...)
			if _, causes := reporter.Reported(); len(causes) > 0 {
				t.Errorf("reported %v", causes)
			}
		})
	}
	t.Run("update", func(t *testing.T) {
		three := connector.StructOf("three", connector.F("id", connector.Int32Schema), connector.F("name", connector.StringSchema), connector.F("twice", connector.Int32Schema), connector.F("n", connector.Int32Schema))
		d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text, twice int GENERATED ALWAYS AS (id * 2) STORED, n int GENERATED ALWAYS AS IDENTITY); INSERT INTO t (id) VALUES (1)")
		s, reporter := d.start(t, with(key, "insert.mode", "update"))
		put(t, s, connector.NewRecord("t", nil, nil, three, connector.StructFrom(three, []any{int32(1), "a", int32(9), int32(9)})))
		wantRows(t, d, "SELECT * FROM t", "1|a|2|1")
		if _, causes := reporter.Reported(); len(causes) > 0 {
			t.Errorf("reported %v", causes)
		}
	})
}

// Two fields whose names differ in case alone are no reason to stop.
func TestFieldsThatAreOneColumn(t *testing.T) {
	twins := func(first, second string) connector.Record {
		schema := connector.StructOf("twins", connector.F("id", connector.Int32Schema), connector.F(first, connector.StringSchema), connector.F(second, connector.StringSchema))
		return connector.NewRecord("t", nil, nil, schema, connector.StructFrom(schema, []any{int32(2), "x", "y"}))
	}
	tests := []struct {
		name, sql string
		props     connector.Props
		bad       connector.Record
		want      string
	}{
		{"the second one exact", "CREATE TABLE t (id int PRIMARY KEY, name text)", upsert, twins("Name", "name"), "field Name has no column of its own: column name is that of the field name"},
		{"the first one exact", "CREATE TABLE t (id int PRIMARY KEY, name text)", upsert, twins("name", "NAME"), "field NAME has no column of its own: column name is that of the field name"},
		{"none exact", "CREATE TABLE t (id int PRIMARY KEY, name text)", upsert, twins("Name", "NAME"), "field NAME has no column of its own: column name is that of the field Name"},
		{"names that are folded", "", with(upsert, "quote.sql.identifiers", "never"), twins("Name", "name"), "rename one (ReplaceField)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, test.sql)
			s, reporter := d.start(t, test.props)
			put(t, s, test.bad, pair(1, "a"), pair(3, "c"))
			wantRows(t, d, "SELECT id, name FROM t ORDER BY 1", "1|a", "3|c")
			if _, causes := reporter.Reported(); len(causes) != 1 || !strings.Contains(causes[0].Error(), "record t[0]@0") || !strings.Contains(causes[0].Error(), test.want) {
				t.Errorf("reported %v", causes)
			}
		})
	}
	t.Run("two columns", func(t *testing.T) {
		d := newDatabase(t, `CREATE TABLE t (id int PRIMARY KEY, name text, "Name" text)`)
		s, _ := d.start(t, upsert)
		put(t, s, twins("Name", "name"))
		wantRows(t, d, `SELECT id, "Name", name FROM t`, "2|x|y")
	})
}
