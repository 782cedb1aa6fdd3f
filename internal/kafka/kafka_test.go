package kafka

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

func open(t *testing.T, addr string, props map[string]string) *Client {
	t.Helper()
	c, err := Open(t.Context(), Options{Bootstrap: []string{addr}, Props: props})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func produce(t *testing.T, c *Client, messages ...Message) []connector.RecordMetadata {
	t.Helper()
	p, err := c.NewProducer(ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	metas := make([]connector.RecordMetadata, len(messages))
	for i, m := range messages {
		err := p.Send(t.Context(), m, func(meta connector.RecordMetadata, err error) {
			if err != nil {
				t.Errorf("message %d: %v", i, err)
			}
			metas[i] = meta
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return metas
}

// numbered gives messages of now: a broker deletes what is older than its
// topic's retention, which a real one looks for every five minutes.
func numbered(topic string, n int) []Message {
	messages, now := make([]Message, n), time.Now().UnixMilli()
	for i := range messages {
		messages[i] = Message{Topic: topic, Partition: connector.AnyPartition, Key: fmt.Append(nil, "k", i), Value: fmt.Append(nil, i), Timestamp: now + int64(i)}
	}
	return messages
}

func TestTopics(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if _, err := c.Partitions(t.Context(), "none"); !errors.Is(err, ErrUnknownTopic) {
		t.Errorf("unknown topic: %v", err)
	}
	for range 2 { // the second finds it there
		if err := c.CreateTopic(t.Context(), TopicSpec{Name: "three", Partitions: 3, Replication: 1, Config: map[string]string{"cleanup.policy": "compact"}}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := c.Partitions(t.Context(), "three"); n != 3 || err != nil {
		t.Errorf("%d partitions (%v)", n, err)
	}
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "many", Partitions: 1, Replication: 5}); connector.KindOf(err) != connector.KindFatal {
		t.Errorf("more replicas than brokers: %v is %s", err, connector.KindOf(err))
	}
	if id, err := c.ClusterID(t.Context()); id == "" || err != nil {
		t.Errorf("cluster id %q (%v)", id, err)
	}
}

func TestReadPartition(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "one", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	in := numbered("one", 1200)
	in[0].Headers = []Header{{Key: "h", Value: []byte("v")}, {Key: "null"}}
	in[1].Value = nil
	metas := produce(t, c, in...)
	tp := connector.TopicPartition{Topic: "one"}
	var got []Message
	if err := c.ReadPartition(t.Context(), tp, 0, func(m Message) error { got = append(got, m); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(in) {
		t.Fatalf("%d messages, want %d", len(got), len(in))
	}
	for i, m := range got {
		if m.Offset != int64(i) || metas[i].Offset != m.Offset || string(m.Key) != string(in[i].Key) || m.Timestamp != in[i].Timestamp {
			t.Fatalf("message %d is %+v", i, m)
		}
	}
	if len(got[0].Headers) != 2 || string(got[0].Headers[0].Value) != "v" || got[0].Headers[1].Value != nil || got[1].Value != nil {
		t.Errorf("headers or null are lost: %+v, %+v", got[0], got[1])
	}
	n := 0
	if err := c.ReadPartition(t.Context(), tp, 1190, func(Message) error { n++; return nil }); err != nil || n != 10 {
		t.Errorf("%d messages from 1190 (%v)", n, err)
	}
	if err := c.ReadPartition(t.Context(), tp, 1200, func(Message) error { t.Error("a message behind the end"); return nil }); err != nil {
		t.Error(err)
	}
}

func TestPartitionsOfKeysAreJavas(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "p", Partitions: 10, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	// Hashes of Kafka's own test of Utils.murmur2.
	for key, hash := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971} {
		meta := produce(t, c, Message{Topic: "p", Partition: connector.AnyPartition, Key: []byte(key), Value: []byte("x"), Timestamp: connector.NoTimestamp})[0]
		if want := hash & 0x7fffffff % 10; meta.Partition != want {
			t.Errorf("key %q goes to %d, want %d", key, meta.Partition, want)
		}
	}
	if meta := produce(t, c, Message{Topic: "p", Partition: 3, Key: []byte("foo"), Timestamp: connector.NoTimestamp})[0]; meta.Partition != 3 {
		t.Errorf("a message for partition 3 goes to %d", meta.Partition)
	}
}

// TestTimestampsBefore1970 sends -1, which Kafka has for no time: as in Kafka Connect
// the message is given the time of its sending. Others are the record's fault.
func TestTimestampsBefore1970(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "p", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	for _, none := range []int64{-1, connector.NoTimestamp} {
		if meta := produce(t, c, Message{Topic: "p", Timestamp: none})[0]; meta.Timestamp < 1_000_000_000_000 {
			t.Errorf("a message of the time %d has %d", none, meta.Timestamp)
		}
	}
	p, err := c.NewProducer(ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	said := make(chan error, 1)
	err = p.Send(t.Context(), Message{Topic: "p", Timestamp: -2}, func(_ connector.RecordMetadata, err error) { said <- err })
	if err == nil {
		err = <-said
	}
	if connector.KindOf(err) != connector.KindData {
		t.Errorf("a message of the time -2: %v", err)
	}
}

func TestProducerSaysWhatIsTooLarge(t *testing.T) {
	c := open(t, kafkatest.Start(t), map[string]string{"max.request.size": "1000"})
	p, err := c.NewProducer(ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	err = p.Send(t.Context(), Message{Topic: "big", Value: make([]byte, 2000)}, func(connector.RecordMetadata, error) { t.Error("it was taken") })
	if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "max.request.size=1000") {
		t.Errorf("%v is %s", err, connector.KindOf(err))
	}
	for _, partition := range []int32{99, -7} {
		err = p.Send(t.Context(), Message{Topic: "big", Partition: partition, Value: []byte("x")}, func(connector.RecordMetadata, error) { t.Error("it was taken") })
		if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), fmt.Sprintf("partition %d does not exist", partition)) {
			t.Errorf("%v is %s", err, connector.KindOf(err))
		}
	}
}

func TestNoServer(t *testing.T) {
	_, err := Open(t.Context(), Options{Bootstrap: []string{"127.0.0.1:1"}})
	if connector.KindOf(err) != connector.KindRetriable || !strings.Contains(err.Error(), "bootstrap.servers 127.0.0.1:1") {
		t.Errorf("%v is %s", err, connector.KindOf(err))
	}
}

// seat is a group member with a goroutine that polls and commits, as a task does.
type seat struct {
	t        *testing.T
	g        *GroupConsumer
	stop     context.CancelFunc
	done     chan struct{}
	mu       sync.Mutex
	got      []Message
	assigned []connector.TopicPartition
	revoked  int
	lost     int
	gone     bool // closed or killed
}

func sit(t *testing.T, c *Client, o GroupOptions) *seat {
	t.Helper()
	s := &seat{t: t, done: make(chan struct{})}
	g, err := c.NewGroupConsumer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.g = g
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() { // ends with stop
		defer close(s.done)
		for ctx.Err() == nil {
			e, err := g.Poll(ctx)
			if err != nil {
				t.Errorf("poll: %v", err)
				return
			}
			s.note(e)
			next := map[connector.TopicPartition]int64{}
			for _, m := range e.Messages {
				next[connector.TopicPartition{Topic: m.Topic, Partition: m.Partition}] = m.Offset + 1
			}
			if err := g.Commit(ctx, next); err != nil && !errors.Is(err, ErrGenerationLost) && ctx.Err() == nil {
				t.Errorf("commit: %v", err)
			}
		}
	}()
	t.Cleanup(s.close)
	return s
}

// note notes an event, and releases what is asked for: everything is committed.
func (s *seat) note(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, e.Messages...)
	switch e.Change {
	case Assigned:
		s.assigned = e.Partitions
	case Revoked:
		s.revoked++
	case Lost:
		s.lost++
	}
	if e.Change == Revoked || e.Change == Lost {
		s.assigned = nil
		s.g.Release()
	}
}

func (s *seat) close() {
	if s.gone {
		return
	}
	s.gone = true
	s.stop()
	<-s.done
	ctx, cancel := wait.Context()
	defer cancel()
	if err := s.g.Close(ctx); err != nil {
		s.t.Errorf("close: %v", err)
	}
}

func (s *seat) has() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.assigned)
}

func (s *seat) messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.got...)
}

// eventually waits until ok, without a guess how long that takes.
var eventually = wait.Until

// quick is for groups with members that die or hang, which the others soon
// notice; on a slow machine the living may lose their partitions too.
func quick(topics ...string) GroupOptions {
	return GroupOptions{Group: "g", Topics: topics, SessionTimeout: time.Second, HeartbeatInterval: 100 * time.Millisecond, RebalanceTimeout: 3 * time.Second}
}

// calm is for groups whose members keep their partitions, however slow they are.
func calm(topics ...string) GroupOptions {
	return GroupOptions{Group: "g", Topics: topics, SessionTimeout: wait.Patience, HeartbeatInterval: 100 * time.Millisecond, RebalanceTimeout: wait.Patience}
}

func TestGroupSharesAndTakesOver(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "in", Partitions: 4, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	committed := func(n int64) {
		t.Helper()
		eventually(t, "all is committed", func() bool {
			offsets, err := c.CommittedOffsets(t.Context(), "g")
			if err != nil {
				t.Fatal(err)
			}
			sum := int64(0)
			for _, off := range offsets {
				sum += off
			}
			return sum == n
		})
	}
	a := sit(t, c, calm("in"))
	eventually(t, "the first member has all", func() bool { return a.has() == 4 })
	produce(t, c, numbered("in", 100)...)
	eventually(t, "it reads", func() bool { return len(a.messages()) == 100 })
	b := sit(t, c, calm("in"))
	eventually(t, "the second gets half", func() bool { return a.has() == 2 && b.has() == 2 })
	produce(t, c, numbered("in", 100)...)
	eventually(t, "both read", func() bool { return len(a.messages())+len(b.messages()) == 200 })
	committed(200) // what a member has not committed when it leaves is read again
	a.close()
	eventually(t, "the second has all", func() bool { return b.has() == 4 })
	produce(t, c, numbered("in", 50)...)
	eventually(t, "it reads all", func() bool { return len(a.messages())+len(b.messages()) == 250 })
	if a.lost+b.lost > 0 {
		t.Errorf("partitions were lost %d times", a.lost+b.lost)
	}
	inOrder(t, a.messages(), b.messages())
	committed(250)
}

func inOrder(t *testing.T, members ...[]Message) {
	t.Helper()
	for _, messages := range members {
		last := map[int32]int64{}
		for _, m := range messages {
			if before, ok := last[m.Partition]; ok && m.Offset <= before {
				t.Fatalf("partition %d: offset %d comes after %d", m.Partition, m.Offset, before)
			}
			last[m.Partition] = m.Offset
		}
	}
}

func TestBusyMemberLosesItsGeneration(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "in", Partitions: 2, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	o := quick("in")
	busy, err := c.NewGroupConsumer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close(context.Background()) }()
	eventually(t, "it has both", func() bool {
		if _, err := busy.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		return len(busy.Assignment()) == 2
	})
	b := sit(t, c, quick("in")) // its join waits for the busy one until the rebalance time-out
	eventually(t, "the other gets both", func() bool { return b.has() == 2 })
	tp := connector.TopicPartition{Topic: "in"}
	if err := busy.Commit(t.Context(), map[connector.TopicPartition]int64{tp: 1}); !errors.Is(err, ErrGenerationLost) {
		t.Errorf("commit of the busy member: %v", err)
	}
	if offsets, err := c.CommittedOffsets(t.Context(), "g"); err != nil || offsets[tp] != 0 {
		t.Errorf("offset %d was committed (%v)", offsets[tp], err)
	}
	var changes []Change
	eventually(t, "it is told and joins again", func() bool {
		e, err := busy.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Change != Unchanged {
			changes = append(changes, e.Change)
		}
		if e.Change == Lost {
			busy.Release()
		}
		return len(busy.Assignment()) == 1 && len(changes) > 0
	})
	if d := cmp.Diff([]Change{Lost, Assigned}, changes); d != "" {
		t.Error(d)
	}
}

func TestPauseSeekAndBounds(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "in", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	produce(t, c, numbered("in", 1000)...)
	o := quick("in")
	o.MaxPollRecords = 7
	g, err := c.NewGroupConsumer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close(context.Background()) }()
	tp := connector.TopicPartition{Topic: "in"}
	poll := func() []Message {
		t.Helper()
		var out []Message
		eventually(t, "something comes", func() bool {
			e, err := g.Poll(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out = e.Messages
			return len(out) > 0
		})
		return out
	}
	next := int64(0)
	for next < 20 {
		m := poll()
		if len(m) > 7 || m[0].Offset != next {
			t.Fatalf("a poll at %d gives %d messages from %d on", next, len(m), m[0].Offset)
		}
		next += int64(len(m))
	}
	g.Pause(tp)
	for range 3 {
		if e, err := g.Poll(t.Context()); len(e.Messages) > 0 || err != nil {
			t.Fatalf("a paused partition gives %d messages (%v)", len(e.Messages), err)
		}
	}
	g.Resume(tp)
	if m := poll(); m[0].Offset != next {
		t.Errorf("after the pause it goes on at %d", m[0].Offset)
	}
	if err := g.Seek(tp, 3); err != nil {
		t.Fatal(err)
	}
	if m := poll(); m[0].Offset != 3 {
		t.Errorf("after the seek it goes on at %d", m[0].Offset)
	}
	if err := g.Seek(tp, 5000); err != nil { // beyond the end: reset to the earliest
		t.Fatal(err)
	}
	if m := poll(); m[0].Offset != 0 {
		t.Errorf("an offset that is not there goes on at %d", m[0].Offset)
	}
	if lag := g.Lag()[tp]; lag <= 0 || lag >= 1000 {
		t.Errorf("lag %d", lag)
	}
}

func TestTopicThatComesLater(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	o := quick()
	o.Pattern = regexp.MustCompile("^late-.*$")
	s := sit(t, c, o)
	for _, topic := range []string{"too-late-1", "late-1"} { // the first does not match from its start
		if err := c.CreateTopic(t.Context(), TopicSpec{Name: topic, Partitions: 2, Replication: 1}); err != nil {
			t.Fatal(err)
		}
		produce(t, c, numbered(topic, 10)...)
	}
	eventually(t, "it finds the topic", func() bool { return len(s.messages()) == 10 })
	for _, m := range s.messages() {
		if m.Topic != "late-1" {
			t.Errorf("a record of %s", m.Topic)
		}
	}
}
