package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// in0 and in1 are partitions of the tests' topic.
var in0, in1 = connector.TopicPartition{Topic: "in"}, connector.TopicPartition{Topic: "in", Partition: 1}

// inPartition puts messages in a partition.
func inPartition(p int32, list []kafka.Message) []kafka.Message {
	for i := range list {
		list[i].Partition = p
	}
	return list
}

// A sink chooses what is committed, by the topic that was read whatever a
// transform makes of it, and more of it later without a further record. What it
// did not choose comes again.
//
// Clauses: A14.
func TestSinkChoosesOffsets(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 20)...)
	var safe atomic.Int64
	safe.Store(12)
	s := &script{choose: func(current offsets) (offsets, error) {
		for tp := range current {
			if tp != in0 {
				return nil, fmt.Errorf("there is a partition %v", tp)
			}
		}
		return offsets{in0: min(safe.Load(), current[in0])}, nil
	}, change: func(v string) (string, bool, error) { return v, true, nil }}
	w, _ := f.worker(s)
	props := connector.Props{"connector.class": "chooser", "topics": "in", "transforms": "c", "transforms.c.type": "change"}
	task, _ := f.start(w, KindSink, "k", props)
	eventually(t, "all records", func() bool { return len(s.values()) == 20 })
	eventually(t, "a commit", func() bool { return f.committed("connect-k", "in") == 12 })
	f.stop(task)
	if n := f.committed("connect-k", "in"); n != 12 {
		t.Errorf("%d committed, 12 are safe", n)
	}
	f.start(w, KindSink, "k", props)
	eventually(t, "what was not safe", func() bool { return len(s.values()) == 28 })
	if d := cmp.Diff(append(seq(20), seq(20)[12:]...), s.values()); d != "" {
		t.Error(d)
	}
	safe.Store(20)
	eventually(t, "the rest", func() bool { return f.committed("connect-k", "in") == 20 })
}

// What a sink says is safe counts for what it has taken; all else is left out, and
// so is what it wants again.
//
// Clauses: A14, A15.
func TestSinkCommitsOnlyWhatItHas(t *testing.T) {
	wrong := errors.New("the disk is full")
	tests := []struct {
		name   string
		choose func(c connector.SinkContext) (offsets, error)
		want   []string
		fails  bool
	}{
		{"all", func(connector.SinkContext) (offsets, error) { return offsets{in0: 9}, nil }, []string{"dead arrived", "commit 9"}, false},
		{"some", func(connector.SinkContext) (offsets, error) { return offsets{in0: 4}, nil }, []string{"dead arrived", "commit 4"}, false},
		{"nothing", func(connector.SinkContext) (offsets, error) { return nil, nil }, []string{"dead arrived"}, false},
		{"more than it was given", func(connector.SinkContext) (offsets, error) { return offsets{in0: 10}, nil }, []string{"dead arrived"}, false},
		{"less than nothing", func(connector.SinkContext) (offsets, error) { return offsets{in0: -1}, nil }, []string{"dead arrived"}, false},
		{"another partition", func(connector.SinkContext) (offsets, error) { return offsets{in1: 1}, nil }, []string{"dead arrived"}, false},
		{"an error", func(connector.SinkContext) (offsets, error) { return offsets{in0: 9}, wrong }, nil, true},
		{"it wants some again", func(c connector.SinkContext) (offsets, error) { return offsets{in0: 9}, c.Seek(in0, 8) },
			[]string{"dead arrived", "seek 8"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{}
			task, out, in := r.frame(t, KindSink, true)
			s := &sinkTask{t: task, set: &settings{}, in: in, out: out, put: &stage{place: "sink"},
				flushing:  &stage{place: "flush of sink", rule: rule{unmarked: connector.KindFatal}},
				delivered: offsets{}, committed: offsets{}}
			s.sink = &chooser{collect{script: &script{choose: func(current offsets) (offsets, error) {
				if d := cmp.Diff(offsets{in0: 9}, current); d != "" {
					t.Error(d)
				}
				return tt.choose(&s.asked)
			}}}}
			s.asked.assign([]connector.TopicPartition{in0})
			if err := s.took(twoRecords()); err != nil {
				t.Fatal(err)
			}
			r.log = nil
			err := s.flush(task.life)
			if err == nil {
				err = s.commit()
			}
			if (err != nil) != tt.fails {
				t.Errorf("error is %v", err)
			}
			if d := cmp.Diff(tt.want, r.log); d != "" {
				t.Error(d)
			}
		})
	}
}

// keeper is collect that keeps offsets itself.
type keeper struct {
	collect
	keep func(next offsets) error
}

func (k *keeper) KeepOffsets(_ context.Context, next map[connector.TopicPartition]int64) error {
	return k.keep(next)
}

// A sink that keeps offsets is told of them when the letters before them have arrived,
// and before they are committed; only of those that are new.
//
// Clauses: W10.
func TestSinkKeepsOffsets(t *testing.T) {
	wrong := errors.New("the database is away")
	tests := []struct {
		name      string
		committed int64
		err       error
		want      []string
	}{
		{"all is well", 0, nil, []string{"dead arrived", "keep map[{in 0}:9]", "commit 9"}},
		{"some is committed already", 8, nil, []string{"dead arrived", "keep map[{in 0}:9]", "commit 9"}},
		{"it cannot keep them", 0, wrong, []string{"dead arrived", "keep map[{in 0}:9]"}},
	}
	for _, tt := range tests {
		for _, last := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, at the end: %t", tt.name, last), func(t *testing.T) {
				r := &recorder{}
				task, out, in := r.frame(t, KindSink, true)
				s := &sinkTask{t: task, set: &settings{flushTimeout: time.Minute}, in: in, out: out, put: &stage{place: "sink"},
					flushing:  &stage{place: "flush of sink", rule: rule{unmarked: connector.KindFatal}},
					delivered: offsets{in1: 4}, committed: offsets{in0: tt.committed, in1: 4}}
				s.sink = &keeper{collect{script: &script{}}, func(next offsets) error {
					r.note("keep %v", next)
					return tt.err
				}}
				s.asked.assign([]connector.TopicPartition{in0})
				if err := s.took(twoRecords()); err != nil {
					t.Fatal(err)
				}
				r.log = nil
				var err error
				if last {
					err = s.commitNow()
				} else if err = s.flush(task.life); err == nil {
					err = s.commit()
				}
				if !errors.Is(err, tt.err) {
					t.Errorf("error is %v", err)
				}
				if d := cmp.Diff(tt.want, r.log); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// Records of a paused partition wait, in order, while others go on.
//
// Clauses: A15.
func TestSinkPausesAPartition(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 2)
	s := &script{}
	s.put = func(rs []connector.Record) error {
		for _, r := range rs {
			if r.Value == "0" {
				return s.context.Sink.Pause(in0)
			}
		}
		return nil
	}
	w, _ := f.worker(s)
	task, see := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	f.produce("in", inPartition(0, numbered(0, 1))...)
	eventually(t, "the first record", func() bool { return len(s.values()) == 1 })
	f.produce("in", inPartition(0, numbered(1, 30))...)
	f.produce("in", inPartition(1, numbered(30, 40))...)
	eventually(t, "the other partition", func() bool { return len(s.values()) == 11 })
	task.Pause() // the end of the task's pause is not that of the partition's
	eventually(t, "pause", func() bool { return see.last() == state.Paused })
	task.Resume()
	f.produce("in", inPartition(1, numbered(40, 50))...)
	eventually(t, "the other partition", func() bool { return len(s.values()) == 21 })
	eventually(t, "29 records of the paused partition", func() bool { return task.Snapshot().Lag[in0] == 29 })
	if err := s.context.Sink.Resume(in0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all records", func() bool { return len(s.values()) == 50 })
	exactly(t, "sink", count(s.values()), 50)
	ordered(t, append(s.values()[:1:1], s.values()[21:]...))
}

// What was read of a partition before it is paused comes again afterwards.
//
// Clauses: A15.
func TestPauseKeepsWhatWasRead(t *testing.T) {
	in := testIntake()
	defer in.t.kill(errStopping)
	r := new(recorder)
	in.consumer = r
	in.next = []kafka.Message{{Topic: "in", Offset: 7}, {Topic: "in", Partition: 1, Offset: 3}, {Topic: "in", Offset: 8}}
	if err := in.pause(map[connector.TopicPartition]bool{in0: true}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"seek 7", "pause [{in 0}]", "resume [{in 1}]"}, r.log); d != "" {
		t.Error(d)
	}
	if len(in.next) != 1 || in.next[0].Partition != 1 {
		t.Errorf("what is left is %v", in.next)
	}
}

// A sink goes on where its system is, and takes records again.
//
// Clauses: A15.
func TestSinkSeeks(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 10)...)
	s := &script{opened: func(c connector.SinkContext) error { return c.Seek(in0, 5) }}
	again := true
	s.put = func(rs []connector.Record) error {
		if last := rs[len(rs)-1].Value; last == "9" && again {
			again = false
			return s.context.Sink.Seek(in0, 7)
		}
		return nil
	}
	w, _ := f.worker(s)
	task, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "all records", func() bool { return len(s.values()) == 8 })
	if d := cmp.Diff([]string{"5", "6", "7", "8", "9", "7", "8", "9"}, s.values()); d != "" {
		t.Error(d)
	}
	f.stop(task)
	if n := f.committed("connect-k", "in"); n != 10 {
		t.Errorf("%d committed", n)
	}
}

// A seek is committed, too: the next task of the group goes on there.
//
// Clauses: A15.
func TestSinkSeekIsCommitted(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 10)...)
	s := &script{}
	s.put = func(rs []connector.Record) error {
		if rs[len(rs)-1].Value == "9" {
			return errors.Join(s.context.Sink.Seek(in0, 4), s.context.Sink.Pause(in0))
		}
		return nil
	}
	w, _ := f.worker(s)
	task, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "all records", func() bool { return len(s.values()) == 10 })
	eventually(t, "the commit", func() bool { return f.committed("connect-k", "in") == 4 })
	f.stop(task)
	if n := f.committed("connect-k", "in"); n != 4 {
		t.Errorf("%d committed after Stop", n)
	}
}

// Clauses: A15, J1.
func TestSinkRequestsACommit(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 10)...)
	s := &script{}
	s.put = func([]connector.Record) error { s.context.Sink.RequestCommit(); return nil }
	w, _ := f.worker(s)
	f.startWith(w, KindSink, "k", connector.Props{"topics": "in"}, connector.Props{"offset.flush.interval.ms": "3600000"})
	eventually(t, "the commit", func() bool { return f.committed("connect-k", "in") == 10 })
}

// Clauses: A15.
func TestSinkContext(t *testing.T) {
	both := []connector.TopicPartition{in0, in1}
	tests := []struct {
		name   string
		do     func(c *sinkContext) error
		want   string // error
		paused map[connector.TopicPartition]bool
	}{
		{"pause", func(c *sinkContext) error { return c.Pause(both...) }, "", map[connector.TopicPartition]bool{in0: true, in1: true}},
		{"resume", func(c *sinkContext) error { return errors.Join(c.Pause(both...), c.Resume(in0)) }, "", map[connector.TopicPartition]bool{in1: true}},
		{"a rebalance leaves one", func(c *sinkContext) error {
			err := c.Pause(both...)
			c.assign(nil)
			c.assign(both[1:])
			return err
		}, "", map[connector.TopicPartition]bool{in1: true}},
		{"a rebalance leaves none", func(c *sinkContext) error {
			err := c.Pause(in0)
			c.takePaused()
			c.assign(nil)
			c.assign(both[1:])
			return err
		}, "", map[connector.TopicPartition]bool{}},
		{"pause of another's", func(c *sinkContext) error {
			return c.Pause(in0, connector.TopicPartition{Topic: "out"})
		}, "out[0] is not assigned to this task", nil},
		{"seek of another's", func(c *sinkContext) error { c.assign(both[1:]); return c.Seek(in0, 1) }, "in[0] is not assigned to this task", nil},
		{"seek to nowhere", func(c *sinkContext) error { return c.Seek(in0, -1) }, "in[0]: offset -1 is negative", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := new(sinkContext)
			c.assign(both)
			text := ""
			if err := tt.do(c); err != nil {
				text = err.Error()
			}
			paused, changed := c.takePaused()
			if text != tt.want || changed != (tt.paused != nil) {
				t.Errorf("error is %q, changed: %v", text, changed)
			}
			if d := cmp.Diff(tt.paused, paused); d != "" {
				t.Error(d)
			}
		})
	}
}

// A sink whose system is away when it is told of its partitions is told again.
//
// Clauses: A15.
func TestSinkOpensAgain(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 3)...)
	tries := 0 // of the task's goroutine
	s := &script{opened: func(connector.SinkContext) error {
		if tries++; tries < 3 {
			return connector.Retriable(errors.New("the system is away"), connector.After(time.Millisecond))
		}
		return nil
	}}
	w, _ := f.worker(s)
	task, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "all records", func() bool { return len(s.values()) == 3 })
	f.stop(task)
	if tries != 3 {
		t.Errorf("it was told %d times", tries)
	}
}
