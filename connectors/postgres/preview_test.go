package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

func TestPreview(t *testing.T) {
	schema := connector.StructOf("", connector.F("id", connector.Int32Schema), connector.F("name", connector.OptionalStringSchema))
	record := func(id int32, name any) connector.Record {
		return connector.NewRecord("t", nil, nil, schema, connector.StructFrom(schema, []any{id, name}))
	}
	upsert := connector.Props{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "auto.create": "true", "auto.evolve": "true"}
	const (
		created  = "run CREATE TABLE \"t\"\nCREATE TABLE \"t\" (\n\"id\" INT NOT NULL,\n\"name\" TEXT NULL,\nPRIMARY KEY (\"id\"))"
		inserted = `INSERT INTO "public"."t" ("id", "name") SELECT u.c0, u.c1 FROM (SELECT unnest($1::integer[]) AS c0, unnest($2::text[]) AS c1) AS u` +
			` ON CONFLICT ("id") DO UPDATE SET "name" = EXCLUDED."name"`
		rows = "\n-- $1 id = 1 $2 name = \"a\"\n-- $1 id = 2 $2 name = \"b\""
	)
	tests := []struct {
		name, sql string
		props     connector.Props
		execute   bool
		records   []connector.Record
		want      []string // effects
		refused   []string
	}{
		{"a table that is there", "CREATE TABLE t (id int PRIMARY KEY, name text)", upsert, false, []connector.Record{record(2, "b"), record(1, "a")},
			[]string{"upsert 2 rows: table public.t [1 0]\n" + inserted + rows}, nil},
		{"tried", "CREATE TABLE t (id int PRIMARY KEY, name text)", upsert, true, []connector.Record{record(1, "a"), record(2, "b")},
			[]string{"upsert 2 rows: table public.t, tried and rolled back [0 1]\n" + inserted + rows}, nil},
		{"a table that is not", "", upsert, false, []connector.Record{record(1, "a"), record(2, "b")},
			[]string{created, "upsert 2 rows: table t [0 1]\n" + strings.Replace(inserted, `"public".`, "", 1) + rows}, nil},
		{"made and rolled back", "", upsert, true, []connector.Record{record(1, "a"), record(2, "b")},
			[]string{created, "upsert 2 rows: table public.t, tried and rolled back [0 1]\n" + inserted + rows}, nil},
		{"a column that is not", "CREATE TABLE t (id int PRIMARY KEY)", upsert, false, []connector.Record{record(1, "a"), record(2, "b")},
			[]string{"run ALTER TABLE \"public\".\"t\"\nALTER TABLE \"public\".\"t\" ADD COLUMN IF NOT EXISTS \"name\" TEXT NULL",
				"upsert 2 rows: table public.t [0 1]\n" + inserted + rows}, nil},
		{"a row that the server refuses", "CREATE TABLE t (id int PRIMARY KEY CHECK (id < 2), name text)", upsert, true, []connector.Record{record(1, "a"), record(2, "b")},
			[]string{"upsert 2 rows: table public.t, tried and rolled back [0 1]\n" + inserted + rows},
			[]string{`record t[0]@1: table public.t: upsert: ERROR: new row for relation "t" violates check constraint "t_id_check" (SQLSTATE 23514)`}},
		{"what a rollback leaves", "CREATE TABLE t (id int PRIMARY KEY, name text, n serial); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER noisy BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
			upsert, true, []connector.Record{record(1, "a")},
			[]string{"upsert 1 rows: table public.t, tried and rolled back [0]\n" + inserted + "\n-- $1 id = 1 $2 name = \"a\"" +
				"\nwarning: sequence t_n_seq goes on, also where it is only tried: numbers that were drawn are not given back" +
				"\nwarning: trigger noisy runs, also where it is only tried: what it does outside of the transaction stays"}, nil},
		{"an envelope", "CREATE TABLE t (id int PRIMARY KEY, name text)", connector.Props{"insert.mode": "upsert", "pk.mode": "record_key", "table.name.format": "t"}, false,
			[]connector.Record{enveloped("c", 1, "a"), enveloped("u", 2, "b")}, []string{"upsert 2 rows: table public.t [0 1]\n" + inserted + rows}, nil},
		{"offsets kept there", "CREATE TABLE t (id int PRIMARY KEY, name text)", connector.Props{"pk.mode": "none", "offset.store": "sink"}, false, []connector.Record{record(1, "a")},
			[]string{"insert 1 rows: table public.t [0]\n" + strings.Split(inserted, " ON CONFLICT")[0] + "\n-- $1 id = 1 $2 name = \"a\"",
				"move the offsets in table hydraulics_offsets, in the same transaction []"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, tt.sql)
			props := tt.props.Clone()
			props["connection.url"] = d.url
			s, c, effects := new(Sink), connectortest.Context(t), []string(nil)
			reporter := new(connectortest.Reporter)
			c.Reporter = reporter
			c.Preview = &connector.Preview{Execute: tt.execute, Would: func(e connector.Effect) {
				text := e.Does
				if !strings.HasPrefix(text, "run ") {
					text += fmt.Sprint(" ", e.Records)
				}
				if e.Text != "" {
					text += "\n" + e.Text
				}
				for _, w := range e.Warnings {
					text += "\nwarning: " + w
				}
				effects = append(effects, text)
			}}
			before := content(t, d)
			if err := s.Preview(t.Context(), c, connectortest.Configure(t, s, props), numbered(tt.records...)); err != nil {
				t.Fatal(err)
			}
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, effects); diff != "" {
				t.Error(diff)
			}
			_, causes := reporter.Reported()
			var refused []string
			for _, e := range causes {
				refused = append(refused, e.Error())
			}
			if diff := cmp.Diff(tt.refused, refused); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, content(t, d)); diff != "" {
				t.Errorf("the database is not as it was:\n%s", diff)
			}
		})
	}
}

// content gives the tables of a database with their columns and numbers of rows.
func content(t *testing.T, d database) string {
	t.Helper()
	return strings.Join(pgtest.Rows(t, d, `SELECT table_name || '.' || column_name || ':' ||
		(xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || quote_ident(table_name), false, true, '')))[1]::text
		FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`), " ")
}
