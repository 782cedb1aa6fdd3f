package tools

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Source          = (*VerifiableSource)(nil)
	_ connector.TaskSplitter    = (*VerifiableSource)(nil)
	_ connector.RecordCommitter = (*VerifiableSource)(nil)
)

func init() { connector.RegisterSource(func() connector.Source { return new(VerifiableSource) }) }

// VerifiableSource gives numbered records, and prints a line for each when it is
// made and when Kafka has it. Keys are the task's number, values the record's.
type VerifiableSource struct {
	sequence
	complete bool
	out      *printer // nil for standard output
}

// completeSchema is of values that hold what is printed.
var completeSchema = connector.StructOf("",
	connector.F("name", connector.StringSchema), connector.F("task", connector.Int32Schema), connector.F("topic", connector.StringSchema),
	connector.F("time_ms", connector.Int64Schema), connector.F("seqno", connector.Int64Schema))

// Info describes the plugin.
func (*VerifiableSource) Info() connector.Info {
	return connector.Info{Name: "verifiable-source", Version: Version, Class: javaPackage + "VerifiableSourceConnector",
		Doc: "Gives numbered records, and prints which were sent and which have arrived."}
}

// ConfigDef gives the keys.
func (*VerifiableSource) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(append(sequenceKeys(),
		connector.Key{Name: "complete.record.data", Type: connector.BooleanKey, Default: false,
			Doc: "Whether values hold all that is printed, and not the number alone."})...)
}

// TaskConfigs gives tasks.max tasks, each with its own sequence.
func (*VerifiableSource) TaskConfigs(_ context.Context, _ connector.Context, conf connector.Config, n int) ([]connector.Props, error) {
	return numbered(conf, n), nil
}

// Start resumes behind the committed number.
func (s *VerifiableSource) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.complete = conf.Bool("complete.record.data")
	if s.out == nil {
		s.out = stdout
	}
	return s.start(ctx, c, conf)
}

// Poll gives the records that are due, and prints them.
func (s *VerifiableSource) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	var lines []line
	records := s.poll(ctx, math.MaxInt64, func(seqno int64) connector.Record {
		now := time.Now().UnixMilli()
		lines = append(lines, s.line(seqno, now))
		r := connector.NewRecord(s.topic, connector.Int32Schema, int32(s.id), connector.Int64Schema, seqno)
		if s.complete {
			r.ValueSchema, r.Value = completeSchema, connector.StructFrom(completeSchema, []any{s.name, int32(s.id), s.topic, now, seqno})
		}
		return r
	})
	if err := s.out.print(lines...); err != nil {
		return nil, err // it ends the task: the next one makes them again
	}
	return records, nil
}

func (s *VerifiableSource) line(seqno, now int64) line {
	return line{Name: s.name, Task: json.RawMessage(strconv.Itoa(s.id)), Topic: s.topic, TimeMS: now,
		Seqno: json.RawMessage(strconv.FormatInt(seqno, 10))}
}

// CommitRecord prints that Kafka has a record.
func (s *VerifiableSource) CommitRecord(_ context.Context, r connector.SourceRecord, meta *connector.RecordMetadata) error {
	seqno, ok := r.SourceOffset["seqno"].(int64)
	if !ok || meta == nil {
		return nil
	}
	l := s.line(seqno, time.Now().UnixMilli())
	l.Committed = true
	return s.out.print(l)
}

// Stop has nothing to release.
func (*VerifiableSource) Stop() error { return nil }
