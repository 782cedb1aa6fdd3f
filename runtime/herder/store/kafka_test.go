package store_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store/storetest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// configs says where a configuration topic is.
func configs(t *testing.T, address, topic string) compacted.Options {
	t.Helper()
	c, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{address}, Props: map[string]string{"retry.backoff.ms": "10"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return compacted.Options{Client: c, Log: slog.New(slog.DiscardHandler),
		Settings: compacted.Settings{Use: compacted.Configs, Topic: topic, Partitions: 1, Replication: 1}}
}

func openKafka(t *testing.T, o compacted.Options) *store.Kafka {
	t.Helper()
	k, err := store.OpenKafka(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// raw writes records as they are.
func raw(t *testing.T, o compacted.Options, records ...recorded) {
	t.Helper()
	topic, err := compacted.Open(t.Context(), o, func(compacted.Record) {})
	if err != nil {
		t.Fatal(err)
	}
	defer topic.Close()
	list := make([]compacted.Record, len(records))
	for i, r := range records {
		list[i] = compacted.Record{Key: []byte(r.Key), Value: r.bytes()}
	}
	if err := topic.Write(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
}

func rec(key, value string) recorded { return recorded{Key: key, Value: &value} }

// Clauses: H1, H2, H3.
func TestKafka(t *testing.T) {
	address, places := kafkatest.Start(t), 0
	storetest.Run(t, func(t *testing.T) func(managed ...config.Connector) store.Store {
		places++
		o := configs(t, address, fmt.Sprint("configs-", places))
		return func(managed ...config.Connector) store.Store {
			k := openKafka(t, o)
			for _, c := range managed {
				if err := k.Append(t.Context(), store.ConnectorConfig{Connector: c.Name, Config: c.Entries.Props()}); err != nil {
					t.Fatal(err)
				}
			}
			return k
		}
	})
}

// What a Java worker wrote is taken over, and every worker has the same.
func TestKafkaWithWhatJavaWrote(t *testing.T) {
	o := configs(t, kafkatest.Start(t), "configs")
	list := recording(t)[:55]
	raw(t, o, list...)
	var want store.State
	for _, r := range list {
		decoded, err := store.Decode(r.Key, r.bytes())
		if err != nil {
			t.Fatal(err)
		}
		want.Apply(decoded)
	}
	first, second := openKafka(t, o), openKafka(t, o)
	if err := first.Append(t.Context(), store.TargetState{Connector: "sink", Target: state.TargetPaused}); err != nil {
		t.Fatal(err)
	}
	want.Apply(store.TargetState{Connector: "sink", Target: state.TargetPaused})
	if err := second.ToEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range []*store.Kafka{first, second} {
		if d := cmp.Diff(want.Connectors(), k.Connectors()); d != "" {
			t.Error(d)
		}
		for _, name := range want.Connectors() {
			w, _ := want.Connector(name)
			if got, _ := k.Connector(name); !cmp.Equal(w, got) {
				t.Errorf("%s: %s", name, cmp.Diff(w, got))
			}
		}
		if key, ok := k.SessionKey(); !ok || len(key.Key) != 32 {
			t.Error("there is no session key")
		}
	}
}

func TestOpenKafkaRefuses(t *testing.T) {
	address := kafkatest.Start(t)
	good := `{"properties":{"a":"1"}}`
	tests := []struct {
		name    string
		records []recorded
		want    []string // in the error, with %s for the topic
	}{
		{"a configuration cut off", []recorded{rec("connector-c", good), rec("connector-c", `{"properties":{"a`)},
			[]string{"topic %s partition 0 offset 1: configuration record connector-c: the value is not the JSON that it should be; write this key with a right value, or with none to remove what it stands for"}},
		{"several", []recorded{rec("connector-b", `[]`), rec("target-state-c", `{"state":"GONE"}`)}, []string{
			"topic %s partition 0 offset 0: configuration record connector-b: the value is not", "\n",
			`topic %s partition 0 offset 1: configuration record target-state-c: state: "GONE" is none of STARTED, PAUSED and STOPPED`}},
		{"mended", []recorded{rec("connector-c", "{"), rec("connector-c", good)}, nil},
		{"removed", []recorded{rec("connector-c", "{"), {Key: "connector-c"}}, nil},
		{"what is made anew, or not known", []recorded{rec("connector-c", good), rec("task-c-0", "{"), rec("commit-c", `{"tasks":1}`), rec("commit-d", "?"),
			{Key: "task-c-1"}, rec("tasks-fencing-c", `{"task-count":1}`), rec("of-the-future", "{}"), rec("session-key", "{}}"), rec("restart-connector-c", "")}, nil},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := configs(t, address, fmt.Sprint("configs-", i))
			raw(t, o, tt.records...)
			k, err := store.OpenKafka(t.Context(), o)
			if err == nil {
				k.Close()
			}
			if (tt.want == nil) != (err == nil) {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if want = strings.ReplaceAll(want, "%s", o.Topic); !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %s", err, want)
				}
			}
		})
	}
}

// A record that cannot be read changes nothing of a worker that runs.
func TestKafkaKeepsWhatItHas(t *testing.T) {
	o := configs(t, kafkatest.Start(t), "configs")
	var log strings.Builder
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	k := openKafka(t, o)
	write := func(records ...store.Record) {
		t.Helper()
		if err := k.Append(t.Context(), records...); err != nil {
			t.Fatal(err)
		}
	}
	write(store.TargetState{Connector: "c", Target: state.TargetPaused}, store.ConnectorConfig{Connector: "c", Config: connector.Props{"a": "1"}})
	before, _ := k.Connector("c")
	raw(t, o, rec("connector-c", `{"properties":{"password":hunter2}}`), rec("target-state-c", ""))
	write(store.LoggerLevel{Namespace: "a", Level: "INFO"}) // all before it was read
	if after, ok := k.Connector("c"); !ok || !cmp.Equal(before, after) {
		t.Errorf("it became %v", after)
	}
	k.Close()
	if text := log.String(); strings.Count(text, "configuration record does not count") != 2 || strings.Contains(text, "hunter2") ||
		!strings.Contains(text, "topic configs partition 0 offset 2: configuration record connector-c") {
		t.Error(text)
	}
}

// A topic whose records Kafka would delete, or have no order, is refused.
//
// Clauses: H8.
func TestKafkaRefusesATopic(t *testing.T) {
	o := configs(t, kafkatest.Start(t), "configs")
	tests := []struct {
		topic      string
		partitions int32
		policy     string
		want       string
	}{
		{"deleted", 1, "delete", "config.storage.topic: topic deleted has cleanup.policy=delete: Kafka would delete what is needed; set cleanup.policy=compact on it, or name another topic"},
		{"both", 1, "compact,delete", "config.storage.topic: topic both has cleanup.policy=compact,delete: "},
		{"two", 2, "compact", "config.storage.topic: topic two has 2 partitions and is to have one: configurations have no order across partitions; name another topic, "},
	}
	for _, tt := range tests {
		t.Run(tt.topic, func(t *testing.T) {
			err := o.Client.CreateTopic(t.Context(), kafka.TopicSpec{Name: tt.topic, Partitions: tt.partitions, Replication: 1, Config: map[string]string{"cleanup.policy": tt.policy}})
			if err != nil {
				t.Fatal(err)
			}
			o := o
			o.Topic = tt.topic
			if _, err := store.OpenKafka(t.Context(), o); err == nil || !strings.HasPrefix(err.Error(), tt.want) || connector.KindOf(err) != connector.KindFatal {
				t.Errorf("%v (%s), want %s", err, connector.KindOf(err), tt.want)
			}
		})
	}
}

// An answer that is lost, a broker that stops: what was appended is there once,
// and what could not be is an error.
func TestKafkaThroughFaults(t *testing.T) {
	b := kafkatest.New(t)
	o := configs(t, b.Addr(), "configs")
	o.Producer = map[string]string{"delivery.timeout.ms": "500"}
	k := openKafka(t, o)
	var mu sync.Mutex
	var heard []store.Record
	k.Listen(func(r store.Record) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, r)
	})
	restart := func(name string) store.Record { return store.RestartRequest{Connector: name} }
	b.Fail(kafkatest.Fault{Request: kafkatest.Produce, Topic: "configs", Code: 7})
	if err := k.Append(t.Context(), restart("a"), restart("b")); err != nil {
		t.Fatal(err)
	}
	lift := b.Fail(kafkatest.Fault{Request: kafkatest.Produce, Topic: "configs", Code: 6, Times: -1})
	if err := k.Append(t.Context(), restart("lost")); err == nil || !strings.Contains(err.Error(), "topic configs: write: ") {
		t.Error(err)
	}
	lift()
	if err := k.Append(t.Context(), restart("c")); err != nil {
		t.Fatal(err)
	}
	b.Stop()
	b.Restart()
	ctx, cancel := wait.Context()
	defer cancel()
	wait.Nil(t, "the broker is back", func() error { return k.Append(ctx, restart("d")) })
	mu.Lock()
	defer mu.Unlock()
	if d := cmp.Diff([]store.Record{restart("a"), restart("b"), restart("c"), restart("d")}, heard); d != "" {
		t.Error(d)
	}
}

// No record, however it was broken, stops a worker or changes another connector.
func FuzzDecode(f *testing.F) {
	for _, r := range []recorded{
		rec("connector-c", `{"properties":{"a":"1","b":null}}`), rec("task-c-0", `{"properties":{}}`), rec("commit-c", `{"tasks":1}`),
		rec("target-state-c", `{"state":"PAUSED","state.v2":"STOPPED"}`), rec("restart-connector-c", `{"include-tasks":true,"only-failed":false}`),
		rec("session-key", `{"key":"AAA=","algorithm":"HmacSHA256","creation-timestamp":1}`), rec("logger-cluster-a.b", `{"level":"INFO"}`),
		rec("tasks-fencing-c", `{"task-count":1}`), {Key: "connector-c"}, rec("commit-c", `{"tasks":9999999999}`), rec("task-c-99999999999999999999", `{"properties":{}}`),
	} {
		f.Add(r.Key, r.bytes())
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		var s store.State
		s.Apply(store.ConnectorConfig{Connector: "bystander", Config: connector.Props{"a": "1"}})
		r, err := store.Decode(key, value)
		if err != nil {
			if r != nil {
				t.Errorf("a record beside %v", err)
			}
			return
		}
		s.Apply(r)
		again, value, err := store.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := store.Decode(again, value)
		if err != nil || !cmp.Equal(r, back) {
			t.Errorf("%s: %v: %s", key, err, cmp.Diff(r, back))
		}
		if b, ok := s.Connector("bystander"); !strings.HasSuffix(key, "bystander") && !strings.Contains(key, "bystander-") && (!ok || b.Config["a"] != "1") {
			t.Errorf("%s changes a bystander: %v", key, b)
		}
	})
}

// Whatever a topic holds, half of what was to be written too, the connectors that are
// there are those whose newest readable configuration is not a removal, and a connector
// has all the tasks of its commit or is known to lack some.
func FuzzTopic(f *testing.F) {
	const connected, tasks = "connector-c={\"properties\":{\"a\":\"1\"}}\n", "task-c-0={\"properties\":{}}\ntask-c-1={\"properties\":{}}\n"
	for _, topic := range []string{
		connected + tasks + "commit-c={\"tasks\":2}\n", connected + tasks, tasks + "commit-c={\"tasks\":2}\n", connected + "commit-c={\"tasks\":2}\n",
		connected + "task-c-1={\"properties\":{}}\ncommit-c={\"tasks\":2}\n", connected + tasks + "commit-c={\"tasks\":0}\nconnector-c\n",
		"target-state-c={\"state\":\"STOPPED\"}\n" + connected + "connector-c={\"prop", connected + "connector-c\ntarget-state-c\n" + connected,
		"connector-={\"properties\":{}}\ntask--0={\"properties\":{}}\ncommit-={\"tasks\":1}", "connector-a-1={\"properties\":{}}\ntask-a-1-0={\"properties\":{}}\ncommit-a-1={\"tasks\":1}",
		connected + "commit-c={\"tasks\":-1}\ncommit-c={\"tasks\":9223372036854775807}\n",
	} {
		f.Add(topic)
	}
	f.Fuzz(func(t *testing.T, topic string) {
		var s store.State
		there := map[string]bool{}
		for line := range strings.SplitSeq(topic, "\n") {
			key, value, has := strings.Cut(line, "=")
			b := []byte(value)
			if !has {
				b = nil
			}
			r, err := store.Decode(key, b)
			if err != nil {
				continue // said, and what there was goes on
			}
			if c, is := r.(store.ConnectorConfig); is {
				if there[c.Connector] = c.Config != nil; c.Config == nil {
					delete(there, c.Connector)
				}
			}
			s.Apply(r)
		}
		for _, name := range s.Connectors() {
			c, ok := s.Connector(name)
			if !ok || !there[name] || c.Config == nil || c.Inconsistent && len(c.Tasks) > 0 || slices.ContainsFunc(c.Tasks, func(p connector.Props) bool { return p == nil }) {
				t.Errorf("connector %q: %+v, there %v", name, c, ok)
			}
			delete(there, name)
		}
		if len(there) > 0 {
			t.Errorf("gone: %v", there)
		}
	})
}
