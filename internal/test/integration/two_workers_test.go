//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sharedFlow is a stream and a sink that two workers have; the first one has the
// source too. The embedded broker may take a member for dead that waits for the word of a
// leader which was killed, and answer it no more: it asks again after max.poll.interval.ms.
const sharedFlow = `worker:
  bootstrap.servers: %[1]s
  schema.registry.url: %[2]s
  offset.storage.file.filename: worker.offsets
  offset.flush.interval.ms: 500
  listeners: http://127.0.0.1:0
  page.listener: ""
  key.converter: string
  value.converter: avro
  consumer.session.timeout.ms: %[7]d
  consumer.heartbeat.interval.ms: 300
  consumer.max.poll.records: 50
  consumer.max.poll.interval.ms: 45000
connectors:
%[6]s
  %[3]s-stream:
    connector.class: stream
    topics: %[4]s
    topic: %[5]s
    tasks.max: 2
  %[3]s-sink:
    connector.class: postgres
    topics: %[5]s
    tasks.max: 2
    connection.url: %[8]s
    table.name.format: numbers
    insert.mode: upsert
    auto.create: true
    pk.mode: record_value
    pk.fields: task,seq
`

const sharedSource = `  %[1]s-source:
    connector.class: datagen
    topic: %[2]s
    records: %[3]d
    rate: 150
    tasks.max: 2
    topic.creation.default.partitions: 4
    topic.creation.default.replication.factor: 1
`

// Two workers share the partitions of a stream and a sink. Either is killed; the
// other takes its partitions over when the session has timed out, and in the end
// every record is there once.
//
// Clauses: W9.
func TestTwoWorkersShareAndTakeOver(t *testing.T) {
	each(t, func(t *testing.T, s *stack) {
		const perTask, session = 2000, 3000
		name, in, out := s.name("two"), s.name("in"), s.name("out")
		write := func(source string) string {
			dir := t.TempDir()
			text := fmt.Sprintf(sharedFlow, s.broker, s.registry, name, in, out, source, session, s.database)
			check(t, os.WriteFile(filepath.Join(dir, "worker.yaml"), []byte(text), 0o600))
			return dir
		}
		first, second := write(fmt.Sprintf(sharedSource, name, in, perTask)), write("")
		run := func(dir string) *worker { return startProgram(t, dir, program(t), "worker", "-f", "worker.yaml") }
		a, b := run(first), run(second)
		there := func() (yes bool) {
			check(t, s.pool.QueryRow(t.Context(), "SELECT to_regclass('numbers') IS NOT NULL").Scan(&yes))
			return yes
		}
		rows := func() (n int) {
			check(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM numbers").Scan(&n))
			return n
		}
		shares := func(w *worker) bool { return w.logged("partitions assigned", name+"-stream", in) }
		eventually(t, "both have partitions", func() bool { return shares(a) && shares(b) && there() })

		said, err := hydraulics(t, "worker", "-f", filepath.Join(first, "worker.yaml"))
		if err == nil || !strings.Contains(said, "worker.offsets") {
			t.Errorf("a second worker on the first one's offset file: %v: %s", err, said)
		}

		before := rows()
		b.kill()
		killed := time.Now()
		eventually(t, "the first goes on alone", func() bool { return rows() > before+200 && s.caughtUp("connect-"+name+"-stream", in) })
		t.Logf("all in the topics was done %v after the kill of the second worker (session time-out %d ms)", time.Since(killed).Round(100*time.Millisecond), session)
		b = run(second)
		before = rows()
		a.kill()
		killed = time.Now()
		eventually(t, "the second takes over what is in the topics", func() bool {
			return s.caughtUp("connect-"+name+"-stream", in) && s.caughtUp("connect-"+name+"-sink", out)
		})
		t.Logf("all in the topics was done %v after the kill of the first worker", time.Since(killed).Round(100*time.Millisecond))
		a = run(first)
		eventually(t, "all records", func() bool { return rows() == 2*perTask })
		var sum int
		check(t, s.pool.QueryRow(t.Context(), "SELECT sum(seq)::int FROM numbers").Scan(&sum))
		if want := (perTask - 1) * perTask; sum != want {
			t.Errorf("the numbers of both tasks sum up to %d, want %d", sum, want)
		}
		a.stop()
		b.stop()
	})
}
