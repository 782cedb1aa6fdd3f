package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// notify tells a read API, ours or a PostgREST, to read the tables again.
const notify = "NOTIFY pgrst, 'reload schema'"

var notWord = regexp.MustCompile(`[^\p{L}\p{N}_]`)

// tableName gives the table of a topic: by topics.to.tables.mapping, else by the
// format, which is table.name.format.
func (s *Sink) tableName(topic, format string) (pg.Name, error) {
	text, mapped := s.set.tables[topic]
	if !mapped {
		if s.set.normalize {
			topic = notWord.ReplaceAllString(topic, "_")
		}
		text = strings.ReplaceAll(format, "${topic}", topic)
	}
	name, err := pg.ParseName(text)
	if err != nil {
		return name, fmt.Errorf("topic %s: %w", topic, err)
	}
	if s.set.fold {
		name = name.Lower()
	}
	if name.Catalog != "" && name.Catalog != s.database {
		return name, fmt.Errorf("topic %s: table %s is in another database than the connection's, which is %s; put a name that contains dots in double quotes", topic, name, s.database)
	}
	return name, nil
}

// table gives the table that records of a shape go to. It creates and extends
// the table where the configuration allows.
func (s *Sink) table(ctx context.Context, sh *shape) (*pg.Table, error) {
	name, err := s.tableName(sh.topic, cmp.Or(sh.table, s.set.format))
	if err != nil {
		return nil, err
	}
	t := s.known[name]
	if t == nil {
		if t, err = s.read(ctx, name); err != nil {
			return nil, err
		}
	}
	if t == nil {
		if !s.set.create || sh.truncate {
			return nil, errMissing(name)
		}
		if err := s.create(ctx, name, sh); err != nil {
			return nil, err
		}
		if t, err = s.altered(ctx, name, nil, sh.fields); err != nil {
			return nil, err
		}
		if t == nil {
			return nil, fmt.Errorf("table %s: it was created and is not found along the connection's search path", name)
		}
	}
	missing := missingFields(t, sh)
	if len(missing) > 0 {
		if err := s.extend(ctx, t, missing); err != nil {
			return nil, err
		}
		if t, err = s.altered(ctx, name, t, missing); err != nil {
			return nil, err
		}
	}
	s.known[name] = t
	return t, nil
}

func errMissing(name pg.Name) error {
	return connector.Coded("H5006", fmt.Errorf("table %s is missing and auto-creation is disabled: create it, or set auto.create=true", name))
}

// read reads a table, nil when there is none.
func (s *Sink) read(ctx context.Context, name pg.Name) (*pg.Table, error) {
	s.waiting.Heard()
	t, err := pg.ReadTable(ctx, s.querier(), name)
	if err != nil || t == nil {
		return nil, err
	}
	if !slices.Contains(s.set.kinds, t.Kind) {
		return nil, fmt.Errorf("%s is a %s, which table.types does not allow", name, kindName(t.Kind))
	}
	return t, nil
}

func kindName(k pg.Kind) string {
	switch k {
	case pg.OrdinaryTable:
		return kindTable
	case pg.PartitionedTable:
		return kindPartitioned
	case pg.View:
		return kindView
	}
	return fmt.Sprintf("relation of kind %c", k)
}

func missingFields(t *pg.Table, sh *shape) []field {
	var missing []field
	for _, f := range sh.fields {
		if _, ok := t.Column(f.name); !ok {
			missing = append(missing, f)
		}
	}
	return missing
}

// create creates a table. That another task has just done so is fine.
func (s *Sink) create(ctx context.Context, name pg.Name, sh *shape) error {
	lines := make([]string, 0, len(sh.fields)+1)
	named := map[string]string{} // fields by column
	for i := range sh.fields {
		f := &sh.fields[i]
		if other, twice := named[s.column(f.name)]; twice {
			return connector.Data(fmt.Errorf("table %s: the fields %s and %s would be one column: rename one (ReplaceField), or leave it out with fields.whitelist", name, other, f.name))
		}
		named[s.column(f.name)] = f.name
		line, err := s.define(f)
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		lines = append(lines, line)
	}
	if keys := sh.keys(); len(keys) > 0 {
		for i := range keys {
			keys[i] = s.column(keys[i])
		}
		lines = append(lines, "PRIMARY KEY ("+strings.Join(keys, ", ")+")")
	}
	err := s.ddl(ctx, "CREATE TABLE "+name.SQL()+" (\n"+strings.Join(lines, ",\n")+")")
	switch pg.State(err) {
	case "42P07", "42710", "23505": // table, type or their catalog row is there
		return nil
	}
	if err != nil {
		return fmt.Errorf("table %s: create: %w", name, err)
	}
	s.log.Info("table created", "table", name.String())
	s.counters.created.Add(1)
	return nil
}

// extend adds columns. It never changes one, nor a key.
func (s *Sink) extend(ctx context.Context, t *pg.Table, missing []field) error {
	var names, lines []string
	for i := range missing {
		names = append(names, missing[i].name)
	}
	list := strings.Join(names, ", ")
	switch {
	case !s.set.evolve:
		return connector.Coded("H5009", fmt.Errorf("table %s is missing the fields %s, and auto-evolution is disabled: add the columns, set auto.evolve=true, or leave the fields out with fields.whitelist", t.Name, list))
	case t.Kind == pg.View:
		return fmt.Errorf("view %s is missing the fields %s, and a view cannot be altered", t.Name, list)
	}
	for i := range missing {
		f := &missing[i]
		if f.key {
			return fmt.Errorf("table %s is missing the field %s of the key, and keys are not altered: add the column, or change pk.fields", t.Name, f.name)
		}
		if f.schema != nil && !f.schema.Optional() {
			if _, ok := f.schema.Default(); !ok {
				return fmt.Errorf("table %s is missing the field %s, which is neither optional nor has a default, so that the rows of today would have no value for it: add the column by hand", t.Name, f.name)
			}
		}
		line, err := s.define(f)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		lines = append(lines, "ADD COLUMN IF NOT EXISTS "+line)
	}
	if err := s.ddl(ctx, "ALTER TABLE "+t.Name.SQL()+" "+strings.Join(lines, ", ")); err != nil {
		return fmt.Errorf("table %s: add columns %s: %w", t.Name, list, err)
	}
	s.log.Info("columns added", "table", t.Name.String(), "columns", list)
	s.counters.altered.Add(1)
	return nil
}

func (s *Sink) ddl(ctx context.Context, sql string) error {
	s.waiting.Heard()
	if s.trial != nil {
		return s.trial.ddl(ctx, sql)
	}
	if _, err := s.pool.Exec(ctx, sql); err != nil {
		return err
	}
	_, err := s.pool.Exec(ctx, notify)
	return err
}

func (s *Sink) column(name string) string {
	if s.set.fold {
		name = strings.ToLower(name)
	}
	return pg.Quote(name)
}

// define gives a column's definition.
func (s *Sink) define(f *field) (string, error) {
	kind, err := s.typeOf(f)
	if err != nil {
		return "", fmt.Errorf("field %s: %w", f.name, err)
	}
	def := s.column(f.name) + " " + kind
	if v, ok := f.schema.Default(); ok && v != nil {
		text, err := s.cells.input(f, columnOf(kind), v)
		if err != nil {
			return "", fmt.Errorf("field %s: default: %w", f.name, err)
		}
		def += " DEFAULT " + pg.QuoteLiteral(text)
	}
	if f.key || !f.schema.Optional() {
		return def + " NOT NULL", nil
	}
	return def + " NULL", nil
}

// columnOf gives what cells needs to know of a column that is yet to be made.
func columnOf(kind string) *pg.Column {
	c := &pg.Column{Type: kind}
	if elem, ok := strings.CutSuffix(kind, "[]"); ok {
		elem, _, _ = strings.Cut(elem, "(")
		c.Elem, c.Category = typeNames[elem], 'A'
	}
	c.OID, c.Category = typeOIDs[kind], timeTypes[kind]
	return c
}

// typeOf maps a schema to a type, as Kafka Connect's JDBC sink does; maps and
// structs, which that refuses, become jsonb.
func (s *Sink) typeOf(f *field) (string, error) {
	if f.schema == nil {
		return "", errors.New("it has no schema to make a column from: add the column, or use a converter with schemas")
	}
	if s.set.timestamps[f.name] && (f.schema.Type() == connector.Int64 || f.schema.Type() == connector.String) {
		return "TIMESTAMP", nil
	}
	if f.schema.Type() != connector.Array {
		return typeName(f.schema)
	}
	if f.schema.Elem() == nil || f.schema.Elem().Type() == connector.Array {
		return "", errors.New("an array of arrays has no column type: make a jsonb column by hand")
	}
	elem, err := typeName(f.schema.Elem())
	return elem + "[]", err
}

// mostDigits is the largest precision that a numeric column can have.
const mostDigits = 1000

func parameter(schema *connector.Schema, name string) string {
	text, _ := schema.Parameter(name)
	return text
}

func typeName(schema *connector.Schema) (string, error) {
	if t := debeziumType(schema); t != "" {
		return t, nil
	}
	if digits, err := strconv.Atoi(parameter(schema, "connect.decimal.precision")); err == nil && schema.Name() == connector.DecimalName && digits > 0 && digits <= mostDigits {
		scale, err := connector.DecimalScale(schema)
		return fmt.Sprintf("DECIMAL(%d,%d)", digits, scale), err
	}
	if t, ok := map[string]string{connector.DecimalName: "DECIMAL", connector.DateName: "DATE", connector.TimeName: "TIME", connector.TimestampName: "TIMESTAMP"}[schema.Name()]; ok {
		return t, nil
	}
	t, ok := map[connector.Type]string{
		connector.Int8: "SMALLINT", connector.Int16: "SMALLINT", connector.Int32: "INT", connector.Int64: "BIGINT",
		connector.Float32: "REAL", connector.Float64: "DOUBLE PRECISION", connector.Boolean: "BOOLEAN",
		connector.String: "TEXT", connector.Bytes: "BYTEA", connector.Map: "JSONB", connector.Object: "JSONB",
	}[schema.Type()]
	if !ok {
		return "", fmt.Errorf("type %s has no column type", schema.Type())
	}
	return t, nil
}
