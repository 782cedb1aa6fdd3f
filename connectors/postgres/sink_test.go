package postgres

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/leak"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

func TestMain(m *testing.M) {
	leak.Main(func() int { return pgtest.Main(m) })
}

// database is a new database with a sink on it.
type database struct {
	*pgxpool.Pool
	url string
}

func newDatabase(t *testing.T, sql string) database {
	t.Helper()
	d := database{url: pgtest.URL(t)}
	d.Pool = pgtest.Open(t, d.url)
	if sql != "" {
		pgtest.Exec(t, d, sql)
	}
	return d
}

// start gives a started sink and what it reports.
func (d database) start(t *testing.T, props connector.Props) (*Sink, *connectortest.Reporter) {
	t.Helper()
	s := new(Sink)
	props = props.Clone()
	props["connection.url"] = d.url
	c := connectortest.Context(t)
	reporter := new(connectortest.Reporter)
	c.Reporter = reporter
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s, reporter
}

// numbered gives records offsets.
func numbered(records ...connector.Record) []connector.Record {
	for i := range records {
		records[i].Origin = connector.Origin{Topic: records[i].Topic, Offset: int64(i)}
	}
	return records
}

func put(t *testing.T, s *Sink, records ...connector.Record) {
	t.Helper()
	if err := s.Put(t.Context(), numbered(records...)); err != nil {
		t.Fatal(err)
	}
}

func wantRows(t *testing.T, d database, sql string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, pgtest.Rows(t, d, sql), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s:\n%s", sql, diff)
	}
}

var (
	pairSchema = connector.StructOf("pair", connector.F("id", connector.Int32Schema), connector.F("name", connector.OptionalStringSchema))
	idSchema   = connector.StructOf("id", connector.F("id", connector.Int32Schema))
)

func pair(id int32, name any) connector.Record {
	return connector.NewRecord("t", nil, nil, pairSchema, connector.StructFrom(pairSchema, []any{id, name}))
}

func keyed(id int32, name any) connector.Record {
	r := pair(id, name)
	r.KeySchema, r.Key = idSchema, connector.StructFrom(idSchema, []any{id})
	return r
}

func tombstone(id int32) connector.Record {
	return connector.NewRecord("t", idSchema, connector.StructFrom(idSchema, []any{id}), nil, nil)
}

var upsert = connector.Props{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "auto.create": "true"}

func with(p connector.Props, pairs ...string) connector.Props {
	p = p.Clone()
	for i := 0; i < len(pairs); i += 2 {
		p[pairs[i]] = pairs[i+1]
	}
	return p
}

// Clauses: W1, W9.
func TestSinkPromises(t *testing.T) {
	row := func(r connector.Record) []any { return r.Value.(*connector.Struct).Values() }
	item := func(r connector.Record) string {
		if r.Value == nil {
			return ""
		}
		name := "<null>"
		if n := row(r)[1]; n != nil {
			name = n.(string)
		}
		return fmt.Sprintf("%d|%s", row(r)[0], name)
	}
	tests := map[string]connectortest.SinkCase{
		"upsert": {
			Record: func(n int) connector.Record { return pair(int32(n%40), fmt.Sprintf(`%d " \ ' , {}`, n)) },
			Key:    func(r connector.Record) string { return fmt.Sprint(row(r)[0]) },
			System: tables(t, upsert),
		},
		"upsert and delete": {
			Record: func(n int) connector.Record {
				if n%7 == 6 {
					return tombstone(int32(n % 30))
				}
				return keyed(int32(n%30), fmt.Sprint("row ", n))
			},
			Key:    func(r connector.Record) string { return fmt.Sprint(r.Key.(*connector.Struct).At(0)) },
			System: tables(t, connector.Props{"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true"}),
		},
		"insert": {
			Record: func(n int) connector.Record { return pair(int32(n), nil) },
			System: tables(t, connector.Props{"insert.mode": "insert", "table.name.format": "log"}),
		},
		"insert with offsets": {
			Record: func(n int) connector.Record { return pair(int32(n), nil) },
			System: tables(t, connector.Props{"insert.mode": "insert", "table.name.format": "log", "offset.store": "sink"}),
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			c.New, c.Item = func() connector.Sink { return new(Sink) }, item
			connectortest.Sink(t, c)
		})
	}
}

// tables gives systems for the suite: a table with a key and one without, emptied
// each time. Break cuts the line to the server, Hang holds the table's lock.
func tables(t *testing.T, props connector.Props) func(testing.TB) connectortest.SinkSystem {
	name := "t"
	if format, ok := props.Text("table.name.format"); ok {
		name = format
	}
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE TABLE log (id int, name text)")
	line := newLine(t, d.url)
	return func(t testing.TB) connectortest.SinkSystem {
		pgtest.Exec(t, d, "TRUNCATE t, log")
		return connectortest.SinkSystem{
			Props: with(props, "connection.url", line.url),
			Held:  func() []string { return pgtest.Rows(t, d, "SELECT id, name FROM "+name) },
			Break: line.cut,
			Hang: func() func() {
				tx, err := d.Begin(t.Context())
				if err == nil {
					_, err = tx.Exec(t.Context(), "LOCK TABLE "+name)
				}
				if err != nil {
					t.Fatal(err)
				}
				return func() {
					if err := tx.Rollback(t.Context()); err != nil {
						t.Error(err)
					}
				}
			},
		}
	}
}

// The original's file, byte for byte but for the address.
//
// Clauses: Y3.
func TestOriginalConfiguration(t *testing.T) {
	d := newDatabase(t, "")
	conn, err := pgx.Connect(t.Context(), d.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := migrations.Up(t.Context(), conn, os.DirFS("../../configs/migrations")); err != nil {
		t.Fatal(err)
	}
	schema := connector.StructOf("ifcb.stats.value",
		connector.F("time", connector.Int32Schema), connector.F("ifcb_id", connector.StringSchema), connector.F("roi", connector.Int32Schema),
		connector.F("name", connector.StringSchema), connector.F("classifier", connector.StringSchema), connector.F("prob", connector.Float32Schema),
		connector.F("classification_time", connector.Int32Schema), connector.F("biovolume", connector.Float32Schema),
		connector.F("carbon", connector.Float32Schema), connector.F("hab", connector.BooleanSchema))
	props := connector.Props{
		"name": "IFCBStatsSinkConnector", "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "ifcb-sample-stats",
		"tasks.max": "1", "table.name.format": "ifcb_sample_stats", "insert.mode": "upsert", "batch.size": "1000", "max.retries": "0",
		"auto.create": "True", "auto.evolve": "True", "pk.mode": "record_value", "pk.fields": "time,ifcb_id,roi"}
	c := database{d.Pool, "jdbc:postgresql://" + strings.TrimPrefix(strings.Split(d.url, "?")[0], "postgres://postgres@") + "?stringtype=unspecified&sslmode=disable"}
	s, _ := c.start(t, with(props, "connection.user", "postgres"))
	row := connector.StructFrom(schema, []any{int32(1564349199), "IFCB104", int32(2), "Alexandrium", "m:1", float32(0.1), int32(0), float32(1), float32(2.5), true})
	put(t, s, connector.NewRecord("ifcb-sample-stats", nil, nil, schema, row), connector.NewRecord("ifcb-sample-stats", nil, nil, schema, row))
	// A float32 in a double precision column is the same number, as with the JDBC driver.
	wantRows(t, d, "SELECT time, ifcb_id, roi, name, prob, carbon, hab FROM ifcb_sample_stats", "1564349199|IFCB104|2|Alexandrium|0.10000000149011612|2.5|t")
}

// Clauses: W2, W3, W4, W5.
func TestLastOfAKeyWins(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name text, other int)")
	s, _ := d.start(t, connector.Props{"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true"})
	other := connector.StructOf("other", connector.F("other", connector.Int32Schema))
	extra := tombstone(4)
	extra.ValueSchema, extra.Value = other, connector.StructFrom(other, []any{int32(7)})
	put(t, s, keyed(1, "a"), keyed(1, "b"), // twice in one statement
		keyed(2, "a"), tombstone(2), // inserted, then deleted
		tombstone(3), keyed(3, "c"), // deleted, then inserted
		keyed(4, "d"), extra) // two shapes of one row
	wantRows(t, d, "SELECT * FROM t ORDER BY id", "1|b|<null>", "3|c|<null>", "4|d|7")
	put(t, s, keyed(4, "e"), tombstone(4), tombstone(1))
	wantRows(t, d, "SELECT * FROM t ORDER BY id", "3|c|<null>")
}

// Clauses: W5.
func TestKeysThatAreEqualForTheServerOnly(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id uuid PRIMARY KEY, name text)")
	s, reporter := d.start(t, connector.Props{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"})
	schema := connector.StructOf("u", connector.F("id", connector.StringSchema), connector.F("name", connector.StringSchema))
	row := func(id, name string) connector.Record {
		return connector.NewRecord("t", nil, nil, schema, connector.StructFrom(schema, []any{id, name}))
	}
	put(t, s, row("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "first"), row("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "second"))
	wantRows(t, d, "SELECT count(*) FROM t", "1")
	if records, causes := reporter.Reported(); len(records) > 0 {
		t.Errorf("reported: %v", causes)
	}
}

// Clauses: W3.
func TestInsertAndUpdate(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, name varchar(3)); CREATE TABLE log (LIKE t)")
	s, reporter := d.start(t, connector.Props{"insert.mode": "insert", "table.name.format": "log"})
	put(t, s, pair(2, "a"), pair(1, "b"), pair(2, "a"))
	wantRows(t, d, "SELECT * FROM log", "2|a", "1|b", "2|a")
	if records, _ := reporter.Reported(); len(records) > 0 {
		t.Error("reported")
	}
	s, _ = d.start(t, connector.Props{"insert.mode": "update", "pk.mode": "record_value", "pk.fields": "id"})
	put(t, s, pair(1, "x"))
	wantRows(t, d, "SELECT * FROM t")
	pgtest.Exec(t, d, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
	put(t, s, pair(1, "x"), pair(1, "y"))
	wantRows(t, d, "SELECT * FROM t ORDER BY id", "1|y", "2|b")
}

// Clauses: R4, W9.
func TestKafkaCoordinates(t *testing.T) {
	d := newDatabase(t, "")
	s, reporter := d.start(t, connector.Props{"insert.mode": "insert", "pk.mode": "kafka", "auto.create": "true"})
	put(t, s, pair(7, "a"), pair(8, "b"))
	wantRows(t, d, "SELECT * FROM t ORDER BY 3", "t|0|0|7|a", "t|0|1|8|b")
	put(t, s, pair(7, "a")) // the same place again
	if records, causes := reporter.Reported(); len(records) != 1 || !strings.Contains(fmt.Sprint(causes), "t_pkey") {
		t.Errorf("reported %v", causes)
	}
}

// Clauses: W3.
func TestAllKeyTable(t *testing.T) {
	d := newDatabase(t, "")
	s, _ := d.start(t, with(upsert, "pk.fields", "", "fields.whitelist", ""))
	put(t, s, pair(1, "a"), pair(1, "a"))
	put(t, s, pair(1, "a"))
	wantRows(t, d, "SELECT * FROM t", "1|a")
}

// Clauses: R1, R10.
func TestSchemaFromTable(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, tags text[], more jsonb)")
	s, reporter := d.start(t, connector.Props{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id", "schema.from": "table"})
	plain := func(m map[string]any) connector.Record { return connector.NewRecord("t", nil, nil, nil, m) }
	put(t, s, plain(map[string]any{"id": int64(1), "at": "2020-01-01T00:00:00Z", "tags": []any{"a", nil}, "more": map[string]any{"x": 1.5}}),
		plain(map[string]any{"id": int64(2)}), plain(map[string]any{"id": 3.5}))
	wantRows(t, d, "SELECT id, at = '2020-01-01 00:00:00Z', tags, more FROM t ORDER BY id", `1|t|{a,NULL}|{"x": 1.5}`, "2|<null>|<null>|<null>")
	if records, causes := reporter.Reported(); len(records) != 1 || records[0].Origin.Offset != 2 {
		t.Errorf("reported %v", causes)
	}
	strict, reporter := d.start(t, upsert)
	put(t, strict, plain(map[string]any{"id": int64(1)}))
	if _, causes := reporter.Reported(); len(causes) != 1 || !strings.Contains(causes[0].Error(), "schema.from=table") {
		t.Errorf("reported %v", causes)
	}
}

// Clauses: W13.
func TestMetrics(t *testing.T) {
	d := newDatabase(t, "")
	s := new(Sink)
	c := connectortest.Context(t)
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, with(upsert, "connection.url", d.url, "batch.size", "2"))); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	put(t, s, pair(1, "a"), pair(2, "a"), pair(3, "a"), pair(4, "nul \x00"))
	m := c.Metrics.(*connectortest.Metrics)
	for name, want := range map[string]float64{"postgres_tables_created_total": 1, "postgres_errant_records_total": 1} {
		if got := m.Value(name); got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	if got := m.Value("postgres_rows_total", "operation", "upsert"); got != 3 {
		t.Errorf("%g rows, want 3", got)
	}
	if got := m.Value("postgres_connected"); got != 1 {
		t.Errorf("connected is %g, want 1", got)
	}
}
