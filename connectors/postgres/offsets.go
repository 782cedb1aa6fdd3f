package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// offsets is the table in which offset.store=sink keeps a connector's offsets: a
// transaction that writes records moves them, so that each record is written
// exactly once.
//
// Who has a partition owns its row and raises its epoch. A transaction moves the
// offsets of its own epochs only, and is rolled back where one of them is over: a
// task that was stopped in the middle, and wakes when another has its partitions,
// changes nothing. Nor does a transaction of the task's own whose answer never
// came, and which the server may still be at: the epoch is raised before the
// records are written again.
//
// Nil keeps nothing: the offsets are Kafka's then.
type offsets struct {
	table     string // in SQL
	connector string
	owner     string // this task's run
	at        map[connector.TopicPartition]position
	unsure    bool // whether the last transaction was committed
}

// position is where a partition is by the table.
type position struct {
	next  int64 // what was written is before it; 0 at first
	old   int64 // next, before the last batch, which may come again
	epoch int64
}

// moved is a row of the table of offsets, as statements take and give it.
type moved struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Next      *int64 `json:"next"`
	Epoch     int64  `json:"epoch"`
}

func (m moved) in() connector.TopicPartition {
	return connector.TopicPartition{Topic: m.Topic, Partition: m.Partition}
}

// errOver is that an epoch is over.
var errOver = errors.New("another task has taken the partitions over, of this cluster or of a connector of the same name elsewhere: its offsets count, and nothing of this batch was written")

// offsetRows is the FROM item of rows that a statement is given as JSON: all are
// sorted, so that tasks lock the table's rows in one order.
const offsetRows = "(SELECT * FROM json_to_recordset($3::json) AS r(topic text, partition int, next bigint, epoch bigint) ORDER BY topic, partition) AS u"

// openOffsets makes the table where it is not there.
func openOffsets(ctx context.Context, pool *pgxpool.Pool, name pg.Name, connectorName string) (*offsets, error) {
	o := &offsets{table: name.SQL(), connector: connectorName, owner: rand.Text(), at: map[connector.TopicPartition]position{}}
	var there bool
	if err := pool.QueryRow(ctx, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", o.table).Scan(&there); err != nil || there {
		return o, err
	}
	_, err := pool.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+o.table+` (
		connector text NOT NULL, topic text NOT NULL, partition int NOT NULL,
		next_offset bigint, owner text, epoch bigint NOT NULL, updated timestamptz NOT NULL DEFAULT now(),
		PRIMARY KEY (connector, topic, partition))`)
	switch pg.State(err) {
	case "42P07", "42710", "23505": // another task has just made it
		return o, nil
	}
	return o, err
}

// query gives the rows that a statement gives of rows. Its parameters are the
// connector, the owner and the rows.
func (o *offsets) query(ctx context.Context, q pg.Querier, owner, sql string, rows []moved) ([]moved, error) {
	text, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	result, err := q.Query(ctx, sql+" RETURNING o.topic, o.partition, o.next_offset, o.epoch", o.connector, owner, string(text))
	if err == nil {
		rows, err = pgx.CollectRows(result, pgx.RowToStructByPos[moved])
	}
	if err != nil {
		return nil, fmt.Errorf("table of offsets %s: %w", o.table, err)
	}
	return rows, nil
}

// take begins an epoch of partitions, and gives where they go on; a partition of
// which nothing was written is left out.
func (o *offsets) take(ctx context.Context, q pg.Querier, tps []connector.TopicPartition) (map[connector.TopicPartition]int64, error) {
	rows := make([]moved, len(tps))
	for i, tp := range tps {
		rows[i] = moved{Topic: tp.Topic, Partition: tp.Partition}
	}
	rows, err := o.query(ctx, q, o.owner, "INSERT INTO "+o.table+" AS o (connector, topic, partition, owner, epoch) SELECT $1, u.topic, u.partition, $2, 1 FROM "+offsetRows+
		" ON CONFLICT (connector, topic, partition) DO UPDATE SET owner = EXCLUDED.owner, epoch = o.epoch + 1, updated = now()", rows)
	if err != nil {
		return nil, err
	}
	from := map[connector.TopicPartition]int64{}
	for _, m := range rows {
		p := position{epoch: m.Epoch}
		if m.Next != nil {
			p.next, p.old = *m.Next, *m.Next
			from[m.in()] = *m.Next
		}
		o.at[m.in()] = p
	}
	return from, nil
}

// set changes offsets from outside, which ends their epochs; no rows stand for all
// that there are.
func (o *offsets) set(ctx context.Context, q pg.Querier, rows []moved) error {
	sql := "INSERT INTO " + o.table + " AS o (connector, topic, partition, next_offset, owner, epoch) SELECT $1, u.topic, u.partition, u.next, $2, 1 FROM " + offsetRows +
		" ON CONFLICT (connector, topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset, owner = EXCLUDED.owner, epoch = o.epoch + 1, updated = now()"
	if len(rows) == 0 {
		sql = "UPDATE " + o.table + " AS o SET next_offset = NULL, owner = $2, epoch = o.epoch + 1, updated = now() WHERE o.connector = $1 AND $3::text IS NOT NULL"
	}
	_, err := o.query(ctx, q, "", sql, rows)
	return err
}

// fresh leaves out what the table says is written.
func (o *offsets) fresh(ctx context.Context, q pg.Querier, records []connector.Record) ([]connector.Record, error) {
	if o == nil {
		return records, nil
	}
	if err := o.look(ctx, q); err != nil {
		return nil, err
	}
	left := records[:0:0]
	for _, r := range records {
		tp := connector.TopicPartition{Topic: r.Origin.Topic, Partition: r.Origin.Partition}
		p, taken := o.at[tp]
		switch {
		case !taken:
			return nil, fmt.Errorf("partition %s[%d] was not opened", tp.Topic, tp.Partition)
		case r.Origin.Offset < p.old:
			return nil, fmt.Errorf("record %s[%d]@%d: the offsets in table %s say that all before %d is written: the topic was made anew, or offsets in Kafka were changed; stop the connector and reset its offsets over the REST API to begin anew",
				tp.Topic, tp.Partition, r.Origin.Offset, o.table, p.next)
		case r.Origin.Offset >= p.next:
			left = append(left, r)
		}
	}
	return left, nil
}

// look ends the epochs of a transaction whose end is not known, since it may have been
// committed and its answer lost, and reads where the partitions are.
func (o *offsets) look(ctx context.Context, q pg.Querier) error {
	if !o.unsure {
		return nil
	}
	rows := make([]moved, 0, len(o.at))
	for tp := range o.at {
		rows = append(rows, moved{Topic: tp.Topic, Partition: tp.Partition})
	}
	rows, err := o.query(ctx, q, o.owner, "UPDATE "+o.table+" AS o SET epoch = o.epoch + 1, updated = now() FROM "+offsetRows+
		" WHERE o.connector = $1 AND o.owner = $2 AND o.topic = u.topic AND o.partition = u.partition", rows)
	if err != nil {
		return err
	}
	if len(rows) < len(o.at) {
		return errOver
	}
	for _, m := range rows {
		p := o.at[m.in()]
		p.epoch = m.Epoch
		if m.Next != nil {
			p.next = *m.Next
		}
		o.at[m.in()] = p
	}
	o.unsure = false
	return nil
}

// behind gives where the partitions are once records are written.
func (o *offsets) behind(records []connector.Record) []moved {
	if o == nil {
		return nil
	}
	var rows []moved
	index := map[connector.TopicPartition]int{}
	for _, r := range records {
		tp, next := connector.TopicPartition{Topic: r.Origin.Topic, Partition: r.Origin.Partition}, r.Origin.Offset+1
		i, seen := index[tp]
		if !seen {
			i = len(rows)
			index[tp] = i
			rows = append(rows, moved{Topic: tp.Topic, Partition: tp.Partition, Epoch: o.at[tp].epoch})
		}
		rows[i].Next = &next
	}
	return rows
}

// moveSQL moves offsets of the epochs given. Where one is over it divides by zero,
// which ends the transaction without a question from here in between: the server
// commits or rolls back whatever has become of this process meanwhile.
func (o *offsets) moveSQL() string {
	return "WITH moved AS (UPDATE " + o.table + " AS o SET next_offset = u.next, updated = now() FROM " + offsetRows +
		" WHERE o.connector = $1 AND o.owner = $2 AND o.topic = u.topic AND o.partition = u.partition AND o.epoch = u.epoch RETURNING 1)" +
		" SELECT 1 / (count(*) = json_array_length($3::json))::int FROM moved"
}

// over is what moveSQL fails with where an epoch is over.
const over = "22012"

// queue adds to a transaction that offsets move with it.
func (o *offsets) queue(batch *pgconn.Batch, rows []moved) error {
	if o == nil {
		return nil
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	o.unsure = true
	batch.ExecParams(o.moveSQL(), [][]byte{[]byte(o.connector), []byte(o.owner), text}, nil, nil, nil)
	return nil
}

// move moves offsets within a transaction.
func (o *offsets) move(ctx context.Context, tx pgx.Tx, rows []moved) error {
	if o == nil {
		return nil
	}
	var queue pgconn.Batch
	if err := o.queue(&queue, rows); err != nil {
		return err
	}
	_, err := tx.Conn().PgConn().ExecBatch(ctx, &queue).ReadAll()
	return o.explain(err)
}

// explain says of an error of moveSQL what it means.
func (o *offsets) explain(err error) error {
	if pg.State(err) == over {
		return errOver
	}
	if err != nil {
		return fmt.Errorf("table of offsets %s: %w", o.table, err)
	}
	return nil
}

// settled notes that a transaction was committed.
func (o *offsets) settled(rows []moved) {
	if o == nil {
		return
	}
	o.unsure = false
	for _, m := range rows {
		o.at[m.in()] = position{next: *m.Next, old: o.at[m.in()].next, epoch: m.Epoch}
	}
}

// keep moves offsets past what brings no row.
func (o *offsets) keep(ctx context.Context, pool *pgxpool.Pool, next map[connector.TopicPartition]int64) error {
	if err := o.look(ctx, pool); err != nil {
		return err
	}
	var rows []moved
	for tp, at := range next {
		if p, taken := o.at[tp]; taken && at > p.next {
			rows = append(rows, moved{Topic: tp.Topic, Partition: tp.Partition, Next: &at, Epoch: p.epoch})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	o.unsure = true
	if _, err := pool.Exec(ctx, o.moveSQL(), o.connector, o.owner, string(text)); err != nil {
		return o.explain(err)
	}
	o.settled(rows)
	return nil
}

// Open has partitions go on where the table of offsets says.
func (s *Sink) Open(partitions []connector.TopicPartition) error {
	if s.offsets == nil {
		return nil
	}
	ctx, waiting := pg.WithPatience(context.Background(), s.set.answer)
	defer waiting.End()
	from, err := s.offsets.take(ctx, s.pool, partitions)
	if err != nil {
		return s.mark(s.failed(waiting.Explain(err)), s.set.retries, connector.After(s.set.backoff))
	}
	for tp, next := range from {
		if err := s.partitions.Seek(tp, next); err != nil {
			return connector.Fatal(err)
		}
	}
	return nil
}

// KeepOffsets moves the table's offsets past records that never came to the sink:
// what transforms dropped, and what became a dead letter before.
func (s *Sink) KeepOffsets(ctx context.Context, next map[connector.TopicPartition]int64) error {
	if s.offsets == nil {
		return nil
	}
	ctx, s.waiting = pg.WithPatience(ctx, s.set.answer)
	defer s.waiting.End()
	err := s.offsets.keep(ctx, s.pool, next)
	s.heard(err)
	if err == nil {
		return nil
	}
	return s.mark(s.failed(s.waiting.Explain(err)), s.set.retries, connector.After(s.set.backoff))
}

// Close forgets partitions.
func (s *Sink) Close(partitions []connector.TopicPartition) error {
	if s.offsets != nil {
		for _, tp := range partitions {
			delete(s.offsets.at, tp)
		}
	}
	return nil
}

// AlterTopicOffsets changes the table of offsets as Kafka's are changed; an offset
// that is reset leaves it to Kafka where the partition begins.
func (s *Sink) AlterTopicOffsets(ctx context.Context, c connector.Context, conf connector.Config, changed map[connector.TopicPartition]*int64) error {
	set, err := newSettings(conf)
	if err != nil {
		return connector.Fatal(err)
	}
	if !set.storeOffsets {
		return nil
	}
	pool, _, err := pg.Open(ctx, set.options)
	if err != nil {
		return err
	}
	defer pool.Close()
	o, err := openOffsets(ctx, pool, set.offsetTable, c.Connector)
	if err != nil {
		return fmt.Errorf("table of offsets %s: %w", set.offsetTable, err)
	}
	var rows []moved
	for tp, next := range changed {
		rows = append(rows, moved{Topic: tp.Topic, Partition: tp.Partition, Next: next})
	}
	return o.set(ctx, pool, rows)
}

// offsetTableName parses the name of the table of offsets.
func offsetTableName(text string) (pg.Name, error) {
	name, err := pg.ParseName(strings.TrimSpace(text))
	if err == nil && name.Catalog != "" {
		err = errors.New("the table of offsets is in the connection's database: leave the database out")
	}
	return name, err
}
