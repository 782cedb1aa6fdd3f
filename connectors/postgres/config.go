package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// The values of insert.mode, pk.mode and schema.from.
const (
	modeInsert, modeUpsert, modeUpdate              = "insert", "upsert", "update"
	modeDelete, modeTruncate                        = "delete", "truncate" // what records say themselves
	modeNothing                                     = "nothing"            // an update that says no value
	pkNone, pkKafka, pkRecordKey, pkRecordValue     = "none", "kafka", "record_key", "record_value"
	fromRecord, fromTable                           = "record", "table"
	kindTable, kindPartitioned, kindView            = "TABLE", "PARTITIONED TABLE", "VIEW"
	dateZoneOfDB, dateZoneUTC                       = "DB_TIMEZONE", "UTC"
	precisionMicro, precisionNano                   = "microseconds", "nanoseconds"
	storeKafka, storeSink                           = "kafka", "sink"
	quoteAlways, quoteNever                         = "always", "never"
	connectionGroup, writeGroup, mapGroup, ddlGroup = "Connection", "Writes", "Data Mapping", "DDL Support"
)

// defaultAnswer is how long to wait for an answer where nothing says.
const defaultAnswer = 2 * time.Minute

// kafkaFields are the columns of pk.mode=kafka when pk.fields names no others.
var kafkaFields = []string{"__connect_topic", "__connect_partition", "__connect_offset"}

func configDef() *connector.ConfigDef {
	return connector.NewConfigDef(slices.Concat(connectionKeys(), writeKeys(), mappingKeys(), ddlKeys())...)
}

func connectionKeys() []connector.Key {
	return []connector.Key{
		{Name: "connection.url", Type: connector.StringKey, Required: true, Importance: connector.High, Group: connectionGroup, Width: "LONG", Check: connector.NotEmpty,
			Doc: "The database, such as jdbc:postgresql://localhost:5432/topics or postgres://localhost:5432/topics. Parameters of pgjdbc are understood."},
		{Name: "connection.user", Type: connector.StringKey, Importance: connector.High, Group: connectionGroup,
			Doc: "The user, when the URL does not say."},
		{Name: "connection.password", Type: connector.PasswordKey, Importance: connector.High, Group: connectionGroup,
			Doc: "The user's password."},
		{Name: "connection.attempts", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(1)), Importance: connector.Low, Group: connectionGroup,
			Doc: "How often a task tries to connect when it starts, before it fails. Without it the task tries for ever."},
		{Name: "connection.backoff.ms", Type: connector.LongKey, Default: 10_000, Check: connector.AtLeast(0), Importance: connector.Low, Group: connectionGroup,
			Doc: "The least time between two attempts to connect."},
		{Name: "dialect.name", Type: connector.StringKey, Default: "", Check: connector.OneOf("", "PostgreSqlDatabaseDialect"), Importance: connector.Low, Group: connectionGroup,
			Doc: "Only PostgreSqlDatabaseDialect, which is also meant without it."},
	}
}

// Keys of ours that Debezium's name has, too.
var (
	lingerKey = connector.Key{Name: "batch.linger.ms", Type: connector.LongKey, Default: 10, Check: connector.Between(0, 3_600_000), Importance: connector.Low, Group: writeGroup,
		Doc: "How long the first record of a transaction waits for others, until there are batch.size. 0: a transaction is what one poll of Kafka brings. consumer.override.max.poll.records, where it is set, bounds it, too."}
	offsetStoreKey = connector.Key{Name: "offset.store", Type: connector.StringKey, Default: storeKafka, Check: connector.OneOf(storeKafka, storeSink), Group: writeGroup,
		Doc: "Where the connector's offsets are that count. kafka: in its consumer group; after a crash or a lost answer records may be written twice. sink: in a table, offset.store.table, moved by the transaction that writes the records, so that each is written exactly once."}
	truncateKey = connector.Key{Name: "truncate.enabled", Type: connector.BooleanKey, Default: false, Importance: connector.Low, Group: writeGroup,
		Doc: "Whether an envelope of Debezium's that says that a table was truncated empties it, after what came before it; else the record is passed over."}
	offsetTableKey = connector.Key{Name: "offset.store.table", Type: connector.StringKey, Default: "hydraulics_offsets", Check: connector.NotEmpty, Importance: connector.Low, Group: writeGroup,
		Doc: "The table of offset.store=sink, which is made where it is missing. Connectors may share it: their names tell their rows apart."}
)

func writeKeys() []connector.Key {
	return []connector.Key{
		{Name: "insert.mode", Type: connector.StringKey, Default: modeInsert, Check: connector.OneOf(modeInsert, modeUpsert, modeUpdate, "multi"), Importance: connector.High, Group: writeGroup,
			Doc: "insert: add rows. upsert: add rows, or change those of the same key. update: change rows only. multi is another word for insert."},
		{Name: "batch.size", Type: connector.IntKey, Default: 3000, Check: connector.Between(1, 1_000_000), Group: writeGroup,
			Doc: "The most rows of one statement, and as many records as one transaction is to have."},
		lingerKey,
		{Name: "delete.enabled", Type: connector.BooleanKey, Default: false, Group: writeGroup,
			Doc: "Whether a record with a null value deletes the row of its key; needs pk.mode=record_key."},
		truncateKey,
		{Name: "max.retries", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(0)), Group: writeGroup,
			Doc: "How often to repeat a batch that the environment made fail, before the task fails. 0: the task fails at once, and its restart policy brings it back. Without it a batch is repeated without end."},
		{Name: "retry.backoff.ms", Type: connector.IntKey, Default: 3000, Check: connector.AtLeast(0), Group: writeGroup,
			Doc: "The least time before a batch is repeated."},
		{Name: "statement.timeout.ms", Type: connector.LongKey, Check: connector.Optional(connector.AtLeast(1)), Importance: connector.Low, Group: writeGroup,
			Doc: "How long to wait for the database's answer to a statement, before its connection is dropped and the batch is repeated. Without it the socketTimeout of connection.url, else two minutes."},
		offsetStoreKey,
		offsetTableKey,
		{Name: "replace.null.with.default", Type: connector.BooleanKey, Default: true, Group: writeGroup,
			Doc: "Whether the schema's default stands for a field that is null."},
		{Name: "trim.sensitive.log", Type: connector.BooleanKey, Default: true, Importance: connector.Low, Group: writeGroup,
			Doc: "Leave the values of rows out of error messages, and with them what functions of the database, such as triggers, say in their own words."},
	}
}

func mappingKeys() []connector.Key {
	return []connector.Key{
		{Name: "table.name.format", Type: connector.StringKey, Default: "${topic}", Check: connector.NotEmpty, Group: mapGroup, Width: "LONG",
			Doc: "The table, as table, schema.table or database.schema.table, with ${topic} for the record's topic, and ${source.table}, ${source.schema} and the like for what the source in an envelope of Debezium's says. Dots part, unless in double quotes: \"${topic}\"."},
		{Name: "table.name.normalize", Type: connector.BooleanKey, Default: false, Group: mapGroup,
			Doc: "Replace characters of the topic that are neither letters, digits nor underscores by underscores."},
		{Name: "topics.to.tables.mapping", Type: connector.ListKey, Group: mapGroup, Width: "LONG",
			Doc: "Tables of certain topics, as topic:table,...; other topics go by table.name.format."},
		{Name: "table.types", Type: connector.ListKey, Default: []string{kindTable}, Check: connector.ListOf(false, kindTable, kindPartitioned, kindView), Importance: connector.Low, Group: mapGroup,
			Doc: "What may be written to: TABLE, PARTITIONED TABLE, VIEW."},
		{Name: "pk.mode", Type: connector.StringKey, Default: pkNone, Check: connector.OneOf(pkNone, pkKafka, pkRecordKey, pkRecordValue), Importance: connector.High, Group: mapGroup,
			Doc: "Where a row's key comes from. kafka: topic, partition and offset. record_key: the record's key, primitive or struct. record_value: fields of its value."},
		{Name: "pk.fields", Type: connector.ListKey, Default: []string{}, Group: mapGroup, Width: "LONG",
			Doc: "The fields of the key. kafka: three column names, or none for __connect_topic, __connect_partition, __connect_offset. record_key: fields of the key, none for all; of a primitive key the one column name. record_value: fields of the value, none for all."},
		{Name: "fields.whitelist", Type: connector.ListKey, Default: []string{}, Group: mapGroup, Width: "LONG",
			Doc: "The fields of the value to write, besides those of the key; none for all."},
		{Name: "db.timezone", Type: connector.StringKey, Default: "UTC", Check: zone, Group: mapGroup,
			Doc: "The time zone in which timestamps are written to columns without one, such as UTC or America/New_York."},
		{Name: "date.timezone", Type: connector.StringKey, Default: dateZoneOfDB, Check: connector.OneOf(dateZoneOfDB, dateZoneUTC), Importance: connector.Low, Group: mapGroup,
			Doc: "The time zone of dates. DB_TIMEZONE: west of Greenwich a date becomes the day before, as the Java connector has it. UTC: a date stays what it is."},
		{Name: "timestamp.fields.list", Type: connector.ListKey, Default: []string{}, Group: mapGroup,
			Doc: "Fields that are timestamps though their schema says int64 (see timestamp.precision.mode) or string."},
		{Name: "timestamp.precision.mode", Type: connector.StringKey, Default: precisionMicro, Check: connector.OneOf(precisionMicro, precisionNano), Importance: connector.Low, Group: mapGroup,
			Doc: "The unit since 1970 UTC of the int64 fields in timestamp.fields.list: microseconds or nanoseconds."},
		{Name: "schema.from", Type: connector.StringKey, Default: fromRecord, Check: connector.OneOf(fromRecord, fromTable), Group: mapGroup,
			Doc: "record: a value is a struct with a schema. table: a value may also be a map without schema, such as plain JSON; the columns of the table, which must be there, say what its fields are."},
	}
}

func ddlKeys() []connector.Key {
	return []connector.Key{
		{Name: "auto.create", Type: connector.BooleanKey, Default: false, Group: ddlGroup,
			Doc: "Whether to create a table that is missing."},
		{Name: "auto.evolve", Type: connector.BooleanKey, Default: false, Group: ddlGroup,
			Doc: "Whether to add columns that are missing. Nothing is ever dropped or changed."},
		{Name: "schema.validate", Type: connector.BooleanKey, Default: false, Importance: connector.Low, Group: ddlGroup,
			Doc: "Whether the task ends, before a row is written, where a table of its topics is missing, or has a column that takes no value of its field's type; else such records are refused one by one."},
		{Name: "database.version", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(1)), Importance: connector.Low, Group: ddlGroup,
			Doc: "The version that the flow's database must have at least (hydraulics database up), looked at when a task starts; a database of which no version is noted is warned of. Without it nothing is asked."},
		{Name: "quote.sql.identifiers", Type: connector.StringKey, Default: quoteAlways, Check: connector.OneOf(quoteAlways, quoteNever), Group: ddlGroup,
			Doc: "always: names are as the records have them. never: names are folded to lower case, as PostgreSQL folds unquoted ones."},
		{Name: "sql.quote.identifiers", Type: connector.BooleanKey, Importance: connector.Low, Group: ddlGroup,
			Doc: "Another spelling of quote.sql.identifiers: true is always, false is never."},
	}
}

func zone(_ string, v any) error {
	name, _ := v.(string)
	if _, err := time.LoadLocation(name); err != nil || name == "" {
		return fmt.Errorf("is no time zone, expected such as UTC or America/New_York")
	}
	return nil
}

// settings is the configuration as the sink uses it.
type settings struct {
	options        pg.Options
	attempts       int // to connect after the first; -1 without end
	connectBackoff time.Duration
	mode           string
	batch          int
	linger         time.Duration
	storeOffsets   bool // in offsetTable
	offsetTable    pg.Name
	deletes        bool
	truncates      bool
	retries        int // -1 without end
	backoff        time.Duration
	answer         time.Duration // the longest wait for one
	defaults, trim bool
	format         string
	fromSource     bool // which names an envelope's source
	normalize      bool
	tables         map[string]string // by topic
	kinds          []pg.Kind
	pkMode         string
	pkFields       []string
	whitelist      map[string]bool // nil: all
	zone, dateZone *time.Location
	timestamps     map[string]bool
	unit           time.Duration
	fromTable      bool
	create, evolve bool
	validate       bool
	version        int // that the database must have, 0 for any
	fold           bool
}

// newSettings takes a configuration that was validated.
func newSettings(conf connector.Config) (settings, error) {
	s := settings{
		options:  pg.Options{URL: conf.String("connection.url"), User: conf.String("connection.user"), Password: conf.Password("connection.password").Secret(), ApplicationName: "hydraulics", MaxConns: 2, Writes: true},
		attempts: -1, connectBackoff: milliseconds(conf, "connection.backoff.ms"),
		mode: conf.String("insert.mode"), batch: conf.Int("batch.size"), linger: milliseconds(conf, "batch.linger.ms"), deletes: conf.Bool("delete.enabled"), truncates: conf.Bool("truncate.enabled"),
		retries: -1, backoff: milliseconds(conf, "retry.backoff.ms"),
		defaults: conf.Bool("replace.null.with.default"), trim: conf.Bool("trim.sensitive.log"),
		format: conf.String("table.name.format"), normalize: conf.Bool("table.name.normalize"), tables: map[string]string{},
		pkMode: conf.String("pk.mode"), pkFields: conf.List("pk.fields"), timestamps: map[string]bool{}, unit: time.Microsecond,
		fromTable: conf.String("schema.from") == fromTable, create: conf.Bool("auto.create"), evolve: conf.Bool("auto.evolve"), validate: conf.Bool("schema.validate"),
		fold: conf.String("quote.sql.identifiers") == quoteNever,
	}
	if conf.Has("database.version") {
		s.version = conf.Int("database.version")
	}
	s.fromSource = sourceField.MatchString(s.format)
	s.answer = cmp.Or(s.options.AnswerTimeout(), defaultAnswer)
	if conf.Has("statement.timeout.ms") {
		s.answer = milliseconds(conf, "statement.timeout.ms")
	}
	if conf.Has("connection.attempts") {
		s.attempts = conf.Int("connection.attempts") - 1
	}
	if conf.Has("max.retries") {
		s.retries = conf.Int("max.retries")
	}
	if conf.Has("sql.quote.identifiers") {
		s.fold = !conf.Bool("sql.quote.identifiers")
	}
	if s.mode == "multi" {
		s.mode = modeInsert
	}
	if s.pkMode == pkKafka && len(s.pkFields) == 0 {
		s.pkFields = kafkaFields
	}
	if s.pkMode == pkNone {
		s.pkFields = nil
	}
	if conf.String("timestamp.precision.mode") == precisionNano {
		s.unit = time.Nanosecond
	}
	for _, pair := range conf.List("topics.to.tables.mapping") {
		topic, table, _ := strings.Cut(pair, ":")
		s.tables[topic] = table
	}
	if list := conf.List("fields.whitelist"); len(list) > 0 {
		s.whitelist = map[string]bool{}
		for _, f := range list {
			s.whitelist[f] = true
		}
	}
	for _, f := range conf.List("timestamp.fields.list") {
		s.timestamps[f] = true
	}
	for _, k := range conf.List("table.types") {
		s.kinds = append(s.kinds, map[string]pg.Kind{kindTable: pg.OrdinaryTable, kindPartitioned: pg.PartitionedTable, kindView: pg.View}[k])
	}
	s.storeOffsets = conf.String("offset.store") == storeSink
	var err error
	if s.offsetTable, err = offsetTableName(conf.String("offset.store.table")); err != nil {
		return s, err
	}
	if s.fold {
		s.offsetTable = s.offsetTable.Lower()
	}
	if s.zone, err = time.LoadLocation(conf.String("db.timezone")); err != nil {
		return s, err
	}
	s.dateZone = s.zone
	if conf.String("date.timezone") == dateZoneUTC {
		s.dateZone = time.UTC
	}
	return s, nil
}

func milliseconds(conf connector.Config, key string) time.Duration {
	return time.Duration(conf.Int64(key)) * time.Millisecond
}

// Validate checks across keys.
func (*Sink) Validate(conf connector.Config, p *connector.Problems) {
	if url := conf.String("connection.url"); url != "" {
		if _, _, err := pg.ParseOptions(pg.Options{URL: url}); err != nil {
			// The URL may hold a password.
			p.Add("connection.url", "%s", connector.Invalid("connection.url", connector.Password(url), err.Error()))
		}
	}
	both := func(a, b, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		p.Add(a, "%s", text)
		p.Add(b, "%s", text)
	}
	mode, fields := conf.String("pk.mode"), conf.List("pk.fields")
	if conf.Bool("delete.enabled") && mode != pkRecordKey {
		both("delete.enabled", "pk.mode", "Deletes are only supported for pk.mode=record_key, but delete.enabled=true and pk.mode=%s", mode)
	}
	if insert := conf.String("insert.mode"); mode == pkNone && (insert == modeUpsert || insert == modeUpdate) {
		both("insert.mode", "pk.mode", "insert.mode=%s needs the key of a row: set pk.mode to kafka, record_key or record_value, and pk.fields", insert)
	}
	if mode == pkKafka && len(fields) != 0 && len(fields) != 3 {
		both("pk.mode", "pk.fields", "pk.mode=kafka takes no pk.fields or the names of three columns for topic, partition and offset, but there are %d: %s", len(fields), strings.Join(fields, ", "))
	}
	if i := slices.IndexFunc(fields, func(f string) bool { return f == "" }); i >= 0 {
		p.Add("pk.fields", "%s", connector.Invalid("pk.fields", fields, "a name is empty"))
	}
	for _, pair := range conf.List("topics.to.tables.mapping") {
		if topic, table, ok := strings.Cut(pair, ":"); !ok || topic == "" || table == "" {
			p.Add("topics.to.tables.mapping", "%s", connector.Invalid("topics.to.tables.mapping", pair, "expected topic:table"))
		}
	}
	if format := conf.String("table.name.format"); format != "" {
		if _, err := pg.ParseName(sourceField.ReplaceAllString(strings.ReplaceAll(format, "${topic}", "t"), "t")); err != nil {
			p.Add("table.name.format", "%s", connector.Invalid("table.name.format", format, err.Error()))
		}
	}
	if table := conf.String("offset.store.table"); table != "" {
		if _, err := offsetTableName(table); err != nil {
			p.Add("offset.store.table", "%s", connector.Invalid("offset.store.table", table, err.Error()))
		}
	}
	if conf.String("schema.from") == fromTable && conf.Bool("auto.create") {
		both("schema.from", "auto.create", "schema.from=table takes the columns from the table, so auto.create=true has nothing to create one from: create the table, or use a converter with schemas")
	}
	checkSchemas(conf, p)
}

// jsonClass is the class of the converter that may give values without schema.
const jsonClass = "org.apache.kafka.connect.json.JsonConverter"

// checkSchemas finds converters that give no record what the sink needs of every
// one. With transforms it cannot be known what they make of it.
func checkSchemas(conf connector.Config, p *connector.Problems) {
	props := conf.Props()
	if text, _ := props.Text("transforms"); text != "" || conf.String("schema.from") == fromTable {
		return
	}
	plain := func(converter string) bool {
		class, _ := props.Text(converter)
		text, _ := props.Text(converter + ".schemas.enable")
		_, inline := props.Text(converter + ".schema.content")
		return class == jsonClass && strings.EqualFold(strings.TrimSpace(text), "false") && !inline
	}
	remedy := "or set schema.from=table, which takes the columns from the table"
	if conf.Bool("auto.create") {
		remedy = "or create the table, and set schema.from=table and auto.create=false"
	}
	const without = "%s: JSON without schema (schemas.enable=false) does not say what the columns are: set schemas.enable=true, use avro, %s"
	if plain("value.converter") {
		p.Add("value.converter", without, "value.converter", remedy)
	}
	if plain("key.converter") && conf.String("pk.mode") == pkRecordKey {
		p.Add("key.converter", without, "key.converter", remedy)
	}
}
