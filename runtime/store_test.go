package runtime

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// fakeLog is Kafka for stores: topics with partitions and a log of one.
type fakeLog struct {
	partitions map[string]int32
	log        []kafka.Message
	created    []kafka.TopicSpec
	fail       error
}

func (f *fakeLog) CreateTopic(_ context.Context, s kafka.TopicSpec) error {
	if _, ok := f.partitions[s.Name]; !ok {
		f.partitions[s.Name] = s.Partitions
		f.created = append(f.created, s)
	}
	return nil
}

func (f *fakeLog) Partitions(_ context.Context, topic string) (int32, error) {
	n, ok := f.partitions[topic]
	if !ok {
		return 0, kafka.ErrUnknownTopic
	}
	return n, nil
}

func (f *fakeLog) ReadPartition(_ context.Context, tp connector.TopicPartition, from int64, fn func(kafka.Message) error) error {
	for _, m := range f.log {
		if m.Partition == tp.Partition && m.Offset >= from {
			if err := fn(m); err != nil {
				return err
			}
		}
	}
	return f.fail
}

// fold is what a store with this changelog should hold.
func fold(log []kafka.Message, retention, now int64) map[string]string {
	at := map[string]int64{}
	want := map[string]string{}
	for _, m := range log {
		at[string(m.Key)] = m.Timestamp
		if m.Value == nil {
			delete(want, string(m.Key))
		} else {
			want[string(m.Key)] = string(m.Value)
		}
	}
	maps.DeleteFunc(want, func(k, _ string) bool { return retention > 0 && at[k]+retention <= now })
	return want
}

// content asks a store for every key.
func content(t *rapid.T, s *store) map[string]string {
	got := map[string]string{}
	for _, k := range storeKeys {
		v, ok, err := s.Get([]byte(k))
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			got[k] = string(v)
		}
	}
	return got
}

var storeKeys = []string{"a", "b", "c", ""}

// A store equals the fold of its changelog, whatever was written, rolled back,
// lost with its batch, expired, or restored in between.
func TestStoreIsFoldOfChangelog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := int64(1_000_000)
		retention := rapid.SampledFrom([]int64{0, 5}).Draw(t, "retention")
		clock := func() int64 { return now }
		k := &fakeLog{partitions: map[string]int32{}}
		fresh := func() *store {
			s := newStore(0, time.Duration(retention)*time.Millisecond)
			s.now = clock
			return s
		}
		s := fresh()
		var batch []storeWrite
		overlaid := func() map[string]string { // the fold with what is not durable yet
			log := slices.Clone(k.log)
			for _, w := range batch {
				log = append(log, kafka.Message{Key: w.key, Value: w.value, Timestamp: w.at})
			}
			return fold(log, retention, now)
		}
		t.Repeat(map[string]func(*rapid.T){
			"record": func(t *rapid.T) {
				s.begin()
				before := overlaid()
				for range rapid.IntRange(0, 3).Draw(t, "writes") {
					key := rapid.SampledFrom(storeKeys).Draw(t, "key")
					if rapid.Bool().Draw(t, "delete") {
						_ = s.Delete([]byte(key))
						delete(before, key)
					} else {
						v := rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "value")
						_ = s.Put([]byte(key), []byte(v))
						before[key] = v
					}
					if d := cmp.Diff(before, content(t, s)); d != "" {
						t.Fatalf("the record does not see its own writes:\n%s", d)
					}
				}
				if rapid.Bool().Draw(t, "fails") {
					s.rollback()
				} else {
					batch = append(batch, s.end()...)
				}
			},
			"commit": func(t *rapid.T) { // later writes may be on their way
				n := rapid.IntRange(0, len(batch)).Draw(t, "durable")
				for _, w := range batch[:n] {
					off := int64(len(k.log))
					k.log = append(k.log, kafka.Message{Key: w.key, Value: w.value, Timestamp: w.at, Offset: off})
					s.durable(w, off)
				}
				batch = batch[n:]
				if len(batch) == 0 && len(s.overlay) > 0 {
					t.Fatalf("the overlay keeps what is in the changelog: %v", s.overlay)
				}
				s.expire()
			},
			"lose the batch": func(*rapid.T) {
				batch = nil
				clear(s.overlay)
			},
			"another member writes": func(t *rapid.T) {
				key := rapid.SampledFrom(storeKeys).Draw(t, "key")
				k.log = append(k.log, kafka.Message{Key: []byte(key), Value: []byte("z"), Timestamp: now, Offset: int64(len(k.log))})
				batch = nil
				if err := s.restore(context.Background(), k, "log"); err != nil {
					t.Fatal(err)
				}
			},
			"restart": func(t *rapid.T) {
				s, batch = fresh(), nil
				if err := s.restore(context.Background(), k, "log"); err != nil {
					t.Fatal(err)
				}
			},
			"time passes": func(t *rapid.T) { now += rapid.Int64Range(0, 4).Draw(t, "ms") },
			"": func(t *rapid.T) {
				if d := cmp.Diff(overlaid(), content(t, s)); d != "" {
					t.Fatalf("store (-fold +got):\n%s", d)
				}
			},
		})
	})
}

func TestStoreForgetsWhatExpired(t *testing.T) {
	now := int64(0)
	s := newStore(0, time.Millisecond)
	s.now = func() int64 { return now }
	for i := range int64(10_000) {
		now = i
		s.apply([]byte{byte(i), byte(i >> 8)}, []byte("v"), now, i)
		s.expire()
	}
	if len(s.base) > 2 || len(s.puts) > 2 {
		t.Errorf("%d entries and %d puts after they expired", len(s.base), len(s.puts))
	}
	s = newStore(0, time.Hour)
	s.now = func() int64 { return now }
	for i := range int64(10_000) { // one key again and again
		s.apply([]byte("k"), []byte("v"), now+i, i)
		s.expire()
	}
	if len(s.base) != 1 || len(s.puts) > 1100 {
		t.Errorf("%d entries and %d puts for one key", len(s.base), len(s.puts))
	}
}

func TestChangelogFits(t *testing.T) {
	tests := []struct {
		name       string
		partitions map[string]int32
		inputs     []string
		want       string
	}{
		{"is created", map[string]int32{"in": 3}, []string{"in"}, ""},
		{"is there", map[string]int32{"in": 3, "log": 3}, []string{"in"}, ""},
		{"several inputs", map[string]int32{"in": 3, "in2": 3}, []string{"in", "in2"}, ""},
		{"input has grown", map[string]int32{"in": 6, "log": 3}, []string{"in"},
			"topic in has 6 partitions, but the state in log was made with 3 and keys have moved since: give the connector another name"},
		{"inputs differ", map[string]int32{"in": 6, "in2": 3}, []string{"in", "in2"},
			"topic in2 has 3 partitions and in has 6: a stateful transform needs the same number"},
		{"no input yet", map[string]int32{}, []string{"in"}, kafka.ErrUnknownTopic.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := &fakeLog{partitions: tt.partitions}
			s := &stores{topic: "log", retention: time.Hour, replicas: 2, live: map[int32]*store{}, parked: map[int32]*store{}}
			err := s.prepare(t.Context(), k, tt.inputs, []int32{0, 2})
			got := ""
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Fatalf("error is %q, want %q in it", got, tt.want)
			}
			for _, c := range k.created {
				want := kafka.TopicSpec{Name: "log", Partitions: 3, Replication: 2,
					Config: map[string]string{"cleanup.policy": "compact,delete", "retention.ms": "3600000", "message.timestamp.type": "CreateTime"}}
				if d := cmp.Diff(want, c); d != "" {
					t.Error(d)
				}
			}
			if tt.want == "" {
				if _, err := s.open(2); err != nil {
					t.Error(err)
				}
				if _, err := s.open(1); err == nil {
					t.Error("partition 1 was not restored")
				}
				k.partitions["in"] = 4 // grows while the task runs
				if err := s.prepare(t.Context(), k, tt.inputs, []int32{3}); err == nil || connector.KindOf(err) != connector.KindFatal {
					t.Errorf("a new partition of the input is %v", err)
				}
			}
		})
	}
}

func TestStoresComeBackAfterARebalance(t *testing.T) {
	k := &fakeLog{partitions: map[string]int32{"in": 2}}
	s := &stores{topic: "log", live: map[int32]*store{}, parked: map[int32]*store{}}
	prepare := func(ps ...int32) {
		t.Helper()
		if err := s.prepare(t.Context(), k, []string{"in"}, ps); err != nil {
			t.Fatal(err)
		}
	}
	prepare(0, 1)
	first := s.live[0]
	s.park([]int32{0, 1})
	s.forget(map[int32]bool{0: true})
	prepare(0)
	if s.live[0] != first {
		t.Error("the store of a partition that came back was thrown away")
	}
	if len(s.parked) != 0 {
		t.Errorf("%d stores are still parked", len(s.parked))
	}
	s.drop([]int32{0})
	prepare(0)
	if s.live[0] == first {
		t.Error("a store that others may have written was kept")
	}
	k.fail = errors.New("broker is away")
	if err := s.prepare(t.Context(), k, []string{"in"}, []int32{1}); connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("error is %v, want a retriable one", err)
	}
}

// A stateful transform that fails leaves nothing in the state, whatever it had
// put there for the record.
func TestStreamStateOfAFailedRecord(t *testing.T) {
	keep := &stores{live: map[int32]*store{0: newStore(0, 0)}}
	step := stateful(&putsThenFails{}, keep, nil)
	for n := range 2 {
		it := &item{read: &kafka.Message{}, record: connector.Record{Value: n}}
		if err := step(t.Context(), it); (err != nil) != (n == 1) {
			t.Errorf("record %d: %v", n, err)
		}
		if writes := 1 - n; len(it.writes) != writes {
			t.Errorf("record %d has %d writes, want %d", n, len(it.writes), writes)
		}
		if v, _, _ := keep.live[0].Get([]byte("k")); string(v) != "\x00" {
			t.Errorf("the store has %v after record %d", v, n)
		}
	}
}

// putsThenFails puts each number, and fails with those above 0.
type putsThenFails struct{ counting }

func (*putsThenFails) ApplyStateful(_ context.Context, s connector.Store, r connector.Record) (connector.Record, bool, error) {
	n := r.Value.(int)
	if err := s.Put([]byte("k"), []byte{byte(n)}); err != nil || n == 0 {
		return r, true, err
	}
	return r, false, errTest
}
