package runtime

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// What a broker says where a right was revoked.
const (
	topicRefused = 29
	groupRefused = 30
)

// A right that is revoked while records flow condemns no record: the task ends,
// or says what it waits for, and names topic or group; with the right back, all
// records are there.
func TestRevokedRights(t *testing.T) {
	const n = 40
	for name, c := range map[string]struct {
		kind  Kind
		fault kafkatest.Fault
		names string
	}{
		"source may not write":            {KindSource, kafkatest.Fault{Request: kafkatest.Produce, Topic: "out", Code: topicRefused}, "allow Write on it"},
		"stream may not write":            {KindStream, kafkatest.Fault{Request: kafkatest.Produce, Topic: "out", Code: topicRefused}, "topic out"},
		"sink may not read":               {KindSink, kafkatest.Fault{Request: kafkatest.Fetch, Topic: "in", Code: topicRefused}, "in"},
		"sink may not be in its group":    {KindSink, kafkatest.Fault{Request: kafkatest.Heartbeat, Code: groupRefused}, "connect-c"},
		"sink may not commit":             {KindSink, kafkatest.Fault{Request: kafkatest.OffsetCommit, Code: groupRefused}, "connect-c"},
		"sink may not write dead letters": {KindSink, kafkatest.Fault{Request: kafkatest.Produce, Topic: "dead", Code: topicRefused}, "topic dead"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := kafkatest.New(t)
			f := &flow{t: t, broker: b.Addr(), offsets: filepath.Join(t.TempDir(), "offsets")}
			var err error
			if f.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{f.broker}, ClientID: "test"}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(f.client.Close)
			for _, topic := range []string{"in", "out", "dead"} {
				f.topic(topic, 1)
			}
			s := &script{}
			w, _ := f.worker(s)
			got := func() map[string]int { return f.tally("out") }
			props, bad := tolerant("topics", "in", "topic", "out"), 0
			switch c.kind {
			case KindSource:
				props = tolerant("topic", "out", "count", "40", "wait", "true", "batch", "5")
				s.poll = func(int) error { pace(); return nil }
			case KindSink:
				got = func() map[string]int { return count(s.values()) }
			}
			task, see := f.start(w, c.kind, "c", props)
			if c.kind != KindSource {
				f.produce("in", numbered(0, n/2)...)
			}
			eventually(t, "the first records", func() bool { return len(got()) > 0 })
			c.fault.Times = -1
			lift := b.Fail(c.fault)
			if c.fault.Request == kafkatest.Heartbeat { // a group that refuses one refuses the other
				heartbeats, joins := lift, b.Fail(kafkatest.Fault{Request: kafkatest.JoinGroup, Code: groupRefused, Times: -1})
				lift = func() { heartbeats(); joins() }
			}
			if c.kind != KindSource {
				f.produce("in", numbered(n/2, n)...)
				if strings.Contains(name, "dead letters") {
					f.produce("in", kafka.Message{Value: []byte("bad apple"), Timestamp: connector.NoTimestamp})
					bad = 1
				}
			}
			said := func() string {
				text := ""
				if err := see.failure(); err != nil {
					text = err.Error()
				}
				if waits := task.Snapshot().Waits; waits != nil {
					text += waits.For + ": " + waits.Why
				}
				return text
			}
			eventually(t, "word of it", func() bool { return strings.Contains(said(), c.names) })
			t.Log(said())
			if err := see.failure(); err != nil && connector.KindOf(err) == connector.KindData {
				t.Errorf("a record is to blame: %v", err)
			}
			lift()
			if see.last() == state.Failed { // what the restart policy does
				task, see = f.start(w, c.kind, "c", props)
			}
			eventually(t, "all records", func() bool { return len(got()) == n })
			if c.kind != KindSource {
				eventually(t, "commit", func() bool { return f.committed("connect-c", "in") == int64(n+bad) })
			}
			if dead := f.tally("dead"); len(dead) != bad {
				t.Errorf("dead letters: %v", dead)
			}
			if err := see.failure(); err != nil {
				t.Error(err)
			}
		})
	}
}
