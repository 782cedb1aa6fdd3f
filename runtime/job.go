package runtime

import (
	"context"
	"errors"
	"time"
)

const (
	// patience is how long a job may take before the consumer is polled meanwhile, so
	// that rebalances are noticed.
	patience = 200 * time.Millisecond
	// glance is how long the consumer is polled at once while the group waits for a
	// job: what the job waits for is looked at in between.
	glance = 20 * time.Millisecond
)

// job is work of plugins in a goroutine of its own, which the task's starts and
// waits for.
type job struct {
	context.Context // ends when the work has
	err             error
	work            context.Context
	cancel          context.CancelCauseFunc
	free            func() // from the limit
}

// start starts a job. Its goroutine ends when do does; every job is waited for.
func (in *intake) start(do func(ctx context.Context) error) *job {
	j := &job{free: in.limit.begin()}
	j.work, j.cancel = context.WithCancelCause(in.t.life)
	var ended context.CancelFunc
	j.Context, ended = context.WithCancel(context.Background())
	go func() {
		defer ended()
		j.err = guard(func() error { return do(j.work) })
	}()
	return j
}

// run does something in a job and then something in this goroutine.
func (in *intake) run(do func(ctx context.Context) error, then func() error) error {
	return in.await(in.start(do), then)
}

// await waits for a job and then does something in this goroutine. Meanwhile the
// consumer goes on being polled, with all partitions paused. When partitions are to
// be given up the job may still end, but not for long, since the whole group waits;
// one that only waits for a retry is broken off, and so is one whose partitions are
// lost. That is no error.
func (in *intake) await(j *job, then func() error) error {
	defer j.cancel(nil)
	first := patience
	if in.going != nil {
		first = 0
	}
	timer := time.NewTimer(first)
	defer timer.Stop()
	select {
	case <-j.Done():
		return in.end(j, then)
	case <-timer.C:
	}
	poll, wake := context.WithCancel(in.t.quit)
	defer wake()
	defer context.AfterFunc(j, wake)()
	in.consumer.Pause(in.consumer.Assignment()...)
	defer in.resume()
	for {
		stop := in.t.quit.Done() // no more polls: the job may end in peace
		if in.going != nil {
			stop = in.t.life.Done()
		}
		select {
		case <-j.Done():
			return in.end(j, then)
		case <-stop:
			return in.end(j, then)
		default:
		}
		if g := in.going; g != nil && (time.Now().After(g.until) || in.t.errors.waiting.Load() > 0) {
			j.cancel(errRevoked)
			return in.end(j, then)
		}
		if err := in.look(poll); err != nil { // polling has failed for good
			j.cancel(err)
			<-j.Done()
			j.free()
			return err
		}
	}
}

// look polls while a job is at work.
func (in *intake) look(poll context.Context) error {
	if in.going == nil {
		return in.read(poll)
	}
	ctx, cancel := context.WithTimeout(in.t.life, glance)
	defer cancel()
	return in.read(ctx)
}

// end finishes a job when it has ended, unless what it has done is another member's
// to do again.
func (in *intake) end(j *job, then func() error) error {
	<-j.Done()
	j.free()
	if in.going != nil && in.going.lost {
		in.broken = true
		return nil
	}
	err := j.err
	if err == nil {
		err = then()
	}
	return in.breaks(err)
}

// held does something in this goroutine, between two polls.
func (in *intake) held(do func() error) error { return in.breaks(in.limit.hold(do)) }

// breaks tells of an error; that work was broken off is none.
func (in *intake) breaks(err error) error {
	if errors.Is(err, errRevoked) || errors.Is(err, errStopping) {
		in.broken = true
		return nil
	}
	return err
}
