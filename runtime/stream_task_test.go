package runtime

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

func TestStreamTransforms(t *testing.T) {
	for _, class := range []string{"change", "batch-change"} {
		t.Run(class, func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 3)
			f.topic("out", 2)
			f.produce("in", numbered(0, 100)...)
			s := &script{change: func(v string) (string, bool, error) {
				switch {
				case v == "42":
					return "", false, errors.New("what was the question?")
				case strings.HasSuffix(v, "9"):
					return "", false, nil
				}
				return "<" + v + ">", true, nil
			}}
			w, _ := f.worker(s)
			task, _ := f.start(w, KindStream, "st", connector.Props{"topics": "in", "topic": "out",
				"transforms": "c", "transforms.c.type": class,
				"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1",
				"errors.deadletterqueue.context.headers.enable": "true"})
			eventually(t, "commit", func() bool { return f.committed("connect-st", "in") == 100 })
			want := map[string]int{}
			for i := range 100 {
				if i%10 != 9 && i != 42 {
					want[fmt.Sprintf("<%d>", i)] = 1
				}
			}
			if d := cmp.Diff(want, f.tally("out")); d != "" {
				t.Error(d)
			}
			dead := f.read("dead")
			if len(dead) != 1 || string(dead[0].Value) != "42" || dlq.Read(dead[0])[dlq.Topic] != "in" {
				t.Errorf("dead letters are %v", dead)
			}
			st := task.Snapshot()
			if st.RecordsIn != 100 || st.RecordsOut != 89 || st.Dropped != 10 || st.Errors.Skipped != 1 || st.Class != "stream" {
				t.Errorf("snapshot is %+v", st)
			}
			if tapped := w.Tap("st"); len(tapped) != 60 || tapped[0].Record.Value == "" {
				t.Errorf("tap has %d records", len(tapped))
			}
			if got := w.Tap("nobody"); got != nil {
				t.Errorf("tap of nobody is %v", got)
			}
		})
	}
}

// counts gives the newest count of each key of a topic.
func counts(messages []kafka.Message) map[string]string {
	got := map[string]string{}
	for _, m := range messages {
		got[string(m.Key)] = string(m.Value)
	}
	return got
}

func TestStreamKeepsState(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 3)
	f.topic("out", 1)
	f.produce("in", numbered(0, 70)...)
	w, _ := f.worker(&script{})
	props := connector.Props{"topics": "in", "topic": "out", "transforms": "n", "transforms.n.type": "counting"}
	task, see := f.start(w, KindStream, "st", props)
	eventually(t, "commit", func() bool { return f.committed("connect-st", "in") == 70 })
	f.stop(task)
	if see.last() != state.Stopped {
		t.Fatalf("state is %v, %v", see.last(), see.failure())
	}
	f.produce("in", numbered(70, 140)...)
	delete(props, "topics")
	props["topics.regex"] = "i."
	f.start(w, KindStream, "st", props)
	eventually(t, "commit", func() bool { return f.committed("connect-st", "in") == 140 })
	want := map[string]string{}
	for k := range 7 {
		want[fmt.Sprint(k)] = fmt.Sprintf("%d:20", k)
	}
	if d := cmp.Diff(want, counts(f.read("out"))); d != "" {
		t.Error(d)
	}
	const changelog = "connect-st-counts-changelog"
	if n, err := f.client.Partitions(t.Context(), changelog); n != 3 || err != nil {
		t.Errorf("the changelog has %d partitions, %v", n, err)
	}
	if n := len(f.read(changelog)); n != 140 {
		t.Errorf("the changelog has %d records", n)
	}
}

func TestStreamRefusesStateThatDoesNotFit(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 6)
	f.topic("connect-st-counts-changelog", 3)
	w, _ := f.worker(&script{})
	task, see := f.start(w, KindStream, "st", connector.Props{"topics": "in", "topic": "out",
		"transforms": "n", "transforms.n.type": "counting"})
	f.ended(task)
	want := "topic in has 6 partitions, but the state in connect-st-counts-changelog was made with 3"
	if err := see.failure(); see.last() != state.Failed || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("state is %v, %v", see.last(), err)
	}
}

func TestStateNeedsAStream(t *testing.T) {
	f := newFlow(t)
	w, _ := f.worker(&script{})
	task, see := f.start(w, KindSink, "k", connector.Props{"topics": "in", "transforms": "n", "transforms.n.type": "counting"})
	f.ended(task)
	want := "k/0: start: transform n (counting): it keeps state, which only a stream connector can do"
	if err := see.failure(); err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// A failed record stops a stream after everything before it is through, and
// the state of what comes behind it is not kept.
func TestStreamStopsAtABadRecord(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.topic("out", 1)
	f.produce("in", numbered(0, 21)...)
	f.produce("in", kafka.Message{Partition: 0, Key: []byte("0"), Value: []byte("boom"), Timestamp: connector.NoTimestamp})
	f.produce("in", numbered(21, 42)...)
	boom := true
	s := &script{change: func(v string) (string, bool, error) {
		if boom && v == "0:4" { // the fourth record of key 0 is the bad one
			return "", false, errors.New("boom")
		}
		return v, true, nil
	}}
	w, _ := f.worker(s)
	props := connector.Props{"topics": "in", "topic": "out", "transforms": "n,c", "transforms.n.type": "counting", "transforms.c.type": "change"}
	task, see := f.start(w, KindStream, "st", props)
	f.ended(task)
	want := "st/0: transform c (change): in[0]@21: boom"
	if err := see.failure(); err == nil || err.Error() != want {
		t.Fatalf("error is %v, want %s", err, want)
	}
	if n := f.committed("connect-st", "in"); n != 21 {
		t.Errorf("%d committed, want what is before the bad record", n)
	}
	if n := len(f.read("out")); n != 21 {
		t.Errorf("%d outputs", n)
	}
	boom = false
	f.start(w, KindStream, "st", props)
	eventually(t, "commit", func() bool { return f.committed("connect-st", "in") == 43 })
	got := counts(f.read("out"))
	if got["0"] != "0:7" || got["1"] != "1:6" {
		t.Errorf("counts are %v: a record was counted twice or not at all", got)
	}
}

// Workers that come and go in good order share the partitions: nothing is
// missing and nothing comes twice, in the stream's topic, its state and the sink.
func TestWorkersHandOverExactly(t *testing.T) {
	f := newFlow(t)
	f.topic("numbers", 4)
	f.topic("risen", 4)
	s := &script{poll: func(int) error { pace(); return nil }}
	w, _ := f.worker(s)
	w.options.Plugins.Add(connector.TransformType, func() connector.Plugin { return &rising{} })
	const n = 3000
	f.start(w, KindSource, "n", connector.Props{"topic": "numbers", "count": strconv.Itoa(n), "wait": "true"})
	member := func(kind Kind, name string, props connector.Props) *Task {
		task, _ := f.start(w, kind, name, props)
		return task
	}
	stream := func() *Task {
		return member(KindStream, "st", connector.Props{"topics": "numbers", "topic": "risen", "transforms": "r", "transforms.r.type": "rising"})
	}
	sink := func() *Task {
		return member(KindSink, "k", connector.Props{"connector.class": "buffer", "topics": "risen"})
	}
	streams, sinks := []*Task{stream(), stream()}, []*Task{sink(), sink()}
	both := func(tasks []*Task) func() bool {
		return func() bool { return len(tasks[0].Snapshot().Lag) == 2 && len(tasks[1].Snapshot().Lag) == 2 }
	}
	for i := range 4 {
		eventually(t, "progress", func() bool { return len(s.values()) > i*500 })
		eventually(t, "sharing of the stream", both(streams))
		eventually(t, "sharing of the sink", both(sinks))
		f.stop(streams[i%2])
		streams[i%2] = stream()
		f.stop(sinks[i%2])
		sinks[i%2] = sink()
	}
	eventually(t, "all numbers", func() bool { return len(s.values()) >= n })
	exactly(t, "topic of the stream", f.tally("risen"), n)
	exactly(t, "sink", count(s.values()), n)
	ordered(t, s.values())
}
