package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

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
// Where the commit moves the offsets they are reported, and have arrived, before
// it: a report after that would be lost with this process.
//
// What is known of a table may be old, for anybody may alter it. So nothing is
// refused for what the table was: it is read anew, once each time, before a
// record or the configuration is blamed.
func (s *Sink) put(ctx context.Context, records []connector.Record) (err error) {
	began := time.Now()
	ctx, s.waiting = pg.WithPatience(ctx, s.set.answer)
	defer func() {
		s.waiting.End()
		err = s.waiting.Explain(err)
	}()
	if records, err = s.offsets.fresh(ctx, s.pool, records); err != nil || len(records) == 0 {
		return err
	}
	bad, err := s.store(ctx, records)
	if err != nil {
		return err
	}
	s.counters.seconds.Observe(time.Since(began).Seconds())
	s.counters.records.Observe(float64(len(records)))
	if s.offsets != nil {
		return nil
	}
	return s.report(ctx, records, bad)
}

// report hands over the records that cannot be written. The database has nothing
// to answer meanwhile.
func (s *Sink) report(ctx context.Context, records []connector.Record, bad []errant) error {
	s.waiting.Rest()
	defer s.waiting.Heard()
	for _, e := range bad {
		s.counters.errant.Add(1)
		if err := s.reporter.Report(ctx, records[e.record], e.cause); err != nil {
			return err
		}
	}
	if s.offsets == nil || len(bad) == 0 {
		return nil
	}
	return s.reporter.Wait(ctx)
}

// store commits the records, and gives those that cannot be written.
func (s *Sink) store(ctx context.Context, records []connector.Record) (bad []errant, err error) {
	f, err := s.fill(ctx, records, false)
	if f.byTable || err != nil && pg.Classify(err) != pg.Environment {
		s.forget()
		f, err = s.fill(ctx, records, false)
	}
	if err != nil {
		return nil, err
	}
	var tried chunk
	if s.offsets == nil || len(f.bad) == 0 {
		tried, err = s.write(ctx, f.batch, records)
		if class := pg.Classify(err); class != pg.Record && class != pg.Structure {
			if err == nil {
				s.counters.skipped.Add(float64(f.skipped))
			}
			return f.bad, err
		}
	}
	for again := 0; ; again++ {
		s.forget()
		f, failed := s.fill(ctx, records, true)
		if failed != nil {
			return nil, failed
		}
		bad, err = s.writeApart(ctx, f, records, tried, err)
		switch {
		case err == nil:
			s.counters.skipped.Add(float64(f.skipped))
		case errors.Is(err, errAltered) && again < mostAltered:
			tried, err = chunk{}, nil
			continue
		}
		return bad, err
	}
}

// mostAltered is how often a batch is judged anew at once because of a table that is
// altered meanwhile.
const mostAltered = 3

// filled is the records of a Put, sorted.
type filled struct {
	batch   *batch
	bad     []errant // what does not fit
	byTable bool     // and some of it for what the table is like
	skipped int      // what the configuration leaves out
}

// fill sorts the records into a batch and those that do not fit. One of those is
// the error where none is tolerated.
func (s *Sink) fill(ctx context.Context, records []connector.Record, exact bool) (f filled, err error) {
	f.batch = newBatch(s.cells, exact, len(records))
	var e event
	for i := range records {
		if err := s.open(&records[i], &e); err != nil {
			if f.bad, err = s.misfit(f.bad, i, s.at(&records[i], err)); err != nil {
				return f, err
			}
			continue
		}
		if s.skips(&e) {
			f.skipped++
			continue
		}
		r := e.row
		sh, key, err := s.shapeOf(&e)
		if err == nil {
			var p *plan
			p, err = s.planOf(ctx, r, sh, key)
			if err == nil && p.operation == modeNothing {
				f.skipped++
				continue
			}
			if err == nil {
				if err = f.batch.add(p, i, r, s.set.defaults && !e.enclosed); err != nil {
					err = s.at(r, fmt.Errorf("table %s: %w", p.table.Name, err))
				}
			}
			f.byTable = f.byTable || err != nil
		}
		if err == nil {
			continue
		}
		if f.bad, err = s.misfit(f.bad, i, err); err != nil {
			return f, err
		}
	}
	return f, nil
}

// misfit notes a record that does not fit. It is the error where none is tolerated.
func (s *Sink) misfit(bad []errant, record int, err error) ([]errant, error) {
	if s.reporter == nil || connector.KindOf(err) != connector.KindData {
		return bad, err
	}
	return append(bad, errant{record, err}), nil
}

// failed names the database in an error.
func (s *Sink) failed(err error) error {
	return fmt.Errorf("database %s: %w", pg.Place(s.pool.Config()), err)
}

// binaryFormat says that all of a statement's arguments are binary.
var binaryFormat = []int16{pgtype.BinaryFormatCode}

// write sends everything in one go. Up to the end of what was sent together the
// server takes statements for one transaction, so one round trip commits them.
// They have no names and nothing is left behind, so that a pooler may give each
// transaction another connection. It gives the chunk that was refused.
func (s *Sink) write(ctx context.Context, b *batch, records []connector.Record) (refused chunk, err error) {
	chunks, next := b.chunks(s.set.batch), s.offsets.behind(records)
	if len(chunks) == 0 {
		return chunk{}, nil
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return chunk{}, s.failed(pg.OneLine(err))
	}
	defer conn.Release()
	var queue pgconn.Batch
	for _, c := range chunks {
		queue.ExecParams(c.group.plan.sql, c.args(), nil, binaryFormat, nil)
	}
	if err := s.offsets.queue(&queue, next); err != nil {
		return chunk{}, err
	}
	s.waiting.Heard()
	results := conn.Conn().PgConn().ExecBatch(ctx, &queue)
	written := 0
	for results.NextResult() {
		s.waiting.Heard()
		if _, err := results.ResultReader().Close(); err == nil {
			written++
		}
	}
	if err := results.Close(); err != nil {
		switch {
		case written > len(chunks) || s.offsets == nil && written == len(chunks): // by the commit
			return chunk{}, s.failed(s.redact(err))
		case written == len(chunks):
			return chunk{}, s.failed(s.offsets.explain(err))
		}
		return chunks[written], s.failed(s.wrap(chunks[written], err))
	}
	s.offsets.settled(next)
	for _, c := range chunks {
		s.counters.rows[c.group.plan.operation].Add(float64(len(c.rows)))
		delete(s.runs, c.group.plan.table.Name)
	}
	return chunk{}, nil
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
