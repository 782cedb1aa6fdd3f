package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// doubling has two stages: one doubles values, drops 3 and cannot take 5, one writes.
func doubling(live *liveTaps, tol *tolerance) *journey {
	double := &stage{place: "transform double (double)", one: func(_ context.Context, it *item) error {
		switch n := it.record.Value.(int); n {
		case 3:
			it.fate = dropped
		case 5:
			return errors.New("five")
		default:
			it.record.Value = 2 * n
		}
		return nil
	}}
	write := &stage{place: "value converter (text)", one: func(_ context.Context, it *item) error {
		it.out = kafka.Message{Topic: "out", Value: []byte(fmt.Sprint(it.record.Value))}
		return nil
	}}
	j := testJourney(tol, double, write)
	j.live = live
	return j
}

// taken gives what a tap has by now.
func taken(t *LiveTap) []*preview.Sample {
	var list []*preview.Sample
	for s := t.Next(); s != nil; s = t.Next() {
		list = append(list, s)
	}
	return list
}

func TestLiveTapShowsTheJourney(t *testing.T) {
	live := new(liveTaps)
	tap := live.tap(LiveOptions{Task: AllTasks, Rate: 100})
	other := live.tap(LiveOptions{Task: 1, Rate: 100})
	one := live.tap(LiveOptions{Task: AllTasks, Rate: 100, Stage: "DOUBLE"})
	j := doubling(live, &tolerance{all: true, letters: "dead"})
	j.run(t.Context(), testBatch(6))

	var got []string
	for _, s := range taken(tap) {
		line := fmt.Sprint(s.Record.Record, " ", s.Fate, " ", s.Stage, " ", s.Reason, " ", s.Topic)
		for _, step := range s.Steps {
			line += " | " + step.Stage
			for _, c := range step.Changes {
				line += " " + c.String()
			}
		}
		got = append(got, line)
	}
	want := []string{
		"images[2]@1840 passed   out",
		"images[2]@1841 passed   out | transform double (double) ~ value: 1 -> 2",
		"images[2]@1842 passed   out | transform double (double) ~ value: 2 -> 4",
		"images[2]@1843 dropped transform double (double)  ",
		"images[2]@1844 passed   out | transform double (double) ~ value: 4 -> 8",
		"images[2]@1845 dead letter transform double (double) five dead",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := taken(other); got != nil {
		t.Errorf("a tap of another task has %d records", len(got))
	}
	steps := taken(one)
	if len(steps) != 6 || len(steps[1].Steps) != 1 || !slices.ContainsFunc(steps[1].Steps[0].Fields, func(c preview.Change) bool { return c.Field == "value" && string(c.After) == "2" }) {
		t.Errorf("the tap of one stage has %+v", steps)
	}
	for _, x := range []*LiveTap{tap, other, one, one} {
		x.Close()
	}
	if live.now() != nil {
		t.Error("closed taps are still asked")
	}
	j.run(t.Context(), testBatch(6))
	if c := tap.Counts(); c != (preview.Counts{Seen: 6, Shown: 6}) {
		t.Errorf("it counts %+v", c)
	}
}

// A record that ends the task is shown with its error, and those behind it as not reached.
func TestLiveTapShowsWhatStops(t *testing.T) {
	live := new(liveTaps)
	tap := live.tap(LiveOptions{Task: AllTasks, Rate: 100})
	b := testBatch(8)
	doubling(live, new(tolerance)).run(t.Context(), b)
	list := taken(tap)
	if len(list) != 8 || list[5].Fate != preview.Stops || !strings.Contains(list[5].Reason, "five") || list[6].Fate != preview.NotReached {
		t.Errorf("%d records, %+v, %+v", len(list), list[5].Record, list[6].Record)
	}
	if b.stop == nil || len(b.items) != 5 {
		t.Error("the tap changed what becomes of the batch")
	}
}

// The rate bounds what is looked at, and a reader that does not read loses samples: the
// batch goes on.
func TestLiveTapIsBounded(t *testing.T) {
	t.Run("rate", func(t *testing.T) {
		live := new(liveTaps)
		tap := live.tap(LiveOptions{Task: AllTasks, Rate: 0.001})
		for range 100 {
			doubling(live, &tolerance{all: true}).run(t.Context(), testBatch(100))
		}
		if got, c := taken(tap), tap.Counts(); len(got) != 1 || c.Seen != 100*100 || c.Lost != 0 {
			t.Errorf("%d records, %+v", len(got), c)
		}
	})
	t.Run("number", func(t *testing.T) {
		live := new(liveTaps)
		tap := live.tap(LiveOptions{Task: AllTasks, Rate: 2 * liveQueue})
		doubling(live, &tolerance{all: true}).run(t.Context(), testBatch(2*liveQueue))
		if got, c := taken(tap), tap.Counts(); len(got) != liveQueue || c.Lost != liveQueue {
			t.Errorf("%d records, %+v", len(got), c)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		live := new(liveTaps)
		tap := live.tap(LiveOptions{Task: AllTasks, Rate: 100})
		b := testBatch(10)
		for i := range b.items {
			b.items[i].record.Value = make([]byte, liveBytes/8)
		}
		j := testJourney(new(tolerance), &stage{place: "as it is", one: func(context.Context, *item) error { return nil }})
		j.live = live
		j.run(t.Context(), b)
		got, c := taken(tap), tap.Counts()
		if len(got) != 7 || c.Lost != 3 {
			t.Errorf("%d records, %+v", len(got), c)
		}
		if text := string(got[0].Record.Record); text == "" || tap.size != 0 {
			t.Errorf("%q, %d bytes are left", text, tap.size)
		}
	})
}

// Secrets among the fields, and what is very large, are not shown.
func TestLiveTapMasks(t *testing.T) {
	live := new(liveTaps)
	tap := live.tap(LiveOptions{Task: AllTasks, Rate: 100})
	b := testBatch(1)
	j := testJourney(new(tolerance), &stage{place: "read", one: func(_ context.Context, it *item) error {
		it.record.Value = map[string]any{"user": "anna", "password": "hush", "picture": make([]byte, 1<<20)}
		return nil
	}})
	j.live = live
	j.run(t.Context(), b)
	list := taken(tap)
	text := ""
	for _, c := range list[0].Steps[0].Changes {
		text += c.String() + "\n"
	}
	if strings.Contains(text, "hush") || !strings.Contains(text, `value.user = "anna"`) || !strings.Contains(text, "1398106 bytes, which are not shown") {
		t.Error(text)
	}
}

// Who has taps open learns that their connector is gone.
func TestLiveTapEndsWithItsConnector(t *testing.T) {
	w := &Worker{taps: map[string]*tap{}, live: map[string]*liveTaps{}, topics: map[string]*activeTopics{}}
	w.tap("st").see(Tapped{Task: 1, Before: "transform last (x)", Record: connector.Record{Topic: "t", Value: "old"}}, 1)
	tap := w.OpenTap("st", LiveOptions{Task: AllTasks, Rate: 1, Last: 5})
	list := taken(tap)
	if len(list) != 1 || list[0].Fate != preview.Kept || list[0].Task != 1 || list[0].Steps[0].Stage != "before transform last (x)" {
		t.Errorf("kept: %+v", list)
	}
	w.Forget("st")
	<-tap.Ended()
}

// BenchmarkUntapped is what looking for taps costs a batch when there are none.
func BenchmarkUntapped(b *testing.B) {
	live := new(liveTaps)
	for b.Loop() {
		if live.now() != nil {
			b.Fatal("there is one")
		}
	}
}
