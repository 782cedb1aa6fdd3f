//go:build integration

package integration

import (
	"bytes"
	"cmp"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// dataFaults are what may happen to a sink's PostgreSQL, each under load.
var dataFaults = []struct {
	name string
	do   func(t *testing.T, f *dataField)
}{
	{"bad records of ten kinds, duplicates and tombstones", func(t *testing.T, f *dataField) {
		each := f.sent.Load() + 100*int64(len(poisons)) // has every kind
		eventually(t, "some of each", func() bool { return f.sent.Load() > each })
	}},
	{"the server is stopped", func(t *testing.T, f *dataField) {
		check(t, f.server.Stop())
		f.away(t)
		check(t, f.server.Restart())
	}},
	{"kill -9 the server", func(t *testing.T, f *dataField) {
		check(t, f.server.Kill())
		wait.Nil(t, "the server", f.server.Restart)
	}},
	{"the disk is full", diskOfTheTable},
	{"connections are cut in mid-statement", func(t *testing.T, f *dataField) {
		for _, after := range []time.Duration{0, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond} {
			cut := make(chan struct{})
			var once sync.Once
			f.gate.see(func(request []byte) {
				if bytes.Contains(request, []byte("INSERT INTO")) {
					once.Do(func() { time.AfterFunc(after, func() { f.gate.cut(); close(cut) }) })
				}
			})
			wait.For(t, "a statement to cut", cut)
			f.gate.see(nil)
			f.gate.open()
			f.flows(t)
		}
	}},
	{"answers stop", func(t *testing.T, f *dataField) {
		f.line.Freeze(true)
		f.says(t, "no answer within 5s")
		f.line.Freeze(false)
	}},
	{"a column gets another type", func(t *testing.T, f *dataField) {
		for _, kind := range []string{"numeric", "text", "bigint"} {
			for _, table := range []string{"log", "latest"} {
				pgtest.Exec(t, f.pool, "ALTER TABLE "+table+" ALTER must TYPE "+kind+" USING must::"+kind)
			}
			f.flows(t)
		}
	}},
	{"a column is added, and dropped", added},
	{"a column is dropped, and comes again", alter("DROP note", "ADD note text")},
	{"a column is renamed, and back", alter("RENAME mood TO temper", "RENAME temper TO mood")},
	{"a deadlock", deadlock},
	{"another server takes over", failOver},
}

// TestDataFaults has each of dataFaults happen to the database of two sinks under load,
// HYDRAULICS_FAULTS_ROUNDS times. Nothing is lost, nothing doubled, and the dead letters
// are the bad records alone.
//
// Clauses: W7, W9, W10.
func TestDataFaults(t *testing.T) {
	rounds, err := strconv.Atoi(cmp.Or(os.Getenv("HYDRAULICS_FAULTS_ROUNDS"), "1"))
	check(t, err)
	f := newDataField(t)
	for round := range rounds {
		for i, fault := range dataFaults {
			if i == len(dataFaults)-1 && round < rounds-1 {
				continue // there is one other server
			}
			t.Run(fault.name, func(t *testing.T) {
				stop := f.load(t)
				f.flows(t)
				fault.do(t, f)
				f.flows(t)
				stop()
				f.tally(t)
			})
		}
	}
	f.w.stop()
}

// says waits until the worker says something that it has not said before.
func (f *dataField) says(t *testing.T, text string) {
	t.Helper()
	before := f.w.line(text)
	eventually(t, text, func() bool { return f.w.line(text) != before }, func() string { return f.w.tail(10) })
}

// away waits for as long as a server is away.
func (f *dataField) away(t *testing.T) {
	t.Helper()
	f.says(t, "retrying")
	lasts(t, outage(t), "the worker goes on", func() bool { return !f.w.ended() })
}

// diskOfTheTable has no room for rows: on a small disk, or where none can be mounted by
// a trigger that says so.
func diskOfTheTable(t *testing.T, f *dataField) {
	dir, err := f.server.Disk("128m") // the rows of several rounds
	if err != nil {
		t.Logf("a trigger says that the disk is full: %v", err)
		pgtest.Exec(t, f.pool, `CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE disk_full; END$$;
			CREATE TRIGGER full BEFORE INSERT ON log FOR EACH STATEMENT EXECUTE FUNCTION full()`)
		f.says(t, "53100")
		pgtest.Exec(t, f.pool, "DROP TRIGGER full ON log; DROP FUNCTION full")
		return
	}
	for _, sql := range []string{"CREATE TABLESPACE small LOCATION '" + dir + "'", "ALTER TABLE log SET TABLESPACE small",
		"CREATE TABLE ballast TABLESPACE small AS SELECT repeat(md5(n::text), 60) FROM generate_series(1, 1000) n"} {
		pgtest.Exec(t, f.pool, sql)
	}
	for err == nil {
		_, err = f.pool.Exec(t.Context(), "INSERT INTO ballast SELECT * FROM ballast LIMIT 200")
	}
	t.Logf("the disk is full: %v", err)
	f.says(t, "53100")
	for _, sql := range []string{"DROP TABLE ballast", "CHECKPOINT", "ALTER TABLE log SET TABLESPACE pg_default", "DROP TABLESPACE small"} {
		pgtest.Exec(t, f.pool, sql)
	}
	check(t, f.server.Unmount())
}

// alter changes both tables, until both sinks have gone on or said what they miss, and
// then back.
func alter(there, back string) func(t *testing.T, f *dataField) {
	return func(t *testing.T, f *dataField) {
		f.alter(t, there)
		f.says(t, "task failed")
		f.alter(t, back)
	}
}

// added has columns come and go that no record has.
func added(t *testing.T, f *dataField) {
	f.alter(t, "ADD more text DEFAULT 'm', ADD least int NOT NULL DEFAULT 0")
	f.flows(t)
	f.alter(t, "DROP more, DROP least")
}

// alter changes both tables.
func (f *dataField) alter(t *testing.T, how string) {
	t.Helper()
	for _, table := range []string{"log", "latest"} {
		pgtest.Exec(t, f.pool, "ALTER TABLE "+table+" "+how)
	}
}

// deadlock locks rows in another order than the sink, until the sink is who has to give
// way.
func deadlock(t *testing.T, f *dataField) {
	before := f.w.line("40P01")
	eventually(t, "a deadlock", func() bool {
		tx, err := f.pool.Begin(t.Context())
		check(t, err)
		defer func() { _ = tx.Rollback(t.Context()) }()
		pgtest.Exec(t, tx, "SET LOCAL deadlock_timeout = '1h'; SELECT FROM latest WHERE k = (SELECT max(k) FROM latest) FOR UPDATE")
		eventually(t, "the sink to wait", func() bool { return f.rows("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0" })
		pgtest.Exec(t, tx, "SELECT FROM latest ORDER BY k FOR UPDATE")
		return f.w.line("40P01") != before
	})
}

// failOver has a standby take the place of the server, which is killed.
func failOver(t *testing.T, f *dataField) {
	standby, err := f.server.Standby()
	check(t, err)
	f.t.Cleanup(func() { check(f.t, standby.Close()) })
	f.second.target = host(t, standby)
	f.second.open()
	f.flows(t)
	check(t, f.server.Kill())
	check(t, standby.Promote())
	f.pool = pool(f.t, standby)
}
