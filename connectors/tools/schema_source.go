package tools

import (
	"context"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Source       = (*SchemaSource)(nil)
	_ connector.TaskSplitter = (*SchemaSource)(nil)
)

func init() { connector.RegisterSource(func() connector.Source { return new(SchemaSource) }) }

// SchemaSource gives a number of records with a schema, or two that take turns.
type SchemaSource struct {
	sequence
	left       int64 // of this start
	partitions int64
	turns      bool
	made       int64 // of this start
}

// The two versions of the values' schema.
var (
	schemaV1 = connector.StructOf("record", recordFields()...).WithVersion(1)
	schemaV2 = connector.StructOf("record", recordFields(connector.F("string", connector.StringSchema.WithDefault("abc")))...).WithVersion(2)
)

// recordFields are the fields of the values, with more of them in between.
func recordFields(more ...connector.Field) []connector.Field {
	list := []connector.Field{
		connector.F("boolean", connector.BooleanSchema), connector.F("int", connector.Int32Schema), connector.F("long", connector.Int64Schema),
		connector.F("float", connector.Float32Schema), connector.F("double", connector.Float64Schema), connector.F("partitioning", connector.Int32Schema),
	}
	return append(append(list, more...), connector.F("id", connector.Int32Schema), connector.F("seqno", connector.Int64Schema))
}

// Info describes the plugin.
func (*SchemaSource) Info() connector.Info {
	return connector.Info{Name: "schema-source", Version: Version, Class: javaPackage + "SchemaSourceConnector",
		Doc: "Gives records with a schema, in one version or in two that take turns."}
}

// ConfigDef gives the keys.
func (*SchemaSource) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(append(sequenceKeys(),
		connector.Key{Name: "num.messages", Type: connector.LongKey, Required: true, Importance: connector.High, Check: connector.AtLeast(0),
			Doc: "How many records each task gives after a start."},
		connector.Key{Name: "multiple.schema", Type: connector.BooleanKey, Default: false, Doc: "Whether two versions of the schema take turns."},
		connector.Key{Name: "partition.count", Type: connector.IntKey, Default: 1, Check: connector.AtLeast(1),
			Doc: "How many values the field partitioning takes."})...)
}

// TaskConfigs gives tasks.max tasks, each with its own sequence.
func (*SchemaSource) TaskConfigs(_ context.Context, _ connector.Context, conf connector.Config, n int) ([]connector.Props, error) {
	return numbered(conf, n), nil
}

// Start resumes behind the committed number.
func (s *SchemaSource) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.left, s.made = conf.Int64("num.messages"), 0
	s.partitions, s.turns = int64(conf.Int("partition.count")), conf.Bool("multiple.schema")
	return s.start(ctx, c, conf)
}

// Poll gives the records that are due, and waits for the end of the task when
// there are no more.
func (s *SchemaSource) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if s.left == 0 {
		<-ctx.Done()
		return nil, nil
	}
	records := s.poll(ctx, s.left, s.record)
	s.left -= int64(len(records))
	return records, nil
}

func (s *SchemaSource) record(seqno int64) connector.Record {
	schema, values := schemaV1, []any{true, int32(12), int64(12), float32(12.2), 12.2, int32(seqno % s.partitions)}
	if s.turns && s.made%2 == 1 {
		schema, values = schemaV2, append(values, "def")
	}
	s.made++
	r := connector.NewRecord(s.topic, connector.StringSchema, "key", schema, connector.StructFrom(schema, append(values, int32(s.id), seqno)))
	r.Partition = int32(s.id)
	return r
}

// Stop has nothing to release.
func (*SchemaSource) Stop() error { return nil }
