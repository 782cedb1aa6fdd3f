package datagen

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Version is what the connector reports.
const Version = "1.0.0"

var _ connector.Source = (*Source)(nil)

func init() { connector.RegisterSource(func() connector.Source { return new(Source) }) }

// Schema is the schema of the values: a number in sequence, the task that made
// it, and a payload of the configured size that depends on the number alone.
var Schema = connector.StructOf("datagen.record",
	connector.F("seq", connector.Int64Schema),
	connector.F("task", connector.Int32Schema),
	connector.F("payload", connector.BytesSchema),
)

// Source gives numbered records, the same for the same configuration, at a
// rate or as fast as it can. Keys are `<task>-<number>`; the offset is the
// number of the next record, so it resumes without gap or repeat.
type Source struct {
	topic    string
	task     int
	next     int64
	limit    int64 // -1 is none
	batch    int
	size     int
	interval time.Duration // per record; 0 is as fast as it can
	due      time.Time
	once     bool
}

// Info describes the plugin.
func (*Source) Info() connector.Info {
	return connector.Info{Name: "datagen", Version: Version, Doc: "Gives made-up, numbered records."}
}

// ConfigDef gives the keys.
func (*Source) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "topic", Type: connector.StringKey, Required: true, Importance: connector.High, Doc: "The topic to publish to."},
		connector.Key{Name: "records", Type: connector.LongKey, Default: -1, Importance: connector.High, Check: connector.AtLeast(-1),
			Doc: "How many records each task gives in all; -1 is no end."},
		connector.Key{Name: "rate", Type: connector.DoubleKey, Default: 0.0, Check: connector.AtLeast(0),
			Doc: "Records per second of each task; 0 is as fast as it can."},
		connector.Key{Name: "batch.size", Type: connector.IntKey, Default: 500, Check: connector.AtLeast(1), Doc: "The most records of one poll."},
		connector.Key{Name: "payload.bytes", Type: connector.IntKey, Default: 100, Check: connector.Between(0, 16<<20), Doc: "Size of the payload field in bytes."},
		connector.Key{Name: "once", Type: connector.BooleanKey, Default: false, Doc: "End the task after the last record, rather than idle."},
		connector.Key{Name: "task", Type: connector.IntKey, Default: 0, Importance: connector.Low, Doc: "The number of the task; set by the connector."},
	)
}

// TaskConfigs gives tasks.max tasks, each with its own sequence.
func (*Source) TaskConfigs(_ context.Context, _ connector.Context, conf connector.Config, maxTasks int) ([]connector.Props, error) {
	tasks := make([]connector.Props, maxTasks)
	for i := range tasks {
		tasks[i] = conf.Props().Clone()
		tasks[i]["task"] = fmt.Sprint(i)
	}
	return tasks, nil
}

// Start resumes behind the committed offset.
func (s *Source) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.topic, s.task = conf.String("topic"), conf.Int("task")
	s.limit, s.batch, s.size = conf.Int64("records"), conf.Int("batch.size"), conf.Int("payload.bytes")
	if r := conf.Float64("rate"); r > 0 {
		s.interval = time.Duration(float64(time.Second) / r)
	}
	if c.Offsets != nil {
		off, err := c.Offsets.Offset(ctx, s.partition())
		if err != nil {
			return fmt.Errorf("offset of task %d: %w", s.task, err)
		}
		if n, ok := off["next"].(json.Number); ok {
			if s.next, err = n.Int64(); err != nil {
				return fmt.Errorf("offset of task %d: next is not an integer: %w", s.task, err)
			}
		}
	}
	s.once = conf.Bool("once")
	s.due = time.Now()
	return nil
}

func (s *Source) partition() map[string]any { return map[string]any{"task": s.task} }

// Poll gives the next batch when it is due.
func (s *Source) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	n := s.batch
	if s.limit >= 0 {
		n = int(min(int64(n), s.limit-s.next))
	}
	if n <= 0 {
		if s.once {
			return nil, connector.ErrDone
		}
		wait(ctx, time.Second)
		return nil, nil
	}
	if s.interval > 0 {
		n = s.pace(ctx, n)
	}
	records := make([]connector.SourceRecord, 0, n)
	for range n {
		records = append(records, s.record())
	}
	return records, nil
}

// pace waits until at least one record is due and says how many of n are.
func (s *Source) pace(ctx context.Context, n int) int {
	wait(ctx, time.Until(s.due))
	if ctx.Err() != nil {
		return 0
	}
	due := 1 + int(time.Since(s.due)/s.interval)
	n = min(n, due)
	s.due = s.due.Add(time.Duration(n) * s.interval)
	return n
}

func (s *Source) record() connector.SourceRecord {
	seq := s.next
	s.next++
	value := connector.StructFrom(Schema, []any{seq, int32(s.task), payload(s.task, seq, s.size)})
	r := connector.NewRecord(s.topic, connector.StringSchema, fmt.Sprintf("%d-%d", s.task, seq), Schema, value)
	return connector.SourceRecord{Record: r, SourcePartition: s.partition(), SourceOffset: map[string]any{"next": s.next}}
}

// payload is size bytes that depend on task and number alone.
func payload(task int, seq int64, size int) []byte {
	rng := rand.New(rand.NewPCG(uint64(task), uint64(seq)))
	b := make([]byte, size)
	for i := 0; i < len(b); i += 8 {
		x := rng.Uint64()
		for j := i; j < min(i+8, len(b)); j++ {
			b[j] = byte(x)
			x >>= 8
		}
	}
	return b
}

// Stop has nothing to release.
func (s *Source) Stop() error { return nil }

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
