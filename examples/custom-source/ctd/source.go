// Package ctd is a source for a CTD: an instrument that is lowered through the
// water and measures conductivity, temperature and depth. This one makes the
// measurements up; Poll is where yours would read the serial line.
package ctd

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

func init() { connector.RegisterSource(func() connector.Source { return new(Source) }) }

var schema = connector.StructOf("ctd.scan",
	connector.F("scan", connector.Int64Schema),
	connector.F("depth", connector.Float64Schema.WithDoc("m")),
	connector.F("temperature", connector.Float64Schema.WithDoc("degrees Celsius")),
	connector.F("conductivity", connector.Float64Schema.WithDoc("S/m")),
)

// Source gives one record per scan.
type Source struct {
	topic string
	scans int64
	next  int64 // the scan to give next
}

// Info names the plugin: connector.class: ctd
func (*Source) Info() connector.Info {
	return connector.Info{Name: "ctd", Version: "1.0.0", Doc: "Scans of a CTD."}
}

// ConfigDef gives the keys; the framework checks them and reports every mistake at once.
func (*Source) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "topic", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Doc: "Where scans go."},
		connector.Key{Name: "scans", Type: connector.LongKey, Default: 1000, Check: connector.AtLeast(1), Doc: "Scans of a cast."},
	)
}

// Start resumes behind the last committed scan.
func (s *Source) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.topic, s.scans = conf.String("topic"), conf.Int64("scans")
	offset, err := c.Offsets.Offset(ctx, map[string]any{"instrument": "ctd"})
	if err != nil {
		return err
	}
	if n, ok := offset["scan"].(json.Number); ok {
		s.next, err = n.Int64()
	}
	return err
}

// Poll gives the next scans. It returns soon after ctx ends, and needs no
// retries, counters or commits of its own: the runtime has them.
func (s *Source) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if s.next >= s.scans {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return nil, nil
	}
	var records []connector.SourceRecord
	for ; s.next < s.scans && len(records) < 100; s.next++ {
		depth := float64(s.next) / 10
		value := connector.NewStruct(schema).Set("scan", s.next).Set("depth", depth).
			Set("temperature", 4+14*math.Exp(-depth/40)).Set("conductivity", 3.2+1.1*math.Exp(-depth/40))
		records = append(records, connector.SourceRecord{
			Record:          connector.NewRecord(s.topic, connector.Int64Schema, s.next, schema, value),
			SourcePartition: map[string]any{"instrument": "ctd"},
			SourceOffset:    map[string]any{"scan": s.next + 1},
		})
	}
	return records, nil
}

// Stop would close the serial line.
func (s *Source) Stop() error { return nil }
