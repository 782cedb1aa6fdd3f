package tools

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/time/rate"

	"github.com/axiom-data-science/hydraulics/connector"
)

// batch is the most records of one poll.
const batch = 100

// sequence is what the sources share: a task's number, its records' numbers, and
// their rate.
type sequence struct {
	name, topic string
	id          int
	next        int64
	limiter     *rate.Limiter
}

// sequenceKeys are the keys of a sequence.
func sequenceKeys() []connector.Key {
	return []connector.Key{
		{Name: "topic", Type: connector.StringKey, Required: true, Importance: connector.High, Doc: "The topic to publish to."},
		{Name: "throughput", Type: connector.LongKey, Default: -1, Importance: connector.High, Check: connector.AtLeast(-1),
			Doc: "Records per second of each task; 0 or -1 is as fast as it can."},
		{Name: "id", Type: connector.IntKey, Default: 0, Importance: connector.Low, Doc: "The number of the task; set by the connector."},
	}
}

// numbered gives tasks that differ in their number.
func numbered(conf connector.Config, n int) []connector.Props {
	tasks := make([]connector.Props, n)
	for i := range tasks {
		tasks[i] = conf.Props().Clone()
		tasks[i]["id"] = fmt.Sprint(i)
	}
	return tasks
}

// start resumes behind the committed number.
func (s *sequence) start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.name, s.topic, s.id = c.Connector, conf.String("topic"), conf.Int("id")
	s.limiter = rate.NewLimiter(rate.Inf, 0)
	if n := conf.Int64("throughput"); n > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(n), 1)
	}
	if c.Offsets == nil {
		return nil
	}
	at, err := c.Offsets.Offset(ctx, s.partition())
	if err != nil {
		return fmt.Errorf("offset of task %d: %w", s.id, err)
	}
	if at == nil {
		return nil
	}
	n, _ := at["seqno"].(json.Number)
	last, err := n.Int64()
	if err != nil {
		return connector.Fatal(fmt.Errorf("offset of task %d: seqno is no integer: %v", s.id, at["seqno"]))
	}
	s.next = last + 1
	return nil
}

func (s *sequence) partition() map[string]any { return map[string]any{"id": s.id} }

// poll gives the records that are due, at most limit: one at least, waited for.
func (s *sequence) poll(ctx context.Context, limit int64, record func(seqno int64) connector.Record) []connector.SourceRecord {
	if s.limiter.Wait(ctx) != nil {
		return nil // the task stops
	}
	var records []connector.SourceRecord
	for more := true; more; more = int64(len(records)) < min(batch, limit) && s.limiter.Allow() {
		records = append(records, connector.SourceRecord{Record: record(s.next),
			SourcePartition: s.partition(), SourceOffset: map[string]any{"seqno": s.next}})
		s.next++
	}
	return records
}
