package runtime

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Clauses: A10, A11.
func TestSourceIsDoneAndResumes(t *testing.T) {
	f := newFlow(t)
	f.topic("out", 1)
	s := &script{}
	w, closeOffsets := f.worker(s)
	task, see := f.start(w, KindSource, "n", connector.Props{"topic": "out", "count": "25"})
	f.ended(task)
	if see.last() != state.Done {
		t.Fatalf("state is %v, %v", see.last(), see.failure())
	}
	exactly(t, "topic", f.tally("out"), 25)
	exactly(t, "CommitRecord", count(s.passed), 25)
	if s.commits == 0 {
		t.Error("Commit was not called")
	}
	if d := cmp.Diff([]string{"stop"}, s.events); d != "" {
		t.Error(d)
	}
	closeOffsets()

	// A second run, in a new worker, adds nothing but what is new.
	w, _ = f.worker(s)
	task, see = f.start(w, KindSource, "n", connector.Props{"topic": "out", "count": "40"})
	f.ended(task)
	if see.last() != state.Done {
		t.Fatalf("state is %v, %v", see.last(), see.failure())
	}
	exactly(t, "topic", f.tally("out"), 40)
	st := task.Snapshot()
	if st.RecordsIn != 15 || st.RecordsOut != 15 || st.Active != 0 || st.Class != "numbers" || st.Version != "2" {
		t.Errorf("snapshot is %+v", st)
	}
}

// Clauses: F4.
func TestSourceStopsGracefully(t *testing.T) {
	f := newFlow(t)
	f.topic("out", 1)
	s := &script{}
	w, _ := f.worker(s)
	task, see := f.start(w, KindSource, "n", connector.Props{"topic": "out", "count": "30", "wait": "true"})
	eventually(t, "all records", func() bool { return task.Snapshot().RecordsOut == 30 })
	f.stop(task)
	if d := cmp.Diff([]state.State{state.Running, state.Stopped}, see.states); d != "" {
		t.Error(d)
	}
	at, err := w.options.Offsets.Offset(t.Context(), "n", numbersPartition)
	if err != nil || jsonText(at) != `{"n":29}` {
		t.Errorf("offset is %v, %v", at, err)
	}
	f.stop(task) // safe twice
}

func TestSourcePauses(t *testing.T) {
	f := newFlow(t)
	f.topic("out", 1)
	reached := make(chan int, 1000)
	s := &script{poll: func(n int) error { reached <- n; return nil }}
	w, _ := f.worker(s)
	spec := TaskSpec{Connector: "n", Kind: KindSource, Worker: f.workerProps(), Paused: true,
		Props: connector.Props{"name": "n", "connector.class": "numbers", "topic": "out", "count": "5", "batch": "1", "wait": "true"}}
	see := new(watcher)
	task, err := w.StartTask(spec, see.notify)
	if err != nil {
		t.Fatal(err)
	}
	defer f.stop(task)
	eventually(t, "pause", func() bool { return see.last() == state.Paused })
	if s.instance != 0 {
		t.Error("the source was started while paused")
	}
	task.Resume()
	eventually(t, "all records", func() bool { return task.Snapshot().RecordsOut == 5 })
	task.Pause()
	task.Resume()
	if see.last() != state.Running {
		t.Errorf("state is %v", see.last())
	}
}

func TestSourceErrors(t *testing.T) {
	down := errors.New("the dashboard answers 503")
	tests := []struct {
		name   string
		script func() *script
		props  connector.Props
		want   state.State
		fails  string
		values int
	}{
		{"retriable poll", func() *script {
			n := 0
			return &script{poll: func(i int) error {
				if n++; i == 10 && n < 14 {
					return connector.Retriable(down, connector.Attempts(5))
				}
				return nil
			}}
		}, nil, state.Done, "", 25},
		{"poll fails", func() *script {
			return &script{poll: func(i int) error {
				if i == 20 {
					return down
				}
				return nil
			}}
		}, nil, state.Failed, "n/0: source (numbers): the dashboard answers 503", 20},
		{"poll panics", func() *script {
			return &script{poll: func(i int) error { panic("at the disco") }}
		}, nil, state.Failed, "n/0: source (numbers): the plugin panicked: at the disco", 0},
		{"retriable start gets a fresh instance", func() *script {
			n := 0
			return &script{start: func() error {
				if n++; n < 3 {
					return connector.Retriable(down)
				}
				return nil
			}}
		}, nil, state.Done, "", 25},
		{"start fails", func() *script { return &script{start: func() error { return down }} },
			nil, state.Failed, "n/0: start: source (numbers): the dashboard answers 503", 0},
		{"wrong configuration", func() *script { return &script{} },
			connector.Props{"count": "many"}, state.Failed, "n/0: start: Invalid value many for configuration count", 0},
		{"no such converter", func() *script { return &script{} },
			connector.Props{"value.converter": "avroo"}, state.Failed, `n/0: start: value converter: converter "avroo" is not known`, 0},
		{"transform fails", func() *script {
			return &script{change: func(v string) (string, bool, error) {
				if v == "13" {
					return "", false, errors.New("unlucky")
				}
				return v, true, nil
			}}
		}, connector.Props{"transforms": "c", "transforms.c.type": "change"}, state.Failed,
			`n/0: transform c (change): {"what":"numbers"}@{"n":13}: unlucky`, 13},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("out", 1)
			s := tt.script()
			w, _ := f.worker(s)
			props := connector.Props{"topic": "out", "count": "25"}
			for k, v := range tt.props {
				props[k] = v
			}
			task, see := f.start(w, KindSource, "n", props)
			f.ended(task)
			if see.last() != tt.want {
				t.Errorf("state is %v, want %v", see.last(), tt.want)
			}
			got := ""
			if err := see.failure(); err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, tt.fails) || tt.fails == "" && got != "" {
				t.Errorf("error is %q, want %q", got, tt.fails)
			}
			exactly(t, "topic", f.tally("out"), tt.values)
			// What arrived is committed, whatever ended the task.
			at, err := w.options.Offsets.Offset(t.Context(), "n", numbersPartition)
			if err != nil {
				t.Fatal(err)
			}
			if tt.values == 0 && at != nil || tt.values > 0 && jsonText(at) != `{"n":`+jsonText(tt.values-1)+`}` {
				t.Errorf("offset is %v after %d records", at, tt.values)
			}
		})
	}
}

// Clauses: A10, D18, J7.
func TestSourceTolerates(t *testing.T) {
	f := newFlow(t)
	f.topic("out", 1)
	s := &script{change: func(v string) (string, bool, error) {
		switch v {
		case "3":
			return "bad three", true, nil // for the converter
		case "5":
			return "", false, errors.New("five is right out")
		case "9":
			return v, false, nil
		}
		return v, true, nil
	}}
	w, _ := f.worker(s)
	task, see := f.start(w, KindSource, "n", connector.Props{"topic": "out", "count": "12",
		"transforms": "c", "transforms.c.type": "change", "transforms.c.predicate": "odd", "predicates": "odd", "predicates.odd.type": "is-odd",
		"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1",
		"errors.deadletterqueue.context.headers.enable": "true"})
	f.ended(task)
	if see.last() != state.Done {
		t.Fatalf("state is %v, %v", see.last(), see.failure())
	}
	want := count(seq(12))
	delete(want, "3")
	delete(want, "5")
	delete(want, "9")
	if d := cmp.Diff(want, f.tally("out")); d != "" {
		t.Error(d)
	}
	dead := f.read("dead")
	if len(dead) != 2 {
		t.Fatalf("%d dead letters", len(dead))
	}
	wantHeaders := []map[string]string{{
		dlq.Topic: "out", dlq.SourcePartition: `{"what":"numbers"}`, dlq.SourceOffset: `{"n":5}`,
		dlq.Connector: "n", dlq.Task: "0", dlq.Stage: "TRANSFORMATION", dlq.Class: "change",
		dlq.Exception: "org.apache.kafka.connect.errors.DataException", dlq.Message: "five is right out",
		dlq.Stacktrace: `n/0: transform c (change): {"what":"numbers"}@{"n":5}: five is right out [H4001]`,
	}, {
		dlq.Topic: "out", dlq.SourcePartition: `{"what":"numbers"}`, dlq.SourceOffset: `{"n":3}`,
		dlq.Connector: "n", dlq.Task: "0", dlq.Stage: "VALUE_CONVERTER", dlq.Class: "test.TextConverter",
		dlq.Exception: "org.apache.kafka.connect.errors.DataException", dlq.Message: `"bad three" is bad`,
		dlq.Stacktrace: `n/0: value converter (text): {"what":"numbers"}@{"n":3}: "bad three" is bad [H3001]`,
	}}
	values := map[string]int{}
	for _, m := range dead {
		values[string(m.Value)]++
		h := dlq.Read(m)
		i := 0
		if string(m.Value) == "3" {
			i = 1
		}
		if d := cmp.Diff(wantHeaders[i], h); d != "" {
			t.Error(d)
		}
	}
	if d := cmp.Diff(map[string]int{"3": 1, "5": 1}, values); d != "" {
		t.Error(d)
	}
	st := task.Snapshot()
	if st.Dropped != 1 || st.Errors.Skipped != 2 || st.Errors.DeadLetters != 2 || st.RecordsOut != 9 || st.Active != 0 {
		t.Errorf("snapshot is %+v", st)
	}
	if at, _ := w.options.Offsets.Offset(t.Context(), "n", numbersPartition); jsonText(at) != `{"n":11}` {
		t.Errorf("offset is %v", at)
	}
	passed := count(s.passed)
	if passed["3 dropped"] != 1 || passed["5 dropped"] != 1 || passed["9 dropped"] != 1 || len(s.passed) != 12 {
		t.Errorf("CommitRecord was called with %v", s.passed)
	}
}

// Clauses: A10.
func TestStopBreaksOffAHangingPoll(t *testing.T) {
	f := newFlow(t)
	f.topic("out", 1)
	hang := make(chan struct{})
	s := &script{poll: func(int) error { <-hang; return nil }}
	w, _ := f.worker(s)
	see := new(watcher)
	task, err := w.StartTask(TaskSpec{Connector: "n", Kind: KindSource, Worker: f.workerProps(),
		Props: connector.Props{"name": "n", "connector.class": "numbers", "topic": "out", "count": "5"}}, see.notify)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "start", func() bool { return see.last() == state.Running })
	if err := task.Stop(canceled(t)); err == nil || err.Error() != "n/0: did not stop in time and was broken off" {
		t.Errorf("Stop: %v", err)
	}
	close(hang)
	f.ended(task)
}

// A record that is too large for Kafka is too large for the dead-letter topic
// as well: its letter says so and leaves the value out.
//
// Clauses: J7.
func TestSourceRecordTooLarge(t *testing.T) {
	f := newFlow(t)
	f.topic("out", 1)
	s := &script{change: func(v string) (string, bool, error) { return strings.Repeat(v, 5000), true, nil }}
	w, _ := f.worker(s)
	props := connector.Props{"topic": "out", "count": "2", "producer.override.max.request.size": "2000",
		"transforms": "c", "transforms.c.type": "change"}
	task, see := f.start(w, KindSource, "n", props)
	f.ended(task)
	want := `n/0: producer: {"what":"numbers"}@{"n":0}: topic out: a message of`
	if err := see.failure(); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error is %v, want %s", err, want)
	}
	props["errors.tolerance"] = "all"
	task, see = f.start(w, KindSource, "n", props)
	f.ended(task)
	if see.last() != state.Done || task.Snapshot().Errors.Skipped != 2 {
		t.Errorf("state is %v, %v", see.last(), see.failure())
	}
}

func TestDeadLetterTooLarge(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", kafka.Message{Partition: 0, Key: []byte("k"), Value: []byte("bad " + strings.Repeat("x", 50000)), Timestamp: connector.NoTimestamp})
	f.produce("in", numbered(0, 5)...)
	s := &script{}
	w, _ := f.worker(s)
	task, see := f.start(w, KindSink, "k", connector.Props{"topics": "in", "producer.override.max.request.size": "20000",
		"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"})
	eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 6 || see.failure() != nil })
	if err := see.failure(); err != nil {
		t.Fatal(err)
	}
	dead := f.read("dead")
	if len(dead) != 1 || string(dead[0].Key) != "k" || dead[0].Value != nil {
		t.Fatalf("dead letters are %v", dead)
	}
	if h := dlq.Read(dead[0]); h[dlq.Omitted] != "50004" || h[dlq.Stage] != "VALUE_CONVERTER" {
		t.Errorf("headers are %v", h)
	}
	if st := task.Snapshot(); st.Errors.DeadLetters != 1 || st.Errors.DeadLetterFailures != 1 {
		t.Errorf("errors are %+v", st.Errors)
	}
}

// refusing is a producer whose messages come to nothing.
type refusing struct{ err error }

func (p refusing) SendAll(_ context.Context, messages []*kafka.Message, done func(*kafka.Delivery)) (int, error) {
	for i := range messages {
		done(&kafka.Delivery{Which: []int32{int32(i)}, Err: p.err})
	}
	return len(messages), nil
}
func (refusing) Flush(context.Context) error { return nil }

// refusedBy gives a source task whose producer takes nothing, and records on
// their way.
func refusedBy(t *testing.T, err error, tolerance tolerance) (*sourceTask, []item, []flight) {
	t.Helper()
	task := newTask(Options{Log: testLog()}, TaskSpec{Connector: "n", Kind: KindSource}, nil)
	t.Cleanup(func() { task.kill(errStopping) })
	task.tolerance = &tolerance
	task.tolerance.log, task.tolerance.stats = testLog(), &task.errors
	s := &sourceTask{t: task, queue: newInflight("n"), produce: &stage{place: "producer", rule: rule{unmarked: connector.KindFatal, tolerable: true}}}
	s.polling, s.abort = context.WithCancelCause(task.quit)
	s.out = &outbox{at: task.at, errors: &task.errors, producer: refusing{err}, topics: &topics{}}
	items, flights := []item{{polled: &connector.SourceRecord{SourcePartition: numbersPartition, SourceOffset: map[string]any{"n": 1}}}}, make([]flight, 1)
	if err := s.queue.add(flights, one(items[0].polled.SourcePartition, items[0].polled.SourceOffset)); err != nil {
		t.Fatal(err)
	}
	return s, items, flights
}

// A record that Kafka refuses ends the poll under way when it ends the task,
// and only then: a source that is polled with a context that has ended gives
// nothing for ever.
//
// Clauses: J7.
func TestRefusedRecordEndsThePollOrIsTolerated(t *testing.T) {
	away := errors.New("partition has no leader")
	tests := []struct {
		name      string
		err       error
		tolerance tolerance
		goesOn    bool
	}{
		{"data", connector.Data(away), tolerance{retryTimeout: -1}, false},
		{"data, tolerated", connector.Data(away), tolerance{retryTimeout: -1, all: true}, true},
		{"retriable", connector.Retriable(away), tolerance{retryTimeout: -1, all: true}, false},
		{"retriable, no time for retries", connector.Retriable(away), tolerance{retryTimeout: 0, all: true}, true},
		{"retriable, no time and no tolerance", connector.Retriable(away), tolerance{retryTimeout: 0}, false},
		{"fatal", connector.Fatal(away), tolerance{retryTimeout: 0, all: true}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, items, flights := refusedBy(t, tt.err, tt.tolerance)
			if err := s.send(items, flights); err != nil {
				t.Fatal(err)
			}
			if polls := s.polling.Err() == nil; polls != tt.goesOn {
				t.Errorf("polls on: %v, want %v", polls, tt.goesOn)
			}
			if err := s.outputs(); (err == nil) != tt.goesOn {
				t.Errorf("error is %v", err)
			}
			if n := len(s.queue.committable().entries); (n == 1) != tt.goesOn {
				t.Errorf("%d offsets to be committed", n)
			}
		})
	}
}

// A task may ask for its configuration again, with what references stand for by
// then.
//
// Clauses: A11.
func TestConfigsAreReadAnew(t *testing.T) {
	for kind, class := range map[Kind]string{KindSource: "numbers", KindSink: "collect"} {
		t.Run(string(kind), func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 1)
			started := make(chan connector.Context, 1)
			s := &script{}
			s.start = func() error { started <- s.context; return nil }
			w, _ := f.worker(s)
			props := connector.Props{"name": "c", "connector.class": class, "topic": "out", "topics": "in", "count": "1", "wait": "true"}
			var password atomic.Pointer[string]
			task, err := w.StartTask(TaskSpec{Connector: "c", Kind: kind, Props: props, Worker: f.workerProps(), Latest: func() (connector.Props, error) {
				p := password.Load()
				if p == nil {
					return nil, errors.New("the vault is away")
				}
				now := props.Clone()
				now["password"] = *p
				return now, nil
			}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer f.stop(task)
			c := <-started
			if _, err := c.Configs(); err == nil || err.Error() != "the vault is away" {
				t.Errorf("error is %v", err)
			}
			for _, now := range []string{"first", "second"} {
				password.Store(&now)
				conf, err := c.Configs()
				if got, _ := conf.Props().Text("password"); got != now || err != nil {
					t.Errorf("the password is %q, %v, want %q", got, err, now)
				}
			}
		})
	}
}
