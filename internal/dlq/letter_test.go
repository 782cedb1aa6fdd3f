package dlq

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// TestAgain takes a record through two deaths: what is sent again is what was
// read, and counts.
func TestAgain(t *testing.T) {
	original := kafka.Message{Topic: "images", Partition: 2, Offset: 1841, Key: []byte("k"), Value: []byte{0, 1}, Timestamp: 5,
		Headers: []kafka.Header{{Key: "h", Value: nil}, {Key: "traceparent", Value: []byte("00-x")}}}
	for _, times := range []string{"1", "2"} {
		f := &fake{}
		w := NewWriter(f, Options{Topic: "dead", Context: true})
		why := Failure{Connector: "stats", Stage: "TASK_PUT", Class: "sink", Cause: errors.New("no"), Trace: "long"}
		if err := w.Write(t.Context(), original, why, func(error) {}); err != nil {
			t.Fatal(err)
		}
		l := Open(f.sent[0])
		if l.Connector != "stats" || l.Task != "0" || l.Stage != "TASK_PUT" || l.Text != "no" || l.Offset != 1841 {
			t.Errorf("letter is %+v", l)
		}
		want := kafka.Message{Topic: "images", Partition: 2, Key: []byte("k"), Value: []byte{0, 1}, Timestamp: 5,
			Headers: []kafka.Header{{Key: "h", Value: nil}, {Key: "traceparent", Value: []byte("00-x")}, {Key: Replays, Value: []byte(times)}}}
		again := l.Again()
		if d := cmp.Diff(want, again); d != "" {
			t.Error(d)
		}
		original = again
		original.Offset = 1841
	}
}

func TestOpenALetterOfASource(t *testing.T) {
	m := kafka.Message{Headers: Failure{Cause: errors.New("x"), SourcePartition: `{"f":1}`, SourceOffset: `{"at":2}`}.headers(kafka.Message{Topic: "t", Partition: 7})}
	if l := Open(m); l.Topic != "t" || l.Partition != connector.AnyPartition || l.SourceOffset != `{"at":2}` {
		t.Errorf("letter is %+v", l)
	}
}
