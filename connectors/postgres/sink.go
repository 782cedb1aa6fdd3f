package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// Version is what the connector reports.
const Version = "1.0.0"

var (
	_ connector.Sink      = (*Sink)(nil)
	_ connector.Batcher   = (*Sink)(nil)
	_ connector.Validator = (*Sink)(nil)
	_ connector.Previewer = (*Sink)(nil)

	_ connector.PartitionListener  = (*Sink)(nil)
	_ connector.OffsetKeeper       = (*Sink)(nil)
	_ connector.TopicOffsetAlterer = (*Sink)(nil)
)

func init() { connector.RegisterSink(func() connector.Sink { return new(Sink) }) }

// Sink writes records to tables of PostgreSQL.
type Sink struct {
	name     string
	set      settings
	log      *slog.Logger
	reporter connector.ErrantReporter
	counters counters
	pool     *pgxpool.Pool
	database string
	waiting  *pg.Patience // of Start or a Put
	cells    *cells
	shapes   map[shapeKey]*shape
	plans    map[shapeKey]*plan
	known    map[pg.Name]*pg.Table
	runs     map[pg.Name]run

	// passDeletes has what deletes passed over where delete.enabled is false, as
	// Debezium has it; else it is an error of the record.
	passDeletes bool

	trial      *trial   // nil but in a preview
	offsets    *offsets // nil: they are Kafka's
	partitions connector.SinkContext
}

// counters are the sink's metrics.
type counters struct {
	rows             map[string]connector.Counter // by operation
	created, altered connector.Counter
	errant, skipped  connector.Counter
	seconds, records connector.Histogram
	connected        connector.Gauge
}

// Info describes the plugin.
func (*Sink) Info() connector.Info {
	return connector.Info{
		Name: "postgres", Version: Version,
		Class:   "io.confluent.connect.jdbc.JdbcSinkConnector",
		Aliases: []string{"io.aiven.connect.jdbc.JdbcSinkConnector", "postgres-sink", "jdbc-sink", "JdbcSinkConnector", "JdbcSink"}, // the short ones are not Debezium's
		Doc:     "Writes records to tables of PostgreSQL.",
	}
}

// ConfigDef gives the keys of Kafka Connect's JDBC sink, and schema.from.
func (*Sink) ConfigDef() *connector.ConfigDef { return configDef() }

// Start connects, and checks the tables that are there already.
func (s *Sink) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	if err := s.configure(c, conf); err != nil {
		return connector.Fatal(err)
	}
	ctx, s.waiting = pg.WithPatience(ctx, s.set.answer)
	defer s.waiting.End()
	err := s.waiting.Explain(s.connect(ctx, conf))
	s.heard(err)
	return s.mark(err, s.set.attempts, connector.After(s.set.connectBackoff))
}

// configure takes the configuration.
func (s *Sink) configure(c connector.Context, conf connector.Config) error {
	set, err := newSettings(conf)
	if err != nil {
		return err
	}
	s.name, s.set, s.log, s.reporter = c.Connector, set, c.Log, c.Reporter
	s.partitions = c.Sink
	if c.Configs != nil {
		s.set.options.Now = func() (pg.Options, error) {
			conf, err := c.Configs()
			if err != nil {
				return pg.Options{}, err
			}
			now, err := newSettings(conf)
			return now.options, err
		}
	}
	s.cells = &cells{zone: set.zone, dateZone: set.dateZone, timestamps: set.timestamps, unit: set.unit}
	s.count(c.Metrics)
	s.runs = map[pg.Name]run{}
	s.forget()
	return nil
}

// connect makes the pool, and checks the tables that are there already.
func (s *Sink) connect(ctx context.Context, conf connector.Config) error {
	pool, remarks, err := pg.Open(ctx, s.set.options)
	if err != nil {
		return err
	}
	s.pool, s.database = pool, pool.Config().ConnConfig.Database
	for _, r := range remarks {
		s.log.Warn("connection.url: " + r)
	}
	unnoted, err := s.checkVersion(ctx)
	if err != nil {
		return err
	}
	if unnoted {
		s.log.Warn("no version of the database is noted: hydraulics database up does, and changes what is older", "database.version", s.set.version)
	}
	if s.set.storeOffsets {
		if s.offsets, err = openOffsets(ctx, pool, s.set.offsetTable, s.name); err != nil {
			return fmt.Errorf("table of offsets %s: %w", s.set.offsetTable, err)
		}
	}
	topics, _ := conf.Props().Text("topics")
	for topic := range strings.SplitSeq(topics, ",") {
		if topic = strings.TrimSpace(topic); topic == "" {
			continue
		}
		if err := s.checkTable(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}

// checkVersion says that the flow's database is older than this connector needs, and
// tells where no version is noted. It is changed by who runs it, never from here.
func (s *Sink) checkVersion(ctx context.Context) (unnoted bool, err error) {
	if s.set.version == 0 {
		return false, nil
	}
	has, noted, err := pg.Version(ctx, s.pool)
	switch {
	case err != nil:
		return false, fmt.Errorf("version of the database: %w", err)
	case noted && has < int64(s.set.version):
		return false, connector.Coded("H5008", fmt.Errorf("the database has version %d, and database.version is %d: run hydraulics database up", has, s.set.version))
	}
	return !noted, nil
}

func (s *Sink) count(m connector.Metrics) {
	s.counters = counters{
		rows:      map[string]connector.Counter{},
		created:   m.Counter("postgres_tables_created_total", "Tables created."),
		altered:   m.Counter("postgres_tables_altered_total", "Tables that columns were added to."),
		errant:    m.Counter("postgres_errant_records_total", "Records that the database refused."),
		skipped:   m.Counter("postgres_skipped_records_total", "Deletions and truncations that the configuration leaves out."),
		records:   m.Histogram("postgres_transaction_records", "Records of a transaction.", []float64{1, 10, 100, 1000, 10000}),
		connected: m.Gauge("postgres_connected", "Whether the database answered last: 1, else 0."),
		seconds:   m.Histogram("postgres_transaction_seconds", "Time to write a batch.", []float64{0.001, 0.01, 0.1, 1, 10}),
	}
	for _, op := range []string{modeInsert, modeUpsert, modeUpdate, modeDelete, modeTruncate} {
		s.counters.rows[op] = m.Counter("postgres_rows_total", "Rows sent, by operation.", "operation", op)
	}
}

// checkTable says before the first record that a table does not go with the key.
func (s *Sink) checkTable(ctx context.Context, topic string) error {
	if s.set.fromSource { // the records say which table
		return nil
	}
	name, err := s.tableName(topic, s.set.format)
	if err != nil {
		return err
	}
	t, err := s.read(ctx, name)
	if err == nil && t == nil && s.set.validate && !s.set.create {
		return errMissing(name)
	}
	if err != nil || t == nil || len(s.set.pkFields) == 0 {
		return err // a table that is missing may be created by the first record
	}
	sh := &shape{topic: topic}
	for _, f := range s.set.pkFields {
		sh.fields = append(sh.fields, field{name: f, key: true})
	}
	if missing := missingFields(t, sh); len(missing) > 0 {
		return fmt.Errorf("table %s has no column %s, which pk.fields names", t.Name, missing[0].name)
	}
	p := &plan{table: t, operation: s.set.mode}
	for i, f := range sh.fields {
		c, _ := t.Column(f.name)
		p.columns, p.keys = append(p.columns, c), append(p.keys, i)
	}
	if err := p.checkKey(); err != nil {
		return err
	}
	return s.checkUse(ctx, p)
}

// checkUse says before the first record what else a table has against its use: a
// privilege that lacks, or a second constraint by which rows of other keys, which
// other partitions have, are in each other's way.
func (s *Sink) checkUse(ctx context.Context, p *plan) error {
	for _, columns := range p.table.Unique {
		if keys := p.keyNames(); !sameNames(columns, keys) {
			s.log.Warn("the table has another unique constraint than the key's: rows of two partitions may take each other's value, in an order that nobody knows",
				"table", p.table.Name.String(), "key", strings.Join(keys, ", "), "unique", strings.Join(columns, ", "))
		}
	}
	rights := p.rights()
	if s.set.deletes {
		rights = append(rights, pg.Right{Privilege: "DELETE"})
	}
	if s.set.truncates {
		rights = append(rights, pg.Right{Privilege: "TRUNCATE"})
	}
	grants, err := p.table.Grants(ctx, s.pool, rights)
	if err == nil && grants != "" {
		err = connector.Coded("H5004", fmt.Errorf("table %s: the user lacks privileges: run %s", p.table.Name, grants))
	}
	return err
}

// sameNames tells whether two lists have the same names, in any order.
func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// forget drops what is known of tables, which may have changed.
func (s *Sink) forget() {
	s.shapes, s.plans, s.known = map[shapeKey]*shape{}, map[shapeKey]*plan{}, map[pg.Name]*pg.Table{}
}

// mark gives an error its kind: of the environment it may be retried, attempts
// times, the rest ends the task.
func (s *Sink) mark(err error, attempts int, after connector.RetryOption) error {
	advice, code := pg.Advice(err), ""
	switch state := pg.State(err); {
	case strings.HasPrefix(state, "28"):
		advice, code = "check connection.user and connection.password", "H5002"
	case strings.HasPrefix(state, "3D"):
		advice, code = "check the database in connection.url", "H5003"
	case state == "42501":
		code = "H5004"
	case state != "":
		code = "H5007"
	}
	if advice != "" {
		err = fmt.Errorf("%w: %s", err, advice)
	}
	switch {
	case err == nil || connector.KindOf(err) != connector.KindUnmarked || errors.Is(err, context.Canceled):
		return err
	case pg.Classify(err) == pg.Environment || errors.Is(err, errOver) || errors.Is(err, errAltered):
		if (code == "" || code == "H5007") && !errors.Is(err, errOver) {
			code = "H5001"
		}
		return connector.Coded(code, connector.Retriable(err, connector.Attempts(attempts), after))
	}
	return connector.Coded(code, connector.Fatal(err))
}

// heard notes whether the database answers.
func (s *Sink) heard(err error) {
	connected := 1.0
	if pg.Classify(err) == pg.Environment || s.pool == nil {
		connected = 0
	}
	s.counters.connected.Set(connected)
}

// Batch says how many records one transaction is to have.
func (s *Sink) Batch() (records int, linger time.Duration) { return s.set.batch, s.set.linger }

// Put writes a batch in one transaction. After an error nothing of it is
// written, unless the answer to the commit was lost.
func (s *Sink) Put(ctx context.Context, records []connector.Record) error {
	if len(records) == 0 {
		return nil
	}
	err := s.put(ctx, records)
	s.heard(err)
	return s.mark(err, s.set.retries, connector.After(s.set.backoff))
}

// planOf gives how a record is written. Errors that are about the record alone
// are marked as data.
func (s *Sink) planOf(ctx context.Context, r *connector.Record, sh *shape, key shapeKey) (*plan, error) {
	if p := s.plans[key]; p != nil {
		return p, nil
	}
	t, err := s.table(ctx, sh)
	var p *plan
	if err == nil {
		p, err = newPlan(sh, t, s.set.mode)
	}
	if err == nil && s.set.validate {
		err = p.fits(s.set.timestamps)
	}
	if connector.KindOf(err) == connector.KindData {
		err = s.at(r, err)
	}
	if err != nil {
		return nil, err
	}
	s.plans[key] = p
	return p, nil
}

// Stop closes the connections.
func (s *Sink) Stop() error {
	if s.pool != nil {
		s.pool.Close()
		s.pool = nil
	}
	return nil
}
