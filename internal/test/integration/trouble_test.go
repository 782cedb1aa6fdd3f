//go:build integration

package integration

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	source "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/converter/avro"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// One bad image is dead-lettered, with where and why; the others land.
func TestBadImage(t *testing.T) {
	each(t, func(t *testing.T, s *stack) {
		f := newFlow(s)
		site := newSyntheticSite(t, 2, 3, 10)
		f.Dashboard = site.url
		const bad = "D20190728T212639_IFCB104_00002"
		s.sendImage(f.Images, bad, "no PNG")
		w := f.start()
		eventually(t, "all images", func() bool { return f.landed(len(site.images) + 1) }, f.state)
		w.stop()
		complete(t, "statistics", s.tally(f.Stats, true), site.images)
		complete(t, "dead letters", s.tally(f.Letters, false), []string{bad})
		got := f.letters()[bad]
		if got.connector != f.Stream || got.stage != "TRANSFORMATION" || !strings.Contains(got.trace, f.Stream+"/") ||
			!strings.Contains(got.trace, "classify") || !strings.Contains(got.trace, f.Images) {
			t.Errorf("the letter says %+v", got)
		}
		t.Logf("the reason: %s", got.trace)
	})
}

// sendImage publishes an image in the form of the ifcb source.
func (s *stack) sendImage(topic, key, png string) {
	s.t.Helper()
	conv := new(avro.Converter)
	check(s.t, conv.Configure(connectortest.Context(s.t), connectortest.Configure(s.t, conv, connector.Props{"schema.registry.url": s.registry}), false))
	value, err := conv.FromConnect(s.t.Context(), topic, source.ImageSchema, connector.NewStruct(source.ImageSchema).
		Set("pid", key[:len(key)-6]).Set("ifcb_id", "IFCB104").Set("time", int64(1564349199)).Set("roi", int32(2)).
		Set("image", []byte(png)).Set("width", int32(1)).Set("height", int32(1)).Set("dataset", "pier"))
	check(s.t, err)
	s.send(topic, key, value)
}

// send makes a topic and publishes a record to it.
func (s *stack) send(topic, key string, value []byte) {
	s.t.Helper()
	check(s.t, s.kafka.CreateTopic(s.t.Context(), kafka.TopicSpec{Name: topic, Partitions: 4, Replication: 1}))
	p, err := s.kafka.NewProducer(kafka.ProducerOptions{})
	check(s.t, err)
	var refused error
	check(s.t, p.Send(s.t.Context(), kafka.Message{Topic: topic, Partition: connector.AnyPartition, Key: []byte(key), Value: value, Timestamp: connector.NoTimestamp},
		func(_ connector.RecordMetadata, err error) { refused = err }))
	check(s.t, p.Flush(s.t.Context()))
	check(s.t, refused)
	check(s.t, p.Close())
}

// A model server that is away holds the images up: nothing is lost, nothing is
// blamed on an image, and the flow goes on when it is back.
func TestModelServerIsAway(t *testing.T) {
	each(t, func(t *testing.T, s *stack) {
		f := newFlow(s)
		site := newSyntheticSite(t, 1, 10, 20)
		f.Dashboard = site.url
		server, address := newServing(t)
		u, err := url.Parse(address)
		check(t, err)
		gate := newGate(t, "127.0.0.1:0", u.Host)
		u.Host = gate.addr
		f.Model, f.Manifest = u.String(), demoManifest
		gate.cut()
		w := f.start()
		eventually(t, "the error", func() bool {
			return w.logged("retrying", f.Stream+"/", "classify", "model server "+u.String(), "connection refused")
		})
		gate.open()
		eventually(t, "a part of the images", func() bool { return server.count() > 30 }, f.state)
		gate.cut()
		lasts(t, outage(t), "the stream waits", func() bool {
			state, _ := w.taskState(f.Stream)
			return state == "RUNNING" && s.written(f.Letters) == 0 && s.written(f.Stats) < len(site.images)
		})
		gate.open()
		eventually(t, "all images", func() bool { return f.landed(len(site.images)) }, f.state)
		w.stop()
		t.Logf("the error: %s", w.line("retrying", f.Stream+"/"))
		again := complete(t, "statistics", s.tally(f.Stats, true), site.images)
		if again > 0 || s.written(f.Letters) > 0 {
			t.Errorf("%d statistics came again, %d letters", again, s.written(f.Letters))
		}
	})
}

// PostgreSQL that is stopped holds the statistics up. With max.retries=0 the
// sink fails, as the original's does, and the restart policy brings it back.
func TestPostgresIsStopped(t *testing.T) {
	tests := []struct {
		name, key string
		during    func(w *worker, sink string) bool
	}{
		{"retried", "retry.backoff.ms: 200", func(w *worker, sink string) bool {
			state, _ := w.taskState(sink)
			return state == "RUNNING" && w.logged("retrying", sink+"/0", "database")
		}},
		{"max.retries=0", "max.retries: 0", func(w *worker, sink string) bool {
			state, trace := w.taskState(sink)
			return state == "FAILED" && strings.Contains(trace, sink+"/0") && strings.Contains(trace, "database") && w.logged("task failed", "restart_in")
		}},
	}
	each(t, func(t *testing.T, s *stack) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				s := s.within(t)
				s.rows("TRUNCATE ifcb_sample_stats")
				f := newFlow(s)
				site := newSyntheticSite(t, 2, 5, 20)
				f.Dashboard, f.Follow = site.url, true
				f.SinkKeys = []string{tt.key, "batch.size: 10", "connection.backoff.ms: 500", "restart.delay.max.ms: 2000"}
				w := f.start()
				eventually(t, "a part of the rows", func() bool { return s.count() > 20 }, f.state)
				s.stopDatabase()
				stopped := time.Now()
				site.take(t, 5) // so that there is something to write in any case
				eventually(t, "the error", func() bool { return tt.during(w, f.Sink) }, func() string { return w.tail(5) })
				t.Logf("the error: %s", w.line(f.Sink+"/0", "database"))
				lasts(t, outage(t)-time.Since(stopped), "the worker goes on", func() bool { return !w.ended() })
				s.startDatabase()
				eventually(t, "all rows", func() bool { return f.landed(len(site.images)) }, f.state, func() string { return w.tail(5) })
				state, trace := w.taskState(f.Sink)
				if state != "RUNNING" {
					t.Errorf("the sink is %s: %s", state, trace)
				}
				w.stop()
				complete(t, "statistics", s.tally(f.Stats, true), site.images)
				if n := s.count(); n != len(site.images) {
					t.Errorf("%d rows of %d images", n, len(site.images))
				}
			})
		}
	})
}
