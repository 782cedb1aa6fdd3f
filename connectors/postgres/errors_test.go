package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// bare gives a sink whose connector does not tolerate errors.
func (d database) bare(t *testing.T, props connector.Props) (*Sink, error) {
	t.Helper()
	s := new(Sink)
	c := connectortest.Context(t)
	c.Reporter = nil
	err := s.Start(t.Context(), c, connectortest.Configure(t, s, with(props, "connection.url", d.url)))
	t.Cleanup(func() { _ = s.Stop() })
	return s, err
}

// Clauses: W7.
func TestBadRowsAreFound(t *testing.T) {
	const table = "CREATE TABLE t (id int PRIMARY KEY CHECK (id <> 66), name varchar(3) NOT NULL)"
	d := newDatabase(t, table)
	s, reporter := d.start(t, upsert)
	var records []connector.Record
	for i := range int32(100) {
		records = append(records, pair(i, "ok"))
	}
	records[13] = pair(13, "too long, private")
	records[66] = pair(66, "chk")
	records[99] = pair(99, nil)
	records = append(records, pair(50, "private x"), pair(50, "yes"), pair(51, "new"), pair(51, "private y"))
	put(t, s, records...)
	wantRows(t, d, "SELECT count(*), min(name) FROM t WHERE id NOT IN (50, 51)", "95|ok")
	// The row before a refused one of the same key is written.
	wantRows(t, d, "SELECT * FROM t WHERE id IN (50, 51) ORDER BY id", "50|yes", "51|new")
	got, causes := reporter.Reported()
	var offsets []int64
	for _, r := range got {
		offsets = append(offsets, r.Origin.Offset)
	}
	slices.Sort(offsets)
	if !slices.Equal(offsets, []int64{13, 66, 99, 100, 103}) {
		t.Errorf("reported %v: %v", offsets, causes)
	}
	var refused interface{ Exception() string }
	if !errors.As(causes[0], &refused) || refused.Exception() != "java.sql.SQLException" {
		t.Errorf("a dead letter would not say java.sql.SQLException: %v", causes[0])
	}
	if text := fmt.Sprint(causes); strings.Contains(text, "private") || !strings.Contains(text, "record t[0]@66: table public.t: upsert: ") || !strings.Contains(text, "t_id_check") {
		t.Errorf("causes: %s", text)
	}
}

// Clauses: W1, Y1.
func TestBadRowStopsWithoutTolerance(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name varchar(3))")
	s, err := d.bare(t, upsert)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []any{"too long", "\x00", "\xff"} {
		err = s.Put(t.Context(), numbered(pair(1, "a"), pair(2, bad), pair(3, "c")))
		if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "record t[0]@1") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	wantRows(t, d, "SELECT * FROM t")
}

func TestDeferredConstraint(t *testing.T) {
	d := newDatabase(t, `CREATE TABLE names (name text PRIMARY KEY); INSERT INTO names VALUES ('a');
		CREATE TABLE t (id int PRIMARY KEY, name text REFERENCES names DEFERRABLE INITIALLY DEFERRED)`)
	s, reporter := d.start(t, upsert)
	put(t, s, pair(1, "a"), pair(2, "b"))
	wantRows(t, d, "SELECT * FROM t", "1|a")
	if records, _ := reporter.Reported(); len(records) != 1 || records[0].Origin.Offset != 1 {
		t.Errorf("reported %v", records)
	}
}

// Clauses: W7, W8.
func TestServerGoesAndComesBack(t *testing.T) {
	server, err := pgtest.Start()
	if err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	d := database{url: server.URL()}
	s, reporter := d.start(t, with(upsert, "max.retries", "0", "retry.backoff.ms", "5"))
	put(t, s, pair(1, "a"))
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	err = s.Put(t.Context(), numbered(pair(2, "b")))
	mark, ok := err.(*connector.Error)
	if !ok || mark.Kind != connector.KindRetriable || mark.Attempts != 0 || mark.After.Milliseconds() != 5 {
		t.Errorf("put: %v (%+v)", err, mark)
	}
	if _, err := d.bare(t, with(upsert, "connection.attempts", "3")); connector.KindOf(err) != connector.KindRetriable || err.(*connector.Error).Attempts != 2 {
		t.Errorf("start: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	put(t, s, pair(2, "b"))
	d.Pool = pgtest.Open(t, d.url)
	wantRows(t, d, "SELECT * FROM t ORDER BY id", "1|a", "2|b")
	if records, _ := reporter.Reported(); len(records) > 0 {
		t.Error("records were reported for an error of the environment")
	}
	d.Close()
}

// Rows are locked in the order of their keys, whatever order they came in; one who
// locks them in another, and is in the way, costs a repetition.
//
// Clauses: W6.
func TestDeadlock(t *testing.T) {
	d := newDatabase(t, plainTable+"INSERT INTO t VALUES (1, 'old'), (2, 'old')")
	s, reporter := d.start(t, upsert)
	other, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback(t.Context()) }()
	pgtest.Exec(t, other, "SET LOCAL deadlock_timeout = '1h'; UPDATE t SET name = 'other' WHERE id = 2") // the sink is the one who finds out
	done := make(chan error, 1)
	go func() { done <- s.Put(t.Context(), numbered(pair(2, "new"), pair(1, "new"))) }()
	waitFor(t, d, "SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
	locked := make(chan error, 1)
	go func() {
		_, err := other.Exec(t.Context(), "UPDATE t SET name = 'other' WHERE id = 1") // which the sink has locked first
		locked <- err
	}()
	if err := <-done; connector.KindOf(err) != connector.KindRetriable || pg.State(err) != "40P01" {
		t.Fatalf("put: %v (%s)", err, connector.KindOf(err))
	}
	if err := <-locked; err != nil {
		t.Fatal(err)
	}
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, s, pair(2, "new"), pair(1, "new"))
	wantRows(t, d, "SELECT * FROM t ORDER BY id", "1|new", "2|new")
	if records, causes := reporter.Reported(); len(records) > 0 {
		t.Errorf("reported %v", causes)
	}
}

func TestTableChangesUnderTheSink(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text)")
	s, _ := d.start(t, with(upsert, "auto.evolve", "true"))
	put(t, s, pair(1, "a"))
	pgtest.Exec(t, d, "ALTER TABLE t DROP COLUMN name")
	put(t, s, pair(2, "b"))
	wantRows(t, d, "SELECT * FROM t ORDER BY id", "1|<null>", "2|b")
	pgtest.Exec(t, d, "DROP TABLE t")
	put(t, s, pair(3, "c"))
	wantRows(t, d, "SELECT * FROM t", "3|c")
}

// Clauses: T2, T4.
func TestTasksCreateAndExtendAtOnce(t *testing.T) {
	d := newDatabase(t, "")
	wide := connector.StructOf("wide", append(slices.Clone(pairSchema.Fields()), connector.F("extra", connector.OptionalInt64Schema))...)
	var wait sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		s, _ := d.start(t, with(upsert, "auto.evolve", "true"))
		wait.Go(func() {
			if errs[i] = s.Put(t.Context(), numbered(pair(int32(i), "a"))); errs[i] == nil {
				errs[i] = s.Put(t.Context(), numbered(connector.NewRecord("t", nil, nil, wide, connector.StructFrom(wide, []any{int32(i), "b", int64(i)}))))
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	wantRows(t, d, "SELECT * FROM t ORDER BY id", "0|b|0", "1|b|1", "2|b|2", "3|b|3")
}

// Clauses: T1, T2, T4, T8, Y4.
func TestTableErrors(t *testing.T) {
	required := connector.StructOf("r", append(slices.Clone(pairSchema.Fields()), connector.F("need", connector.Int32Schema))...)
	nested := connector.StructOf("n", connector.F("id", connector.Int32Schema), connector.F("a", connector.ArrayOf(connector.ArrayOf(connector.Int32Schema))))
	needs := connector.NewRecord("t", nil, nil, required, connector.StructFrom(required, []any{int32(1), "a", int32(2)}))
	tests := []struct {
		name, sql string
		props     connector.Props
		record    connector.Record
		want      string
	}{
		{"missing", "", with(upsert, "auto.create", "false"), pair(1, "a"), "table t is missing and auto-creation is disabled"},
		{"missing field", "CREATE TABLE t (id int PRIMARY KEY)", upsert, pair(1, "a"), "table public.t is missing the fields name, and auto-evolution is disabled"},
		{"required field", "CREATE TABLE t (id int PRIMARY KEY, name text)", with(upsert, "auto.evolve", "true"), needs, "missing the field need, which is neither optional nor has a default"},
		{"view", "CREATE TABLE b (id int PRIMARY KEY); CREATE VIEW t AS SELECT * FROM b", with(upsert, "auto.evolve", "true", "table.types", "VIEW"), pair(1, "a"), "a view cannot be altered"},
		{"kind", "CREATE VIEW t AS SELECT 1 AS id", upsert, pair(1, "a"), "t is a VIEW, which table.types does not allow"},
		{"no such constraint", "CREATE TABLE t (id int, name text, PRIMARY KEY (id, name))", upsert, pair(1, "a"), `has the primary key (id, name), but insert.mode=upsert needs one, or a unique index, on exactly the fields of the key: change pk.fields, or run ALTER TABLE "public"."t" ADD UNIQUE ("id")`},
		{"array of arrays", "", upsert, connector.NewRecord("t", nil, nil, nested, connector.StructFrom(nested, []any{int32(1), []any{}})), "an array of arrays has no column type"},
		{"another database", "", with(upsert, "table.name.format", "other.public.${topic}"), pair(1, "a"), "in another database than the connection's"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, test.sql)
			s, err := d.bare(t, test.props)
			if err == nil {
				err = s.Put(t.Context(), numbered(test.record))
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || connector.KindOf(err) != connector.KindFatal {
				t.Errorf("got %v (%s), want %s", err, connector.KindOf(err), test.want)
			}
		})
	}
}

// Clauses: T7.
func TestStartChecksTheTable(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int, name text)")
	_, err := d.bare(t, with(upsert, "topics", "absent, t"))
	if err == nil || !strings.Contains(err.Error(), `table public.t has no primary key, but insert.mode=upsert needs one`) {
		t.Errorf("got %v", err)
	}
	_, err = d.bare(t, with(upsert, "topics", "t", "pk.fields", "ident"))
	if err == nil || !strings.Contains(err.Error(), "table public.t has no column ident, which pk.fields names") {
		t.Errorf("got %v", err)
	}
}

// A privilege that lacks is found at the start, and named with the statement that
// grants it.
//
// Clauses: T7.
func TestStartChecksPrivileges(t *testing.T) {
	d := newDatabase(t, plainTable)
	user := d.user(t)
	props := with(upsert, "topics", "t", "connection.user", user)
	for _, step := range []struct{ grant, want string }{
		{"", "GRANT"},
		{"GRANT INSERT ON t TO " + user, "SELECT"},
		{"GRANT SELECT ON t TO " + user, ""},
	} {
		pgtest.Exec(t, d, cmp.Or(step.grant, "SELECT"))
		_, err := d.bare(t, props)
		if step.want == "" && err != nil || step.want != "" && (connector.KindOf(err) != connector.KindFatal || !strings.Contains(fmt.Sprint(err), step.want)) {
			t.Errorf("after %q: %v, want %s", step.grant, err, step.want)
		}
	}
	if _, err := d.bare(t, with(props, "insert.mode", "upsert", "pk.mode", "record_key", "delete.enabled", "true")); err == nil || !strings.Contains(err.Error(), "DELETE") {
		t.Errorf("deletes: %v", err)
	}
}

// A second unique constraint is warned of, the key's is not.
//
// Clauses: W14.
func TestSecondUniqueConstraint(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (a int, id int, name text UNIQUE, PRIMARY KEY (a, id)); CREATE TABLE one (id int PRIMARY KEY, name text)")
	for topic, want := range map[string]int{"t": 1, "one": 0} {
		var said strings.Builder
		s := new(Sink)
		c := connectortest.Context(t)
		c.Log = slog.New(slog.NewTextHandler(&said, nil))
		fields := map[string]string{"t": "id,a", "one": "id"}[topic]
		if err := s.Start(t.Context(), c, connectortest.Configure(t, s, with(upsert, "connection.url", d.url, "topics", topic, "pk.fields", fields))); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(said.String(), "another unique constraint"); n != want || n > 0 && !strings.Contains(said.String(), "unique=name") {
			t.Errorf("%s: the log says %q", topic, said.String())
		}
		_ = s.Stop()
	}
}

func TestRefusedLoginNamesItsKeys(t *testing.T) {
	for state, want := range map[string]string{"28P01": "check connection.user and connection.password", "28000": "check connection.user and connection.password", "3D000": "check the database in connection.url"} {
		err := new(Sink).mark(fmt.Errorf("database d on h:5432: %w", &pgconn.PgError{Severity: "FATAL", Message: "no", Code: state}), -1, connector.After(0))
		if connector.KindOf(err) != connector.KindFatal || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%s: %v, want %s", state, err, want)
		}
	}
}
