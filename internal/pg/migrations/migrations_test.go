//go:build unix

package migrations_test

import (
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/internal/pg"
	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var flow = os.DirFS("../../../configs/migrations")

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func open(t *testing.T, conn *pgx.Conn) *migrations.Database {
	t.Helper()
	d, err := migrations.Open(conn.Config(), flow)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// has gives the versions that a status says are there.
func has(t *testing.T, d *migrations.Database) []int64 {
	t.Helper()
	states, err := d.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var versions []int64
	for _, s := range states {
		if s.Since != nil {
			versions = append(versions, s.Version)
		}
	}
	return versions
}

// A database that 1.0.0 filled is adopted with its rows, and gains what is new.
func TestAdoptsAFilledDatabase(t *testing.T) {
	conn := connect(t, pgtest.URL(t))
	old, err := os.ReadFile("testdata/1.0.0.sql")
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, conn, string(old))
	pgtest.Exec(t, conn, `INSERT INTO ifcb_sample_stats VALUES (0, 'IFCB104', 2, 'a', 0.5, 'm:1', 0, 1, 2, true);
		INSERT INTO ifcb_bins (time, ifcb_id, pid, dataset, dashboard, status, ingested, failed, ml_analyzed, updated)
		VALUES (0, 'IFCB104', 'D19700101T000000_IFCB104', 'demo', 'http://x', 'complete', 1, 0, 2, 'epoch')`)
	d := open(t, conn)
	if v := has(t, d); v != nil {
		t.Errorf("has versions %v before", v)
	}
	ran, err := d.Up(t.Context())
	if diff := cmp.Diff([]string{"001_ifcb_sample_stats.sql", "002_ifcb_bins.sql"}, ran); diff != "" || err != nil {
		t.Fatalf("%s (%v)", diff, err)
	}
	if got := pgtest.Rows(t, conn, "SELECT time, roi, prob, pid FROM ifcb_sample_stats"); !cmp.Equal(got, []string{"0|2|0.5|<null>"}) {
		t.Errorf("rows are %v", got)
	}
	if got := pgtest.Rows(t, conn, "SELECT cells_per_ml, quality FROM ifcb_concentration_bin"); !cmp.Equal(got, []string{"0.5|<null>"}) {
		t.Errorf("the view says %v", got)
	}
	if ran, err := d.Up(t.Context()); ran != nil || err != nil {
		t.Errorf("ran %v again (%v)", ran, err)
	}
	if n, noted, err := pg.Version(t.Context(), conn); n != 2 || !noted || err != nil {
		t.Errorf("version %d, %t (%v)", n, noted, err)
	}
}

// What is left again takes no rows with it unless that is asked for.
func TestDownKeepsRows(t *testing.T) {
	conn := connect(t, pgtest.URL(t))
	d := open(t, conn)
	if _, err := d.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, conn, "INSERT INTO ifcb_sample_stats VALUES (0, 'IFCB104', 2, 'a', 0.5, 'm:1', 0, 1, 2, true)")
	if name, err := d.Down(t.Context(), false); name != "002_ifcb_bins.sql" || err != nil {
		t.Fatalf("left %s (%v)", name, err)
	}
	if got := pgtest.Rows(t, conn, "SELECT to_regclass('ifcb_bins'), to_regclass('ifcb_images'), count(*) FROM ifcb_sample_stats"); got[0] != "<null>|<null>|1" {
		t.Errorf("left are %v", got)
	}
	if _, err := d.Down(t.Context(), false); err == nil || !strings.Contains(err.Error(), "drops the rows of ifcb_sample_stats: --drop-data") {
		t.Errorf("%v, want a refusal", err)
	}
	if got := pgtest.Rows(t, conn, "SELECT count(*) FROM ifcb_sample_stats"); got[0] != "1" {
		t.Errorf("rows: %v", got)
	}
	if name, err := d.Down(t.Context(), true); name != "001_ifcb_sample_stats.sql" || err != nil {
		t.Fatalf("left %s (%v)", name, err)
	}
	if got := pgtest.Rows(t, conn, "SELECT to_regclass('ifcb_sample_stats')"); got[0] != "<null>" {
		t.Errorf("left are %v", got)
	}
	if name, err := d.Down(t.Context(), true); name != "" || err != nil {
		t.Errorf("left %s (%v)", name, err)
	}
	if ran, err := d.Up(t.Context()); len(ran) != 2 || err != nil {
		t.Errorf("ran %v (%v)", ran, err)
	}
}

// A row that somebody writes while its table is to go stays, and the table with it.
func TestDownKeepsARowThatComesBetween(t *testing.T) {
	conn := connect(t, pgtest.URL(t))
	d := open(t, conn)
	if _, err := d.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if name, err := d.Down(t.Context(), false); name != "002_ifcb_bins.sql" || err != nil {
		t.Fatalf("left %s (%v)", name, err)
	}
	pgtest.Exec(t, conn, "BEGIN; INSERT INTO ifcb_sample_stats VALUES (0, 'IFCB104', 2, 'a', 0.5, 'm:1', 0, 1, 2, true)")
	done := make(chan error, 1)
	go func() { // ends with the transaction
		_, err := d.Down(t.Context(), false)
		done <- err
	}()
	wait.Until(t, "it waits for the table", func() bool {
		return pgtest.Rows(t, conn, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ifcb_sample_stats'::regclass")[0] == "1"
	})
	pgtest.Exec(t, conn, "COMMIT")
	if err := wait.For(t, "the answer", done); err == nil || !strings.Contains(err.Error(), "drops the rows of ifcb_sample_stats: --drop-data") {
		t.Errorf("%v, want a refusal", err)
	}
	if got := pgtest.Rows(t, conn, "SELECT roi FROM ifcb_sample_stats"); !cmp.Equal(got, []string{"2"}) {
		t.Errorf("rows: %v", got)
	}
	if v := has(t, d); !cmp.Equal(v, []int64{1}) {
		t.Errorf("it has versions %v", v)
	}
}

// Two that migrate at once run each file once.
func TestUpAtOnce(t *testing.T) {
	conn := connect(t, pgtest.URL(t))
	var group sync.WaitGroup
	var mutex sync.Mutex
	var all []string
	for range 3 {
		d := open(t, conn)
		group.Go(func() {
			ran, err := d.Up(t.Context())
			if err != nil {
				t.Error(err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			all = append(all, ran...)
		})
	}
	group.Wait()
	if len(all) != 2 {
		t.Errorf("ran %v", all)
	}
}

// A file that fails leaves nothing of itself, and is named.
func TestUpNamesTheFile(t *testing.T) {
	conn := connect(t, pgtest.URL(t))
	err := migrations.Up(t.Context(), conn, fstest.MapFS{
		"001.sql": {Data: []byte("CREATE TABLE a (i int)")},
		"002.sql": {Data: []byte("CREATE TABLE b (i int); CREATE TABLE b (i int)")},
	})
	if err == nil || !strings.HasPrefix(err.Error(), "migration 002.sql: ") {
		t.Errorf("got %v", err)
	}
	if got := pgtest.Rows(t, conn, "SELECT to_regclass('a'), to_regclass('b')"); got[0] != "a|<null>" {
		t.Errorf("a half migration was kept: %v", got)
	}
	if err := migrations.Up(t.Context(), conn, fstest.MapFS{"x.sql": {}}); err == nil || !strings.Contains(err.Error(), "x.sql") {
		t.Errorf("got %v", err)
	}
}
