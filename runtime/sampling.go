package runtime

import (
	"context"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// sampling follows the records of a batch that taps have chosen.
type sampling struct {
	ctx    context.Context
	j      *journey
	b      *batch
	whole  []item // before any cut
	chosen []chosen
}

// chosen is a record that a tap has chosen.
type chosen struct {
	tap *LiveTap
	i   int // its place in the batch
	*sample
}

// sample begins to follow records of a batch.
func (j *journey) sample(ctx context.Context, b *batch, taps []*LiveTap) *sampling {
	s := &sampling{ctx: ctx, j: j, b: b, whole: b.items}
	alive := b.alive()
	for _, t := range taps {
		if t.o.Task != AllTasks && t.o.Task != j.at.task {
			continue
		}
		for _, k := range t.choose(len(alive)) {
			it := &b.items[alive[k]]
			c := chosen{t, alive[k], &sample{task: j.at.task, given: it.record, which: preview.Record{Record: it.place(), Fate: preview.Passed}}}
			if it.read == nil {
				c.given = nothing
				c.left(j.from, it.record)
			}
			s.chosen = append(s.chosen, c)
		}
	}
	return s
}

// after notes what a stage has made of the records.
func (s *sampling) after(st *stage) {
	for _, c := range s.chosen {
		r, it := &c.which, &s.whole[c.i]
		switch {
		case r.Fate != preview.Passed:
		case c.i > len(s.b.items), c.i == len(s.b.items) && s.ends():
			r.Fate, r.Stage = preview.NotReached, st.place
		case c.i == len(s.b.items):
			r.Fate, r.Stage, r.Reason = preview.Stops, st.place, s.b.stop.Error()
		case it.fate == dropped:
			r.Fate, r.Stage = preview.Dropped, st.place
		case it.fate == tolerated:
			r.Fate, r.Stage, r.Reason = preview.Skipped, st.place, it.failed.cause.Error()
			if s.j.tolerance.letters != "" {
				r.Fate, r.Topic = preview.DeadLettered, s.j.tolerance.letters
			}
		default:
			c.left(st.place, it.record)
		}
	}
}

// ends tells that the task is to end, which is no fault of a record.
func (s *sampling) ends() bool {
	if s.ctx.Err() != nil {
		return true
	}
	select {
	case <-s.j.quit:
		return true
	default:
		return false
	}
}

// done gives the taps what they have chosen.
func (s *sampling) done() {
	now := time.Now()
	for _, c := range s.chosen {
		r, out := &c.which, &s.whole[c.i].out
		if r.Fate == preview.Passed {
			if s.j.to != "" {
				c.left(s.j.to, s.whole[c.i].record)
			}
			r.Topic, r.KeySize, r.ValueSize = out.Topic, len(out.Key), len(out.Value)
		}
		c.at = now
		if c.reached(c.tap.o.Stage) {
			c.tap.take(c.sample)
		}
	}
}
