package runtime

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
)

// tolerant gives a connector's keys, with those that dead-letter what fails.
func tolerant(pairs ...string) connector.Props {
	p := connector.Props{"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1",
		"errors.deadletterqueue.context.headers.enable": "true", "errors.retry.delay.max.ms": "20"}
	for i := 0; i < len(pairs); i += 2 {
		p[pairs[i]] = pairs[i+1]
	}
	return p
}

// A broker that goes away and comes back stops a flow, and no task fails: what
// was on its way is sent again, in order.
func TestFlowSurvivesABrokerOutage(t *testing.T) {
	t.Parallel()
	b := kafkatest.New(t) // stops after the tasks, which start later
	f := &flow{t: t, broker: b.Addr(), offsets: t.TempDir() + "/offsets"}
	var err error
	if f.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{f.broker}, ClientID: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	f.topic("numbers", 2)
	f.topic("risen", 2)
	const n = 2000
	s := &script{}
	var outages atomic.Int64
	s.poll = func(i int) error { // keeps work for each outage
		for 500*(int(outages.Load())+1) <= i && t.Context().Err() == nil {
			pace()
		}
		return nil
	}
	w, _ := f.worker(s)
	w.options.Plugins.Add(connector.TransformType, func() connector.Plugin { return &rising{} })
	task, source := f.start(w, KindSource, "n", tolerant("topic", "numbers", "count", strconv.Itoa(n), "wait", "true"))
	_, stream := f.start(w, KindStream, "st", tolerant("topics", "numbers", "topic", "risen", "transforms", "r", "transforms.r.type", "rising"))
	_, sink := f.start(w, KindSink, "k", tolerant("topics", "risen"))
	for i := range 3 {
		eventually(t, "progress", func() bool { return len(s.values()) > i*200 })
		outages.Add(1)
		b.Stop()
		eventually(t, "records to pile up", func() bool { return task.Snapshot().Active > 100 })
		b.Restart()
	}
	eventually(t, "all numbers", func() bool { return len(count(s.values())) == n })
	for name, see := range map[string]*watcher{"source": source, "stream": stream, "sink": sink} {
		if err := see.failure(); err != nil {
			t.Errorf("the %s failed: %v", name, err)
		}
	}
	exactly(t, "topic of the source", f.tally("numbers"), n)
	if dead := f.tally("dead"); len(dead) > 0 {
		t.Errorf("dead letters for an outage: %v", dead)
	}
	t.Logf("repeats: stream %d, sink %d", repeats(t, "stream", f.tally("risen"), n), repeats(t, "sink", count(s.values()), n))
}

// A broker that comes back elsewhere is found by the other bootstrap servers, and
// the connectors go on: no task fails, nothing is lost or dead-lettered.
func TestFlowFollowsABrokerThatMoves(t *testing.T) {
	t.Parallel()
	b := kafkatest.New(t)
	later, err := port.Lasting()
	if err != nil {
		t.Fatal(err)
	}
	f := &flow{t: t, broker: fmt.Sprintf("%s,127.0.0.1:%d", b.Addr(), later), offsets: t.TempDir() + "/offsets"}
	if f.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{b.Addr()}, ClientID: "test"}); err != nil {
		t.Fatal(err)
	}
	f.topic("numbers", 2)
	f.client.Close()
	const n = 1000
	s := &script{}
	var moved atomic.Bool
	s.poll = func(i int) error {
		for len(s.values())+200 < i && !moved.Load() && t.Context().Err() == nil {
			pace()
		}
		return nil
	}
	w, _ := f.worker(s)
	task, source := f.start(w, KindSource, "n", tolerant("topic", "numbers", "count", strconv.Itoa(n), "wait", "true"))
	_, sink := f.start(w, KindSink, "k", tolerant("topics", "numbers"))
	eventually(t, "progress", func() bool { return len(s.values()) > 100 })
	b.Stop()
	moved.Store(true)
	eventually(t, "records to pile up", func() bool { return task.Snapshot().Active > 100 })
	b.Move(later)
	eventually(t, "all numbers", func() bool { return len(count(s.values())) == n })
	for name, see := range map[string]*watcher{"source": source, "sink": sink} {
		if err := see.failure(); err != nil {
			t.Errorf("the %s failed: %v", name, err)
		}
	}
	if f.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{b.Addr()}, ClientID: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	exactly(t, "topic", f.tally("numbers"), n)
	if dead := f.tally("dead"); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
}

// remote is a system that a plugin needs, such as a database or a registry. It
// is away for the first call and for many more, again and again.
type remote struct{ calls atomic.Int64 }

func (r *remote) call() error {
	if n := r.calls.Add(1); n%40 < 25 {
		return connector.Retriable(errors.New("connection refused"))
	}
	return nil
}

// remoteConverter is a text converter with a registry.
type remoteConverter struct {
	textConverter
	registry *remote
}

func (remoteConverter) Info() connector.Info { return connector.Info{Name: "remote", Version: "1"} }
func (c remoteConverter) FromConnect(ctx context.Context, topic string, s *connector.Schema, v any) ([]byte, error) {
	if err := c.registry.call(); err != nil {
		return nil, err
	}
	return c.textConverter.FromConnect(ctx, topic, s, v)
}

func (c remoteConverter) ToConnect(ctx context.Context, topic string, data []byte) (*connector.Schema, any, error) {
	if err := c.registry.call(); err != nil {
		return nil, nil, err
	}
	return c.textConverter.ToConnect(ctx, topic, data)
}

// A system that a plugin needs and that is away dead-letters no good record,
// whichever stage needs it; a bad record beside it is dead-lettered.
func TestOutageOfASystemDeadLettersNothing(t *testing.T) {
	const n = 30
	for name, c := range map[string]struct {
		kind  Kind
		away  func(s *script, r *remote)
		props []string
	}{
		"source's system": {KindSource, func(s *script, r *remote) { s.poll = func(int) error { return r.call() } }, nil},
		"source's transform": {KindSource, func(s *script, r *remote) {
			s.change = func(v string) (string, bool, error) { return v, true, r.call() }
		}, []string{"transforms", "c", "transforms.c.type", "change"}},
		"source's registry": {KindSource, nil, []string{"value.converter", "remote"}},
		"sink's system":     {KindSink, func(s *script, r *remote) { s.put = func([]connector.Record) error { return r.call() } }, nil},
		"sink's flush":      {KindSink, func(s *script, r *remote) { s.flush = r.call }, []string{"connector.class", "buffer"}},
		"sink's transform": {KindSink, func(s *script, r *remote) {
			s.change = func(v string) (string, bool, error) { return v, true, r.call() }
		}, []string{"transforms", "c", "transforms.c.type", "batch-change"}},
		"sink's registry": {KindSink, nil, []string{"value.converter", "remote"}},
		"stream's transform": {KindStream, func(s *script, r *remote) {
			s.change = func(v string) (string, bool, error) { return v, true, r.call() }
		}, []string{"transforms", "c", "transforms.c.type", "batch-change"}},
		"stream's registry": {KindStream, nil, []string{"value.converter", "remote", "input.value.converter", "remote"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 1)
			f.topic("out", 1)
			s, r := &script{}, &remote{}
			if c.away != nil {
				c.away(s, r)
			}
			w, _ := f.worker(s)
			w.options.Plugins.Add(connector.ConverterType, func() connector.Plugin { return remoteConverter{registry: r} })
			var got func() map[string]int
			bad := 0
			if c.kind == KindSource {
				got = func() map[string]int { return f.tally("out") }
				f.start(w, c.kind, "c", tolerant(append(c.props, "topic", "out", "count", strconv.Itoa(n), "batch", "3")...))
			} else {
				got = func() map[string]int { return f.tally("out") }
				if c.kind == KindSink {
					got = func() map[string]int { return count(s.values()) }
				}
				bad = 1
				f.produce("in", numbered(0, n/2)...)
				f.produce("in", kafka.Message{Value: []byte("bad apple"), Timestamp: connector.NoTimestamp})
				f.produce("in", numbered(n/2, n)...)
				f.start(w, c.kind, "c", tolerant(append(c.props, "topics", "in", "topic", "out")...))
				eventually(t, "commit", func() bool { return f.committed("connect-c", "in") == n+1 })
			}
			eventually(t, "all records", func() bool { return len(got()) == n })
			if dead := f.tally("dead"); len(dead) != bad || dead["bad apple"] != bad {
				t.Errorf("dead letters: %v", dead)
			}
			if r.calls.Load() < 25 {
				t.Error("there was no outage")
			}
		})
	}
}
