package runtime

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// A batch that is damaged in Kafka's log fails a sink's task, whatever it tolerates: how
// many records are in it, and which, nobody knows. What is before it is delivered, and
// what is behind it once somebody has altered the offset, as the error says.
func TestSinkOfAnUnreadableBatch(t *testing.T) {
	for _, tolerance := range []string{"none", "all"} {
		t.Run("errors.tolerance "+tolerance, func(t *testing.T) {
			t.Parallel()
			const batches, group = 60, "connect-k"
			m := kafkatest.NewModel(t, 3, 1, 1, batches, 0)
			first, last := m.Damage(0, false)
			m.Grow(batches) // all
			f := &flow{t: t, broker: m.Addr[0], offsets: filepath.Join(t.TempDir(), "offsets")}
			var err error
			if f.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: m.Addr}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(f.client.Close)
			var before, behind []string
			for _, r := range m.Records(0) {
				switch {
				case r.Offset < first:
					before = append(before, r.Value)
				case r.Offset > last:
					behind = append(behind, r.Value)
				}
			}
			s := &script{}
			w, _ := f.worker(s)
			props := connector.Props{"topics": kafkatest.ModelTopic, "errors.tolerance": tolerance,
				"consumer.override.isolation.level": "read_committed", "consumer.override.session.timeout.ms": "10000"}

			task, see := f.start(w, KindSink, "k", props)
			f.ended(task)
			text := fmt.Sprint(see.failure())
			for _, want := range []string{"k/0: ", fmt.Sprintf("model[0]@%d: the batch of records there cannot be read", first), "hydraulics offsets alter NAME --to model/0=OFFSET"} {
				if !strings.Contains(text, want) {
					t.Errorf("the error is %s, want %q in it", text, want)
				}
			}
			if see.last() != state.Failed || connector.KindOf(see.failure()) != connector.KindFatal {
				t.Errorf("the task is %s", see.last())
			}
			if d := cmp.Diff(before, s.values()); d != "" {
				t.Errorf("before the batch: %s", d)
			}
			if n := f.committed(group, kafkatest.ModelTopic); n > first {
				t.Errorf("%d is committed, the batch begins at %d", n, first)
			}
			if st := task.Snapshot(); st.Errors.DeadLetters+st.Dropped > 0 {
				t.Errorf("%+v", st.Errors)
			}

			if err := f.client.AlterOffsets(t.Context(), group, map[connector.TopicPartition]int64{{Topic: kafkatest.ModelTopic}: last + 1}); err != nil {
				t.Fatal(err)
			}
			f.start(w, KindSink, "k", props)
			eventually(t, "what is behind the batch", func() bool { return len(s.values()) >= len(before)+len(behind) })
			if d := cmp.Diff(append(before, behind...), s.values()); d != "" {
				t.Errorf("with what is behind the batch: %s", d)
			}
		})
	}
}
