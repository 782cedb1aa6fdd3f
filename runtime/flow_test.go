package runtime

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// eventually waits until ok, without a guess how long that takes.
var eventually = wait.Until

// flow is a broker and what a test does with it.
type flow struct {
	t       *testing.T
	broker  string
	client  *kafka.Client
	offsets string
}

func newFlow(t *testing.T) *flow {
	t.Helper()
	t.Parallel()
	f := &flow{t: t, broker: kafkatest.Start(t), offsets: filepath.Join(t.TempDir(), "offsets")}
	c, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{f.broker}, ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	f.client = c
	return f
}

// topic creates a topic.
func (f *flow) topic(name string, partitions int32) {
	f.t.Helper()
	err := f.client.CreateTopic(f.t.Context(), kafka.TopicSpec{Name: name, Partitions: partitions, Replication: 1})
	if err != nil {
		f.t.Fatal(err)
	}
}

// produce writes values "from".."to-1" with keys, in order.
func (f *flow) produce(topic string, messages ...kafka.Message) {
	f.t.Helper()
	p, err := f.client.NewProducer(kafka.ProducerOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, m := range messages {
		m.Topic = topic
		err := p.Send(f.t.Context(), m, func(_ connector.RecordMetadata, err error) {
			if err != nil {
				f.t.Error(err)
			}
		})
		if err != nil {
			f.t.Fatal(err)
		}
	}
	if err := p.Flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		f.t.Fatal(err)
	}
}

// numbered gives messages with the values from..to-1, keyed by value mod 7.
func numbered(from, to int) []kafka.Message {
	var list []kafka.Message
	for i := from; i < to; i++ {
		list = append(list, kafka.Message{Partition: connector.AnyPartition, Key: []byte(strconv.Itoa(i % 7)),
			Value: []byte(strconv.Itoa(i)), Timestamp: connector.NoTimestamp})
	}
	return list
}

// read gives all messages of a topic, partition by partition.
func (f *flow) read(topic string) []kafka.Message {
	f.t.Helper()
	n, err := f.client.Partitions(f.t.Context(), topic)
	if err != nil {
		return nil
	}
	var list []kafka.Message
	for p := range n {
		err := f.client.ReadPartition(f.t.Context(), connector.TopicPartition{Topic: topic, Partition: p}, 0, func(m kafka.Message) error {
			list = append(list, m)
			return nil
		})
		if err != nil {
			f.t.Fatal(err)
		}
	}
	return list
}

// tally counts the values of a topic.
func (f *flow) tally(topic string) map[string]int {
	f.t.Helper()
	n := map[string]int{}
	for _, m := range f.read(topic) {
		n[string(m.Value)]++
	}
	return n
}

// committed gives the sum of a group's committed offsets of a topic.
func (f *flow) committed(group, topic string) int64 {
	f.t.Helper()
	offsets, err := f.client.CommittedOffsets(f.t.Context(), group)
	if err != nil {
		return 0 // there is no such group yet
	}
	sum := int64(0)
	for tp, n := range offsets {
		if tp.Topic == topic {
			sum += n
		}
	}
	return sum
}

// end gives the number of records that a topic has had.
func (f *flow) end(topic string) int64 {
	f.t.Helper()
	ends, err := f.client.EndOffsets(f.t.Context(), topic)
	if err != nil {
		f.t.Fatal(err)
	}
	sum := int64(0)
	for _, n := range ends {
		sum += n
	}
	return sum
}

// worker gives a worker with test plugins; the function closes its offsets.
func (f *flow) worker(s *script) (*Worker, func()) {
	f.t.Helper()
	offsets, err := offset.OpenFile(f.offsets)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { offsets.Close() })
	w, err := NewWorker(Options{Plugins: plugins(s), Offsets: offsets, Log: testLog()})
	if err != nil {
		f.t.Fatal(err)
	}
	return w, func() { offsets.Close() }
}

func (f *flow) workerProps() connector.Props {
	return connector.Props{"bootstrap.servers": f.broker, "key.converter": "text", "value.converter": "text",
		"offset.flush.interval.ms": "50", "consumer.session.timeout.ms": "2000", "consumer.heartbeat.interval.ms": "200"}
}

// watcher follows the states of a task.
type watcher struct {
	mu     sync.Mutex
	states []state.State
	err    error
}

func (w *watcher) notify(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states = append(w.states, e.State)
	if e.Err != nil {
		w.err = e.Err
	}
}

func (w *watcher) last() state.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.states) == 0 {
		return state.Unassigned
	}
	return w.states[len(w.states)-1]
}

func (w *watcher) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// start starts a task and stops it at the end of the test.
func (f *flow) start(w *Worker, kind Kind, name string, props connector.Props) (*Task, *watcher) {
	f.t.Helper()
	return f.startWith(w, kind, name, props, nil)
}

// startWith is start with keys over the worker's.
func (f *flow) startWith(w *Worker, kind Kind, name string, props, over connector.Props) (*Task, *watcher) {
	f.t.Helper()
	worker := f.workerProps()
	maps.Copy(worker, over)
	all := connector.Props{"name": name}
	maps.Copy(all, props)
	if _, ok := all["connector.class"]; !ok {
		all["connector.class"] = map[Kind]string{KindSource: "numbers", KindSink: "collect", KindStream: "stream"}[kind]
	}
	see := new(watcher)
	task, err := w.StartTask(TaskSpec{Connector: name, Kind: kind, Props: all, Worker: worker}, see.notify)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { f.stop(task) })
	return task, see
}

func (f *flow) stop(task *Task) {
	f.t.Helper()
	ctx, cancel := wait.Context()
	defer cancel()
	if err := task.Stop(ctx); err != nil {
		f.t.Error(err)
	}
}

// ended waits for the end of a task.
func (f *flow) ended(task *Task) {
	f.t.Helper()
	wait.For(f.t, "the end of the task", task.Done())
}

// pace makes a source slow enough that a test happens while it works.
func pace() { time.Sleep(time.Millisecond / 2) }

// exactly checks that each of the numbers from 0 to n-1 is there once.
func exactly(t *testing.T, what string, got map[string]int, n int) {
	t.Helper()
	for i := range n {
		if c := got[strconv.Itoa(i)]; c != 1 {
			t.Errorf("%s: %d is there %d times", what, i, c)
		}
	}
	if len(got) != n {
		t.Errorf("%s: %d different values, want %d", what, len(got), n)
	}
}

func count(values []string) map[string]int {
	n := map[string]int{}
	for _, v := range values {
		n[v]++
	}
	return n
}

// ordered checks that the values of each key come in order.
func ordered(t *testing.T, values []string) {
	t.Helper()
	last := map[int]int{}
	for _, v := range values {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		if prev, ok := last[n%7]; ok && prev >= n {
			t.Errorf("%d comes after %d", n, prev)
		}
		last[n%7] = n
	}
}

func seq(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	return list
}

// testLog drops what is logged, unless RUNTIME_TEST_LOG is set.
func testLog() *slog.Logger {
	if os.Getenv("RUNTIME_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}
