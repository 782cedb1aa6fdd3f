// Package example is a source. Its readings are made up: Poll is where yours asks an
// instrument or another system.
package example

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

var _ connector.Source = (*Source)(nil)

func init() { connector.RegisterSource(func() connector.Source { return new(Source) }) }

var schema = connector.StructOf("example.reading",
	connector.F("number", connector.Int64Schema),
	connector.F("temperature", connector.Float64Schema.WithDoc("degrees Celsius")),
)

// Source gives one record per reading.
type Source struct {
	topic    string
	readings int64
	next     int64 // the reading to give next
}

// Info names the plugin: connector.class: example
func (*Source) Info() connector.Info {
	return connector.Info{Name: "example", Version: "0.1.0", Doc: "Readings of an instrument."}
}

// ConfigDef gives the keys; the worker checks them and reports every mistake at once.
func (*Source) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "topic", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Doc: "Where readings go."},
		connector.Key{Name: "readings", Type: connector.LongKey, Default: 1000, Check: connector.AtLeast(1), Doc: "How many there are."},
	)
}

// Start connects, and resumes behind the last committed reading.
func (s *Source) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.topic, s.readings = conf.String("topic"), conf.Int64("readings")
	offset, err := c.Offsets.Offset(ctx, map[string]any{"instrument": "example"})
	if err != nil {
		return err
	}
	if n, ok := offset["next"].(json.Number); ok {
		s.next, err = n.Int64()
	}
	return err
}

// Poll gives the next readings. It returns soon after ctx ends, and needs no retries,
// counters or commits of its own: the worker has them. What may be tried again it
// marks with connector.Retriable.
func (s *Source) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if s.next >= s.readings {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return nil, nil
	}
	var records []connector.SourceRecord
	for ; s.next < s.readings && len(records) < 100; s.next++ {
		value := connector.NewStruct(schema).Set("number", s.next).Set("temperature", 12+3*math.Sin(float64(s.next)/100))
		records = append(records, connector.SourceRecord{
			Record:          connector.NewRecord(s.topic, connector.Int64Schema, s.next, schema, value),
			SourcePartition: map[string]any{"instrument": "example"},
			SourceOffset:    map[string]any{"next": s.next + 1},
		})
	}
	return records, nil
}

// Stop disconnects. It may be called twice, and without Start.
func (s *Source) Stop() error { return nil }
