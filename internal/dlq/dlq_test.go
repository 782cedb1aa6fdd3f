package dlq

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// fake is a producer and an admin client.
type fake struct {
	sent    []kafka.Message
	created []kafka.TopicSpec
	refuse  error
}

func (f *fake) Send(_ context.Context, m kafka.Message, done func(connector.RecordMetadata, error)) error {
	f.sent = append(f.sent, m)
	done(connector.RecordMetadata{}, f.refuse)
	return nil
}

func (f *fake) create(_ context.Context, s kafka.TopicSpec) error {
	f.created = append(f.created, s)
	return f.refuse
}

// Clauses: J5, J6.
func TestWriter(t *testing.T) {
	original := kafka.Message{Topic: "images", Partition: 2, Offset: 1841, Key: []byte("k"), Value: []byte{0, 1}, Timestamp: 5,
		TimestampType: connector.CreateTime, Headers: []kafka.Header{{Key: "h", Value: []byte("v")}}}
	failure := Failure{Connector: "ifcb-stats", Task: 3, Stage: "VALUE_CONVERTER", Class: "io.confluent.connect.avro.AvroConverter",
		Cause: errors.New("field prob: expected float, got string"), Trace: "the whole story"}
	for _, withContext := range []bool{false, true} {
		f := &fake{}
		w := NewWriter(f, Options{Topic: "dead", Replication: 3, Context: withContext, Create: f.create})
		if err := w.Create(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]kafka.TopicSpec{{Name: "dead", Partitions: 1, Replication: 3}}, f.created); d != "" {
			t.Error(d)
		}
		arrived := 0
		if err := w.Write(t.Context(), original, failure, func(err error) {
			if err != nil {
				t.Error(err)
			}
			arrived++
		}); err != nil || arrived != 1 {
			t.Errorf("%v, arrived %d times", err, arrived)
		}
		want := kafka.Message{Topic: "dead", Partition: connector.AnyPartition, Key: original.Key, Value: original.Value, Timestamp: 5,
			Headers: original.Headers}
		if withContext {
			for _, h := range [][2]string{
				{"topic", "images"}, {"partition", "2"}, {"offset", "1841"}, {"connector.name", "ifcb-stats"}, {"task.id", "3"},
				{"stage", "VALUE_CONVERTER"}, {"class.name", "io.confluent.connect.avro.AvroConverter"},
				{"exception.class.name", "org.apache.kafka.connect.errors.DataException"},
				{"exception.message", "field prob: expected float, got string"}, {"exception.stacktrace", "the whole story"},
			} {
				want.Headers = append(want.Headers, kafka.Header{Key: "__connect.errors." + h[0], Value: []byte(h[1])})
			}
		}
		if d := cmp.Diff(want, f.sent[0]); d != "" {
			t.Error(d)
		}
		if len(original.Headers) != 1 {
			t.Error("the original was changed")
		}
	}
}

// known is an error that knows Java's class.
type known struct{}

func (known) Exception() string { return "java.sql.SQLException" }
func (known) Error() string     { return "x" }

// Clauses: J6.
func TestExceptionClass(t *testing.T) {
	err := errors.New("x")
	for want, err := range map[string]error{
		"org.apache.kafka.connect.errors.DataException":      err,
		"org.apache.kafka.connect.errors.RetriableException": connector.Retriable(err),
		"org.apache.kafka.connect.errors.ConnectException":   connector.Fatal(err),
		"java.sql.SQLException":                              connector.Data(fmt.Errorf("row: %w", known{})),
	} {
		if got := exception(err); got != want {
			t.Errorf("%v is %s, want %s", connector.KindOf(err), got, want)
		}
	}
}

func TestWriterSaysWhichTopic(t *testing.T) {
	f := &fake{refuse: errors.New("no")}
	w := NewWriter(f, Options{Topic: "dead", Replication: 3, Create: f.create})
	want := "dead-letter topic dead (errors.deadletterqueue.topic.replication.factor=3): no"
	if err := w.Create(t.Context()); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	var got error
	if err := w.Write(t.Context(), kafka.Message{}, Failure{Cause: f.refuse}, func(err error) { got = err }); err != nil {
		t.Fatal(err)
	}
	if got == nil || got.Error() != "dead-letter topic dead: no" || !errors.Is(got, f.refuse) {
		t.Errorf("error is %v", got)
	}
}
