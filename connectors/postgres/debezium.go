package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Sink      = (*DebeziumSink)(nil)
	_ connector.Validator = (*DebeziumSink)(nil)
)

func init() { connector.RegisterSink(func() connector.Sink { return new(DebeziumSink) }) }

// DebeziumSink is the sink with the keys of Debezium's, so that its files run as
// they are.
type DebeziumSink struct{ Sink }

// The values of Debezium's schema.evolution.
const evolveNone, evolveValidate, evolveBasic = "none", "validate-only", "basic"

// Info describes the plugin.
func (*DebeziumSink) Info() connector.Info {
	return connector.Info{
		Name: "postgres-debezium", Version: Version,
		Class: "io.debezium.connector.jdbc.JdbcSinkConnector",
		Doc:   "Writes records to tables of PostgreSQL, with the keys of Debezium's JDBC sink.",
	}
}

// debeziumKey is a key of Debezium's with ours for it, "" for one that
// DebeziumSink.props translates.
type debeziumKey struct {
	connector.Key
	ours string
}

// debezium are the keys of Debezium's that there is something for, older words behind
// the ones that count more.
var debezium = []debeziumKey{
	{connector.Key{Name: "connection.url", Type: connector.StringKey, Required: true, Importance: connector.High, Group: connectionGroup, Width: "LONG", Check: connector.NotEmpty,
		Doc: "The database, such as jdbc:postgresql://localhost:5432/topics."}, "connection.url"},
	{connector.Key{Name: "connection.username", Type: connector.StringKey, Importance: connector.High, Group: connectionGroup,
		Doc: "The user, when the URL does not say."}, "connection.user"},
	{connector.Key{Name: "connection.password", Type: connector.PasswordKey, Importance: connector.High, Group: connectionGroup,
		Doc: "The user's password."}, "connection.password"},
	{connector.Key{Name: "insert.mode", Type: connector.StringKey, Default: modeInsert, Check: connector.OneOf(modeInsert, modeUpsert, modeUpdate), Importance: connector.High, Group: writeGroup,
		Doc: "insert: add rows. upsert: add rows, or change those of the same key. update: change rows only."}, "insert.mode"},
	{connector.Key{Name: "batch.size", Type: connector.IntKey, Default: 500, Check: connector.Between(1, 1_000_000), Group: writeGroup,
		Doc: "The most rows of one statement."}, "batch.size"},
	{lingerKey, lingerKey.Name}, {offsetStoreKey, offsetStoreKey.Name}, {offsetTableKey, offsetTableKey.Name},
	{truncateKey, truncateKey.Name},
	{connector.Key{Name: "delete.enabled", Type: connector.BooleanKey, Default: false, Group: writeGroup,
		Doc: "Whether a record with a null value deletes the row of its key; needs primary.key.mode=record_key."}, "delete.enabled"},
	{connector.Key{Name: "flush.max.retries", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(0)), Group: writeGroup,
		Doc: "How often to repeat a batch that the environment made fail, before the task fails. Without it a batch is repeated without end."}, "max.retries"},
	{connector.Key{Name: "flush.retry.delay.ms", Type: connector.IntKey, Default: 1000, Check: connector.AtLeast(0), Group: writeGroup,
		Doc: "The least time before a batch is repeated."}, "retry.backoff.ms"},
	{connector.Key{Name: "primary.key.mode", Type: connector.StringKey, Default: pkNone, Check: connector.OneOf(pkNone, pkKafka, pkRecordKey, pkRecordValue), Importance: connector.High, Group: mapGroup,
		Doc: "Where a row's key comes from: kafka, record_key or record_value."}, "pk.mode"},
	{connector.Key{Name: "primary.key.fields", Type: connector.ListKey, Default: []string{}, Group: mapGroup, Width: "LONG",
		Doc: "The fields of the key; none for all."}, "pk.fields"},
	{connector.Key{Name: "collection.name.format", Type: connector.StringKey, Default: "${topic}", Check: connector.NotEmpty, Group: mapGroup, Width: "LONG",
		Doc: "The table, with ${topic} for the record's topic, in which what is neither a letter, a digit nor an underscore becomes an underscore, and ${source.table}, ${source.schema} and the like for what the source in an envelope says."}, "table.name.format"},
	{connector.Key{Name: "use.time.zone", Type: connector.StringKey, Default: "UTC", Check: zone, Group: mapGroup,
		Doc: "The time zone in which timestamps are written to columns without one."}, "db.timezone"},
	{connector.Key{Name: "schema.evolution", Type: connector.StringKey, Default: evolveNone, Check: connector.OneOf(evolveNone, evolveValidate, evolveBasic), Group: ddlGroup,
		Doc: "basic: create tables and columns that are missing. validate-only: the task ends where a table is missing, or a column does not go with its field."}, ""},
	{connector.Key{Name: "quote.identifiers", Type: connector.BooleanKey, Default: false, Group: ddlGroup,
		Doc: "Whether names are as the records have them; else PostgreSQL's lower case."}, ""},
	{connector.Key{Name: "table.name.format", Type: connector.StringKey, Check: connector.NotEmpty, Importance: connector.Low, Group: mapGroup, Width: "LONG",
		Doc: "The older word for collection.name.format, which counts where both are there."}, "table.name.format"},
	{connector.Key{Name: "database.time_zone", Type: connector.StringKey, Check: connector.Optional(zone), Importance: connector.Low, Group: mapGroup,
		Doc: "The older word for use.time.zone, which counts where both are there."}, "db.timezone"},
}

// ConfigDef gives Debezium's keys.
func (*DebeziumSink) ConfigDef() *connector.ConfigDef {
	keys := make([]connector.Key, len(debezium))
	for i, d := range debezium {
		keys[i] = d.Key
	}
	return connector.NewConfigDef(keys...)
}

// props gives a configuration in the sink's own keys.
func (s *DebeziumSink) props(conf connector.Config) connector.Props {
	p := conf.Props().Clone()
	for _, own := range s.Sink.ConfigDef().Keys() {
		delete(p, own.Name)
	}
	for _, k := range debezium {
		delete(p, k.Name)
	}
	for _, k := range debezium {
		text, given := conf.Props().Text(k.Name)
		if _, newer := p[k.ours]; given && !newer && k.ours != "" {
			p[k.ours] = text
		}
	}
	p["batch.size"], p["retry.backoff.ms"] = strconv.Itoa(conf.Int("batch.size")), strconv.Itoa(conf.Int("flush.retry.delay.ms"))
	p["table.name.normalize"], p["quote.sql.identifiers"] = "true", quoteNever
	if conf.Bool("quote.identifiers") {
		p["quote.sql.identifiers"] = quoteAlways
	}
	switch conf.String("schema.evolution") {
	case evolveBasic:
		p["auto.create"], p["auto.evolve"] = "true", "true"
	case evolveValidate:
		p["schema.validate"] = "true"
	}
	return p
}

// inDebezium puts Debezium's keys into a message of the sink's.
var inDebezium = strings.NewReplacer("pk.mode", "primary.key.mode", "pk.fields", "primary.key.fields")

// Validate finds what the sink has against the keys together.
func (s *DebeziumSink) Validate(conf connector.Config, p *connector.Problems) {
	own, _ := s.Sink.ConfigDef().Check(s.props(conf)) // each key by itself has been checked as Debezium's
	found := new(connector.Problems)
	s.Sink.Validate(own, found)
	for _, x := range found.List() {
		key := x.Key
		if i := slices.IndexFunc(debezium, func(k debeziumKey) bool { return k.ours == key }); i >= 0 {
			key = debezium[i].Name
		}
		p.Add(key, "%s", inDebezium.Replace(x.Message))
	}
}

// Start connects with the sink's own keys.
func (s *DebeziumSink) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	own, err := s.begin(&c, conf)
	if err != nil {
		return err
	}
	return s.Sink.Start(ctx, c, own)
}

// Preview shows what would be written, with the sink's own keys.
func (s *DebeziumSink) Preview(ctx context.Context, c connector.Context, conf connector.Config, records []connector.Record) error {
	own, err := s.begin(&c, conf)
	if err != nil {
		return err
	}
	return s.Sink.Preview(ctx, c, own, records)
}

// Check looks at the database and the tables, with the sink's own keys.
func (s *DebeziumSink) Check(ctx context.Context, c connector.Context, conf connector.Config, found func(connector.Finding)) {
	own, err := s.begin(&c, conf)
	if err != nil {
		found(connector.Finding{What: "database", Err: connector.Coded("H1009", err)})
		return
	}
	s.Sink.Check(ctx, c, own, found)
}

// begin makes the sink Debezium's, and gives its configuration in its own keys.
func (s *DebeziumSink) begin(c *connector.Context, conf connector.Config) (connector.Config, error) {
	if configs := c.Configs; configs != nil {
		c.Configs = func() (connector.Config, error) {
			conf, err := configs()
			if err != nil {
				return conf, err
			}
			return s.own(conf)
		}
	}
	s.passDeletes = true
	return s.own(conf)
}

// own gives a configuration as the sink's own.
func (s *DebeziumSink) own(conf connector.Config) (connector.Config, error) {
	return connector.ParsePlugin(&s.Sink, s.props(conf))
}

// AlterTopicOffsets changes them with the sink's own keys.
func (s *DebeziumSink) AlterTopicOffsets(ctx context.Context, c connector.Context, conf connector.Config, changed map[connector.TopicPartition]*int64) error {
	own, err := s.own(conf)
	if err != nil {
		return err
	}
	return s.Sink.AlterTopicOffsets(ctx, c, own, changed)
}
