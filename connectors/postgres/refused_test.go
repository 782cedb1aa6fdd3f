package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// raising is a trigger on t that refuses the name bad with one statement.
func raising(statement string) string {
	return "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN IF new.name = 'bad' THEN " + statement + "; END IF; RETURN new; END $f$;" +
		"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse();"
}

// user makes a role that may log in, for the test's database, and gives its name.
func (d database) user(t *testing.T) string {
	t.Helper()
	name := pgtest.Rows(t, d, "SELECT 'role_' || current_database()")[0]
	pgtest.Exec(t, d, "CREATE ROLE "+name+" LOGIN")
	t.Cleanup(func() {
		if _, err := d.Exec(context.Background(), "DROP OWNED BY "+name+"; DROP ROLE "+name, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Error(err)
		}
	})
	return name
}

const plainTable = "CREATE TABLE t (id int PRIMARY KEY, name text);"

// A row that only the database can judge is that row's matter, whatever its
// SQLSTATE, also when it is alone.
//
// Clauses: T8, W7.
func TestRowsThatTheDatabaseJudges(t *testing.T) {
	tests := []struct {
		name, sql string
		props     connector.Props
		state     string
	}{
		{"a trigger", plainTable + raising("RAISE EXCEPTION 'no'"), upsert, "P0001"},
		{"a trigger with an SQLSTATE of its own", plainTable + raising("RAISE EXCEPTION 'no' USING ERRCODE = 'ABC12'"), upsert, "ABC12"},
		{"a trigger with a constraint's SQLSTATE", plainTable + raising("RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'"), upsert, "23514"},
		{"a trigger that divides", plainTable + raising("new.id = 1 / 0"), upsert, "22012"},
		{"a trigger that asserts", plainTable + raising("ASSERT false"), upsert, "P0004"},
		{"a trigger that runs nonsense", plainTable + raising("EXECUTE new.name"), upsert, "42601"},
		{"a trigger that is not offered something", plainTable + raising("RAISE feature_not_supported"), upsert, "0A000"},
		{"a trigger at the commit", plainTable + strings.Replace(strings.Replace(raising("RAISE EXCEPTION 'no'"), "CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER", 1), "BEFORE INSERT OR UPDATE ON t", "AFTER INSERT OR UPDATE ON t DEFERRABLE INITIALLY DEFERRED", 1), upsert, "P0001"},
		{"a function of a constraint", "CREATE FUNCTION fine(text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN IF $1 = 'bad' THEN RAISE 'no'; END IF; RETURN true; END $$; CREATE TABLE t (id int PRIMARY KEY, name text CHECK (fine(name)))", upsert, "P0001"},
		{"a view's check option", "CREATE TABLE b (id int PRIMARY KEY, name text); CREATE VIEW t AS SELECT * FROM b WHERE name <> 'bad' WITH CHECK OPTION", with(upsert, "table.types", "VIEW"), "44000"},
		{"a partition that is not there", "CREATE TABLE t (id int, name text, PRIMARY KEY (id, name)) PARTITION BY LIST (name); CREATE TABLE p PARTITION OF t FOR VALUES IN ('a', 'c')", with(upsert, "pk.fields", "id,name", "table.types", "PARTITIONED TABLE"), "23514"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, test.sql)
			s, reporter := d.start(t, test.props)
			put(t, s, pair(1, "a"), pair(2, "bad"), pair(3, "c"))
			put(t, s, pair(4, "bad"))
			wantRows(t, d, "SELECT id FROM t ORDER BY id", "1", "3")
			_, causes := reporter.Reported()
			if len(causes) != 2 || !strings.Contains(causes[0].Error(), "record t[0]@1: table public.t: upsert: ") {
				t.Fatalf("reported %v", causes)
			}
			for _, c := range causes {
				if pg.State(c) != test.state {
					t.Errorf("got %v, want %s", c, test.state)
				}
			}
			bare, err := d.bare(t, test.props)
			if err != nil {
				t.Fatal(err)
			}
			if err := bare.Put(t.Context(), numbered(pair(5, "a"), pair(6, "bad"))); connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "record t[0]@1") {
				t.Errorf("without tolerance: %v", err)
			}
			wantRows(t, d, "SELECT id FROM t ORDER BY id", "1", "3")
		})
	}
}

// 42501 is a policy's or that of a privilege: the database is asked.
func TestPoliciesAndPrivileges(t *testing.T) {
	const policy = plainTable + "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (name = 'a') WITH CHECK (name = 'a');"
	tests := []struct {
		name, sql string // %s is the user
		want      string // the remedy; empty where the row is to blame
	}{
		{"a policy", policy + "GRANT ALL ON t TO %s", ""},
		{"a policy, with privileges on columns alone", policy + "GRANT SELECT (id, name), INSERT (id, name), UPDATE (name) ON t TO %s", ""},
		{"a function that is not for everyone", plainTable + "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION f FROM PUBLIC;" + raising("new.id = f()") + "GRANT ALL ON t TO %s", ""},
		{"nothing on the table", plainTable + "GRANT SELECT ON t TO %s", `GRANT INSERT, UPDATE ON "public"."t" TO `},
		{"one column lacks", plainTable + "GRANT SELECT, UPDATE, INSERT (id) ON t TO %s", `GRANT INSERT ON "public"."t" TO `},
		{"the key is not to be read", plainTable + "GRANT INSERT, UPDATE ON t TO %s", `GRANT SELECT ON "public"."t" TO `},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, "")
			user := d.user(t)
			pgtest.Exec(t, d, strings.ReplaceAll(test.sql, "%s", user))
			s, reporter := d.start(t, with(upsert, "connection.user", user))
			err := s.Put(t.Context(), numbered(pair(1, "a"), pair(2, "bad")))
			if test.want == "" {
				wantRows(t, d, "SELECT id FROM t", "1")
				if _, causes := reporter.Reported(); err != nil || len(causes) != 1 || pg.State(causes[0]) != "42501" {
					t.Errorf("got %v, reported %v", err, causes)
				}
				return
			}
			if _, causes := reporter.Reported(); connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), test.want) || len(causes) > 0 {
				t.Errorf("got %v, reported %v", err, causes)
			}
		})
	}
}

// What is missing for every row is no row's matter.
func TestMissingForAllRows(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE other (a int);"+plainTable+raising("INSERT INTO nowhere VALUES (1)"))
	s, reporter := d.start(t, upsert)
	err := s.Put(t.Context(), numbered(pair(1, "a"), pair(2, "bad")))
	if _, causes := reporter.Reported(); connector.KindOf(err) != connector.KindFatal || pg.State(err) != "42P01" || len(causes) > 0 {
		t.Errorf("got %v, reported %v", err, causes)
	}
}

// A long run of refusals that are no matter of values ends the task.
//
// Clauses: W7.
func TestLongRunOfRefusals(t *testing.T) {
	refuse := func(from, n int, name any) []connector.Record {
		var records []connector.Record
		for i := range n {
			records = append(records, pair(int32(from+i), name))
		}
		return numbered(records...)
	}
	const want = "table public.t: 100 records in a row were refused with SQLSTATE P0001 and none was written"
	tests := []struct {
		name, raise string
		puts        [][]connector.Record
		reported    int
		want        string // of the last put
	}{
		{"one after the other", "RAISE 'no'", [][]connector.Record{refuse(1, 60, "bad"), refuse(61, 39, "bad"), refuse(100, 1, "bad")}, 99, want},
		{"at once", "RAISE 'no'", [][]connector.Record{refuse(1, 100, "bad")}, 0, want},
		{"with a success between", "RAISE 'no'", [][]connector.Record{refuse(1, 99, "bad"), refuse(100, 1, "a"), refuse(101, 99, "bad")}, 198, ""},
		{"with a success among them", "RAISE 'no'", [][]connector.Record{append(refuse(1, 150, "bad"), pair(500, "a"))}, 150, ""},
		{"with another state between", "IF new.id = 50 THEN RAISE division_by_zero; END IF; RAISE 'no'", [][]connector.Record{refuse(1, 99, "bad"), refuse(100, 40, "bad")}, 139, ""},
		{"of constraints", "RAISE check_violation", [][]connector.Record{refuse(1, 120, "bad")}, 120, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, plainTable+raising(test.raise))
			s, reporter := d.start(t, upsert)
			var err error
			for i, records := range test.puts {
				if err = s.Put(t.Context(), records); err != nil && i < len(test.puts)-1 {
					t.Fatal(err)
				}
			}
			if records, _ := reporter.Reported(); len(records) != test.reported {
				t.Errorf("%d reported, want %d", len(records), test.reported)
			}
			if test.want == "" && err != nil || test.want != "" && (connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Errors of preparing a statement are judged alike.
func TestStatementsThatCannotBePrepared(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE b (id int PRIMARY KEY, name text GENERATED ALWAYS AS ('n' || id) STORED); CREATE VIEW t AS SELECT * FROM b")
	s, reporter := d.start(t, with(upsert, "table.types", "VIEW"))
	put(t, s, pair(1, "a"))
	if _, causes := reporter.Reported(); len(causes) != 1 || pg.State(causes[0]) != "428C9" {
		t.Errorf("reported %v", causes)
	}
}

// Values of rows are in no error, whoever puts them there.
//
// Clauses: W12.
func TestErrorsTellNoValues(t *testing.T) {
	tests := []struct{ name, raise string }{
		{"message", "RAISE 'name % of %', 'private', new.id"},
		{"as a constraint's", "RAISE 'private' USING ERRCODE = 'unique_violation'"},
		{"as a value's", "RAISE 'private' USING ERRCODE = '22023'"},
		{"as the environment's", "RAISE 'private' USING ERRCODE = 'serialization_failure'"},
		{"detail, hint, column, constraint", "RAISE 'no' USING DETAIL = 'private', HINT = 'private', COLUMN = 'private', CONSTRAINT = 'private'"},
		{"a statement", `EXECUTE 'SELECT "private"'`},
		{"a value of a type", "new.id = 'private'::int"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, plainTable+raising(test.raise))
			s, reporter := d.start(t, upsert)
			err := s.Put(t.Context(), numbered(pair(1, "a"), pair(2, "bad")))
			_, causes := reporter.Reported()
			if text := fmt.Sprint(err, causes); strings.Contains(text, "private") || !strings.Contains(text, "SQLSTATE") {
				t.Error(text)
			}
			open, reporter := d.start(t, with(upsert, "trim.sensitive.log", "false"))
			err = open.Put(t.Context(), numbered(pair(1, "a"), pair(2, "bad")))
			_, causes = reporter.Reported()
			if text := fmt.Sprint(err, causes); test.name != "detail, hint, column, constraint" && !strings.Contains(text, "private") {
				t.Errorf("untrimmed: %s", text)
			}
		})
	}
}
