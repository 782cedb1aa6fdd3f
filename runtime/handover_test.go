package runtime

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// round is one assignment of the partition in a play.
type round struct {
	holds time.Duration // until it is to be given up
	how   kafka.Change  // Revoked or Lost
	loses time.Duration // so long after Revoked it is lost; 0 is never
}

// deed is what one batch does.
type deed struct {
	takes    time.Duration
	retries  bool // it only waits for a retry
	stubborn bool // it does not notice that it is broken off
}

// play is a consumer whose partition comes and goes as drawn, and the task's
// side of an intake. It checks what an intake owes a group.
type play struct {
	in     *intake
	rounds []round
	deeds  []deed

	round     int // of the last assignment
	owned     bool
	asked     kafka.Change
	at        time.Time // of the next change, the zero time for none
	since     time.Time // when it was asked
	paused    bool
	next      int64 // to be read
	committed int64
	closed    int // how often closing was called since it was asked
	delivered int
	batches   int
	worst     time.Duration // a hand-over took without a stubborn batch
	stubborn  bool          // a batch is, of this round
	working   atomic.Bool
	wrong     []string
}

func (p *play) fail(format string, args ...any) {
	p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
}

// change gives what is due.
func (p *play) change() kafka.Event {
	if p.at.IsZero() || time.Now().Before(p.at) {
		return kafka.Event{}
	}
	p.at = time.Time{}
	e := kafka.Event{Partitions: []connector.TopicPartition{{Topic: "in"}}}
	switch {
	case !p.owned:
		e.Change, p.owned, p.next, p.stubborn = kafka.Assigned, true, p.committed, false
		p.at = time.Now().Add(p.rounds[p.round].holds)
	case p.asked == kafka.Unchanged:
		r := p.rounds[p.round]
		e.Change, p.since = r.how, time.Now()
		if r.how == kafka.Revoked && r.loses > 0 {
			p.at = time.Now().Add(r.loses)
		}
	default:
		e.Change = kafka.Lost
	}
	if e.Change != kafka.Assigned {
		p.asked = e.Change
	}
	return e
}

// Poll gives changes when they are due, and messages while there are none.
func (p *play) Poll(ctx context.Context) (kafka.Event, error) {
	for deadline := time.Now().Add(500 * time.Millisecond); ; {
		if e := p.change(); e.Change != kafka.Unchanged {
			return e, nil
		}
		if p.owned && p.asked == kafka.Unchanged && !p.paused {
			e := kafka.Event{Messages: make([]kafka.Message, 3)}
			for i := range e.Messages {
				e.Messages[i] = kafka.Message{Topic: "in", Offset: p.next + int64(i)}
			}
			p.next += 3
			return e, nil
		}
		until := deadline
		if !p.at.IsZero() && p.at.Before(until) {
			until = p.at
		}
		select {
		case <-time.After(time.Until(until)):
		case <-ctx.Done():
			return kafka.Event{}, nil
		}
		if !time.Now().Before(deadline) {
			return kafka.Event{}, nil
		}
	}
}

// Release ends a round.
func (p *play) Release() {
	if p.asked == kafka.Unchanged || p.closed != 1 || p.working.Load() {
		p.fail("round %d is released after %d, closed %d times, at work: %v", p.round, p.asked, p.closed, p.working.Load())
	}
	if took := time.Since(p.since); !p.stubborn {
		p.worst = max(p.worst, took)
	}
	p.owned, p.asked, p.closed, p.at = false, kafka.Unchanged, 0, time.Time{}
	if p.round++; p.round == len(p.rounds) {
		p.in.t.stop(errStopping)
		return
	}
	p.at = time.Now().Add(50 * time.Millisecond)
}

// Leave asks for what is left.
func (p *play) Leave() kafka.Event {
	if !p.owned || p.asked != kafka.Unchanged {
		return kafka.Event{}
	}
	p.at = time.Now()
	return p.change()
}

func (p *play) Holds() bool                                                    { return p.owned }
func (*play) Forfeit()                                                         {}
func (*play) Commit(context.Context, map[connector.TopicPartition]int64) error { return nil }
func (p *play) Seek(connector.TopicPartition, int64) error {
	p.fail("a partition is read elsewhere though nobody asked for it")
	return nil
}

func (p *play) Pause(tps ...connector.TopicPartition)     { p.paused = len(tps) > 0 }
func (p *play) Resume(...connector.TopicPartition)        { p.paused = false }
func (p *play) Lag() map[connector.TopicPartition]int64   { return nil }
func (*play) Skipped() map[connector.TopicPartition]int64 { return nil }
func (*play) Close(context.Context) error                 { return nil }
func (p *play) Assignment() []connector.TopicPartition {
	if !p.owned {
		return nil
	}
	return []connector.TopicPartition{{Topic: "in"}}
}

// work is the plugins' side.
func (p *play) work(ctx context.Context, b *batch) {
	if p.working.Swap(true) {
		p.fail("two batches are at work")
	}
	defer p.working.Store(false)
	d := p.deeds[p.batches%len(p.deeds)]
	p.batches++
	p.stubborn = p.stubborn || d.stubborn
	switch {
	case d.retries:
		if !p.in.t.tolerance.wait(ctx, p.in.t.quit.Done(), d.takes, errTest) {
			b.cut(1, errStopping) // the first record was through
		}
		return
	case d.stubborn:
		ctx = context.WithoutCancel(ctx)
	}
	select {
	case <-time.After(d.takes):
	case <-ctx.Done():
		b.cut(1, context.Cause(ctx))
	}
}

// finish is the task's side: what it delivers must be the partition's next.
func (p *play) finish(b *batch) error {
	for i := range b.items {
		if m := b.items[i].read; !p.owned || p.asked == kafka.Lost || p.closed > 0 || m.Offset != p.committed {
			p.fail("record %d is delivered after %d, owned: %v, asked: %d, closed: %d", m.Offset, p.committed, p.owned, p.asked, p.closed)
		} else {
			p.committed++
			p.delivered++
		}
	}
	return nil
}

func (p *play) closing(_ []connector.TopicPartition, lost bool) error {
	if p.closed++; lost != (p.asked == kafka.Lost) || p.working.Load() {
		p.fail("closing, lost: %v, asked: %d, at work: %v", lost, p.asked, p.working.Load())
	}
	return nil
}

// Whatever comes of a membership while batches are at work: an intake hands over
// once, between batches and in time, delivers nothing that is lost and leaves no
// record out.
func TestIntakeHandsOver(t *testing.T) {
	delivered := 0
	moment := rapid.Map(rapid.IntRange(1, 4000), func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond })
	rapid.Check(t, func(rt *rapid.T) {
		rounds := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) round {
			return round{holds: moment.Draw(t, "holds"), how: rapid.SampledFrom([]kafka.Change{kafka.Revoked, kafka.Revoked, kafka.Lost}).Draw(t, "how"),
				loses: rapid.SampledFrom([]time.Duration{0, 0, 10 * time.Millisecond, time.Second}).Draw(t, "loses")}
		}), 1, 5).Draw(rt, "rounds")
		deeds := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) deed {
			return deed{takes: moment.Draw(t, "takes"), retries: rapid.Bool().Draw(t, "retries"), stubborn: rapid.IntRange(0, 9).Draw(t, "stubborn") == 0}
		}), 1, 6).Draw(rt, "deeds")
		var p *play
		synctest.Test(t, func(*testing.T) {
			in := testIntake()
			p = &play{in: in, rounds: rounds, deeds: deeds, at: time.Now()}
			in.consumer, in.handover = p, time.Second
			in.work, in.finish, in.closing = p.work, p.finish, p.closing
			in.idle = func() error { return nil }
			in.opened = func([]connector.TopicPartition) error { return nil }
			if err := in.loop(); err != nil {
				p.fail("the loop ends with %v", err)
			}
			in.t.kill(errStopping)
		})
		for _, w := range p.wrong {
			rt.Error(w)
		}
		if p.round != len(rounds) {
			rt.Errorf("%d of %d rounds", p.round, len(rounds))
		}
		if p.worst > time.Second+glance {
			rt.Errorf("a hand-over took %v", p.worst)
		}
		delivered += p.delivered
	})
	if delivered == 0 {
		t.Error("nothing was delivered: the play checks nothing")
	}
}
