package status

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// statuses says where a status topic is.
func statuses(t *testing.T, address string) compacted.Options {
	t.Helper()
	c, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{address}, Props: map[string]string{"retry.backoff.ms": "10"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return compacted.Options{Client: c, Log: slog.New(slog.DiscardHandler), Producer: map[string]string{"delivery.timeout.ms": "500"},
		Settings: compacted.Settings{Use: compacted.Statuses, Topic: "statuses", Partitions: 5, Replication: 1}}
}

func openKafka(t *testing.T, o compacted.Options) *Kafka {
	t.Helper()
	k, err := OpenKafka(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func flush(t *testing.T, k *Kafka) {
	t.Helper()
	ctx, cancel := wait.Context()
	defer cancel()
	if err := k.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// records gives those of a topic, by partition.
func records(t *testing.T, o compacted.Options) []string {
	t.Helper()
	by := make([][]string, 5)
	topic, err := compacted.Open(t.Context(), o, func(r compacted.Record) {
		line := fmt.Sprintf("%d %s", r.Partition, r.Key)
		if r.Value != nil {
			line += " " + string(r.Value)
		}
		by[r.Partition] = append(by[r.Partition], line)
	})
	if err != nil {
		t.Fatal(err)
	}
	topic.Close()
	return slices.Concat(by...)
}

// A Java worker (Kafka Connect 4.3) wrote these records, in these partitions. Ours
// are the same, byte for byte.
//
// Clauses: H7.
func TestKafkaWritesWhatJavaWrites(t *testing.T) {
	o := statuses(t, kafkatest.Start(t))
	k := openKafka(t, o)
	put := func(id ID, s Status) {
		t.Helper()
		s.WorkerID = "127.0.0.1:18084"
		if err := k.Put(id, s); err != nil {
			t.Fatal(err)
		}
		flush(t, k)
	}
	put(ID{"sink", Whole}, Status{State: state.Running, Generation: 4, Version: "4.3.1"})
	put(ID{"src", Whole}, Status{State: state.Stopped, Generation: 12, Version: "4.3.1"})
	put(ID{"odd name/1", 0}, Status{State: state.Running, Generation: 24, Version: "4.3.1"})
	put(ID{"smt", 0}, Status{State: state.Unassigned, Generation: 38})
	put(ID{"smt", 0}, Status{State: state.Destroyed, Generation: 38})
	put(ID{"src", Whole}, Status{State: state.Failed, Generation: 28, Version: "4.3.1", Trace: "a: b\n\tat WorkerConnector.<init>(WorkerConnector.java:97)\n"})
	if err := k.PutUse(Use{"rest-lines", "sink", 0, 1795488117620}); err != nil {
		t.Fatal(err)
	}
	if err := k.PutUse(Use{"rest-lines", "sink", 1, 1795488117621}); err != nil { // it is known
		t.Fatal(err)
	}
	flush(t, k)
	if d := cmp.Diff([]string{"rest-lines"}, k.Topics("sink")); d != "" {
		t.Error(d)
	}
	k.ForgetUses("sink")
	flush(t, k)
	if got := k.Topics("sink"); len(got) > 0 {
		t.Errorf("it uses %v", got)
	}
	want := []string{
		`0 status-topic-rest-lines:connector-sink {"topic":{"name":"rest-lines","connector":"sink","task":0,"discoverTimestamp":1795488117620}}`,
		`0 status-topic-rest-lines:connector-sink`,
		`2 status-connector-src {"state":"STOPPED","trace":null,"worker_id":"127.0.0.1:18084","generation":12,"version":"4.3.1"}`,
		`2 status-task-odd name/1-0 {"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:18084","generation":24,"version":"4.3.1"}`,
		`2 status-connector-src {"state":"FAILED","trace":"a: b\n\tat WorkerConnector.<init>(WorkerConnector.java:97)\n","worker_id":"127.0.0.1:18084","generation":28,"version":"4.3.1"}`,
		`3 status-connector-sink {"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:18084","generation":4,"version":"4.3.1"}`,
		`4 status-task-smt-0 {"state":"UNASSIGNED","trace":null,"worker_id":"127.0.0.1:18084","generation":38,"version":null}`,
		`4 status-task-smt-0`,
	}
	if d := cmp.Diff(want, records(t, o)); d != "" {
		t.Error(d)
	}
}

// A worker that was thought dead does not write over what the next one says.
//
// Clauses: H8.
func TestPutSafe(t *testing.T) {
	o := statuses(t, kafkatest.Start(t))
	old, next := openKafka(t, o), openKafka(t, o)
	id := ID{"c", 0}
	tests := []struct {
		name       string
		put        func(ID, Status) error
		worker     string
		generation int
		want       string
	}{
		{"the first", old.PutSafe, "old", 4, "old 4"},
		{"the same worker, of an earlier generation", old.PutSafe, "old", 3, "old 3"},
		{"another one, of an earlier generation", next.PutSafe, "next", 2, "old 3"},
		{"another one, of the same", next.PutSafe, "next", 3, "next 3"},
		{"another one, of a later", next.PutSafe, "next", 6, "next 6"},
		{"the one that was thought dead", old.PutSafe, "old", 5, "next 6"},
		{"one that does not ask", old.Put, "old", 5, "old 5"},
	}
	for _, tt := range tests {
		if err := tt.put(id, Status{State: state.Unassigned, WorkerID: tt.worker, Generation: tt.generation}); err != nil {
			t.Fatal(err)
		}
		flush(t, old)
		flush(t, next)
		for _, k := range []*Kafka{old, next} {
			if err := k.topic.ToEnd(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s, _ := k.Status(id); fmt.Sprint(s.WorkerID, " ", s.Generation) != tt.want {
				t.Errorf("%s: %+v, want %s", tt.name, s, tt.want)
			}
		}
	}
}

// What a worker that was cut off writes late does not stay behind what the one says that
// has a task by now, be it that it has failed there.
//
// Clauses: H8.
func TestLateStatus(t *testing.T) {
	for _, tt := range []struct {
		said state.State
		put  func(*Kafka, ID, Status) error
	}{
		{state.Running, (*Kafka).Put},
		{state.Failed, (*Kafka).PutSafe},
	} {
		t.Run(string(tt.said), func(t *testing.T) {
			o := statuses(t, kafkatest.Start(t))
			cut, next := openKafka(t, o), openKafka(t, o)
			id := ID{"c", 0}
			if err := tt.put(next, id, Status{State: tt.said, WorkerID: "next", Generation: 6}); err != nil {
				t.Fatal(err)
			}
			flush(t, next)
			// It has not read that when it writes.
			late := compacted.Record{Key: []byte(id.key())}
			var err error
			if late.Value, err = (Status{State: state.Unassigned, WorkerID: "cut"}).value(); err != nil {
				t.Fatal(err)
			}
			if err := cut.topic.Write(t.Context(), late); err != nil {
				t.Fatal(err)
			}
			wait.Nil(t, "the status of the one that has it", func() error {
				var all error
				for _, k := range []*Kafka{cut, next} {
					if err := k.topic.ToEnd(t.Context()); err != nil {
						return err
					}
					if s, _ := k.Status(id); s.State != tt.said || s.WorkerID != "next" {
						all = fmt.Errorf("it is %+v", s)
					}
				}
				return all
			})
			if list := records(t, o); len(list) != 3 {
				t.Errorf("the topic has %v", list)
			}

			// What it has no more it leaves alone.
			if err := next.PutSafe(id, Status{State: state.Unassigned, WorkerID: "next", Generation: 7}); err != nil {
				t.Fatal(err)
			}
			flush(t, next)
			if err := cut.topic.Write(t.Context(), late); err != nil {
				t.Fatal(err)
			}
			if err := next.topic.ToEnd(t.Context()); err != nil {
				t.Fatal(err)
			}
			flush(t, next)
			if s, _ := next.Status(id); s.WorkerID != "cut" {
				t.Errorf("it is %+v", s)
			}
		})
	}
}

// What a worker has no more it gives up as of the generation in which it had it: it may
// hear of a later one before it reads what the next worker has said in between.
//
// Clauses: H8.
func TestGivenUpAsOfItsGeneration(t *testing.T) {
	cut := openKafka(t, statuses(t, kafkatest.Start(t)))
	id := ID{"c", Whole}
	for _, tt := range []struct {
		put        func(ID, Status) error
		said       state.State
		generation int
		want       int
	}{
		{cut.Put, state.Running, 5, 5},
		{cut.PutSafe, state.Failed, 6, 5},
		{cut.PutSafe, state.Unassigned, 8, 5},
		{cut.PutSafe, state.Unassigned, 9, 9}, // as the leader says it of what nobody has
		{cut.PutSafe, state.Failed, 10, 10},   // before it has run there
		{cut.PutSafe, state.Unassigned, 12, 10},
	} {
		if err := tt.put(id, Status{State: tt.said, WorkerID: "cut", Generation: tt.generation}); err != nil {
			t.Fatal(err)
		}
		flush(t, cut)
		if err := cut.topic.ToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, _ := cut.Status(id); s.State != tt.said || s.Generation != tt.want {
			t.Errorf("%s of generation %d is %+v, want it of %d", tt.said, tt.generation, s, tt.want)
		}
	}
}

// While Kafka takes nothing, nobody waits; then the newest status is there.
//
// Clauses: K5.
func TestKafkaThroughAnOutage(t *testing.T) {
	b := kafkatest.New(t)
	o := statuses(t, b.Addr())
	k := openKafka(t, o)
	lift := b.Fail(kafkatest.Fault{Request: kafkatest.Produce, Topic: "statuses", Code: 6, Times: -1})
	for n := range 20 {
		for task := range 3 {
			if err := k.Put(ID{"c", task}, Status{State: state.Running, WorkerID: "w", Generation: n}); err != nil {
				t.Fatal(err)
			}
		}
	}
	lift()
	flush(t, k)
	if d := cmp.Diff([]int{0, 1, 2}, k.Tasks("c")); d != "" {
		t.Error(d)
	}
	for _, task := range k.Tasks("c") {
		if s, _ := k.Status(ID{"c", task}); s.Generation != 19 {
			t.Errorf("task %d: %+v", task, s)
		}
	}
	if err := k.Put(ID{"c", Whole}, Status{State: state.Destroyed}); err != nil {
		t.Fatal(err)
	}
	flush(t, k)
	if got := k.Tasks("c"); len(got) > 0 {
		t.Errorf("a connector is removed, its tasks %v are not", got)
	}
	k.Close()
	k.Close()
}

// What cannot be read changes nothing.
func TestKafkaWithWhatCannotBeRead(t *testing.T) {
	o := statuses(t, kafkatest.Start(t))
	var log strings.Builder
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	k := openKafka(t, o)
	if err := k.Put(ID{"c", 0}, Status{State: state.Running, WorkerID: "w"}); err != nil {
		t.Fatal(err)
	}
	flush(t, k)
	bad := map[string]string{"status-task-c-0": `{"state":"RUN`, "status-connector-c": `{"state":"GONE"}`, "status-task-c": "{}", "status-task-c-x": "{}",
		"status-topic-t": "{}", "status-topic-t:connector-c": "[]", "nonsense": "{}", "status-connector-": "{}"}
	for key, value := range bad {
		if err := k.topic.Write(t.Context(), compacted.Record{Key: []byte(key), Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	if s, ok := k.Status(ID{"c", 0}); !ok || s.State != state.Running {
		t.Errorf("it became %+v", s)
	}
	if _, ok := k.Status(ID{"c", Whole}); ok || len(k.Topics("c")) > 0 {
		t.Error("what cannot be read counts")
	}
	k.Close()
	if n := strings.Count(log.String(), "status record is ignored"); n != len(bad) {
		t.Errorf("%d records are told of, want %d:\n%s", n, len(bad), log.String())
	}
}
