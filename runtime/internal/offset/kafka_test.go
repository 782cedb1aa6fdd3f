package offset

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
)

// offsets says where an offset topic is.
func offsets(t *testing.T, address, topic string) compacted.Options {
	t.Helper()
	c, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return compacted.Options{Client: c, Log: slog.New(slog.DiscardHandler),
		Settings: compacted.Settings{Use: compacted.Offsets, Topic: topic, Partitions: 25, Replication: 1}}
}

func openKafka(t *testing.T, o compacted.Options) *Kafka {
	t.Helper()
	k, err := OpenKafka(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// short is a record in short: its partition, key and value.
func short(r compacted.Record) string {
	if r.Value == nil {
		return fmt.Sprintf("%d %s", r.Partition, r.Key)
	}
	return fmt.Sprintf("%d %s %s", r.Partition, r.Key, r.Value)
}

// all gives the records of a topic, and what to write such with.
func all(t *testing.T, o compacted.Options) (lines func() []string, topic *compacted.Topic) {
	t.Helper()
	var mu sync.Mutex
	var list []string
	topic, err := compacted.Open(t.Context(), o, func(r compacted.Record) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, short(r))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(topic.Close)
	return func() []string {
		if err := topic.ToEnd(t.Context()); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		return list
	}, topic
}

// A Java worker (Kafka Connect 4.3) with the file source wrote these records, in
// these partitions, when it committed, altered and reset offsets. Ours are the
// same, byte for byte.
//
// Clauses: H6.
func TestKafkaWritesWhatJavaWrites(t *testing.T) {
	o := offsets(t, kafkatest.Start(t), "offsets")
	k := openKafka(t, o)
	lines, _ := all(t, o)
	at := func(connector string, position int) {
		t.Helper()
		e := Entry{Partition: map[string]any{"filename": "src.txt"}}
		if position >= 0 {
			e.Offset = map[string]any{"position": position}
		}
		if err := k.Commit(t.Context(), connector, []Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	at("src", 33)
	at("src", 4)
	at("src", -1)
	at("viaput", 33)
	at("x4", 33)
	at("smt", 33)
	at("odd name/1", 33)
	want := map[string]bool{`2 ["src",{"filename":"src.txt"}] {"position":33}`: true, `2 ["src",{"filename":"src.txt"}] {"position":4}`: true,
		`2 ["src",{"filename":"src.txt"}]`: true, `10 ["viaput",{"filename":"src.txt"}] {"position":33}`: true, `17 ["x4",{"filename":"src.txt"}] {"position":33}`: true,
		`0 ["smt",{"filename":"src.txt"}] {"position":33}`: true, `21 ["odd name/1",{"filename":"src.txt"}] {"position":33}`: true}
	got := map[string]bool{}
	for _, l := range lines() {
		got[l] = true
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestKafkaKeepsOffsets(t *testing.T) {
	o := offsets(t, kafkatest.Start(t), "offsets")
	k, other := openKafka(t, o), openKafka(t, o)
	mvco, harpswell := map[string]any{"dataset": "mvco", "shard": 2}, map[string]any{"dataset": "<harpswell>"}
	err := k.Commit(t.Context(), "ifcb", []Entry{
		{Partition: mvco, Offset: map[string]any{"bin": "D20190728T212639_IFCB104", "line": json.Number("9007199254740993")}},
		{Partition: harpswell, Offset: map[string]any{"line": 1.5}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Commit(t.Context(), "other", []Entry{{Partition: mvco, Offset: map[string]any{"x": true}}}); err != nil {
		t.Fatal(err)
	}
	// Another worker has them at once.
	got, err := other.Offset(t.Context(), "ifcb", map[string]any{"shard": json.Number("2"), "dataset": "mvco"})
	if d := cmp.Diff(map[string]any{"bin": "D20190728T212639_IFCB104", "line": json.Number("9007199254740993")}, got); d != "" || err != nil {
		t.Error(err, d)
	}
	if err := other.Commit(t.Context(), "ifcb", []Entry{{Partition: mvco}, {Partition: map[string]any{"never": "there"}}}); err != nil {
		t.Fatal(err)
	}
	want := []Entry{{Partition: harpswell, Offset: map[string]any{"line": json.Number("1.5")}}}
	for name, store := range map[string]Store{"the one": k, "the other": other, "a third": openKafka(t, o)} {
		list, err := store.List(t.Context(), "ifcb")
		if d := cmp.Diff(want, list); d != "" || err != nil {
			t.Error(name, err, d)
		}
		if got, err := store.Offset(t.Context(), "ifcb", mvco); got != nil || err != nil {
			t.Errorf("%s: one that was removed is %v, %v", name, got, err)
		}
	}
	if err := k.Commit(t.Context(), "ifcb", []Entry{{Partition: map[string]any{"f": func() {}}, Offset: map[string]any{}}}); err == nil {
		t.Error("a function is an offset's key")
	}
}

// A Java worker's map has its names in an order of its own, and an old one has
// schemas: it finds what is altered under its own keys.
func TestKafkaKeepsJavasKeys(t *testing.T) {
	o := offsets(t, kafkatest.Start(t), "offsets")
	lines, topic := all(t, o)
	partition := map[string]any{"protocol": "1", "table": "t"}
	const unsorted, old = `["jdbc",{"table":"t","protocol":"1"}]`, `{"schema":null,"payload":["jdbc",{"protocol":"1","table":"t"}]}`
	write := func(key, value string) {
		t.Helper()
		if err := topic.Write(t.Context(), compacted.Record{Key: []byte(key), Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	write(old, `{"schema":null,"payload":{"id":1}}`)
	write(unsorted, `{"id":2}`)
	k := openKafka(t, o)
	offset := func() string {
		t.Helper()
		got, err := k.Offset(t.Context(), "jdbc", partition)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(got)
	}
	if got := offset(); got != "map[id:2]" {
		t.Error(got)
	}
	if err := k.Commit(t.Context(), "jdbc", []Entry{{Partition: partition, Offset: map[string]any{"id": 3}}}); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, l := range lines() {
		_, record, _ := strings.Cut(l, " ")
		counts[record]++
	}
	if counts[unsorted+` {"id":3}`] != 1 || counts[old+` {"id":3}`] != 1 || len(counts) != 4 {
		t.Errorf("there are %v", counts)
	}
	write(unsorted, `{"id":4}`) // a Java worker goes on
	if got := offset(); got != "map[id:4]" {
		t.Error(got)
	}
	write(unsorted, "null") // as it removes one
	if got := offset(); got != "map[]" {
		t.Error(got)
	}
}

// What cannot be read is an error for its connector alone, and no beginning anew.
func TestKafkaWithWhatCannotBeRead(t *testing.T) {
	o := offsets(t, kafkatest.Start(t), "offsets")
	_, topic := all(t, o)
	for key, value := range map[string]string{`["c",{"p":1}]`: `{"n":`, `["d",{"p":1}]`: `{"n":1}`, `["c"`: "{}", `"x"`: "{}", `{"schema":`: "{}"} {
		if err := topic.Write(t.Context(), compacted.Record{Key: []byte(key), Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	k := openKafka(t, o)
	if got, err := k.Offset(t.Context(), "d", map[string]any{"p": 1}); err != nil || fmt.Sprint(got) != "map[n:1]" {
		t.Error(got, err)
	}
	_, one := k.Offset(t.Context(), "c", map[string]any{"p": 1})
	_, list := k.List(t.Context(), "c")
	for _, err := range []error{one, list} {
		if err == nil || !strings.Contains(err.Error(), `offset 0: offset of ["c",{"p":1}]: `) || !strings.HasSuffix(err.Error(), "write this key with a right value, or with none to begin anew") {
			t.Error(err)
		}
	}
	if err := k.Commit(t.Context(), "c", []Entry{{Partition: map[string]any{"p": 1}, Offset: map[string]any{"n": 2}}}); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Offset(t.Context(), "c", map[string]any{"p": 1}); err != nil || fmt.Sprint(got) != "map[n:2]" {
		t.Error(got, err)
	}
}
