package runtime

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// recorder is a Kafka that notes what it is asked for, in order. What is sent
// arrives when it is flushed, and not before; what is sent to some topics is
// refused then.
type recorder struct {
	member
	refuses map[string]error
	log     []string
	sent    []func()
	gone    bool // the partitions are another member's
}

func (r *recorder) note(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

func (r *recorder) Send(_ context.Context, m kafka.Message, done func(connector.RecordMetadata, error)) error {
	r.note("%s sent", m.Topic)
	r.sent = append(r.sent, func() {
		if err := r.refuses[m.Topic]; err != nil {
			r.note("%s refused", m.Topic)
			done(connector.RecordMetadata{}, err)
			return
		}
		r.note("%s arrived", m.Topic)
		done(connector.RecordMetadata{}, nil)
	})
	return nil
}

func (r *recorder) SendAll(ctx context.Context, messages []*kafka.Message, done func(*kafka.Delivery)) (int, error) {
	for i, m := range messages {
		_ = r.Send(ctx, *m, func(_ connector.RecordMetadata, err error) { done(&kafka.Delivery{Which: []int32{int32(i)}, Err: err}) })
	}
	return len(messages), nil
}

func (r *recorder) Flush(context.Context) error {
	sent := r.sent
	r.sent = nil
	for _, arrive := range sent {
		arrive()
	}
	return nil
}

func (r *recorder) Commit(_ context.Context, next map[connector.TopicPartition]int64) error {
	r.note("commit %d", next[connector.TopicPartition{Topic: "in"}])
	return nil
}

func (r *recorder) Seek(_ connector.TopicPartition, offset int64) error {
	r.note("seek %d", offset)
	return nil
}
func (r *recorder) Pause(tps ...connector.TopicPartition)  { r.note("pause %v", tps) }
func (r *recorder) Resume(tps ...connector.TopicPartition) { r.note("resume %v", tps) }
func (r *recorder) Assignment() []connector.TopicPartition {
	return []connector.TopicPartition{{Topic: "in"}, {Topic: "in", Partition: 1}}
}

func (r *recorder) Holds() bool { return !r.gone }

// frame gives a task, an outbox and an intake whose Kafka is the recorder.
func (r *recorder) frame(t *testing.T, kind Kind, all bool) (*Task, *outbox, *intake) {
	task := newTask(Options{Log: testLog()}, TaskSpec{Connector: "c", Kind: kind}, nil)
	t.Cleanup(func() { task.kill(errStopping) })
	task.tolerance = &tolerance{all: all, retryTimeout: -1, log: testLog(), stats: &task.errors}
	j := &journey{at: task.at, tolerance: task.tolerance, quit: task.quit.Done()}
	out := &outbox{at: task.at, errors: &task.errors, producer: r, topics: &topics{}, journey: j, letters: dlq.NewWriter(r, dlq.Options{Topic: "dead"})}
	return task, out, &intake{t: task, consumer: r, journey: j}
}

// twoRecords are one that came through and one that is tolerated.
func twoRecords() *batch {
	bad := failure{stage: &stage{}, cause: errTest, err: errTest}
	return &batch{items: []item{
		{read: &kafka.Message{Topic: "in", Offset: 7}, out: kafka.Message{Topic: "out"}},
		{read: &kafka.Message{Topic: "in", Offset: 8}, fate: tolerated, failed: bad},
	}}
}

// A stream's commit unit: outputs, changelog, dead letters, input offsets, each
// arrived before the next is sent; what Kafka refuses ends it there.
func TestStreamCommitsInOrder(t *testing.T) {
	tooLarge := connector.Data(errors.New("message is too large"))
	away := errors.New("partition has no leader")
	tests := []struct {
		name    string
		refuses map[string]error
		all     bool
		want    []string
		kept    bool // the state has what was written
		fails   bool
	}{
		{"all is well", nil, false, []string{"out sent", "out arrived", "log sent", "log arrived", "dead sent", "dead arrived", "commit 9"}, true, false},
		{"an output is refused", map[string]error{"out": tooLarge}, false, []string{"out sent", "out refused"}, false, true},
		{"an output is refused and tolerated", map[string]error{"out": tooLarge}, true,
			[]string{"out sent", "out refused", "log sent", "log arrived", "dead sent", "dead sent", "dead arrived", "dead arrived", "commit 9"}, true, false},
		{"an output does not arrive", map[string]error{"out": away}, true, []string{"out sent", "out refused"}, false, true},
		{"the changelog does not arrive", map[string]error{"log": away}, true, []string{"out sent", "out arrived", "log sent", "log refused"}, false, true},
		{"a dead letter does not arrive", map[string]error{"dead": away}, true,
			[]string{"out sent", "out arrived", "log sent", "log arrived", "dead sent", "dead refused"}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{refuses: tt.refuses}
			task, out, in := r.frame(t, KindStream, tt.all)
			st := newStore(0, 0)
			keep := &stores{topic: "log", live: map[int32]*store{0: st}}
			s := &streamTask{t: task, set: &settings{}, settled: map[connector.TopicPartition]int64{}, parts: &parts{stores: []*stores{keep}}, in: in, out: out,
				produce:    &stage{place: "output", rule: rule{unmarked: connector.KindFatal, tolerable: true}},
				committing: &stage{place: "offset commit", rule: rule{unmarked: connector.KindRetriable}}}
			b := twoRecords()
			b.items[0].writes = []storeWrite{{stores: keep, store: st, key: []byte("k"), value: []byte("v")}}
			err := s.finish(b)
			if err == nil {
				err = s.finishAll()
			}
			if (err != nil) != tt.fails {
				t.Errorf("error is %v", err)
			}
			if d := cmp.Diff(tt.want, r.log); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if _, kept, _ := st.Get([]byte("k")); kept != tt.kept {
				t.Errorf("the state has the write: %v", kept)
			}
		})
	}
}

// Units of a stream overlap: the outputs of one do not wait for those before it,
// everything else does, and a unit that fails takes with it what comes behind it.
func TestStreamUnitsOverlap(t *testing.T) {
	r := &recorder{refuses: map[string]error{}}
	task, out, in := r.frame(t, KindStream, true)
	st := newStore(0, 0)
	keep := &stores{topic: "log", live: map[int32]*store{0: st}}
	s := &streamTask{t: task, set: &settings{flushInterval: time.Hour}, due: time.Now().Add(time.Hour), settled: map[connector.TopicPartition]int64{}, parts: &parts{stores: []*stores{keep}}, in: in, out: out,
		produce:    &stage{place: "output", rule: rule{unmarked: connector.KindFatal, tolerable: true}},
		committing: &stage{place: "offset commit", rule: rule{unmarked: connector.KindRetriable}}}
	finish := func(offset int64) error {
		b := twoRecords()
		for i := range b.items {
			b.items[i].read.Offset = offset + int64(i)
		}
		st.begin()
		_ = st.Put([]byte("k"), []byte{byte(offset)})
		b.items[0].writes = st.end()
		b.items[0].writes[0].stores = keep
		return s.finish(b)
	}
	step := func(name string, do func() error, want ...string) {
		t.Helper()
		r.log = nil
		if err := do(); err != nil {
			t.Errorf("%s: error is %v", name, err)
		}
		if d := cmp.Diff(want, r.log); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
	arrive := func() error { return r.Flush(t.Context()) }
	step("one unit", func() error { return finish(10) }, "out sent")
	step("another one", func() error { return finish(20) }, "out sent")
	step("their outputs", arrive, "out arrived", "out arrived")
	step("what follows", s.idle, "log sent")
	step("a third one", func() error { return finish(30) }, "out sent")
	step("what that sent", arrive, "log arrived", "out arrived")
	step("dead letters", s.idle, "dead sent")
	step("their arrival", arrive, "dead arrived")
	step("the second one's turn", s.idle, "log sent")
	if v, _, _ := st.Get([]byte("k")); v[0] != 30 || st.base["k"].value[0] != 10 {
		t.Errorf("the state is %v, what is durable of it %v", v, st.base["k"].value)
	}
	step("no commit yet", s.idle)
	s.due = time.Now()
	step("a commit", s.idle, "commit 12")
	r.refuses["log"] = errTest
	if err := arrive(); err != nil {
		t.Fatal(err)
	}
	if err := s.idle(); !errors.Is(err, errTest) {
		t.Errorf("error is %v", err)
	}
	step("the end", s.finishAll)
	if n := task.counters.active.Load(); n != 0 || len(s.units) != 0 {
		t.Errorf("%d records and %d units are on their way", n, len(s.units))
	}
}

// A stream that is stopped when its partitions are another member's leaves what is
// on its way to that one: it has not failed.
func TestStreamStopsWithoutItsPartitions(t *testing.T) {
	r := new(recorder)
	task, out, in := r.frame(t, KindStream, false)
	s := &streamTask{t: task, set: &settings{}, settled: map[connector.TopicPartition]int64{}, parts: &parts{}, in: in, out: out, produce: &stage{place: "output"}}
	b := twoRecords()
	b.items = b.items[:1]
	if err := s.finish(b); err != nil {
		t.Fatal(err)
	}
	r.gone = true
	task.stop(errStopping)
	if err := s.loop(); err != nil || len(s.units) > 0 {
		t.Errorf("%d units are left, %v", len(s.units), err)
	}
	if d := cmp.Diff([]string{"out sent", "out arrived"}, r.log); d != "" {
		t.Error(d)
	}
}

// flushing is a sink that notes when it is made durable.
type flushing struct {
	collect
	r   *recorder
	err error
}

func (f *flushing) Flush(context.Context) error { f.r.note("flush"); return f.err }

// A sink's commit: flush, dead letters arrived, offsets.
//
// Clauses: A14, A17.
func TestSinkCommitsInOrder(t *testing.T) {
	away := errors.New("partition has no leader")
	tests := []struct {
		name    string
		refuses map[string]error
		flush   error
		want    []string
		fails   bool
	}{
		{"all is well", nil, nil, []string{"dead sent", "flush", "dead arrived", "commit 9"}, false},
		{"the flush fails", nil, away, []string{"dead sent", "flush"}, true},
		{"the dead letter does not arrive", map[string]error{"dead": away}, nil, []string{"dead sent", "flush", "dead refused"}, true},
	}
	for _, tt := range tests {
		for _, last := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/last=%v", tt.name, last), func(t *testing.T) {
				r := &recorder{refuses: tt.refuses}
				task, out, in := r.frame(t, KindSink, true)
				s := &sinkTask{t: task, set: &settings{flushTimeout: time.Minute}, sink: &flushing{r: r, err: tt.flush}, in: in, out: out,
					flushing: &stage{place: "flush of sink", rule: rule{unmarked: connector.KindFatal}}, delivered: map[connector.TopicPartition]int64{}, committed: map[connector.TopicPartition]int64{}}
				if err := s.took(twoRecords()); err != nil {
					t.Fatal(err)
				}
				commit := s.commitNow
				if !last {
					commit = func() error {
						if err := s.flush(task.life); err != nil {
							return err
						}
						return s.commit()
					}
				}
				if err := commit(); (err != nil) != tt.fails {
					t.Errorf("error is %v", err)
				}
				if d := cmp.Diff(tt.want, r.log); d != "" {
					t.Errorf("(-want +got)\n%s", d)
				}
			})
		}
	}
}

// A source's offsets are committed only for what has arrived: records, and the
// letters of those that are tolerated; dropped ones need not.
//
// Clauses: A19, D18.
func TestSourceCommitsInOrder(t *testing.T) {
	away := errors.New("partition has no leader")
	tests := []struct {
		name          string
		refuses       map[string]error
		before, after string // what may be committed when it was sent, and when it was flushed
	}{
		{"all is well", nil, `[{"n":0}]`, `[{"n":2}]`},
		{"a record does not arrive", map[string]error{"out": away}, `[{"n":0}]`, `[{"n":0}]`},
		{"a dead letter does not arrive", map[string]error{"dead": away}, `[{"n":0}]`, `[{"n":1}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{refuses: tt.refuses}
			task, out, _ := r.frame(t, KindSource, true)
			s := &sourceTask{t: task, queue: newInflight("c"), out: out, produce: &stage{place: "producer", rule: rule{unmarked: connector.KindFatal}}}
			s.polling, s.abort = context.WithCancelCause(task.quit)
			b := twoRecords()
			b.items = append([]item{{fate: dropped}}, b.items...)
			flights := make([]flight, len(b.items))
			for i := range b.items {
				it := &b.items[i]
				it.read, it.polled = nil, &connector.SourceRecord{SourcePartition: numbersPartition, SourceOffset: map[string]any{"n": i}}
				if err := s.queue.add(flights[i:i+1], one(it.polled.SourcePartition, it.polled.SourceOffset)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.send(b.items, flights); err != nil {
				t.Fatal(err)
			}
			committable := func() string {
				var offsets []map[string]any
				for _, e := range s.queue.committable().entries {
					offsets = append(offsets, e.Offset)
				}
				return jsonText(offsets)
			}
			if got := committable(); got != tt.before {
				t.Errorf("before anything has arrived %s may be committed", got)
			}
			if err := s.out.wait(task.life); (err != nil) != (tt.refuses["dead"] != nil) {
				t.Errorf("error is %v", err)
			}
			if got := committable(); got != tt.after {
				t.Errorf("%s may be committed, want %s", got, tt.after)
			}
		})
	}
}
