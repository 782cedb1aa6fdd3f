package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// errant is a record that cannot be written, and why.
type errant struct {
	record int
	cause  error
}

// put writes the records, and reports those that cannot be written after the
// others are committed: a report before that would be repeated with the batch.
func (s *Sink) put(ctx context.Context, records []connector.Record) error {
	began := time.Now()
	b, bad, err := s.fill(ctx, records, false)
	if err != nil {
		return err
	}
	err = s.write(ctx, b)
	if pg.Classify(err) == pg.Record {
		if b, bad, err = s.fill(ctx, records, true); err != nil {
			return err
		}
		var refused []errant
		if refused, err = s.writeEach(ctx, b, records); err == nil {
			bad = append(bad, refused...)
		}
	}
	if err != nil {
		return err
	}
	s.counters.seconds.Observe(time.Since(began).Seconds())
	for _, e := range bad {
		s.counters.errant.Add(1)
		if err := s.reporter.Report(ctx, records[e.record], e.cause); err != nil {
			return err
		}
	}
	return nil
}

// fill sorts the records into a batch. Those that do not fit are given back, or
// are the error when they are not tolerated.
func (s *Sink) fill(ctx context.Context, records []connector.Record, exact bool) (*batch, []errant, error) {
	b := newBatch(s.cells, exact)
	var bad []errant
	for i := range records {
		r := &records[i]
		p, err := s.planOf(ctx, r)
		if err == nil {
			if err = b.add(p, i, r, s.set.defaults); err != nil {
				err = s.at(r, fmt.Errorf("table %s: %w", p.table.Name, err))
			}
		}
		if err == nil {
			continue
		}
		if s.reporter == nil || connector.KindOf(err) != connector.KindData {
			return nil, nil, err
		}
		bad = append(bad, errant{i, err})
	}
	return b, bad, nil
}

// failed names the database in an error.
func (s *Sink) failed(err error) error {
	return fmt.Errorf("database %s: %w", pg.Place(s.pool.Config()), err)
}

// write sends everything in one go: begin, the statements, commit.
func (s *Sink) write(ctx context.Context, b *batch) error {
	chunks := b.chunks(s.set.batch)
	if len(chunks) == 0 {
		return nil
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.failed(pg.OneLine(err))
	}
	defer conn.Release()
	var queue pgx.Batch
	queue.BeginTx(pgx.TxOptions{})
	for _, c := range chunks {
		queue.Queue(c.group.plan.sql, c.args()...)
	}
	results := conn.SendBatch(ctx, &queue)
	tx := results.Tx()
	defer func() { _ = tx.Rollback(ctx) }() // without effect after the commit
	_, err = results.Exec()
	for i := 0; err == nil && i < len(chunks); i++ {
		if _, err = results.Exec(); err != nil {
			err = s.wrap(chunks[i], err)
		}
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = s.redact(tx.Commit(ctx))
	}
	if err != nil {
		return s.failed(err)
	}
	for _, c := range chunks {
		s.counters.rows[c.group.plan.operation].Add(float64(len(c.rows)))
	}
	return nil
}

// writeEach writes a batch of which the server refused something: statement by
// statement, halving those that fail down to the rows that make them.
func (s *Sink) writeEach(ctx context.Context, b *batch, records []connector.Record) ([]errant, error) {
	var bad []errant
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Deferred constraints would blame the commit.
		if _, err := tx.Exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
			return err
		}
		for _, c := range b.chunks(s.set.batch) {
			if err := s.halve(ctx, tx, c, records, &bad); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.failed(err)
	}
	return bad, nil
}

func (s *Sink) halve(ctx context.Context, tx pgx.Tx, c chunk, records []connector.Record, bad *[]errant) error {
	err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error {
		_, err := savepoint.Exec(ctx, c.group.plan.sql, c.args()...)
		return err
	})
	if err == nil {
		s.counters.rows[c.group.plan.operation].Add(float64(len(c.rows)))
		return nil
	}
	err = s.wrap(c, err)
	if pg.Classify(err) != pg.Record {
		return err
	}
	if n := len(c.rows); n > 1 {
		for _, half := range [][]row{c.rows[:n/2], c.rows[n/2:]} {
			if err := s.halve(ctx, tx, chunk{c.group, half}, records, bad); err != nil {
				return err
			}
		}
		return nil
	}
	record := c.rows[0].record
	cause := s.at(&records[record], err)
	if s.reporter == nil {
		return cause
	}
	*bad = append(*bad, errant{record, cause})
	return nil
}

func (s *Sink) wrap(c chunk, err error) error {
	return fmt.Errorf("table %s: %s: %w", c.group.plan.table.Name, c.group.plan.operation, s.redact(err))
}

// redact takes the values of rows out of an error, if it is to.
func (s *Sink) redact(err error) error {
	if s.set.trim {
		return pg.Redacted(err)
	}
	return err
}
