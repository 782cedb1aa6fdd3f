package runtime

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// logbook is a log that several goroutines write and a test reads.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// lines gives what was logged, without the time.
func (l *logbook) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(regexp.MustCompile(`(?m)^time=\S+ `).ReplaceAllString(l.buf.String(), "")), "\n")
}

func (l *logbook) has(text string) bool { return strings.Contains(strings.Join(l.lines(), "\n"), text) }

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func TestWatchSaysWhatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(logbook)
		w := &watch{log: log.logger(), after: time.Minute}
		stuck := w.call("sink (postgres)")
		brief := w.call("transform r")
		time.Sleep(59 * time.Second)
		if what, _, ok := w.longest(time.Minute); ok {
			t.Errorf("%s takes long", what)
		}
		brief.alive() // a call of many parts
		time.Sleep(10 * time.Second)
		if what, since, ok := w.longest(time.Minute); !ok || what != "sink (postgres)" || time.Since(since) != 69*time.Second {
			t.Errorf("%q since %v, %v", what, since, ok)
		}
		brief.end()
		time.Sleep(5 * time.Hour)
		stuck.end()
		time.Sleep(5 * time.Hour)
		want := []string{}
		for _, m := range []int{1, 2, 4, 8, 16, 32, 64, 124, 184, 244} {
			want = append(want, fmt.Sprintf(`level=WARN msg="sink (postgres) has not returned" for=%v`, time.Duration(m)*time.Minute))
		}
		want = append(want, `level=INFO msg="sink (postgres) has returned" after=5h1m9s`)
		if d := cmp.Diff(want, log.lines()); d != "" {
			t.Error(d)
		}
	})
}

// Slow parts of a call are each a sign of life, quick ones one in many.
func TestWatchLooksAtTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := (&watch{}).call("transform r")
		var looks []int
		parts := func(takes time.Duration, n int) {
			for range n {
				looks = append(looks, u.alive())
				time.Sleep(takes)
			}
		}
		parts(0, 6)
		parts(time.Second, 2)
		if since := time.Since(u.since()); since != time.Second {
			t.Errorf("the last sign of life was %v ago", since)
		}
		parts(0, 2)
		if d := cmp.Diff([]int{1, 2, 4, 4, 4, 4, 4, 1, 1, 2}, looks); d != "" {
			t.Error(d)
		}
	})
}

func TestLimit(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(wait, restore func(time.Duration))
		over int
	}{
		"in time":  {func(_, _ func(time.Duration)) { time.Sleep(59 * time.Second) }, 0},
		"too long": {func(_, _ func(time.Duration)) { time.Sleep(time.Hour) }, 1},
		"only retries": {func(wait, _ func(time.Duration)) {
			time.Sleep(time.Second)
			wait(time.Hour)
			time.Sleep(59 * time.Second)
		}, 0},
		"stuck behind a retry":   {func(wait, _ func(time.Duration)) { wait(time.Hour); time.Sleep(2 * time.Minute) }, 1},
		"a long restore":         {func(_, restore func(time.Duration)) { restore(time.Hour); time.Sleep(30 * time.Second) }, 0},
		"stuck behind a restore": {func(_, restore func(time.Duration)) { restore(time.Hour); time.Sleep(3 * time.Minute) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stats errorStats
				var restoring atomic.Bool
				var restored atomic.Int64
				wait := func(d time.Duration) {
					over := stats.wait()
					time.Sleep(d)
					over()
				}
				restore := func(d time.Duration) {
					restoring.Store(true)
					time.Sleep(d)
					restored.Store(time.Now().UnixNano())
					restoring.Store(false)
				}
				over := 0
				l := &limit{most: time.Minute, waits: &stats, restoring: &restoring, restored: &restored, over: func() { over++ }}
				if err := l.hold(func() error { c.do(wait, restore); return errTest }); err != errTest {
					t.Errorf("error is %v", err)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if over != c.over {
					t.Errorf("it was over %d times, want %d", over, c.over)
				}
			})
		})
	}
}

// A database that accepts a statement and never answers: the batch's partitions
// are given up as soon as max.poll.interval.ms is over, which the log says, and
// nothing is lost when the call returns after all.
//
// Clauses: J2.
func TestPutThatDoesNotReturnGivesItsPartitionsUp(t *testing.T) {
	for _, kind := range []Kind{KindSink, KindStream} {
		t.Run(string(kind), func(t *testing.T) {
			f := newFlow(t)
			f.topic("in", 2)
			f.topic("out", 1)
			f.produce("in", numbered(0, 20)...)
			hang := make(chan struct{})
			var once sync.Once
			stick := func() { once.Do(func() { <-hang }) }
			s := &script{
				put:    func([]connector.Record) error { stick(); return nil },
				change: func(v string) (string, bool, error) { stick(); return v, true, nil },
			}
			log := new(logbook)
			w, _ := f.worker(s)
			w.options.Log = log.logger()
			props := connector.Props{"topics": "in", "consumer.override.max.poll.interval.ms": "600"}
			place := "sink (collect)"
			if kind == KindStream {
				props["topic"], props["transforms"], props["transforms.c.type"] = "out", "c", "change"
				place = "transform c (change)"
			}
			f.start(w, kind, "k", props)
			text := "k/0: " + place + ": it has not returned for "
			eventually(t, "the log to say it", func() bool { return log.has(text) && log.has("max.poll.interval.ms=600 is over") })
			if n := f.committed("connect-k", "in"); n != 0 {
				t.Errorf("%d committed", n)
			}
			close(hang)
			eventually(t, "the loss", func() bool { return log.has(`msg="partitions given up"`) && log.has("lost=true") })
			f.produce("in", numbered(20, 40)...)
			eventually(t, "commit", func() bool { return f.committed("connect-k", "in") == 40 })
			got := count(s.values())
			if kind == KindStream {
				got = f.tally("out")
			}
			if len(got) != 40 {
				t.Errorf("%d of 40 records came through", len(got))
			}
		})
	}
}
