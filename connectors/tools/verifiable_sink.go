package tools

import (
	"context"
	"fmt"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Sink         = (*VerifiableSink)(nil)
	_ connector.Flusher      = (*VerifiableSink)(nil)
	_ connector.TaskSplitter = (*VerifiableSink)(nil)
)

func init() { connector.RegisterSink(func() connector.Sink { return new(VerifiableSink) }) }

// VerifiableSink prints a line for each record when it comes, and one when it
// has been flushed.
type VerifiableSink struct {
	name      string
	id        int
	unflushed []line
	out       *printer // nil for standard output
}

// Info describes the plugin.
func (*VerifiableSink) Info() connector.Info {
	return connector.Info{Name: "verifiable-sink", Version: Version, Class: javaPackage + "VerifiableSinkConnector",
		Doc: "Prints which records came, and which were flushed."}
}

// ConfigDef gives the keys.
func (*VerifiableSink) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "id", Type: connector.IntKey, Default: 0, Importance: connector.Low,
		Doc: "The number of the task; set by the connector."})
}

// TaskConfigs gives tasks.max tasks.
func (*VerifiableSink) TaskConfigs(_ context.Context, _ connector.Context, conf connector.Config, n int) ([]connector.Props, error) {
	return numbered(conf, n), nil
}

// Start has nothing to open.
func (s *VerifiableSink) Start(_ context.Context, c connector.Context, conf connector.Config) error {
	s.name, s.id = c.Connector, conf.Int("id")
	if s.out == nil {
		s.out = stdout
	}
	return nil
}

// Put prints the records.
func (s *VerifiableSink) Put(_ context.Context, records []connector.Record) error {
	now := time.Now().UnixMilli()
	lines := make([]line, len(records))
	for i, r := range records {
		l := line{Name: s.name, SinkTask: &s.id, Topic: r.Topic, TimeMS: now, Offset: &r.Origin.Offset}
		var err error
		if l.Task, err = raw(r.KeySchema, r.Key); err != nil {
			return fmt.Errorf("key of %s[%d]@%d: %w", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, err)
		}
		if l.Seqno, err = raw(r.ValueSchema, r.Value); err != nil {
			return fmt.Errorf("value of %s[%d]@%d: %w", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, err)
		}
		lines[i] = l
	}
	if err := s.out.print(lines...); err != nil {
		return err
	}
	s.unflushed = append(s.unflushed, lines...)
	return nil
}

// Flush prints again what was printed since the last one.
func (s *VerifiableSink) Flush(context.Context) error {
	now := time.Now().UnixMilli()
	for i := range s.unflushed {
		s.unflushed[i].TimeMS, s.unflushed[i].Flushed = now, true
	}
	err := s.out.print(s.unflushed...)
	if err == nil {
		s.unflushed = s.unflushed[:0]
	}
	return err
}

// Stop has nothing to release.
func (*VerifiableSink) Stop() error { return nil }
