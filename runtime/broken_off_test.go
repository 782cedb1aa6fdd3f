package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// hangingSource starts a source that hangs in its poll, until the channel is
// closed, when 20 of its 40 records have arrived. Only a stop commits offsets.
func hangingSource(t *testing.T) (*flow, *Worker, *Task, chan struct{}) {
	t.Helper()
	f := newFlow(t)
	f.topic("out", 1)
	hang := make(chan struct{})
	s := &script{poll: func(n int) error {
		if n == 20 {
			<-hang
		}
		return nil
	}}
	w, _ := f.worker(s)
	worker := f.workerProps()
	worker["offset.flush.interval.ms"] = "3600000"
	task, err := w.StartTask(TaskSpec{Connector: "n", Kind: KindSource, Worker: worker,
		Props: connector.Props{"name": "n", "connector.class": "numbers", "topic": "out", "count": "40"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first records", func() bool { return task.Snapshot().RecordsOut == 20 })
	return f, w, task, hang
}

// A task that was broken off may come to itself when its successor works
// already: it delivers nothing then and leaves the successor's offset alone.
func TestBrokenOffSourceKeepsStill(t *testing.T) {
	f, w, task, hang := hangingSource(t)
	task.stop(errStopping)
	eventually(t, "commit at the stop", func() bool { return task.Snapshot().Commits.Completed > 0 })
	if err := task.Stop(canceled(t)); err == nil {
		t.Fatal("the task stopped")
	}
	newer := []offset.Entry{{Partition: numbersPartition, Offset: map[string]any{"n": json.Number("30")}}}
	if err := w.options.Offsets.Commit(t.Context(), "n", newer); err != nil {
		t.Fatal(err)
	}
	close(hang)
	f.ended(task)
	at, err := w.options.Offsets.Offset(t.Context(), "n", numbersPartition)
	if d := cmp.Diff(newer[0].Offset, at); d != "" || err != nil {
		t.Error(d, err)
	}
	if n := f.end("out"); n != 20 {
		t.Errorf("%d records in the topic, want 20", n)
	}
}

// endless is a changelog that goes on and on.
type endless struct{ fakeLog }

func (*endless) ReadPartition(ctx context.Context, _ connector.TopicPartition, _ int64, _ func(kafka.Message) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// A restore may take long, and nothing is lost when it is broken off.
func TestStopBreaksOffARestore(t *testing.T) {
	task := newTask(Options{Log: testLog()}, TaskSpec{Connector: "st", Kind: KindStream}, nil)
	task.tolerance = &tolerance{retryTimeout: -1, log: testLog(), stats: &task.errors}
	s := &streamTask{t: task, inputs: []string{"in"}, restoring: &stage{place: "restore of state", rule: rule{unmarked: connector.KindFatal}},
		in:    &intake{t: task, journey: &journey{at: task.at, tolerance: task.tolerance, quit: task.quit.Done()}},
		parts: &parts{stores: []*stores{{topic: "log", live: map[int32]*store{}, parked: map[int32]*store{}}}}}
	k := &endless{fakeLog{partitions: map[string]int32{"in": 1}}}
	b := testBatch(3)
	done := make(chan error, 1)
	go func() { done <- s.restore(task.life, k, b) }()
	eventually(t, "restore", task.counters.restoring.Load)
	task.stop(errStopping)
	if err := wait.For(t, "the end of the restore", done); !errors.Is(err, errStopping) {
		t.Errorf("error is %v", err)
	}
	task.kill(errStopping)
}

// forgetful is a sink that drops what it holds when a flush fails.
type forgetful struct {
	buffer
	flushes atomic.Int32
}

func (*forgetful) Info() connector.Info { return connector.Info{Name: "forgetful", Version: "1"} }
func (s *forgetful) Flush(context.Context) error {
	s.held = nil
	if s.flushes.Add(1) == 1 {
		panic("out of memory")
	}
	return nil
}

// Nobody knows what a sink still has after a flush that failed for good, so its
// next one proves nothing.
func TestNothingIsCommittedAfterAFailedFlush(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 10)...)
	s := &script{}
	w, _ := f.worker(s)
	w.options.Plugins.Add(connector.SinkType, func() connector.Plugin { return &forgetful{buffer: buffer{collect: collect{script: s}}} })
	task, see := f.start(w, KindSink, "k", connector.Props{"connector.class": "forgetful", "topics": "in"})
	f.ended(task)
	if see.last() != state.Failed {
		t.Errorf("state is %v", see.last())
	}
	if n := f.committed("connect-k", "in"); n != 0 {
		t.Errorf("%d committed, and the sink has nothing", n)
	}
}

// What was acknowledged is committed as soon as a source is to stop: it may be
// broken off before its poll ends.
func TestStopCommitsBeforeThePollEnds(t *testing.T) {
	f, w, task, hang := hangingSource(t)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.stop(task)
	}()
	eventually(t, "commit", func() bool {
		at, err := w.options.Offsets.Offset(t.Context(), "n", numbersPartition)
		return err == nil && jsonText(at) == `{"n":19}`
	})
	close(hang)
	<-stopped
}

// A sink that hangs past its patience does not keep its partitions from its
// successor.
func TestBrokenOffSinkGivesItsPartitionsUp(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 10)...)
	hang := make(chan struct{})
	var puts atomic.Int32
	s := &script{put: func([]connector.Record) error {
		if puts.Add(1) == 1 {
			<-hang
		}
		return nil
	}}
	w, _ := f.worker(s)
	first, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	defer close(hang)
	eventually(t, "the first put", func() bool { return puts.Load() == 1 })
	if err := first.Stop(canceled(t)); err == nil {
		t.Fatal("the task stopped")
	}
	f.start(w, KindSink, "k", connector.Props{"topics": "in"})
	eventually(t, "the records in the second task", func() bool { return len(s.values()) == 10 })
	eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 10 })
}
