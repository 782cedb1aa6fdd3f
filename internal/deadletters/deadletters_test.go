package deadletters

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// office is a broker with a dead-letter topic.
type office struct {
	t      *testing.T
	broker string
	client *kafka.Client
	out    *kafka.Producer
}

func newOffice(t *testing.T, topics ...string) *office {
	t.Helper()
	o := &office{t: t, broker: kafkatest.Start(t)}
	var err error
	if o.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{o.broker}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.client.Close)
	if o.out, err = o.client.NewProducer(kafka.ProducerOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.out.Close() }) // all was flushed
	o.create(append(topics, "dead")...)
	return o
}

func (o *office) create(topics ...string) {
	o.t.Helper()
	for _, topic := range topics {
		if err := o.client.CreateTopic(o.t.Context(), kafka.TopicSpec{Name: topic, Partitions: 2, Replication: 1}); err != nil {
			o.t.Fatal(err)
		}
	}
}

// bury writes the letter of a record that died for a reason. All are in one
// partition of the topic, in their order.
func (o *office) bury(m kafka.Message, why dlq.Failure) {
	o.t.Helper()
	w := dlq.NewWriter(first{o.out}, dlq.Options{Topic: "dead", Context: why.Connector != ""})
	if err := w.Write(o.t.Context(), m, why, func(err error) {
		if err != nil {
			o.t.Error(err)
		}
	}); err != nil {
		o.t.Fatal(err)
	}
	if err := o.out.Flush(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

// first sends everything to the first partition.
type first struct{ *kafka.Producer }

func (p first) Send(ctx context.Context, m kafka.Message, done func(connector.RecordMetadata, error)) error {
	m.Partition = 0
	return p.Producer.Send(ctx, m, done)
}

// has gives what a topic has, as texts: partition, value and replays.
func (o *office) has(topic string) (list []string) {
	o.t.Helper()
	for p := range int32(2) {
		err := o.client.ReadPartition(o.t.Context(), connector.TopicPartition{Topic: topic, Partition: p}, 0, func(m kafka.Message) error {
			list = append(list, fmt.Sprintf("%d %s %d", p, m.Value, dlq.Open(m).Replayed))
			return nil
		})
		if err != nil {
			o.t.Fatal(err)
		}
	}
	return list
}

func (o *office) source() Source {
	return Source{Topic: "dead", Open: func(ctx context.Context, _ string) (*kafka.Client, error) {
		return kafka.Open(ctx, kafka.Options{Bootstrap: []string{o.broker}})
	}}
}

// replay runs a replay and gives what it said.
func (o *office) replay(r Replay) (string, error) {
	o.t.Helper()
	filter := r.Filter
	r.Source = o.source()
	r.Filter = filter
	if r.MaxReplays == 0 {
		r.MaxReplays = 3
	}
	var out strings.Builder
	report, err := r.Run(o.t.Context())
	report.Print(&out, r.DryRun)
	return out.String(), err
}

func (o *office) same(topic string, want ...string) {
	o.t.Helper()
	if d := cmp.Diff(want, o.has(topic)); d != "" {
		o.t.Errorf("topic %s: %s", topic, d)
	}
}

func record(topic string, value string) kafka.Message {
	return kafka.Message{Topic: topic, Partition: 1, Key: []byte("k"), Value: []byte(value), Timestamp: 1_700_000_000_000,
		Headers: []kafka.Header{{Key: "h", Value: []byte("v")}}}
}

func failure(name, stage, text string) dlq.Failure {
	return dlq.Failure{Connector: name, Stage: stage, Class: "class", Cause: errors.New(text), Trace: text}
}

func TestListAndShow(t *testing.T) {
	o := newOffice(t)
	o.bury(record("a", "1"), failure("stats", "VALUE_CONVERTER", "no number"))
	o.bury(record("a", "2"), failure("stats", "VALUE_CONVERTER", "no number\nat all"))
	o.bury(record("b", "\xff"), failure("sink", "TASK_PUT", "too wide"))
	s := o.source()
	var out strings.Builder
	if err := s.List(t.Context(), &out, output.Form{}); err != nil {
		t.Fatal(err)
	}
	want := "LETTERS  CONNECTOR  STAGE            EXCEPTION      LAST                  EXAMPLE\n" +
		"2        stats      VALUE_CONVERTER  DataException  2023-11-14T22:13:20Z  no number at all\n" +
		"1        sink       TASK_PUT         DataException  2023-11-14T22:13:20Z  too wide\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
	out.Reset()
	s.Filter = Filter{Exception: "DataException", From: "b"}
	var yaml output.Form
	if err := yaml.Set("yaml"); err != nil {
		t.Fatal(err)
	}
	if err := s.List(t.Context(), &out, yaml); err != nil {
		t.Fatal(err)
	}
	want = "- connector: sink\n  stage: TASK_PUT\n  exception: org.apache.kafka.connect.errors.DataException\n  letters: 1\n" +
		"  first: \"2023-11-14T22:13:20Z\"\n  last: \"2023-11-14T22:13:20Z\"\n  example: too wide\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
	out.Reset()
	s.Filter = Filter{Message: "^no"}
	if err := s.Show(t.Context(), &out, 1, false); err != nil {
		t.Fatal(err)
	}
	want = "0@0  from a[1]@0\n  connector stats/0, stage VALUE_CONVERTER, class class\n" +
		"  org.apache.kafka.connect.errors.DataException: no number\n  header h: v\n  key:   k\n  value: 1\n\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
	out.Reset()
	s.Filter = Filter{Connector: "sink"}
	if err := s.Show(t.Context(), &out, 0, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"value":{"base64":"/w=="},"headers":[{"key":"h","value":{"text":"v"}}]}`) {
		t.Error(out.String())
	}
}

func TestReplay(t *testing.T) {
	o := newOffice(t, "a", "b", "other")
	o.bury(record("a", "1"), failure("stats", "VALUE_CONVERTER", "x"))
	o.bury(record("b", "2"), failure("sink", "TASK_PUT", "x"))
	o.bury(record("a", "3"), failure("stats", "TRANSFORMATION", "x"))

	said, err := o.replay(Replay{DryRun: true})
	if err != nil || said != "2 would be replayed to a\n1 would be replayed to b\n" {
		t.Errorf("dry run: %q, %v", said, err)
	}
	o.same("a")

	said, err = o.replay(Replay{Source: Source{Filter: Filter{Stage: "TASK_PUT"}}})
	if err != nil || said != "1 replayed to b\n" {
		t.Errorf("with a filter: %q, %v", said, err)
	}
	o.same("a")
	o.same("b", "1 2 1")

	said, err = o.replay(Replay{Source: Source{Filter: Filter{Connector: "stats"}}})
	if err != nil || said != "2 replayed to a\n" {
		t.Errorf("with another: %q, %v", said, err)
	}
	o.same("a", "1 1 1", "1 3 1")

	for _, restart := range []bool{false, true} {
		said, err = o.replay(Replay{Source: Source{Filter: Filter{Connector: "stats"}}, Restart: restart, To: ""})
		if want := map[bool]string{false: "no letter behind", true: "2 replayed to a\n"}[restart]; err != nil || !strings.HasPrefix(said, want) {
			t.Errorf("once more, from the start %v: %q, %v", restart, said, err)
		}
	}
	if said, err = o.replay(Replay{To: "other"}); err != nil || said != "3 replayed to other\n" {
		t.Errorf("elsewhere: %q, %v", said, err)
	}
	if got := o.has("other"); len(got) != 3 {
		t.Errorf("other has %q", got)
	}
}

// TestReplayIsGuarded lets a record die again and again, and keeps back what
// cannot be sent.
func TestReplayIsGuarded(t *testing.T) {
	o := newOffice(t, "a")
	why := failure("stats", "TASK_PUT", "x")
	m := record("a", "1")
	for range 3 {
		o.bury(m, why)
		if said, err := o.replay(Replay{MaxReplays: 2}); err != nil {
			t.Fatal(said, err)
		}
		m = dlq.Open(kafka.Message{Headers: m.Headers, Value: m.Value}).Again()
		m.Topic, m.Partition = "a", 1
	}
	o.same("a", "1 1 1", "1 1 2")

	source := why
	source.SourcePartition, source.SourceOffset = "{}", "{}"
	o.bury(record("a", "2"), source)
	short := why
	short.OmittedBytes = 9
	o.bury(record("a", "3"), short)
	o.bury(record("a", "4"), dlq.Failure{Cause: errors.New("x")})
	said, err := o.replay(Replay{MaxReplays: 2})
	if err != nil || strings.Count(said, "1 left out: ") != 3 || strings.Contains(said, "replayed to") {
		t.Errorf("%v\n%s", err, said)
	}
	o.same("a", "1 1 1", "1 1 2")
}

// TestReplayGoesOn breaks replays off, by a topic that is not there and by an
// interrupt, and wants each record once in the end.
func TestReplayGoesOn(t *testing.T) {
	o := newOffice(t, "a")
	for _, m := range []kafka.Message{record("a", "1"), record("a", "2"), record("b", "3"), record("a", "4"), record("a", "5")} {
		o.bury(m, failure("stats", "TASK_PUT", "x"))
	}
	said, err := o.replay(Replay{})
	if err == nil || !strings.Contains(err.Error(), "letter dead[0]@2: topic b: topic does not exist: create it, or name another one with --to") {
		t.Errorf("without a topic: %q, %v", said, err)
	}
	o.same("a", "1 1 1", "1 2 1")
	o.create("b")

	interrupt := o.begin("b")
	interrupt()
	if said, err := o.replay(Replay{}); err != nil || said != "2 replayed to a\n" {
		t.Errorf("to the end: %q, %v", said, err)
	}
	o.same("a", "1 1 1", "1 2 1", "1 4 1", "1 5 1")
	o.same("b", "1 3 1")
}

// begin starts a replay that sends one record, to a topic, and then waits for long.
// interrupt ends it.
func (o *office) begin(topic string) (interrupt func()) {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	o.t.Cleanup(cancel)
	done := make(chan error, 1)
	go func() { // ends with the replay, which cancel ends
		r := Replay{Source: o.source(), Rate: 1e-6, MaxReplays: 3} // the first one at once
		_, err := r.Run(ctx)
		done <- err
	}()
	wait.Until(o.t, "the first record", func() bool { return len(o.has(topic)) == 1 })
	return func() {
		o.t.Helper()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			o.t.Errorf("interrupted: %v", err)
		}
	}
}

// TestReplayHasItsGroupAlone starts a replay while another one is at work, as from
// another worker: nothing goes twice. One with another place of its own may run.
func TestReplayHasItsGroupAlone(t *testing.T) {
	o := newOffice(t, "a", "other")
	for _, value := range []string{"1", "2", "3"} {
		o.bury(record("a", value), failure("stats", "TASK_PUT", "x"))
	}
	interrupt := o.begin("a")
	if said, err := o.replay(Replay{}); !errors.Is(err, kafka.ErrGroupInUse) || !strings.Contains(err.Error(), "letters of dead are being replayed already") {
		t.Errorf("beside it: %q, %v", said, err)
	}
	if said, err := o.replay(Replay{DryRun: true}); err != nil || said != "3 would be replayed to a\n" {
		t.Errorf("a dry run beside it: %q, %v", said, err)
	}
	if said, err := o.replay(Replay{To: "other"}); err != nil || said != "3 replayed to other\n" {
		t.Errorf("elsewhere beside it: %q, %v", said, err)
	}
	o.same("a", "1 1 1")
	interrupt()
	if said, err := o.replay(Replay{}); err != nil || said != "2 replayed to a\n" {
		t.Errorf("after it: %q, %v", said, err)
	}
	o.same("a", "1 1 1", "1 2 1", "1 3 1")
}
