package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

var (
	exactly = connector.Props{"insert.mode": "insert", "offset.store": "sink"}
	t0      = connector.TopicPartition{Topic: "t"}
)

const logTable = "CREATE TABLE t (id int, name text)"

// task is a sink that was given partition 0, and what it asks for.
type task struct {
	*Sink
	partitions *connectortest.Partitions
	reporter   *connectortest.Reporter
}

func (d database) task(t *testing.T, props connector.Props) task {
	t.Helper()
	k := task{new(Sink), new(connectortest.Partitions), new(connectortest.Reporter)}
	k.partitions.Assign(t0)
	c := connectortest.Context(t)
	c.Sink, c.Reporter = k.partitions, k.reporter
	if err := k.Start(t.Context(), c, connectortest.Configure(t, k, with(props, "connection.url", d.url))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Stop() })
	k.open(t)
	return k
}

func (k task) open(t *testing.T) {
	t.Helper()
	if err := k.Open([]connector.TopicPartition{t0}); err != nil {
		t.Fatal(err)
	}
}

// sought gives where the task has asked to go on.
func (k task) sought() map[connector.TopicPartition]int64 {
	_, seeks, _ := k.partitions.Asked()
	return seeks
}

// numberedFrom gives pairs their ids as offsets.
func numberedFrom(ids ...int32) []connector.Record {
	var records []connector.Record
	for _, id := range ids {
		r := pair(id, nil)
		r.Origin = connector.Origin{Topic: "t", Offset: int64(id)}
		records = append(records, r)
	}
	return records
}

// A partition goes on where the table of offsets says, and one who had it before
// writes nothing any more.
//
// Clauses: W10.
func TestOffsetsInTheTable(t *testing.T) {
	d := newDatabase(t, logTable)
	first := d.task(t, exactly)
	if at := first.sought(); len(at) > 0 {
		t.Errorf("a new partition is sought at %v", at)
	}
	if err := first.Put(t.Context(), numberedFrom(0, 1, 2)); err != nil {
		t.Fatal(err)
	}
	second := d.task(t, exactly)
	if diff := cmp.Diff(map[connector.TopicPartition]int64{t0: 3}, second.sought()); diff != "" {
		t.Error(diff)
	}
	err := first.Put(t.Context(), numberedFrom(3, 4))
	if connector.KindOf(err) != connector.KindRetriable || !errors.Is(err, errOver) {
		t.Errorf("the task that had the partition before: %v (%s)", err, connector.KindOf(err))
	}
	if err := second.Put(t.Context(), numberedFrom(3, 4)); err != nil {
		t.Fatal(err)
	}
	if err := first.Put(t.Context(), numberedFrom(3, 4)); !errors.Is(err, errOver) {
		t.Errorf("once more: %v", err)
	}
	wantRows(t, d, "SELECT id FROM t ORDER BY id", "0", "1", "2", "3", "4")
	wantRows(t, d, "SELECT topic, partition, next_offset, epoch FROM hydraulics_offsets", "t|0|5|2")
	first.open(t) // it gets the partition back
	if err := first.Put(t.Context(), numberedFrom(5)); err != nil {
		t.Fatal(err)
	}
	wantRows(t, d, "SELECT count(*), count(DISTINCT id) FROM t", "6|6")
}

// The table's offsets move past what never came to the sink, so that it is not read
// again; never back, and not by a task whose time is over.
//
// Clauses: W10.
func TestOffsetsPastWhatBringsNoRow(t *testing.T) {
	d := newDatabase(t, logTable)
	line := newLine(t, d.url)
	k := database{d.Pool, line.url}.task(t, exactly)
	keep := func(k task, next int64) error {
		return k.KeepOffsets(t.Context(), map[connector.TopicPartition]int64{t0: next, {Topic: "t", Partition: 7}: 1})
	}
	const offset = "SELECT partition, next_offset FROM hydraulics_offsets"
	for _, step := range []struct {
		put  []connector.Record
		next int64
		want string
	}{{nil, 4, "0|4"}, {numberedFrom(4, 5), 6, "0|6"}, {nil, 9, "0|9"}, {nil, 9, "0|9"}, {nil, 7, "0|9"}} {
		if err := errors.Join(k.Put(t.Context(), step.put), keep(k, step.next)); err != nil {
			t.Fatal(err)
		}
		wantRows(t, d, offset, step.want)
	}
	mend := line.cut()
	if err := keep(k, 12); connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("the database is away: %v", err)
	}
	mend()
	if err := keep(k, 12); err != nil {
		t.Error(err)
	}
	next := d.task(t, exactly)
	if diff := cmp.Diff(map[connector.TopicPartition]int64{t0: 12}, next.sought()); diff != "" {
		t.Error(diff)
	}
	if err := keep(k, 20); connector.KindOf(err) != connector.KindRetriable || !errors.Is(err, errOver) {
		t.Errorf("the task that had the partition before: %v (%s)", err, connector.KindOf(err))
	}
	if err := next.Put(t.Context(), numberedFrom(12)); err != nil {
		t.Error(err)
	}
	wantRows(t, d, offset, "0|13")
	wantRows(t, d, "SELECT id FROM t ORDER BY id", "4", "5", "12")
}

// A database that is away when partitions are given to a task is asked again.
//
// Clauses: W10.
func TestOpenWhileTheDatabaseIsAway(t *testing.T) {
	d := newDatabase(t, logTable)
	line := newLine(t, d.url)
	k := database{d.Pool, line.url}.task(t, with(exactly, "max.retries", "7", "retry.backoff.ms", "5"))
	if err := k.Put(t.Context(), numberedFrom(0, 1)); err != nil {
		t.Fatal(err)
	}
	mend := line.cut()
	for range 2 {
		err := k.Open([]connector.TopicPartition{t0})
		mark, ok := errors.AsType[*connector.Error](err)
		if !ok || mark.Kind != connector.KindRetriable || mark.Attempts != 7 || mark.After.Milliseconds() != 5 {
			t.Errorf("%v (%+v)", err, mark)
		}
	}
	mend()
	k.open(t)
	if diff := cmp.Diff(map[connector.TopicPartition]int64{t0: 2}, k.sought()); diff != "" {
		t.Error(diff)
	}
	if err := k.Put(t.Context(), numberedFrom(2)); err != nil {
		t.Fatal(err)
	}
	wantRows(t, d, "SELECT count(*) FROM t", "3")
}

// waitFor waits until a query gives a row.
func waitFor(t *testing.T, d database, sql string) {
	t.Helper()
	wait.Until(t, sql, func() bool { return len(pgtest.Rows(t, d, sql)) > 0 })
}

// A transaction whose answer was lost, and which the server has committed, is not
// written again.
//
// Clauses: W10.
func TestLostAnswerOfACommit(t *testing.T) {
	d := newDatabase(t, logTable+raisedGate)
	line := newLine(t, d.url)
	k := database{d.Pool, line.url}.task(t, exactly)
	held, err := d.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	pgtest.Exec(t, held, "SELECT pg_advisory_lock(7)")
	done := make(chan error, 1)
	go func() { done <- k.Put(t.Context(), numberedFrom(0, 1)) }()
	waitFor(t, d, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
	mend := line.cut()
	if err := <-done; connector.KindOf(err) != connector.KindRetriable {
		t.Fatalf("put: %v", err)
	}
	pgtest.Exec(t, held, "SELECT pg_advisory_unlock(7)")
	waitFor(t, d, "SELECT 1 FROM t")
	mend()
	for _, records := range [][]connector.Record{numberedFrom(0, 1), numberedFrom(2)} {
		if err := k.Put(t.Context(), records); err != nil {
			t.Fatal(err)
		}
	}
	wantRows(t, d, "SELECT id FROM t ORDER BY id", "0", "1", "2")
}

// A transaction that the server is still at when its records come again, or when offsets
// move, is rolled back in the end.
//
// Clauses: W10.
func TestTransactionThatIsLate(t *testing.T) {
	tests := []struct {
		name  string
		next  func(k task) error
		rows  []string
		moved string
	}{
		{"the records come again", func(k task) error { return k.Put(t.Context(), numberedFrom(0, 1)) }, []string{"0", "1"}, "2"},
		{"offsets move", func(k task) error {
			return k.KeepOffsets(t.Context(), map[connector.TopicPartition]int64{t0: 5})
		}, nil, "5"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, logTable)
			k := d.task(t, exactly)
			late := k.offsets.behind(numberedFrom(0, 1))
			tx, err := d.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			pgtest.Exec(t, tx, "INSERT INTO t VALUES (0), (1)")
			k.offsets.unsure = true
			if err := test.next(k); err != nil {
				t.Fatal(err)
			}
			if err := k.offsets.move(t.Context(), tx, late); !errors.Is(err, errOver) {
				t.Errorf("the late transaction: %v", err)
			}
			if err := tx.Commit(t.Context()); err == nil {
				t.Error("it was committed")
			}
			wantRows(t, d, "SELECT id FROM t ORDER BY id", test.rows...)
			wantRows(t, d, "SELECT next_offset FROM hydraulics_offsets", test.moved)
		})
	}
}

// A move whose end is not known may still come: the next transaction is of another epoch.
//
// Clauses: W10.
func TestMoveOfOffsetsThatIsBrokenOff(t *testing.T) {
	d := newDatabase(t, logTable)
	k := d.task(t, exactly)
	if err := k.Put(t.Context(), numberedFrom(0, 1)); err != nil {
		t.Fatal(err)
	}
	was := k.offsets.at[t0].epoch
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.KeepOffsets(over, map[connector.TopicPartition]int64{t0: 5}); err == nil {
		t.Fatal("it was not broken off")
	}
	if err := k.Put(t.Context(), numberedFrom(2, 3)); err != nil {
		t.Fatal(err)
	}
	if now := k.offsets.at[t0].epoch; now <= was {
		t.Errorf("epoch %d after %d", now, was)
	}
	wantRows(t, d, "SELECT next_offset FROM hydraulics_offsets", "4")
}

// raisedGate has inserts wait for an advisory lock.
const raisedGate = `; CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END$$;
	CREATE TRIGGER gate BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION gate()`

// careful is a reporter whose letters arrive when it says so.
type careful struct {
	connectortest.Reporter
	arrive func() error
}

func (c *careful) Wait(context.Context) error { return c.arrive() }

// A bad record's letter has arrived before the transaction that leaves the record
// behind is committed, and where it does not nothing is.
//
// Clauses: W10.
func TestLettersArriveBeforeOffsetsMove(t *testing.T) {
	for _, bad := range []string{"nul \x00", "too long"} { // found here, found by the server
		t.Run(bad, func(t *testing.T) {
			d := newDatabase(t, "CREATE TABLE t (id int, name varchar(5))")
			k := d.task(t, exactly)
			away := connector.Retriable(errors.New("kafka is away"))
			answers := []error{away, nil}
			reporter := &careful{}
			reporter.arrive = func() error {
				wantRows(t, d, "SELECT * FROM t")
				err := answers[0]
				answers = answers[1:]
				return err
			}
			k.Sink.reporter = reporter
			records := numberedFrom(0, 1, 2)
			records[1] = pair(1, bad)
			records[1].Origin = connector.Origin{Topic: "t", Offset: 1}
			if err := k.Put(t.Context(), records); !errors.Is(err, away) {
				t.Fatalf("put: %v", err)
			}
			wantRows(t, d, "SELECT id FROM t")
			wantRows(t, d, "SELECT next_offset FROM hydraulics_offsets", "<null>")
			if err := k.Put(t.Context(), records); err != nil {
				t.Fatal(err)
			}
			wantRows(t, d, "SELECT id FROM t ORDER BY id", "0", "2")
			wantRows(t, d, "SELECT next_offset FROM hydraulics_offsets", "3")
		})
	}
}

// A topic that was made anew is not passed over.
//
// Clauses: W10.
func TestRecordsBeforeTheOffsets(t *testing.T) {
	d := newDatabase(t, logTable)
	k := d.task(t, exactly)
	if err := k.Put(t.Context(), numberedFrom(0, 1)); err != nil {
		t.Fatal(err)
	}
	err := d.task(t, exactly).Put(t.Context(), numberedFrom(0))
	if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "record t[0]@0: the offsets in table") || !strings.Contains(err.Error(), "reset its offsets") {
		t.Errorf("got %v (%s)", err, connector.KindOf(err))
	}
	wantRows(t, d, "SELECT count(*) FROM t", "2")
}

// Offsets that are changed over the REST API are changed in the table, under either
// name of the sink.
//
// Clauses: W10.
func TestAlteredOffsetsInTheTable(t *testing.T) {
	seven := int64(7)
	tests := []struct {
		name  string
		given map[connector.TopicPartition]*int64
		want  []string
	}{
		{"set", map[connector.TopicPartition]*int64{t0: &seven}, []string{"0|7", "1|9"}},
		{"reset", map[connector.TopicPartition]*int64{t0: nil}, []string{"0|<null>", "1|9"}},
		{"a partition of which nothing was written", map[connector.TopicPartition]*int64{{Topic: "t", Partition: 2}: &seven}, []string{"0|2", "1|9", "2|7"}},
		{"all that there are", nil, []string{"0|<null>", "1|<null>"}},
	}
	for _, plugin := range []interface {
		connector.Sink
		connector.TopicOffsetAlterer
	}{new(Sink), new(DebeziumSink)} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%T %s", plugin, test.name), func(t *testing.T) {
				d := newDatabase(t, logTable)
				k := d.task(t, exactly)
				if err := k.Put(t.Context(), numberedFrom(0, 1)); err != nil {
					t.Fatal(err)
				}
				pgtest.Exec(t, d, "INSERT INTO hydraulics_offsets SELECT connector, topic, 1, 9, owner, 1 FROM hydraulics_offsets; INSERT INTO hydraulics_offsets VALUES ('other', 't', 0, 5, 'x', 1)")
				conf := connectortest.Configure(t, plugin, with(exactly, "connection.url", d.url))
				for range 2 {
					if err := plugin.AlterTopicOffsets(t.Context(), connectortest.Context(t), conf, test.given); err != nil {
						t.Fatal(err)
					}
				}
				wantRows(t, d, "SELECT partition, next_offset FROM hydraulics_offsets WHERE connector <> 'other' ORDER BY 1", test.want...)
				wantRows(t, d, "SELECT next_offset FROM hydraulics_offsets WHERE connector = 'other'", "5")
				err := k.Put(t.Context(), numberedFrom(2))
				if _, changed := test.given[t0]; (changed || test.given == nil) != errors.Is(err, errOver) {
					t.Errorf("a task from before: %v", err)
				}
			})
		}
	}
}
