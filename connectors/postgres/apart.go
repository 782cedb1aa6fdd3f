package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// mostRefused is how many rows of a table may be refused in a row, with one
// SQLSTATE and none written, until the cause is looked for in the table.
const mostRefused = 100

// run is refusals of a table's rows without a success between them.
type run struct {
	state string
	rows  int
	last  error
}

// apart writes a batch of which the server refused something: statement by
// statement, halving those that fail down to the rows that make them.
//
// Who is to blame is told by SQLSTATE: the environment, the configuration (a
// table, column or privilege that is missing), else the row. Only a long run of
// refusals that are no matter of values or constraints ends the task.
type apart struct {
	s       *Sink
	tx      pgx.Tx
	records []connector.Record
	bad     []errant
	counts  map[string]int   // rows written, by operation
	written map[pg.Name]bool // tables that took a row
	runs    map[pg.Name]run
	granted map[*plan]bool     // asked, and all privileges are there
	judges  map[*pg.Table]bool // by which rows were refused
}

// errAltered is that a table is no longer what rows were refused by.
var errAltered = errors.New("it was altered while a batch was written to it, of which nothing was written")

func (s *Sink) newApart(f filled, records []connector.Record) *apart {
	return &apart{s: s, records: records, bad: f.bad, counts: map[string]int{}, written: map[pg.Name]bool{}, runs: map[pg.Name]run{}, granted: map[*plan]bool{}, judges: map[*pg.Table]bool{}}
}

// writeApart is told which chunk was refused before, and how: the same rows are
// not sent as a whole once more.
func (s *Sink) writeApart(ctx context.Context, f filled, records []connector.Record, tried chunk, refused error) ([]errant, error) {
	a := s.newApart(f, records)
	next := s.offsets.behind(records)
	if err := a.write(ctx, f.batch, next, tried, refused); err != nil {
		return nil, s.failed(err)
	}
	s.offsets.settled(next)
	for operation, rows := range a.counts {
		s.counters.rows[operation].Add(float64(rows))
	}
	for name := range a.written {
		delete(s.runs, name)
	}
	maps.Copy(s.runs, a.runs)
	return a.bad, nil
}

// idleSQL has the server end the transaction of a process that was stopped in the
// middle, and holds locks.
const idleSQL = "SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true)"

func (a *apart) write(ctx context.Context, b *batch, next []moved, tried chunk, refused error) (err error) {
	if a.tx, err = a.s.pool.Begin(ctx); err != nil {
		return pg.OneLine(err)
	}
	defer func() { _ = a.tx.Rollback(ctx) }() // without effect after the commit
	// Deferred constraints would blame the commit.
	if _, err := a.tx.Exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		return err
	}
	if _, err := a.tx.Exec(ctx, idleSQL, strconv.FormatInt(a.s.set.answer.Milliseconds(), 10)); err != nil {
		return err
	}
	for _, c := range b.chunks(a.s.set.batch) {
		if c.same(tried) && pg.Classify(refused) == pg.Record {
			err = a.refused(ctx, c, refused)
		} else {
			err = a.halve(ctx, c)
		}
		if err != nil {
			return err
		}
	}
	if err := a.judged(ctx); err != nil {
		return err
	}
	if err := a.settle(); err != nil {
		return err
	}
	if a.s.offsets != nil {
		if err := a.s.report(ctx, a.records, a.bad); err != nil {
			return err
		}
		if err := a.s.offsets.move(ctx, a.tx, next); err != nil {
			return err
		}
	}
	return a.s.redact(a.tx.Commit(ctx))
}

func (a *apart) halve(ctx context.Context, c chunk) error {
	p := c.group.plan
	err := pgx.BeginFunc(ctx, a.tx, func(savepoint pgx.Tx) error {
		a.s.waiting.Heard()
		return savepoint.Conn().PgConn().ExecParams(ctx, p.sql, c.args(), nil, binaryFormat, nil).Read().Err
	})
	if err != nil {
		return a.refused(ctx, c, a.s.wrap(c, err))
	}
	a.counts[p.operation] += len(c.rows)
	a.written[p.table.Name] = true
	return nil
}

// refused finds the rows of a chunk that the server refused as a whole.
func (a *apart) refused(ctx context.Context, c chunk, err error) error {
	if pg.Classify(err) != pg.Record {
		return err
	}
	p := c.group.plan
	if pg.State(err) == "42501" {
		if err := a.mayWrite(ctx, p, err); err != nil {
			return err
		}
	}
	n := len(c.rows)
	if n == 1 {
		return a.refuse(ctx, p.table, c.rows[0].record, err)
	}
	for _, half := range [][]row{c.rows[:n/2], c.rows[n/2:]} {
		if err := a.halve(ctx, chunk{c.group, half}); err != nil {
			return err
		}
	}
	return nil
}

// mayWrite tells a privilege that is missing from a policy that refuses a row:
// both have one SQLSTATE.
func (a *apart) mayWrite(ctx context.Context, p *plan, refused error) error {
	if a.granted[p] {
		return nil
	}
	grants, err := p.table.Grants(ctx, a.tx, p.rights())
	if err != nil {
		return err
	}
	if grants != "" {
		return fmt.Errorf("%w: run %s", refused, grants)
	}
	a.granted[p] = true
	return nil
}

// refusal is what the server says of a row.
type refusal struct{ error }

// Unwrap gives the error.
func (r refusal) Unwrap() error { return r.error }

// Exception gives Java's class of it, for dead letters.
func (refusal) Exception() string { return "java.sql.SQLException" }

// refuse notes a row that the server does not take. It is the error where none
// is tolerated.
func (a *apart) refuse(ctx context.Context, t *pg.Table, record int, err error) error {
	table := t.Name
	a.judges[t] = true
	cause := a.s.at(&a.records[record], err)
	if a.s.reporter == nil {
		if err := a.judged(ctx); err != nil {
			return err
		}
		return cause
	}
	a.bad = append(a.bad, errant{record, refusal{cause}})
	state := pg.State(err)
	r, begun := a.runs[table]
	if !begun {
		r = a.s.runs[table]
	}
	if r.state != state {
		r = run{state: state}
	}
	a.runs[table] = run{state, r.rows + 1, err}
	return nil
}

// judged makes sure that the tables are what rows were refused by. Where none was
// written nothing has kept others from altering a table since it was read.
func (a *apart) judged(ctx context.Context) error {
	for t := range a.judges {
		now, err := pg.ReadTable(ctx, a.tx, t.Name)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(t, now) {
			return fmt.Errorf("table %s: %w", t.Name, errAltered)
		}
	}
	return nil
}

// settle forgets the runs of tables that a row was written to, in whatever order
// this batch was tried, and says which are too long.
func (a *apart) settle() error {
	for name := range a.written {
		delete(a.runs, name)
	}
	for name, r := range a.runs {
		if r.rows >= mostRefused && !strings.HasPrefix(r.state, "22") && !strings.HasPrefix(r.state, "23") {
			return fmt.Errorf("table %s: %d records in a row were refused with SQLSTATE %s and none was written, so the cause is the table, its triggers or policies, or the user's rights: %w",
				name, r.rows, r.state, r.last)
		}
	}
	return nil
}
