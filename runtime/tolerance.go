package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/failures"
)

// tolerance decides what a failure means for a task. Nothing else does.
type tolerance struct {
	all bool // errors.tolerance
	// retryTimeout is how long a transform or converter is retried; below 0 is
	// without end. That is the default too, unlike in Kafka Connect: an
	// unreachable model server is no reason to throw records away.
	retryTimeout time.Duration
	delayMax     time.Duration // errors.retry.delay.max.ms
	logErrors    bool          // errors.log.enable
	logRecords   bool          // errors.log.include.messages
	letters      string        // the topic of dead letters, empty without one
	log          *slog.Logger
	stats        *errorStats
}

// firstDelay is the wait before the first retry; each further one is doubled.
const firstDelay = 300 * time.Millisecond

// errStopping cuts a batch whose task was asked to stop.
var errStopping = errors.New("task is stopping")

type action uint8

const (
	stop action = iota
	retry
	tolerate
)

// rule is what a failure means where it happened.
type rule struct {
	unmarked  connector.Kind // an error without a mark
	tolerable bool           // whether a data error may be tolerated
}

// verdict is what to do about a failure.
type verdict struct {
	do    action
	after time.Duration // of retry
	err   error         // of stop
}

// judge decides about an error. attempt counts the retries so far,
// elapsed is the time since the first failure.
func (t *tolerance) judge(r rule, err error, attempt int, elapsed time.Duration) verdict {
	t.stats.failures.Add(1)
	do, kind := t.weigh(r, err, attempt, elapsed)
	switch {
	case do == retry:
		t.stats.retries.Add(1)
		t.stats.last(err, true)
		return verdict{do: retry, after: t.delay(markOf(err).After, attempt, r, elapsed)}
	case do == tolerate:
		return verdict{do: tolerate}
	case kind == connector.KindRetriable:
		return t.stop(connector.Fatal(fmt.Errorf("%w (after %d retries)", err, attempt)))
	case connector.KindOf(err) != kind:
		err = &connector.Error{Kind: kind, Err: err} // the restart policy wants to know
	}
	return t.stop(err)
}

// weigh gives what is to be done about an error, and what kind of error it is
// by now.
func (t *tolerance) weigh(r rule, err error, attempt int, elapsed time.Duration) (action, connector.Kind) {
	kind := connector.KindOf(err)
	if kind == connector.KindUnmarked {
		kind = r.unmarked
	}
	if kind == connector.KindRetriable {
		switch most := markOf(err).Attempts; {
		case most >= 0 && attempt >= most:
			return stop, kind
		case !r.tolerable || t.retryTimeout < 0 || elapsed < t.retryTimeout:
			return retry, kind
		}
		kind = connector.KindData // as Kafka Connect: out of time is an error of the record
	}
	if kind == connector.KindData && r.tolerable && t.all {
		return tolerate, kind
	}
	return stop, kind
}

// markOf gives the mark of an error; one without is retried without end.
func markOf(err error) *connector.Error {
	if mark, ok := errors.AsType[*connector.Error](err); ok {
		return mark
	}
	return &connector.Error{Attempts: -1}
}

func (t *tolerance) stop(err error) verdict {
	t.stats.errors.Add(1)
	t.stats.last(err, false)
	return verdict{do: stop, err: err}
}

// delay is how long to wait before the next attempt: exponential, at the limit
// scattered so that tasks do not knock together, never past the time allowed
// and never less than the plugin asked for.
func (t *tolerance) delay(atLeast time.Duration, attempt int, r rule, elapsed time.Duration) time.Duration {
	most := t.delayMax
	if most <= 0 {
		most = firstDelay // without any wait it would spin
	}
	d := firstDelay << min(attempt, 30)
	if d > most {
		d = most/2 + rand.N(most/2+1)
	}
	d = max(d, atLeast)
	if r.tolerable && t.retryTimeout >= 0 {
		d = min(d, t.retryTimeout-elapsed)
	}
	return d
}

// wait waits before a retry and says why. It tells false when the task is to
// stop instead.
func (t *tolerance) wait(ctx context.Context, quit <-chan struct{}, d time.Duration, why error) bool {
	t.log.Warn("retrying: "+failures.Text(why), "after", d.Round(time.Millisecond))
	defer t.stats.wait()()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-quit:
	}
	return false
}

// note counts a tolerated record and logs it if asked to, with what tells which
// one it was.
//
// Invariant 3: what is tolerated is counted here and dead-lettered by the task.
func (t *tolerance) note(why failure, which func() []any) {
	t.stats.errors.Add(1)
	t.stats.skipped.Add(1)
	t.stats.last(why.err, false)
	if !t.logErrors {
		return
	}
	t.stats.logged.Add(1)
	attrs := []any{"stage", why.stage.java, "class", why.stage.class}
	if t.logRecords {
		attrs = append(attrs, which()...)
	}
	t.log.Error("record tolerated: "+failures.Text(why.err), attrs...)
}
