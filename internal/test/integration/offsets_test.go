//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// exactlySource writes numbers to a topic, once.
const exactlySource = `worker:
  bootstrap.servers: %[1]s
  offset.storage.file.filename: worker.offsets
  listeners: http://127.0.0.1:0
  page.listener: ""
  key.converter: string
  value.converter: json
connectors:
  %[2]s-source:
    connector.class: datagen
    topic: %[3]s
    records: %[4]d
    once: true
    payload.bytes: 10
    topic.creation.default.partitions: 4
    topic.creation.default.replication.factor: 1
`

// exactlySink inserts them into a table without a key.
const exactlySink = `worker:
  bootstrap.servers: %[1]s
  offset.storage.file.filename: worker.offsets
  offset.flush.interval.ms: 500
  listeners: http://127.0.0.1:0
  page.listener: ""
  key.converter: string
  value.converter: json
  consumer.session.timeout.ms: 3000
  consumer.heartbeat.interval.ms: 300
connectors:
  %[2]s-sink:
    connector.class: postgres
    topics: %[3]s
    connection.url: %[4]s
    table.name.format: numbers
    insert.mode: insert
    offset.store: sink
    retry.backoff.ms: 100
`

// numbersGate has a transaction that has written its rows wait for an advisory
// lock, before it goes on to its offsets and its end.
const numbersGate = `CREATE TABLE numbers (seq bigint, task int, payload bytea);
	CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END$$;
	CREATE TRIGGER gate AFTER INSERT ON numbers FOR EACH STATEMENT EXECUTE FUNCTION gate()`

// A worker is stopped between the writing of rows and their commit; another takes
// its partitions and writes the same rows; then both go on. With the offsets in the
// table each row is there once, without any key to tell.
//
// Clauses: W10.
func TestOffsetsInTheTableSurviveAStoppedWorker(t *testing.T) {
	each(t, func(t *testing.T, s *stack) {
		const records = 100_000
		name, topic := s.name("exactly"), s.name("in")
		write := func(text string) string {
			dir := t.TempDir()
			check(t, os.WriteFile(filepath.Join(dir, "worker.yaml"), []byte(text), 0o600))
			return dir
		}
		run := func(dir string) *worker { return startProgram(t, dir, program(t), "worker", "-f", "worker.yaml") }
		sql := func(text string) (n int) {
			check(t, s.pool.QueryRow(t.Context(), text).Scan(&n))
			return n
		}
		_, err := s.pool.Exec(t.Context(), numbersGate)
		check(t, err)
		source := run(write(fmt.Sprintf(exactlySource, s.broker, name, topic, records)))
		first := run(write(fmt.Sprintf(exactlySink, s.broker, name, topic, s.database)))
		eventually(t, "some rows", func() bool { return sql("SELECT count(*) FROM numbers") > records/20 })

		held, err := s.pool.Acquire(t.Context())
		check(t, err)
		defer held.Release()
		_, err = held.Exec(t.Context(), "SELECT pg_advisory_lock(7)")
		check(t, err)
		const waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
		eventually(t, "rows that are written and not committed", func() bool { return sql(waiting) == 1 })
		check(t, first.cmd.Process.Signal(syscall.SIGSTOP))
		second := run(write(fmt.Sprintf(exactlySink, s.broker, name, topic, s.database)))
		eventually(t, "the same rows by the other worker", func() bool { return sql(waiting) == 2 })
		_, err = held.Exec(t.Context(), "SELECT pg_advisory_unlock(7)")
		check(t, err)
		eventually(t, "a commit of the other worker", func() bool {
			return sql("SELECT count(*) FROM hydraulics_offsets WHERE epoch > 1 AND next_offset IS NOT NULL") > 0 && sql(waiting) == 0
		})
		check(t, first.cmd.Process.Signal(syscall.SIGCONT))
		eventually(t, "all rows", func() bool { return sql("SELECT count(DISTINCT seq) FROM numbers") == records })
		eventually(t, "the group is through", func() bool { return s.caughtUp("connect-"+name+"-sink", topic) })
		first.stop()
		second.stop()
		source.stop()
		if n := sql("SELECT count(*) FROM numbers"); n != records {
			t.Errorf("%d rows of %d records", n, records)
		}
		if n := sql("SELECT sum(next_offset)::int FROM hydraulics_offsets"); n != records {
			t.Errorf("the table's offsets sum up to %d, want %d", n, records)
		}
	})
}
