package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// trial is what a preview writes to in place of the database.
type trial struct {
	would func(connector.Effect)
	tx    pgx.Tx // nil where statements are only shown
}

// ddl shows a statement that changes tables, and tries it in the transaction.
func (t *trial) ddl(ctx context.Context, sql string) error {
	verb, _, _ := strings.Cut(sql, " (")
	t.would(connector.Effect{Does: "run " + strings.Join(strings.Fields(verb)[:3], " "), Text: sql})
	if t.tx == nil {
		return nil
	}
	_, err := t.tx.Exec(ctx, sql)
	return err
}

// querier gives what tables are read with.
func (s *Sink) querier() pg.Querier {
	if s.trial != nil && s.trial.tx != nil {
		return s.trial.tx
	}
	return s.pool
}

// altered reads a table that was created or has more columns now; where statements
// are only shown it is as it would be.
func (s *Sink) altered(ctx context.Context, name pg.Name, t *pg.Table, added []field) (*pg.Table, error) {
	if s.trial == nil || s.trial.tx != nil {
		return s.read(ctx, name)
	}
	after := &pg.Table{Name: name, Kind: pg.OrdinaryTable}
	if t != nil {
		*after = *t
		after.Columns = slices.Clone(t.Columns)
	}
	for i := range added {
		f := &added[i]
		kind, err := s.typeOf(f)
		if err != nil {
			return nil, err
		}
		c := columnOf(kind)
		elem, list := strings.CutSuffix(kind, "[]")
		c.Name, c.Type = f.name, typeNames[elem]
		if s.set.fold {
			c.Name = strings.ToLower(f.name)
		}
		if list {
			c.Type += "[]"
		}
		for _, known := range forms {
			if known.name == c.Type {
				c.OID = known.oid
			}
		}
		if f.key {
			after.PrimaryKey = append(after.PrimaryKey, c.Name)
		}
		after.Columns = append(after.Columns, *c)
	}
	if t == nil && len(after.PrimaryKey) > 0 {
		after.Unique = [][]string{after.PrimaryKey}
	}
	return after, nil
}

// Preview shows the statements with their rows. With Execute they run in a transaction
// that is rolled back, so that the server says what it refuses.
func (s *Sink) Preview(ctx context.Context, c connector.Context, conf connector.Config, records []connector.Record) error {
	if err := s.configure(c, conf); err != nil {
		return connector.Fatal(err)
	}
	moves := s.set.storeOffsets
	s.set.storeOffsets = false // its table would be made
	ctx, s.waiting = pg.WithPatience(ctx, s.set.answer)
	defer s.waiting.End()
	err := s.connect(ctx, conf)
	if err == nil {
		s.log = slog.New(slog.DiscardHandler) // what it would say of tables is not so
		s.trial = &trial{would: c.Preview.Would}
		err = s.try(ctx, records, c.Preview.Execute)
	}
	if err == nil && moves {
		s.trial.would(connector.Effect{Does: fmt.Sprintf("move the offsets in table %s, in the same transaction", s.set.offsetTable)})
	}
	return s.mark(s.waiting.Explain(err), s.set.retries, connector.After(s.set.backoff))
}

// try sorts the records into statements and shows them; execute runs them, too.
func (s *Sink) try(ctx context.Context, records []connector.Record, execute bool) error {
	if execute {
		tx, err := s.pool.Begin(ctx)
		if err != nil {
			return pg.OneLine(err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		s.trial.tx = tx
		if _, err := tx.Exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
			return err
		}
	}
	f, err := s.fill(ctx, records, false)
	if err != nil {
		return err
	}
	a := s.newApart(f, records)
	a.tx = s.trial.tx
	for _, c := range f.batch.chunks(s.set.batch) {
		if execute {
			if err := a.halve(ctx, c); err != nil {
				return err
			}
		}
		e, err := s.effect(ctx, c, records)
		if err != nil {
			return err
		}
		if execute {
			e.Does += ", tried and rolled back"
		}
		s.trial.would(e)
	}
	return s.report(ctx, records, a.bad)
}

// effect shows a statement.
func (s *Sink) effect(ctx context.Context, c chunk, records []connector.Record) (connector.Effect, error) {
	p := c.group.plan
	e := connector.Effect{Does: fmt.Sprintf("%s %d rows: table %s", p.operation, len(c.rows), p.table.Name)}
	var text strings.Builder
	text.WriteString(p.sql)
	for _, r := range c.rows {
		e.Records = append(e.Records, r.record)
		text.WriteString("\n--")
		var of event
		if err := s.open(&records[r.record], &of); err != nil {
			return e, err
		}
		for i := range p.fields {
			value := s.value(&p.fields[i], &of)
			fmt.Fprintf(&text, " $%d %s = %s", i+1, p.columns[i].Name, value)
		}
	}
	e.Text = text.String()
	var err error
	e.Warnings, err = s.stays(ctx, p.table)
	return e, err
}

// longestValue is how much of a value is shown.
const longestValue = 60

// value shows a row's value as JSON.
func (s *Sink) value(f *field, of *event) string {
	v := f.value(of.row, s.set.defaults && !of.enclosed)
	if b, ok := v.([]byte); ok && len(b) > longestValue {
		return fmt.Sprintf("(%d bytes)", len(b))
	}
	b, err := plainjson.Append(nil, f.schema, v)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	if runes := []rune(string(b)); len(runes) > longestValue {
		return string(runes[:longestValue]) + "..."
	}
	return string(b)
}

// staysSQL names what of a table a rollback does not take back: triggers, which may
// do anything, and sequences that its columns draw from.
const staysSQL = `
SELECT 'trigger ' || tgname || ' runs, also where it is only tried: what it does outside of the transaction stays'
FROM pg_catalog.pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal AND tgenabled <> 'D'
UNION
SELECT 'sequence ' || s.relname || ' goes on, also where it is only tried: numbers that were drawn are not given back'
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.relkind = 'S' AND (
	d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid AND d.refobjid = $1
	OR d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refobjid = s.oid
		AND d.objid IN (SELECT oid FROM pg_catalog.pg_attrdef WHERE adrelid = $1))
ORDER BY 1`

func (s *Sink) stays(ctx context.Context, t *pg.Table) ([]string, error) {
	if t.OID == 0 {
		return nil, nil // it is yet to be made
	}
	s.waiting.Heard()
	rows, err := s.querier().Query(ctx, staysSQL, t.OID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
