package runtime

import (
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// mute takes a broker's address and never answers, until it is closed.
func mute(t *testing.T, address string) io.Closer {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the listener
		var open []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range open {
					_ = c.Close()
				}
				return
			}
			open = append(open, c)
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// A broker that accepts connections and does not answer shows in the state of
// each kind of task, long before a request times out, and not any more when it
// answers again.
func TestOutageShows(t *testing.T) {
	t.Parallel()
	b := kafkatest.New(t)
	f := &flow{t: t, broker: b.Addr(), offsets: t.TempDir() + "/offsets"}
	var err error
	if f.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{f.broker}, ClientID: "test"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	f.topic("numbers", 1)
	f.topic("out", 1)
	s := &script{}
	var more atomic.Bool
	s.poll = func(i int) error {
		for i == 100 && !more.Load() && t.Context().Err() == nil {
			pace()
		}
		return nil
	}
	w, _ := f.worker(s)
	source, _ := f.start(w, KindSource, "n", connector.Props{"topic": "numbers", "count": "200", "wait": "true"})
	stream, _ := f.start(w, KindStream, "st", connector.Props{"topics": "numbers", "topic": "out"})
	sink, _ := f.start(w, KindSink, "k", connector.Props{"topics": "out"})
	eventually(t, "the first records", func() bool { return len(s.values()) == 100 })
	b.Stop()
	silent := mute(t, f.broker)
	more.Store(true)
	for _, task := range []*Task{source, stream, sink} {
		eventually(t, "trouble of "+task.spec.Connector, func() bool {
			x := task.Snapshot()
			return x.State == state.Running && x.Waits != nil && x.Waits.For == "Kafka" && x.Errors.Retrying && strings.HasPrefix(x.Errors.Last, "Kafka: ")
		})
	}
	source.watch.limit(1)
	eventually(t, "the stall", func() bool { return source.Snapshot().Waits.Stalled })
	if err := silent.Close(); err != nil {
		t.Fatal(err)
	}
	b.Restart()
	eventually(t, "all records", func() bool { return len(count(s.values())) == 200 })
	for _, task := range []*Task{source, stream, sink} {
		eventually(t, "the end of it in "+task.spec.Connector, func() bool { w := task.Snapshot().Waits; return w == nil || w.For != "Kafka" })
	}
}

func TestOffsetsThatCannotBeCommittedShow(t *testing.T) {
	f := newFlow(t)
	f.topic("out", 1)
	w, _ := f.worker(&script{})
	log := new(logbook)
	disk := &fullDisk{Store: w.options.Offsets}
	disk.fails.Store(math.MaxInt32)
	w.options.Offsets, w.options.Log = disk, log.logger()
	task, _ := f.start(w, KindSource, "n", connector.Props{"topic": "out", "count": "20", "wait": "true"})
	eventually(t, "several failures", func() bool { return task.Snapshot().Commits.Failed > 3 })
	x := task.Snapshot()
	if !x.Errors.Retrying || x.Errors.Last != "offset commit: "+errTest.Error() || x.Waits.For != "offset commit" {
		t.Errorf("%+v, %+v", x.Errors, x.Waits)
	}
	disk.fails.Store(0)
	eventually(t, "commit", func() bool { return task.Snapshot().Commits.Completed > 0 })
	if x := task.Snapshot(); x.Waits != nil || x.Errors.Retrying {
		t.Errorf("%+v, %+v", x.Errors, x.Waits)
	}
	if n := strings.Count(strings.Join(log.lines(), "\n"), "offsets"); n != 2 || !log.has("offsets are committed again") {
		t.Errorf("the log has %d lines about it: %s", n, log.lines())
	}
}

// Offsets of partitions that others have are not committed again, and no word says so.
func TestWhatNeedNotBeTriedIsDropped(t *testing.T) {
	log, commits := new(logbook), new(trying)
	commits.note(log.logger(), errTest)
	commits.drop()
	commits.note(log.logger(), nil)
	if lines := log.lines(); len(lines) != 1 || commits.waits() != nil {
		t.Errorf("%s, %+v", lines, commits.waits())
	}
}

// A put that is tried again and again stalls the task, and so does one that
// does not return.
func TestStalledSink(t *testing.T) {
	f := newFlow(t)
	f.topic("in", 1)
	f.produce("in", numbered(0, 10)...)
	hang, away := make(chan struct{}), atomic.Bool{}
	away.Store(true)
	w, _ := f.worker(&script{put: func([]connector.Record) error {
		if away.Load() {
			return connector.Retriable(errors.New("no route"))
		}
		<-hang
		return nil
	}})
	log := new(logbook)
	w.options.Log = log.logger()
	task, _ := f.start(w, KindSink, "k", connector.Props{"topics": "in", "errors.retry.delay.max.ms": "10"})
	stalled := func(place, why string) func() bool {
		return func() bool {
			task.watch.limit(1)
			x := task.Snapshot().Waits
			return x != nil && x.Stalled && x.For == place && strings.HasSuffix(x.Why, why)
		}
	}
	eventually(t, "stall by retries", stalled("sink (collect)", "no route [H8003]"))
	away.Store(false)
	eventually(t, "stall by a hang", stalled("sink (collect)", "has not returned"))
	f.produce("in", numbered(10, 20)...)
	close(hang)
	task.watch.limit(time.Minute)
	eventually(t, "progress", func() bool { return task.Snapshot().Waits == nil && f.committed("connect-k", "in") == 20 })
	if !log.has("it works again: sink (collect)") {
		t.Errorf("the log says %s", log.lines())
	}
}
