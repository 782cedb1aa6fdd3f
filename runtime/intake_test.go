package runtime

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// pollFails is a consumer with nothing but an error.
type pollFails struct {
	member
	err error
}

func (c pollFails) Poll(context.Context) (kafka.Event, error) { return kafka.Event{}, c.err }

// lateEnd is an error with which the wait for messages ends just when it is
// looked at.
type lateEnd struct{ end func() }

func (e lateEnd) Error() string { return "broker is away" }
func (e lateEnd) As(any) bool   { e.end(); return false }

func testIntake() *intake {
	task := newTask(Options{Log: testLog()}, TaskSpec{Connector: "k", Kind: KindSink}, nil)
	task.tolerance = &tolerance{retryTimeout: -1, delayMax: time.Minute, log: testLog(), stats: &task.errors}
	return &intake{t: task, poll: consumeStage(), journey: &journey{at: task.at, tolerance: task.tolerance, quit: task.quit.Done()}}
}

// A batch that is done ends the poll beside it; that is no error, whatever Kafka
// answered at that moment.
func TestPollThatIsNotNeededAnyMoreDoesNotFail(t *testing.T) {
	in := testIntake()
	ctx, cancel := context.WithCancel(in.t.quit)
	in.consumer = pollFails{err: lateEnd{cancel}}
	if err := in.read(ctx); err != nil {
		t.Errorf("error is %v", err)
	}
	in.consumer = pollFails{err: connector.Fatal(errors.New("not authorized"))}
	if err := in.read(in.t.quit); err == nil {
		t.Error("a fatal error is none")
	}
	in.t.kill(errStopping)
}

// quiet is a consumer that nothing comes to, for as long as a poll may take or, busy,
// until something else is done.
type quiet struct {
	member
	busy bool
}

func (c quiet) Poll(ctx context.Context) (kafka.Event, error) {
	if c.busy {
		<-ctx.Done()
	}
	return kafka.Event{}, nil
}

// Lists of items for whole batches are kept while these come: a worker may have a
// thousand sinks that have nothing to do.
func TestIdleIntakeKeepsNoLists(t *testing.T) {
	in := testIntake()
	defer in.t.kill(errStopping)
	in.spare = [][]item{make([]item, 0, 500)}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	in.pending = func() context.Context { return ended }
	for _, busy := range []bool{true, false} {
		in.consumer = quiet{busy: busy}
		if err := in.wait(); err != nil {
			t.Fatal(err)
		}
		if busy != (len(in.spare) == 1) {
			t.Errorf("busy %v: %d lists are kept", busy, len(in.spare))
		}
		in.pending = nil
	}
}

// Consumer and batch may both be waiting for a retry, and one of them is done first.
func TestRetriesOfBatchAndConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := testIntake()
		wait := func(d time.Duration) {
			in.t.errors.last(errTest, true)
			in.t.tolerance.wait(in.t.life, nil, d, errTest)
		}
		go wait(time.Hour) // ends with the bubble's time
		go wait(time.Minute)
		time.Sleep(2 * time.Minute)
		if !in.t.Snapshot().Errors.Retrying {
			t.Error("the batch is not retried any more")
		}
		time.Sleep(time.Hour)
		if in.t.Snapshot().Errors.Retrying {
			t.Error("something is still retried")
		}
		in.t.kill(errStopping)
	})
}
