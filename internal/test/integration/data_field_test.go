//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
)

// dataField is a PostgreSQL of a test's own with two sinks before it under load, where
// faults happen to it. One sink inserts what comes, without a key and with its offsets
// in the table; the other has the last row of each key, and deletes.
type dataField struct {
	*stack
	name, topic string
	server      *pgtest.Server
	line        *pgtest.Line // the way to the server, which may be silent
	second      *gate        // to the server that takes over
	w           *worker

	sent atomic.Int64 // numbers so far
	due  due
}

// due is what there is to be in the end.
type due struct {
	times  map[int64]int    // that a number was sent which is to be written
	last   map[string]int64 // the last number of a key, none of one that is deleted
	poison []string         // keys of what is to be refused
}

// dataTables are the sinks' tables, which refuse what poisons has.
const dataTables = `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE refs (id int PRIMARY KEY); INSERT INTO refs VALUES (1);
	CREATE TABLE log (seq bigint, must int NOT NULL, name varchar(40), n smallint CHECK (n <> 13), mood mood, at timestamptz, ref int REFERENCES refs, note text);
	CREATE TABLE latest (k text PRIMARY KEY, LIKE log INCLUDING CONSTRAINTS, FOREIGN KEY (ref) REFERENCES refs);
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF new.name = 'bad' THEN RAISE 'no'; END IF; RETURN new; END$$;
	CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON log FOR EACH ROW EXECUTE FUNCTION refuse();
	CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON latest FOR EACH ROW EXECUTE FUNCTION refuse();`

// poisons are the kinds of records that neither table takes, by the field that is wrong.
var poisons = []struct {
	field string
	value any
}{
	{"", "no JSON"},
	{"name", "a\x00b"},
	{"name", strings.Repeat("long", 11)},
	{"name", "bad"}, // for a trigger
	{"must", nil},
	{"n", 40_000}, // out of range
	{"n", 13},     // a constraint
	{"mood", "angry"},
	{"at", "no time"},
	{"ref", 99}, // to no row
}

const dataWorker = `worker:
  bootstrap.servers: %[1]s
  offset.storage.file.filename: worker.offsets
  offset.flush.interval.ms: 300
  listeners: http://127.0.0.1:0
  page.listener: ""
  key.converter: string
  value.converter: json
  value.converter.schemas.enable: false
connectors:
  %[2]s-log: %[3]s
    table.name.format: log
    offset.store: sink
    errors.deadletterqueue.topic.name: %[2]s-log-letters
    predicates: tombstone
    predicates.tombstone.type: RecordIsTombstone
    transforms: drop
    transforms.drop.type: Filter
    transforms.drop.predicate: tombstone
  %[2]s-latest: %[3]s
    table.name.format: latest
    insert.mode: upsert
    pk.mode: record_key
    pk.fields: k
    delete.enabled: true
    errors.deadletterqueue.topic.name: %[2]s-latest-letters
`

// dataSink are the keys of both.
const dataSink = `
    connector.class: postgres
    topics: %s
    connection.url: jdbc:postgresql://%s,%s/postgres?user=postgres&sslmode=disable
    schema.from: table
    batch.size: 200
    statement.timeout.ms: 5000
    retry.backoff.ms: 200
    connection.backoff.ms: 200
    restart.delay.ms: 200
    restart.delay.max.ms: 1000
    errors.tolerance: all
    errors.deadletterqueue.topic.replication.factor: 1`

// newDataField starts broker, server and worker. The sinks know of a second server,
// which is not there yet.
func newDataField(t *testing.T) *dataField {
	t.Helper()
	server, err := pgtest.Start()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { check(t, server.Close()) })
	b, err := broker.Start(broker.Options{Dir: t.TempDir(), MinSessionTimeout: time.Second})
	check(t, err)
	t.Cleanup(b.Stop)
	s := &stack{t: t, kind: "embedded", broker: b.Addr()}
	s.kafka, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{s.broker}, ClientID: "integration"})
	check(t, err)
	t.Cleanup(s.kafka.Close)
	f := &dataField{stack: s, name: s.name("data"), server: server, due: due{times: map[int64]int{}, last: map[string]int64{}}}
	f.topic = f.name + "-in"
	check(t, s.kafka.CreateTopic(t.Context(), kafka.TopicSpec{Name: f.topic, Partitions: 4, Replication: 1}))
	f.pool = pool(t, server)
	pgtest.Exec(t, f.pool, dataTables)
	f.line = pgtest.NewLine(t, host(t, server))
	f.gate = newGate(t, "127.0.0.1:0", f.line.Addr().String())
	p, err := port.Lasting()
	check(t, err)
	f.second = newGate(t, fmt.Sprint("127.0.0.1:", p), "127.0.0.1:1")
	f.second.cut()
	dir := t.TempDir()
	sink := fmt.Sprintf(dataSink, f.topic, f.gate.addr, f.second.addr)
	check(t, os.WriteFile(filepath.Join(dir, "worker.yaml"), fmt.Appendf(nil, dataWorker, s.broker, f.name, sink), 0o600))
	f.w = startProgram(t, dir, program(t), "worker", "-f", "worker.yaml")
	return f
}

// pool gives connections to a server, past the gate.
func pool(t *testing.T, s *pgtest.Server) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(t.Context(), s.URL())
	check(t, err)
	t.Cleanup(p.Close)
	return p
}

func host(t *testing.T, s *pgtest.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL())
	check(t, err)
	return u.Host
}

// load sends records until it is called back, or the test is over: one in a hundred is
// poison, some come twice and some are tombstones.
func (f *dataField) load(t *testing.T) (stop func()) {
	t.Helper()
	p, err := f.kafka.NewProducer(kafka.ProducerOptions{})
	check(t, err)
	quit, done := make(chan struct{}), make(chan error, 1)
	go func() { // until stop
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			for range 25 {
				for _, m := range f.next() {
					if err := p.Send(context.WithoutCancel(t.Context()), m, func(connector.RecordMetadata, error) {}); err != nil {
						done <- err
						return
					}
				}
			}
			select {
			case <-tick.C:
			case <-quit:
				done <- p.Flush(context.WithoutCancel(t.Context()))
				return
			}
		}
	}()
	once := sync.OnceValue(func() error {
		close(quit)
		return errors.Join(<-done, p.Close())
	})
	t.Cleanup(func() { _ = once() }) // of a test that has failed
	return func() {
		t.Helper()
		check(t, once())
	}
}

// next gives the messages of the next number, and notes what they are to leave behind.
func (f *dataField) next() []kafka.Message {
	seq := f.sent.Add(1) - 1
	fields := map[string]any{"seq": seq, "must": 1, "name": fmt.Sprint("name ", seq), "n": seq % 10, "mood": "glad", "at": "2026-01-02T03:04:05Z", "ref": 1, "note": "x"}
	m := kafka.Message{Topic: f.topic, Partition: connector.AnyPartition, Key: fmt.Appendf(nil, "k%02d", seq%50), Timestamp: connector.NoTimestamp}
	key := string(m.Key)
	switch {
	case seq%100 == 99:
		kind := poisons[seq/100%int64(len(poisons))]
		m.Key = fmt.Appendf(nil, "poison-%d", seq)
		f.due.poison = append(f.due.poison, string(m.Key))
		if kind.field == "" {
			m.Value = []byte(kind.value.(string))
			return []kafka.Message{m}
		}
		fields[kind.field] = kind.value
	case seq%71 == 7:
		delete(f.due.last, key)
		return []kafka.Message{m}
	default:
		f.due.times[seq]++
		f.due.last[key] = seq
	}
	m.Value, _ = json.Marshal(fields) // numbers and texts
	if seq%23 != 3 || seq%100 == 99 {
		return []kafka.Message{m}
	}
	f.due.times[seq]++
	return []kafka.Message{m, m}
}

// flows waits until records that are new have come to both tables.
func (f *dataField) flows(t *testing.T) {
	t.Helper()
	before := f.sent.Load()
	for _, table := range []string{"log", "latest"} {
		eventually(t, "new rows of "+table, func() bool {
			var last int64
			err := f.pool.QueryRow(t.Context(), "SELECT coalesce(max(seq), 0) FROM "+table).Scan(&last)
			return err == nil && last > before
		}, func() string { return f.w.tail(10) })
	}
}

// tally waits until all that was sent is through, and compares what there is with what
// there is to be.
func (f *dataField) tally(t *testing.T) {
	t.Helper()
	for _, sink := range []string{"log", "latest"} {
		eventually(t, "the end of "+sink, func() bool { return f.caughtUp("connect-"+f.name+"-"+sink, f.topic) }, func() string { return f.w.tail(10) })
	}
	rows := 0
	got := map[int64]int{}
	for _, line := range pgtest.Rows(t, f.pool, "SELECT seq, count(*) FROM log GROUP BY seq") {
		var seq int64
		var n int
		_, err := fmt.Sscanf(line, "%d|%d", &seq, &n)
		check(t, err)
		got[seq], rows = n, rows+n
	}
	lost, doubled := 0, 0
	for seq, n := range f.due.times {
		lost, doubled = lost+max(0, n-got[seq]), doubled+max(0, got[seq]-n)
		delete(got, seq)
	}
	if lost+doubled+len(got) > 0 {
		t.Errorf("the log: %d rows are lost, %d doubled, %d are of records that are bad", lost, doubled, len(got))
	}
	var want []string
	for k, seq := range f.due.last {
		want = append(want, fmt.Sprintf("%s|%d", k, seq))
	}
	slices.Sort(want)
	if got := pgtest.Rows(t, f.pool, "SELECT k, seq FROM latest ORDER BY k"); !slices.Equal(got, want) {
		t.Errorf("the latest rows are %v, want %v", got, want)
	}
	again := [2]int{f.letters(t, "log"), f.letters(t, "latest")}
	if t.Failed() {
		return
	}
	t.Logf("passed: %d records, %d rows, %d of them of records sent twice, %d keys; nothing lost, nothing doubled; %d bad records, each a dead letter (%d and %d of them again)",
		f.sent.Load(), rows, rows-len(f.due.times), len(want), len(f.due.poison), again[0], again[1])
}

// letters checks that a sink's dead letters are the bad records, and tells how many came
// again.
func (f *dataField) letters(t *testing.T, sink string) (again int) {
	t.Helper()
	letters := map[string]bool{}
	for _, m := range f.read(f.name + "-" + sink + "-letters") {
		letters[string(m.Key)] = true
		again++
	}
	for _, k := range f.due.poison {
		if !letters[k] {
			t.Errorf("%s: %s is no dead letter", sink, k)
		}
		delete(letters, k)
	}
	if len(letters) > 0 {
		t.Errorf("%s: good records are dead letters: %v", sink, letters)
	}
	return again - len(f.due.poison)
}
