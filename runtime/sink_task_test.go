package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

func canceled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// Clauses: A13, A14, A15, A18, J1.
func TestSinkDelivers(t *testing.T) {
	for _, class := range []string{"collect", "buffer"} {
		t.Run(class, func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 3)
			f.produce("in", numbered(0, 200)...)
			s := &script{}
			w, _ := f.worker(s)
			task, see := f.start(w, KindSink, "k", connector.Props{"connector.class": class, "topics": "in"})
			eventually(t, "all records", func() bool { return len(s.values()) == 200 })
			exactly(t, "sink", count(s.values()), 200)
			ordered(t, s.values())
			for _, r := range s.records {
				if r.Topic != "in" || r.Origin.Topic != "in" || r.Origin.Partition != r.Partition || r.Timestamp <= 0 {
					t.Fatalf("record is %+v", r)
				}
			}
			eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 200 })

			// A second task of the group goes on where the first one stopped.
			f.stop(task)
			f.produce("in", numbered(200, 250)...)
			task, _ = f.start(w, KindSink, "k", connector.Props{"connector.class": class, "topics.regex": "i."})
			eventually(t, "all records", func() bool { return len(s.values()) == 250 })
			exactly(t, "sink", count(s.values()), 250)
			f.stop(task)
			if got := f.committed("connect-k", "in"); got != 250 {
				t.Errorf("%d committed after Stop", got)
			}
			if d := cmp.Diff([]state.State{state.Running, state.Stopped}, see.states); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{"open 3", "close 3", "stop", "open 3", "close 3", "stop"}, s.events); d != "" {
				t.Error(d)
			}
		})
	}
}

// Clauses: A16.
func TestSinkRedeliversTheSameBatch(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 50)...)
	var tries atomic.Int32
	var batches []string
	s := &script{put: func(rs []connector.Record) error {
		batches = append(batches, fmt.Sprintf("%v-%v", rs[0].Value, rs[len(rs)-1].Value))
		if tries.Add(1) < 4 {
			return connector.Retriable(errors.New("database is away"))
		}
		return nil
	}}
	w, _ := f.worker(s)
	task, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "a retry", func() bool { return tries.Load() > 1 })
	f.produce("in", numbered(50, 60)...) // what comes meanwhile waits
	if st := task.Snapshot(); !strings.Contains(st.Errors.Last, "k/0: sink (collect): database is away") || st.State != state.Running {
		t.Errorf("snapshot is %+v", st)
	}
	if n := f.committed("connect-k", "in"); n != 0 {
		t.Errorf("%d committed before the sink has taken anything", n)
	}
	eventually(t, "all records", func() bool { return len(s.values()) == 60 })
	if d := cmp.Diff(seq(60), s.values()); d != "" {
		t.Error(d)
	}
	for _, b := range batches[1:4] {
		if b != batches[0] {
			t.Errorf("batches are %v: not the same again", batches)
		}
	}
	eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 60 })
	if st := task.Snapshot(); st.Errors.Retries != 3 || st.Errors.Retrying {
		t.Errorf("errors are %+v", st.Errors)
	}
}

func TestSinkStopsWhileRetrying(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 20)...)
	var away atomic.Bool
	var tries atomic.Int32
	s := &script{put: func([]connector.Record) error {
		if away.Load() {
			tries.Add(1)
			return connector.Retriable(errors.New("database is away"))
		}
		return nil
	}}
	w, _ := f.worker(s)
	task, see := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "first records", func() bool { return len(s.values()) == 20 })
	away.Store(true)
	f.produce("in", numbered(20, 40)...)
	eventually(t, "retries", func() bool { return tries.Load() > 1 })
	f.stop(task)
	if see.last() != state.Stopped {
		t.Errorf("state is %v, %v", see.last(), see.failure())
	}
	if n := f.committed("connect-k", "in"); n != 20 {
		t.Errorf("%d committed, the sink has 20", n)
	}
	away.Store(false)
	f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "the others", func() bool { return len(s.values()) == 40 })
	exactly(t, "sink", count(s.values()), 40)
}

// Clauses: A16, J4.
func TestSinkFails(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 20)...)
	f.produce("in", kafka.Message{Partition: 0, Value: []byte("bad apple"), Timestamp: connector.NoTimestamp})
	f.produce("in", numbered(20, 30)...)
	s := &script{}
	w, _ := f.worker(s)
	task, see := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	f.ended(task)
	want := `k/0: value converter (text): in[0]@20: "bad apple" is bad`
	if see.last() != state.Failed || see.failure() == nil || see.failure().Error() != want {
		t.Errorf("state is %v, %v, want %s", see.last(), see.failure(), want)
	}
	if connector.KindOf(see.failure()) != connector.KindData {
		t.Error("the restart policy cannot see that a record was to blame")
	}
	// What comes before the bad record is delivered and committed.
	if d := cmp.Diff(seq(20), s.values()); d != "" {
		t.Error(d)
	}
	if n := f.committed("connect-k", "in"); n != 20 {
		t.Errorf("%d committed", n)
	}
}

// Clauses: A15, J5, J6.
func TestSinkDeadLetters(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 5)...)
	f.produce("in", kafka.Message{Partition: 0, Key: []byte("k"), Value: []byte("bad apple"), Timestamp: 1564349199000,
		Headers: []kafka.Header{{Key: "h", Value: []byte("v")}}})
	f.produce("in", numbered(5, 10)...)
	s := &script{reported: func(r connector.Record) error {
		if r.Value == "7" {
			return connector.Data(errors.New("column too narrow"))
		}
		return nil
	}}
	var there atomic.Int64
	s.arrived = func() { there.Store(f.end("dead")) }
	w, _ := f.worker(s)
	task, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in", "errors.tolerance": "all", "errors.log.enable": "true",
		"errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1",
		"errors.deadletterqueue.context.headers.enable": "true"})
	eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 11 })
	want := count(seq(10))
	delete(want, "7")
	if d := cmp.Diff(want, count(s.values())); d != "" {
		t.Error(d)
	}
	dead := f.read("dead")
	if len(dead) != 2 {
		t.Fatalf("%d dead letters", len(dead))
	}
	if there.Load() == 0 {
		t.Error("the sink has waited for a letter that was not there")
	}
	apple, seven := dead[0], dead[1]
	if string(apple.Value) != "bad apple" {
		apple, seven = seven, apple
	}
	if string(apple.Key) != "k" || string(apple.Value) != "bad apple" || apple.Timestamp != 1564349199000 ||
		apple.Headers[0].Key != "h" || string(apple.Headers[0].Value) != "v" {
		t.Errorf("letter is %+v", apple)
	}
	if d := cmp.Diff(map[string]string{
		dlq.Topic: "in", dlq.Partition: "0", dlq.Offset: "5", dlq.Connector: "k", dlq.Task: "0",
		dlq.Stage: "VALUE_CONVERTER", dlq.Class: "test.TextConverter", dlq.Message: `"bad apple" is bad`,
		dlq.Exception:  "org.apache.kafka.connect.errors.DataException",
		dlq.Stacktrace: `k/0: value converter (text): in[0]@5: "bad apple" is bad [H3001]`,
	}, dlq.Read(apple)); d != "" {
		t.Error(d)
	}
	if h := dlq.Read(seven); h[dlq.Stage] != "TASK_PUT" || h[dlq.Offset] != "8" || h[dlq.Class] != "collect" || h[dlq.Message] != "column too narrow" {
		t.Errorf("headers are %v", h)
	}
	if st := task.Snapshot(); st.Errors.DeadLetters != 2 || st.Errors.Skipped != 2 || st.Errors.Logged != 2 {
		t.Errorf("errors are %+v", st.Errors)
	}
	if n, err := f.client.Partitions(t.Context(), "dead"); n != 1 || err != nil {
		t.Errorf("the dead-letter topic has %d partitions, %v", n, err)
	}
}

func TestSinkPauses(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 2)
	s := &script{}
	w, _ := f.worker(s)
	task, see := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	f.produce("in", numbered(0, 10)...)
	eventually(t, "first records", func() bool { return len(s.values()) == 10 })
	task.Pause()
	eventually(t, "pause", func() bool { return see.last() == state.Paused })
	f.produce("in", numbered(10, 20)...)
	// The member stays in its group: nobody is asked to rejoin.
	eventually(t, "lag", func() bool {
		n := int64(0)
		for _, lag := range task.Snapshot().Lag {
			n += lag
		}
		return n == 10
	})
	if n := len(s.values()); n != 10 {
		t.Errorf("%d records while paused", n)
	}
	task.Resume()
	eventually(t, "the others", func() bool { return len(s.values()) == 20 })
	exactly(t, "sink", count(s.values()), 20)
}

// A sink that is stuck in a retry still takes part in rebalances: the partition
// of its batch moves on, and nothing is lost.
//
// Clauses: J2.
func TestSinkRebalancesWhileRetrying(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 4)
	f.produce("in", numbered(0, 100)...)
	var tries atomic.Int32
	stuck := &script{put: func([]connector.Record) error {
		tries.Add(1)
		return connector.Retriable(errors.New("database is away"), connector.After(time.Hour))
	}}
	w, _ := f.worker(stuck)
	first, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "a retry", func() bool { return tries.Load() > 0 })

	s := &script{}
	w2, err := NewWorker(Options{Plugins: plugins(s), Offsets: w.options.Offsets, Log: w.options.Log})
	if err != nil {
		t.Fatal(err)
	}
	second, _ := f.start(w2, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "partitions of the second", func() bool { return len(second.Snapshot().Lag) == 2 })
	f.stop(first)
	eventually(t, "all records", func() bool { return len(s.values()) == 100 })
	exactly(t, "sink", count(s.values()), 100)
	ordered(t, s.values())
	if n := len(stuck.values()); n != 0 {
		t.Errorf("the first sink has %d records", n)
	}
}

// Clauses: A13.
func TestSinkFlushErrors(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 10)...)
	var tries atomic.Int32
	s := &script{flush: func() error {
		if tries.Add(1) < 3 {
			return connector.Retriable(errors.New("disk is full"))
		}
		return nil
	}}
	w, _ := f.worker(s)
	f.start(w, KindSink, "k", connector.Props{"connector.class": "buffer", "topics": "in"})
	eventually(t, "a failed flush", func() bool { return tries.Load() > 0 })
	if n := f.committed("connect-k", "in"); n != 0 {
		t.Errorf("%d committed before the flush", n)
	}
	eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 10 })
	exactly(t, "sink", count(s.values()), 10)
}

// A batch that is at work when the partitions are to be handed over is
// finished and committed first: the next owner does not see it again.
//
// Clauses: J1.
func TestSinkFinishesItsBatchBeforeHandingOver(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 2)
	f.produce("in", numbered(0, 40)...)
	at := make(chan struct{}, 100)
	on := make(chan struct{})
	slow := &script{put: func([]connector.Record) error { at <- struct{}{}; <-on; return nil }}
	w, _ := f.worker(slow)
	first, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	<-at
	s := &script{}
	w2, err := NewWorker(Options{Plugins: plugins(s), Offsets: w.options.Offsets, Log: w.options.Log})
	if err != nil {
		t.Fatal(err)
	}
	second, _ := f.start(w2, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "the rebalance to wait", func() bool {
		slow.mu.Lock()
		defer slow.mu.Unlock()
		return first.Snapshot().Lag != nil || len(slow.events) > 0
	})
	close(on)
	eventually(t, "a partition of the second", func() bool { return len(second.Snapshot().Lag) == 1 })
	eventually(t, "all records", func() bool { return len(slow.values())+len(s.values()) >= 40 })
	exactly(t, "both sinks", count(append(slow.values(), s.values()...)), 40)
}

// While a sink has a batch the next one is converted, one at most; it gets it when
// it has taken the one before, and what it does not want of it yet comes again.
func TestSinkConvertsAhead(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 6)...)
	s := &script{}
	var changed, inside atomic.Int32
	s.change = func(v string) (string, bool, error) { changed.Add(1); return v, true, nil }
	first := true
	s.put = func([]connector.Record) error {
		if inside.Add(1) > 1 {
			t.Error("two calls of Put at once")
		}
		defer inside.Add(-1)
		if !first {
			return nil
		}
		first = false
		eventually(t, "the next batch", func() bool { return changed.Load() == 2 })
		return s.context.Sink.Seek(in0, 3) // 1 is converted, 2 is read perhaps
	}
	w, _ := f.worker(s)
	task, _ := f.startWith(w, KindSink, "k", connector.Props{"topics": "in", "transforms": "c", "transforms.c.type": "change",
		"consumer.override.max.poll.records": "1"}, connector.Props{"offset.flush.interval.ms": "3600000"})
	eventually(t, "all records", func() bool { return len(s.values()) == 4 })
	if d := cmp.Diff([]string{"0", "3", "4", "5"}, s.values()); d != "" {
		t.Error(d)
	}
	f.stop(task)
	if n := f.committed("connect-k", "in"); n != 6 {
		t.Errorf("%d committed", n)
	}
	if st := task.Snapshot(); st.RecordsOut != 4 || st.Active != 0 {
		t.Errorf("snapshot is %+v", st)
	}
}
