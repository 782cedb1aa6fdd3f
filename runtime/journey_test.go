package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// testJourney is a journey of one or more stages that fail as told.
func testJourney(tol *tolerance, stages ...*stage) *journey {
	tol.log, tol.stats = slog.New(slog.DiscardHandler), new(errorStats)
	if tol.delayMax == 0 {
		tol.delayMax = time.Minute
	}
	for _, s := range stages {
		if s.unmarked == connector.KindUnmarked {
			s.unmarked, s.tolerable = connector.KindData, true
		}
	}
	return &journey{at: place{"ifcb-stats", 0}, stages: stages, tolerance: tol, quit: make(chan struct{})}
}

// testBatch is a batch of n records of images[2], from offset 1840 on, with
// their number as value.
func testBatch(n int) *batch {
	b := &batch{items: make([]item, n)}
	for i := range b.items {
		b.items[i].read = &kafka.Message{Topic: "images", Partition: 2, Offset: 1840 + int64(i)}
		b.items[i].record = connector.Record{Topic: "images", Partition: 2, Value: i}
	}
	return b
}

// oneStage calls f with the number of the record and of the attempt.
func oneStage(name string, f func(n, attempt int) error) *stage {
	attempts := map[int]int{}
	return &stage{place: name, one: func(_ context.Context, it *item) error {
		n := it.record.Value.(int)
		attempts[n]++
		return f(n, attempts[n]-1)
	}}
}

// manyStage is oneStage in batches; calls notes which records each call had.
func manyStage(name string, calls *[]string, f func(n, attempt int) error) *stage {
	one := oneStage(name, f)
	return &stage{place: name, many: func(ctx context.Context, items []*item) []error {
		errs := make([]error, len(items))
		var had []int
		for i, it := range items {
			errs[i] = one.one(ctx, it)
			had = append(had, it.record.Value.(int))
		}
		*calls = append(*calls, fmt.Sprint(had))
		return errs
	}}
}

var errTest = errors.New("field prob: expected float, got string")

// fates spells what became of a batch: a letter per record, and the error.
func fates(b *batch) string {
	var s strings.Builder
	for _, it := range b.items {
		s.WriteByte("adt"[it.fate])
	}
	return s.String()
}

// Clauses: J3, J4.
func TestJourneyFates(t *testing.T) {
	fail := func(at int, err error) func(n, attempt int) error {
		return func(n, _ int) error {
			if n == at {
				return err
			}
			return nil
		}
	}
	tests := []struct {
		name string
		tol  tolerance
		fail func(n, attempt int) error
		want string
		stop string
		kind connector.Kind
	}{
		{"all is well", tolerance{}, fail(-1, nil), "aaaa", "", 0},
		{"unmarked is data, not tolerated", tolerance{}, fail(1, errTest), "a",
			"ifcb-stats/0: value converter (avro): images[2]@1841: field prob: expected float, got string", connector.KindData},
		{"unmarked is data, tolerated", tolerance{all: true}, fail(1, errTest), "ataa", "", 0},
		{"data, tolerated", tolerance{all: true}, fail(3, connector.Data(errTest)), "aaat", "", 0},
		{"fatal is never tolerated", tolerance{all: true}, fail(2, connector.Fatal(errTest)), "aa",
			"ifcb-stats/0: value converter (avro): images[2]@1842: field prob: expected float, got string", connector.KindFatal},
		{"retriable, then well", tolerance{retryTimeout: -1}, func(n, attempt int) error {
			if n == 1 && attempt < 20 {
				return connector.Retriable(errTest)
			}
			return nil
		}, "aaaa", "", 0},
		{"retriable, out of attempts", tolerance{all: true, retryTimeout: -1}, fail(2, connector.Retriable(errTest, connector.Attempts(3))), "aa",
			"ifcb-stats/0: value converter (avro): images[2]@1842: field prob: expected float, got string (after 3 retries)", connector.KindFatal},
		{"retriable without attempts", tolerance{all: true, retryTimeout: -1}, fail(0, connector.Retriable(errTest, connector.Attempts(0))), "",
			"ifcb-stats/0: value converter (avro): images[2]@1840: field prob: expected float, got string (after 0 retries)", connector.KindFatal},
		{"retriable, out of time, tolerated", tolerance{all: true, retryTimeout: 5 * time.Second}, fail(2, connector.Retriable(errTest)), "aata", "", 0},
		{"retriable, out of time", tolerance{retryTimeout: 0}, fail(2, connector.Retriable(errTest)), "aa",
			"ifcb-stats/0: value converter (avro): images[2]@1842: field prob: expected float, got string", connector.KindData},
		{"retriable, then data", tolerance{all: true, retryTimeout: -1}, func(n, attempt int) error {
			switch {
			case n == 1 && attempt == 0:
				return connector.Retriable(errTest)
			case n == 1:
				return errTest
			}
			return nil
		}, "ataa", "", 0},
		{"a panic is data", tolerance{}, func(n, _ int) error {
			if n == 1 {
				panic("no map")
			}
			return nil
		}, "a", "ifcb-stats/0: value converter (avro): images[2]@1841: the plugin panicked: no map", connector.KindData},
		{"a panic, tolerated", tolerance{all: true}, func(n, _ int) error {
			if n == 1 {
				panic("no map")
			}
			return nil
		}, "ataa", "", 0},
	}
	for _, tt := range tests {
		for _, many := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/many=%v", tt.name, many), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var calls []string
					s := oneStage("value converter (avro)", tt.fail)
					if many {
						s = manyStage("value converter (avro)", &calls, tt.fail)
					}
					tol := tt.tol
					b := testBatch(4)
					testJourney(&tol, s).run(t.Context(), b)
					if got := fates(b); got != tt.want {
						t.Errorf("fates are %q, want %q", got, tt.want)
					}
					got := ""
					if b.stop != nil {
						got = b.stop.Error()
					}
					if got != tt.stop {
						t.Errorf("stopped by %q, want %q", got, tt.stop)
					}
					if k := connector.KindOf(b.stop); k != tt.kind {
						t.Errorf("kind is %v, want %v", k, tt.kind)
					}
				})
			})
		}
	}
}

func TestJourneyRetriesOnlyWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []string
		s := manyStage("transform classify", &calls, func(n, attempt int) error {
			if n%2 == 1 && attempt < n {
				return connector.Retriable(errTest, connector.After(time.Hour))
			}
			return nil
		})
		b := testBatch(4)
		began := time.Now()
		testJourney(&tolerance{retryTimeout: -1}, s).run(t.Context(), b)
		if d := cmp.Diff([]string{"[0 1 2 3]", "[1 3]", "[3]", "[3]"}, calls); d != "" {
			t.Error(d)
		}
		if got := fates(b); got != "aaaa" {
			t.Errorf("fates are %q", got)
		}
		if d := time.Since(began); d != 3*time.Hour {
			t.Errorf("it took %v, the plugin asked for an hour each time", d)
		}
	})
}

func TestJourneyKeepsWhatComesBeforeAnError(t *testing.T) {
	// Record 2 fails in the first stage, record 1 in the second one: only
	// record 0 goes on, and the error of record 1 is what stops.
	fail := func(at int) func(n, attempt int) error {
		return func(n, _ int) error {
			if n == at {
				return errTest
			}
			return nil
		}
	}
	seen := 0
	last := oneStage("last", func(int, int) error { seen++; return nil })
	b := testBatch(4)
	testJourney(&tolerance{}, oneStage("first", fail(2)), oneStage("second", fail(1)), last).run(t.Context(), b)
	if fates(b) != "a" || seen != 1 {
		t.Errorf("fates %q, the last stage has seen %d", fates(b), seen)
	}
	if want := "ifcb-stats/0: second: images[2]@1841: " + errTest.Error(); b.stop == nil || b.stop.Error() != want {
		t.Errorf("stopped by %v, want %s", b.stop, want)
	}
}

func TestJourneyStopsWaiting(t *testing.T) {
	always := func(n, _ int) error {
		if n == 2 {
			return connector.Retriable(errTest)
		}
		return nil
	}
	t.Run("when the task is to stop", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := testJourney(&tolerance{retryTimeout: -1}, oneStage("s", always))
			quit := make(chan struct{})
			j.quit = quit
			time.AfterFunc(time.Hour, func() { close(quit) })
			b := testBatch(4)
			j.run(t.Context(), b)
			if fates(b) != "aa" || !errors.Is(b.stop, errStopping) {
				t.Errorf("fates %q, stopped by %v", fates(b), b.stop)
			}
			if n := j.tolerance.stats.retries.Load(); n < 60 {
				t.Errorf("%d retries in an hour", n)
			}
		})
	})
	t.Run("when the batch is broken off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := testJourney(&tolerance{all: true, retryTimeout: -1})
			s := &stage{place: "s", rule: rule{unmarked: connector.KindData, tolerable: true}, one: func(ctx context.Context, _ *item) error {
				<-ctx.Done()
				return ctx.Err() // unmarked: would be tolerated as data
			}}
			j.stages = []*stage{s}
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Hour, func() { cancel(errRevoked) })
			b := testBatch(4)
			j.run(ctx, b)
			if fates(b) != "" || !errors.Is(b.stop, errRevoked) {
				t.Errorf("fates %q, stopped by %v", fates(b), b.stop)
			}
		})
	})
}

// Clauses: J3.
func TestDelay(t *testing.T) {
	s := &stage{rule: rule{tolerable: true}}
	tol := &tolerance{retryTimeout: -1, delayMax: time.Minute}
	for i, want := range []time.Duration{300, 600, 1200, 2400, 4800, 9600, 19200, 38400} {
		if d := tol.delay(0, i, s.rule, 0); d != want*time.Millisecond {
			t.Errorf("delay %d is %v, want %v ms", i, d, want)
		}
	}
	for _, attempt := range []int{8, 20, 63, 1000} {
		if d := tol.delay(0, attempt, s.rule, 0); d < 30*time.Second || d > time.Minute {
			t.Errorf("delay %d is %v", attempt, d)
		}
	}
	if d := tol.delay(2*time.Hour, 0, s.rule, 0); d != 2*time.Hour {
		t.Errorf("delay is %v, the plugin asked for two hours", d)
	}
	for _, tol.delayMax = range []time.Duration{0, -time.Millisecond} { // Kafka Connect takes these, and fails at the first retry
		if d := tol.delay(0, 9, s.rule, 0); d < firstDelay/2 || d > firstDelay {
			t.Errorf("delay is %v with errors.retry.delay.max.ms=%d", d, tol.delayMax.Milliseconds())
		}
	}
	tol.delayMax = time.Minute
	tol.retryTimeout = time.Second
	if d := tol.delay(0, 5, s.rule, 900*time.Millisecond); d != 100*time.Millisecond {
		t.Errorf("delay is %v with 100 ms left", d)
	}
}

// Clauses: J4.
func TestStageCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{place: "source (ifcb)", rule: rule{unmarked: connector.KindFatal}}
		j := testJourney(&tolerance{all: true, retryTimeout: 0})
		n := 0
		err := s.call(t.Context(), j, 0, func() error {
			if n++; n < 30 { // without end, whatever errors.retry.timeout says
				return connector.Retriable(errTest)
			}
			return nil
		})
		if err != nil || n != 30 {
			t.Errorf("%v after %d calls", err, n)
		}
		err = s.call(t.Context(), j, 0, func() error { return errTest })
		if err == nil || err.Error() != "ifcb-stats/0: source (ifcb): "+errTest.Error() {
			t.Errorf("error is %v", err)
		}
		err = s.call(t.Context(), j, 0, func() error { panic("x") })
		if err == nil || err.Error() != "ifcb-stats/0: source (ifcb): the plugin panicked: x" || !strings.Contains(Trace(err), "journey_test.go") {
			t.Errorf("error is %v, trace %s", err, Trace(err))
		}
	})
}

func TestTap(t *testing.T) {
	tp := new(tap)
	show := func(items []item) { (&stage{tap: tp}).show(0, items) }
	if n := len(tp.records()); n != 0 {
		t.Errorf("%d records in a new tap", n)
	}
	for i := range 3 {
		b := testBatch(50)
		b.items[0].fate = dropped
		for k := range b.items {
			b.items[k].record.Value = 50*i + k
		}
		show(b.items)
	}
	got := tp.records()
	if len(got) != tapSize || got[0].Record.Value != 149 || got[48].Record.Value != 101 || got[49].Record.Value != 99 {
		t.Errorf("%d records, first %v", len(got), got[0].Record.Value)
	}
	show(testBatch(1000).items)
	if got = tp.records(); got[0].Record.Value != 999 || got[59].Record.Value != 940 {
		t.Errorf("first %v, last %v", got[0].Record.Value, got[59].Record.Value)
	}

	// Large records are fewer.
	large := testBatch(100)
	for i := range large.items {
		large.items[i].read.Value = make([]byte, tapBytes/10)
	}
	show(large.items)
	if got = tp.records(); len(got) != 10 || got[9].Record.Value != 90 {
		t.Errorf("%d large records", len(got))
	}
	large.items[0].read.Value = make([]byte, 2*tapBytes)
	show(large.items[:1])
	if got = tp.records(); len(got) != 1 || got[0].Record.Value != 0 {
		t.Errorf("%d records beside one that is too large", len(got))
	}
	show(testBatch(70).items)
	if got = tp.records(); len(got) != tapSize || tp.size >= tapBytes {
		t.Errorf("%d records of %d bytes", len(got), tp.size)
	}
}
