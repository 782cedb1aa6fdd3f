package pg_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestReadTable(t *testing.T) {
	pool := pgtest.Open(t, pgtest.URL(t))
	pgtest.Exec(t, pool, `
		CREATE TYPE mood AS ENUM ('sad', 'happy');
		CREATE DOMAIN short AS varchar(3); CREATE DOMAIN shorter AS short CHECK (value <> 'x');
		CREATE SCHEMA s;
		CREATE TABLE s."T" (id bigint GENERATED ALWAYS AS IDENTITY, b varchar(7) NOT NULL, c char(2) DEFAULT 'x', d shorter,
			e int[], f mood, g numeric(10,2), gone int, h bit(3), PRIMARY KEY (b, id), UNIQUE (c));
		ALTER TABLE s."T" DROP COLUMN gone;
		CREATE UNIQUE INDEX ON s."T" (d) WHERE d IS NOT NULL;
		CREATE VIEW v AS SELECT * FROM s."T"`)
	name, err := pg.ParseName("s.T")
	if err != nil {
		t.Fatal(err)
	}
	table, err := pg.ReadTable(t.Context(), pool, name)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range table.Columns {
		got = append(got, c.Name+" "+c.Type+" "+c.Elem)
	}
	want := []string{"id bigint ", "b character varying ", "c bpchar ", "d character varying ", "e integer[] integer", "f mood ", "g numeric ", `h "bit" `}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"b", "id"}, table.PrimaryKey); d != "" {
		t.Error(d)
	}
	if !table.HasUnique([]string{"id", "b"}) || !table.HasUnique([]string{"c"}) || table.HasUnique([]string{"d"}) || table.HasUnique([]string{"b"}) {
		t.Errorf("unique column sets: %v", table.Unique)
	}
	if c, ok := table.Column("ID"); !ok || c.Name != "id" {
		t.Errorf("column id: %+v", c)
	}
	if view, err := pg.ReadTable(t.Context(), pool, pg.Name{Table: "v"}); err != nil || view.Kind != pg.View {
		t.Errorf("view: %+v (%v)", view, err)
	}
	if none, err := pg.ReadTable(t.Context(), pool, pg.Name{Table: "none"}); none != nil || err != nil {
		t.Errorf("missing table: %+v (%v)", none, err)
	}
}

func TestMigrate(t *testing.T) {
	address := pgtest.URL(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	files := os.DirFS("../../configs/migrations")
	for range 2 {
		if err := migrations.Up(t.Context(), conn, files); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.Exec(t, conn, `INSERT INTO ifcb_sample_stats VALUES (1564349199, 'IFCB104', 2, 'a', 0.5, 'm:1', 0, 1, 2, true);
		CREATE TABLE later (a int); SET ROLE web_anon; SET timezone = 'UTC'`)
	got := pgtest.Rows(t, conn, `SELECT time, ifcb_id, hab FROM ifcb_sample_stats_time, (SELECT count(*) FROM later) l`)
	if d := cmp.Diff([]string{"2019-07-28 21:26:39+00|IFCB104|t"}, got); d != "" {
		t.Error(d)
	}
	if _, err := conn.Exec(t.Context(), "DELETE FROM ifcb_sample_stats"); pg.State(err) != "42501" {
		t.Errorf("web_anon may write: %v", err)
	}
}

// An error that condemns a connection ends those that are idle, too.
func TestPoolIsLeftAfterAnErrorThatCondemns(t *testing.T) {
	pool := pgtest.Open(t, pgtest.URL(t))
	pids := func() map[uint32]bool {
		held := map[uint32]bool{}
		for range 3 {
			conn, err := pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
			held[conn.Conn().PgConn().PID()] = true
		}
		return held
	}
	before := pids()
	if after := pids(); !cmp.Equal(before, after) {
		t.Fatalf("the pool does not keep its connections: %v, %v", before, after)
	}
	if _, err := pool.Exec(t.Context(), "DO $$ BEGIN RAISE 'no' USING ERRCODE = 'read_only_sql_transaction'; END $$"); pg.State(err) != "25006" {
		t.Fatal(err)
	}
	for pid := range pids() {
		if before[pid] {
			t.Errorf("connection %d is still there", pid)
		}
	}
}
