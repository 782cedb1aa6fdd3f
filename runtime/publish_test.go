package runtime

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// publishing is a sink that sends an answer to Kafka for each record.
type publishing struct {
	collect
	answer func(v any) []byte
	quiet  bool
}

func (*publishing) Info() connector.Info { return connector.Info{Name: "publishing", Version: "1"} }

func (s *publishing) Publishes(connector.Config) bool { return !s.quiet }

func (s *publishing) Put(ctx context.Context, rs []connector.Record) error {
	if s.quiet {
		if s.c.Publish != nil {
			return connector.Fatal(errors.New("it may publish, and does not want to"))
		}
		return s.collect.Put(ctx, rs)
	}
	for _, r := range rs {
		if err := s.c.Publish(ctx, connector.Message{Topic: "answers", Key: []byte("k"), Value: s.answer(r.Value)}); err != nil {
			return err
		}
	}
	return s.collect.Put(ctx, rs)
}

// What a sink sends has arrived before the offset of its record is committed.
//
// Clauses: N17.
func TestSinkPublishes(t *testing.T) {
	for name, quiet := range map[string]bool{"it does": false, "it may, and does not": true} {
		t.Run(name, func(t *testing.T) { sinkPublishes(t, quiet) })
	}
}

func sinkPublishes(t *testing.T, quiet bool) {
	f := newFlow(t)
	f.topic("in", 1)
	f.topic("answers", 1)
	f.produce("in", numbered(0, 10)...)
	s := new(script)
	w, _ := f.worker(s)
	answer := func(v any) []byte { return []byte("got " + v.(string)) }
	w.options.Plugins.Add(connector.SinkType, func() connector.Plugin { return &publishing{collect{script: s}, answer, quiet} })
	f.start(w, KindSink, "k", connector.Props{"topics": "in", "connector.class": "publishing"})
	eventually(t, "commit", func() bool {
		committed := f.committed("connect-k", "in")
		if !quiet && committed > f.end("answers") {
			t.Fatalf("%d offsets are committed with %d answers", committed, f.end("answers"))
		}
		return committed == 10
	})
	if quiet {
		return
	}
	var want, got []string
	for _, v := range seq(10) {
		want = append(want, "k got "+v)
	}
	for _, m := range f.read("answers") {
		got = append(got, string(m.Key)+" "+string(m.Value))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What Kafka does not take of a sink's messages ends the task: nothing is committed.
//
// Clauses: N17.
func TestSinkPublishesInVain(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.topic("answers", 1)
	f.produce("in", numbered(0, 3)...)
	s := new(script)
	w, _ := f.worker(s)
	answer := func(any) []byte { return make([]byte, 8<<20) }
	w.options.Plugins.Add(connector.SinkType, func() connector.Plugin { return &publishing{collect{script: s}, answer, false} })
	_, seen := f.start(w, KindSink, "k", connector.Props{"topics": "in", "connector.class": "publishing"})
	eventually(t, "failure", func() bool { return seen.last() == state.Failed })
	if err := seen.failure(); err == nil || !strings.Contains(err.Error(), "message to topic answers") {
		t.Errorf("got %v", err)
	}
	if at := f.committed("connect-k", "in"); at > 0 {
		t.Errorf("%d offsets are committed", at)
	}
}
