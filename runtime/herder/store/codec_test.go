package store_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
)

// recorded is a record that a Java worker (Kafka Connect 4.3) wrote to its configuration topic while its REST API was tried.
type recorded struct {
	Offset int     `json:"offset"`
	Key    string  `json:"key"`
	Value  *string `json:"value"`
}

func (r recorded) bytes() []byte {
	if r.Value == nil {
		return nil
	}
	return []byte(*r.Value)
}

func recording(t *testing.T) []recorded {
	t.Helper()
	f, err := os.Open("testdata/connect-configs.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []recorded
	for lines := bufio.NewScanner(z); lines.Scan(); {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	if len(list) != 72 {
		t.Fatalf("%d records, want 72", len(list))
	}
	return list
}

// summary says what is wanted of all connectors, one a line.
func summary(s *store.State) []string {
	list := []string{}
	for _, name := range s.Connectors() {
		c, _ := s.Connector(name)
		text := fmt.Sprintf("%s %s", name, c.Target)
		for _, task := range c.Tasks {
			text += fmt.Sprintf(" %v", task["batch.size"])
		}
		if !c.Split() {
			text += ", to be split"
		}
		if c.Inconsistent {
			text += ", inconsistent"
		}
		list = append(list, text)
	}
	return list
}

func TestReplayOfARecordedTopic(t *testing.T) {
	want := map[int][]string{ // after the record with this offset; <nil> is a task without batch.size
		0:  {},
		1:  {"src STARTED, to be split"},
		2:  {"src STARTED, to be split"}, // a task without its commit
		3:  {"src STARTED <nil>"},
		6:  {"src STARTED <nil>", "sink STARTED <nil>"},
		7:  {"src STARTED <nil>", "sink STARTED <nil>"}, // the same once more
		8:  {"src STARTED <nil>, to be split", "sink STARTED <nil>"},
		9:  {"src STARTED <nil>, to be split", "sink STARTED <nil>"},
		10: {"src STARTED 500", "sink STARTED <nil>"},
		16: {"src STARTED 700", "sink STARTED <nil>", "viaput STARTED <nil>"},
		20: {"src PAUSED <nil>", "sink STARTED <nil>", "viaput STARTED <nil>"},
		25: {"src STARTED <nil>", "sink STARTED <nil>", "viaput STARTED <nil>"},
		26: {"src STARTED", "sink STARTED <nil>", "viaput STARTED <nil>"}, // no tasks, before
		27: {"src STOPPED", "sink STARTED <nil>", "viaput STARTED <nil>"}, // it is stopped
		30: {"src STOPPED", "sink STOPPED", "viaput STARTED <nil>"},
		37: {"src STARTED <nil>", "sink STARTED <nil>", "viaput STARTED <nil>"}, // a target before its connector
		40: {"src STARTED <nil>", "sink STARTED <nil>", "viaput STARTED <nil>", "stopped STOPPED, to be split", "paused PAUSED, to be split"},
		54: {"src STARTED <nil>", "sink STARTED <nil>", "viaput STARTED <nil>", "stopped STOPPED, to be split", "paused PAUSED, to be split",
			"bad STARTED <nil>", "smt STARTED <nil>", "odd name/1 STARTED <nil>"}, // x4 came and went
		71: {"odd name/1 STARTED <nil>"},
	}
	var s store.State
	var told []string
	for _, rec := range recording(t) {
		r, err := store.Decode(rec.Key, rec.bytes())
		if err != nil {
			t.Fatal(err)
		}
		if s.Apply(r) {
			told = append(told, fmt.Sprintf("%d %T", rec.Offset, r))
		} else if _, task := r.(store.TaskConfig); !task && rec.Value != nil {
			t.Errorf("nobody hears of record %d, a %T", rec.Offset, r)
		}
		if lines, ok := want[rec.Offset]; ok {
			if d := cmp.Diff(lines, summary(&s)); d != "" {
				t.Errorf("after record %d: %s", rec.Offset, d)
			}
		}
		switch rec.Offset {
		case 25:
			if d := cmp.Diff(store.RestartRequest{Connector: "src", IncludeTasks: true, OnlyFailed: true}, r); d != "" {
				t.Error(d)
			}
		case 56:
			if c, _ := s.Connector("src"); !cmp.Equal(c.Config["batch.size"], nil) || len(c.Config) != 6 {
				t.Errorf("a null: %v", c.Config)
			}
		case 57:
			if d := cmp.Diff(store.LoggerLevel{Namespace: "org.apache.kafka.connect.json", Level: "INFO"}, r); d != "" {
				t.Error(d)
			}
		}
	}
	if d := cmp.Diff([]string{"0 store.SessionKey", "1 store.ConnectorConfig", "3 store.TaskCommit", "4 store.ConnectorConfig", "6 store.TaskCommit"}, told[:5]); d != "" {
		t.Error(d)
	}
	key, ok := s.SessionKey()
	if !ok || key.Algorithm != "HmacSHA256" || len(key.Key) != 32 || key.Created.UnixMilli() != 1795488107249 {
		t.Errorf("session key of %s, %d bytes, made at %s", key.Algorithm, len(key.Key), key.Created)
	}
	if text := fmt.Sprintf("%v %+v %#v", key, key, key); strings.Contains(text, key.Key.Secret()) {
		t.Error("the session key is printed")
	}
}

// What is written is what a Java worker writes.
//
// Clauses: H1, H2, H3, H4, H5.
func TestEncodeIsTheWayBack(t *testing.T) {
	for _, rec := range recording(t) {
		r, err := store.Decode(rec.Key, rec.bytes())
		if err != nil {
			t.Fatal(err)
		}
		key, value, err := store.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		if key != rec.Key || (value == nil) != (rec.Value == nil) {
			t.Errorf("record %d: key %s, value %s", rec.Offset, key, value)
		}
		if value == nil {
			continue
		}
		var want, got any
		if err := json.Unmarshal(rec.bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(value, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("record %d: %s", rec.Offset, d)
		}
		// Configurations have their keys in the order of Java's map, which varies;
		// everything else is the same byte for byte.
		if !strings.HasPrefix(rec.Key, "connector-") && !strings.HasPrefix(rec.Key, "task-") && string(value) != *rec.Value {
			t.Errorf("record %d: %s, want %s", rec.Offset, value, *rec.Value)
		}
	}
}

// A compacted topic has the newest record of each key, where it was written.
func TestReplayOfACompactedTopic(t *testing.T) {
	props := func(v string) []byte { return []byte(`{"properties":{"batch.size":"` + v + `"}}`) }
	type rec struct {
		key   string
		value []byte
	}
	tests := []struct {
		name    string
		records []rec
		want    []string
	}{
		{"a task was written anew without its commit", []rec{{"connector-c", props("1")}, {"task-c-1", props("1")}, {"commit-c", []byte(`{"tasks":2}`)}, {"task-c-0", props("2")}},
			[]string{"c STARTED, to be split, inconsistent"}},
		{"there were more tasks once", []rec{{"task-c-1", props("1")}, {"connector-c", props("1")}, {"task-c-0", props("1")}, {"commit-c", []byte(`{"tasks":1}`)}},
			[]string{"c STARTED 1"}},
		{"its removal is gone, its tasks are not", []rec{{"task-c-0", props("1")}, {"commit-c", []byte(`{"tasks":1}`)}, {"connector-c", props("2")}},
			[]string{"c STARTED, to be split"}},
		{"a state of old", []rec{{"connector-c", props("1")}, {"target-state-c", []byte(`{"state":"PAUSED"}`)}}, []string{"c PAUSED, to be split"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s store.State
			for _, rec := range tt.records {
				r, err := store.Decode(rec.key, rec.value)
				if err != nil {
					t.Fatal(err)
				}
				s.Apply(r)
			}
			if d := cmp.Diff(tt.want, summary(&s)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct{ key, value, want string }{
		{"nonsense", `{}`, "the key is none of Kafka Connect's that are known here"},
		{"task-c", `{"properties":{}}`, "the key does not end with the number of a task"},
		{"task-c-x", `{"properties":{}}`, "the key does not end with the number of a task"},
		{"task-c-0", "", "it has no value"},
		{"task-c-0", `{"properties":{"password":12345}}`, "properties: want string, not number"},
		{"connector-c", `{"properties":null}`, "properties: want an object"},
		{"connector-c", `hunter2`, "the value is not the JSON that it should be"},
		{"commit-c", `{}`, "tasks: want a number of tasks"},
		{"commit-c", `{"tasks":-1}`, "tasks: want a number of tasks"},
		{"commit-c", `{"tasks":"1"}`, "tasks: want int, not string"},
		{"target-state-c", `{"state":"GONE"}`, `state: "GONE" is none of STARTED, PAUSED and STOPPED`},
		{"target-state-c", `[]`, "the value is not the JSON that it should be"},
		{"session-key", `{"key":"?"}`, "the value is not the JSON that it should be"},
	}
	for _, tt := range tests {
		t.Run(tt.key+" "+tt.value, func(t *testing.T) {
			var value []byte
			if tt.value != "" {
				value = []byte(tt.value)
			}
			_, err := store.Decode(tt.key, value)
			if want := "configuration record " + tt.key + ": " + tt.want; err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

func TestTasksOfAnotherType(t *testing.T) {
	key, value, err := store.Encode(store.TaskConfig{Connector: "c", Task: 3, Config: connector.Props{"n": 3, "q": "a<b&c>d"}})
	if err != nil || key != "task-c-3" || string(value) != `{"properties":{"n":"3","q":"a<b&c>d"}}` {
		t.Errorf("%s %s %v", key, value, err)
	}
}
