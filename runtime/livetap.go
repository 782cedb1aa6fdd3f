package runtime

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

const (
	// liveQueue and liveBytes bound the samples that wait for a reader, and what
	// they hold in memory; one alone may be larger.
	liveQueue = 256
	liveBytes = 32 << 20
	// stepBytes is what a sample takes per stage beside its values.
	stepBytes = 256
)

// AllTasks, in place of the number of a task, stands for all that the worker runs.
const AllTasks = -1

// LiveOptions say what of a connector a live tap shows.
type LiveOptions struct {
	Task  int     // or [AllTasks]
	Stage string  // a part of its name; empty is the whole journey
	Rate  float64 // records per second at most
	Last  int     // records of before that are shown first, where there are any
}

// LiveTap shows some of the records that pass through the tasks that a worker runs of
// a connector. What its reader does not take in time is lost: no task waits for it. One
// goroutine may read it and another close it.
type LiveTap struct {
	o     LiveOptions
	of    *liveTaps
	limit *rate.Limiter
	ready chan struct{} // has one when there is something to read
	ended chan struct{} // closed with the tap
	once  sync.Once

	mu     sync.Mutex
	queue  []*sample
	size   int // of them, bytes
	counts preview.Counts
}

// liveTaps are those that are open on a connector. nil has none.
type liveTaps struct {
	mu   sync.Mutex
	open atomic.Pointer[[]*LiveTap]
}

// now gives those that are open. It is what a batch costs that nobody looks at.
func (l *liveTaps) now() []*LiveTap {
	if l == nil {
		return nil
	}
	if open := l.open.Load(); open != nil {
		return *open
	}
	return nil
}

// change puts another list in place of the one that is there; none is nil.
func (l *liveTaps) change(to func([]*LiveTap) []*LiveTap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := to(slices.Clone(l.now()))
	if len(list) == 0 {
		l.open.Store(nil)
		return
	}
	l.open.Store(&list)
}

// tap opens one.
func (l *liveTaps) tap(o LiveOptions) *LiveTap {
	burst := max(1, int(math.Ceil(o.Rate)))
	t := &LiveTap{o: o, of: l, limit: rate.NewLimiter(rate.Limit(o.Rate), burst), ready: make(chan struct{}, 1), ended: make(chan struct{})}
	l.change(func(open []*LiveTap) []*LiveTap { return append(open, t) })
	return t
}

// Close ends the tap. It is safe twice.
func (t *LiveTap) Close() {
	t.of.change(func(open []*LiveTap) []*LiveTap {
		return slices.DeleteFunc(open, func(o *LiveTap) bool { return o == t })
	})
	t.once.Do(func() { close(t.ended) })
}

// Ready has a value when there is something for Next.
func (t *LiveTap) Ready() <-chan struct{} { return t.ready }

// Ended is closed with the tap, and when its connector is deleted.
func (t *LiveTap) Ended() <-chan struct{} { return t.ended }

// Next gives the next sample, nil where there is none yet.
func (t *LiveTap) Next() *preview.Sample {
	t.mu.Lock()
	if len(t.queue) == 0 {
		t.mu.Unlock()
		return nil
	}
	s := t.queue[0]
	t.queue[0] = nil
	t.queue = t.queue[1:]
	t.size -= s.size
	t.counts.Shown++
	if len(t.queue) > 0 {
		t.wake()
	}
	t.mu.Unlock()
	return s.shown(t.o.Stage) // the work is the reader's, not the task's
}

// Counts tells how many records there were, and what became of the samples of them.
func (t *LiveTap) Counts() preview.Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// choose gives which of n records are looked at: as many as the rate leaves, spread
// over all.
func (t *LiveTap) choose(n int) []int {
	t.mu.Lock()
	t.counts.Seen += int64(n)
	t.mu.Unlock()
	k := min(n, int(t.limit.Tokens()))
	if k < 1 || !t.limit.AllowN(time.Now(), k) {
		return nil
	}
	list := make([]int, k)
	for i := range list {
		from, to := i*n/k, (i+1)*n/k
		list[i] = from + rand.IntN(to-from)
	}
	return list
}

// take queues a sample, or counts it as lost. It does not wait.
func (t *LiveTap) take(s *sample) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == liveQueue || len(t.queue) > 0 && t.size+s.size > liveBytes {
		t.counts.Lost++
		return
	}
	t.queue = append(t.queue, s)
	t.size += s.size
	t.wake()
}

func (t *LiveTap) wake() {
	select {
	case t.ready <- struct{}{}:
	default: // it has one
	}
}

// liveTaps gives the taps of a connector.
func (w *Worker) liveTaps(name string) *liveTaps {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, ok := w.live[name]
	if !ok {
		l = new(liveTaps)
		w.live[name] = l
	}
	return l
}

// OpenTap opens a tap on what this worker runs of a connector, now and later, until it
// is closed or the connector deleted.
func (w *Worker) OpenTap(name string, o LiveOptions) *LiveTap {
	t := w.liveTaps(name).tap(o)
	kept := w.Tap(name)
	kept = slices.DeleteFunc(kept, func(k Tapped) bool { return o.Task != AllTasks && o.Task != k.Task })
	for _, k := range slices.Backward(kept[:min(o.Last, len(kept))]) {
		r := k.Record.Origin
		s := &sample{at: k.Time, task: k.Task, given: nothing,
			which: preview.Record{Record: placeOf(r.Topic, r.Partition, r.Offset), Fate: preview.Kept}}
		s.left("before "+k.Before, k.Record)
		if s.reached(o.Stage) {
			t.take(s)
		}
	}
	return t
}

// sample is a record that was chosen, as the stages left it. What its records refer to
// nobody changes any more.
type sample struct {
	at    time.Time
	task  int
	which preview.Record // without its steps
	given connector.Record
	steps []left
	size  int // in memory, about
}

// left is a record as a stage left it.
type left struct {
	stage  string
	record connector.Record
}

// nothing is a record without anything.
var nothing = connector.NewRecord("", nil, nil, nil, nil)

// shown tells what the stages changed: those whose names have this part, and then how
// they left the record.
func (s *sample) shown(stage string) *preview.Sample {
	out := &preview.Sample{Time: s.at, Task: s.task, Record: s.which}
	before := s.given
	for _, l := range s.steps {
		if preview.Named(l.stage, stage) { // all, where none is named
			step := preview.Step{Stage: l.stage, Changes: preview.Masked(preview.Diff(before, l.record))}
			if stage != "" {
				step.Fields = preview.Masked(preview.Diff(nothing, l.record))
			}
			if stage != "" || len(step.Changes) > 0 {
				out.Steps = append(out.Steps, step)
			}
		}
		before = l.record
	}
	return out
}

// left notes a record as a stage left it.
func (s *sample) left(stage string, r connector.Record) {
	s.steps = append(s.steps, left{stage, r})
	s.size += stepBytes + sizeOf(r.Key) + sizeOf(r.Value)
}

// reached tells whether a record came to a stage whose name has this part.
func (s *sample) reached(stage string) bool {
	return stage == "" || preview.Named(s.which.Stage, stage) ||
		slices.ContainsFunc(s.steps, func(l left) bool { return preview.Named(l.stage, stage) })
}

// sizeOf gives about what a value takes in memory.
func sizeOf(v any) int {
	const scalar = 16
	size := scalar
	switch v := v.(type) {
	case string:
		size += len(v)
	case []byte:
		size += len(v)
	case *connector.Struct:
		for i := range v.Schema().Fields() {
			size += sizeOf(v.At(i))
		}
	case map[string]any:
		for k, x := range v {
			size += len(k) + sizeOf(x)
		}
	case map[any]any:
		for k, x := range v {
			size += sizeOf(k) + sizeOf(x)
		}
	case []any:
		for _, x := range v {
			size += sizeOf(x)
		}
	}
	return size
}
