package runtime

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// alone is a source that notes when two of its methods are called at once, or
// one while its poll hangs.
type alone struct {
	numbers
	inside atomic.Int32
	broken *atomic.Bool
}

func (*alone) Info() connector.Info { return connector.Info{Name: "alone", Version: "1"} }

func (a *alone) enter() (leave func()) {
	if a.inside.Add(1) > 1 {
		a.broken.Store(true)
	}
	return func() { a.inside.Add(-1) }
}

func (a *alone) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	defer a.enter()()
	return a.numbers.Poll(ctx)
}

func (a *alone) CommitRecord(ctx context.Context, r connector.SourceRecord, meta *connector.RecordMetadata) error {
	defer a.enter()()
	return a.numbers.CommitRecord(ctx, r, meta)
}

func (a *alone) Commit(ctx context.Context) error {
	defer a.enter()()
	return a.numbers.Commit(ctx)
}

// offsetOf gives the committed offset as JSON.
func offsetOf(t *testing.T, w *Worker) string {
	t.Helper()
	at, err := w.options.Offsets.Offset(t.Context(), "n", numbersPartition)
	if err != nil {
		t.Fatal(err)
	}
	return jsonText(at)
}

// However long a poll or a transform takes, what is through is committed at the
// interval, records that Kafka refused and their dead letters with it, and the
// source hears of it when its poll has ended.
//
// Clauses: I1.
func TestCommitsGoOnMeanwhile(t *testing.T) {
	tests := []struct {
		name string
		hang func(s *script, hang func()) // has something hang behind the first 20 records
	}{
		{"poll", func(s *script, hang func()) {
			s.poll = func(n int) error {
				if n == 20 {
					hang()
				}
				return nil
			}
		}},
		{"transform", func(s *script, hang func()) {
			change := s.change
			s.change = func(v string) (string, bool, error) {
				if v == "20" {
					hang()
				}
				return change(v)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("out", 1)
			s := &script{change: func(v string) (string, bool, error) {
				if v == "15" {
					return string(make([]byte, 5000)), true, nil // more than Kafka takes
				}
				return v, true, nil
			}}
			reached, hang := make(chan struct{}), make(chan struct{})
			tt.hang(s, func() { close(reached); <-hang })
			w, _ := f.worker(s)
			broken := new(atomic.Bool)
			w.options.Plugins.Add(connector.SourceType, func() connector.Plugin { return &alone{numbers: numbers{script: s}, broken: broken} })
			task, see := f.start(w, KindSource, "n", connector.Props{"connector.class": "alone", "topic": "out", "count": "40",
				"transforms": "c", "transforms.c.type": "change", "producer.override.max.request.size": "2000", "errors.tolerance": "all",
				"errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"})
			<-reached
			eventually(t, "commit", func() bool { return offsetOf(t, w) == `{"n":19}` })
			if n := len(f.read("dead")); n != 1 {
				t.Errorf("%d dead letters", n)
			}
			close(hang)
			f.ended(task)
			if see.last() != state.Done || broken.Load() || s.commits == 0 {
				t.Errorf("state is %v, %v; called at once: %v; %d notifications", see.last(), see.failure(), broken.Load(), s.commits)
			}
			if passed := count(s.passed); len(passed) != 40 {
				t.Errorf("CommitRecord was called with %v", passed)
			}
		})
	}
}

// A source that is paused hears of what is through.
func TestNewsComeInAPause(t *testing.T) {
	f := newFlow(t)
	f.topic("out", 1)
	started := make(chan *Task, 1)
	s := &script{poll: func(n int) error {
		if n == 19 { // acknowledgements come when it is paused already
			(<-started).Pause()
		}
		return nil
	}}
	w, _ := f.worker(s)
	task, see := f.start(w, KindSource, "n", connector.Props{"topic": "out", "count": "40", "batch": "20"})
	started <- task
	eventually(t, "pause", func() bool { return see.last() == state.Paused })
	eventually(t, "commit", func() bool { return offsetOf(t, w) == `{"n":19}` })
	eventually(t, "news of it", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.commits > 0 && len(s.passed) == 20
	})
	task.Resume()
	f.ended(task)
	exactly(t, "topic", f.tally("out"), 40)
}

// A record that Kafka refuses while its source is paused ends the task, and not
// only after the pause.
func TestRefusalEndsAPause(t *testing.T) {
	s, items, flights := refusedBy(t, connector.Fatal(errTest), tolerance{retryTimeout: -1})
	s.due, s.side = time.Now().Add(time.Hour), newSide()
	defer close(s.side.work)
	s.t.Pause()
	if err := s.send(items, flights); err != nil {
		t.Fatal(err)
	}
	if err := s.rest(s.t.held()); !errors.Is(err, errTest) {
		t.Errorf("error is %v", err)
	}
}

// fullDisk is a store of offsets that cannot write some of them.
type fullDisk struct {
	offset.Store
	fails atomic.Int32
}

func (d *fullDisk) Commit(ctx context.Context, connector string, entries []offset.Entry) error {
	if d.fails.Add(-1) >= 0 {
		return errTest
	}
	return d.Store.Commit(ctx, connector, entries)
}

// Offsets that cannot be written are written with the next ones; the last ones
// end the task.
//
// Clauses: I1.
func TestOffsetsThatCannotBeWritten(t *testing.T) {
	for name, c := range map[string]struct {
		fails int32
		wait  string
		want  state.State
	}{
		"once":        {1, "true", state.Running},
		"at the end":  {1 << 30, "false", state.Failed},
		"not at once": {0, "false", state.Done},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFlow(t)
			f.topic("out", 1)
			w, _ := f.worker(&script{})
			disk := &fullDisk{Store: w.options.Offsets}
			disk.fails.Store(c.fails)
			w.options.Offsets = disk
			task, see := f.start(w, KindSource, "n", connector.Props{"topic": "out", "count": "20", "wait": c.wait})
			if c.wait == "false" {
				f.ended(task)
			} else {
				eventually(t, "commit", func() bool { return offsetOf(t, w) == `{"n":19}` })
				if task.Snapshot().Commits.Failed != 1 {
					t.Errorf("commits are %+v", task.Snapshot().Commits)
				}
			}
			if see.last() != c.want {
				t.Errorf("state is %v, %v", see.last(), see.failure())
			}
			if err := see.failure(); c.want == state.Failed && (!errors.Is(err, errTest) || !strings.HasPrefix(err.Error(), "n/0: offset commit: ")) {
				t.Errorf("error is %v", err)
			}
		})
	}
}
