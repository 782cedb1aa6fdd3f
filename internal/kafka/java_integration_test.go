//go:build integration

package kafka

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// sessionOnRealKafka is the least session time-out that a real broker allows.
const sessionOnRealKafka = 6 * time.Second

// realKafka gives the bootstrap servers of a real Kafka.
func realKafka(t *testing.T) string {
	t.Helper()
	addr := os.Getenv("HYDRAULICS_KAFKA_BOOTSTRAP")
	if addr == "" {
		t.Skip("HYDRAULICS_KAFKA_BOOTSTRAP is not set: no real Kafka to test with")
	}
	return addr
}

// javaMember is a stock Java consumer in a process of its own.
type javaMember struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	done  chan struct{}

	mu     sync.Mutex
	owned  map[int32]bool
	read   map[place]int
	left   bool
	killed bool
}

// java compiles the member once and gives how to start one.
func java(t *testing.T, addr, group, topic string) func() *javaMember {
	t.Helper()
	jars := os.Getenv("HYDRAULICS_KAFKA_CLASSPATH")
	if jars == "" {
		t.Skip("HYDRAULICS_KAFKA_CLASSPATH is not set: no Java consumers to test with")
	}
	dir := t.TempDir()
	if out, err := exec.Command("javac", "-cp", jars, "-d", dir, "testdata/Member.java").CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	return func() *javaMember {
		t.Helper()
		m := &javaMember{t: t, done: make(chan struct{}), owned: map[int32]bool{}, read: map[place]int{}}
		m.cmd = exec.Command("java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", dir+":"+jars, "Member", addr, group, topic, "6000")
		var err error
		if m.stdin, err = m.cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		out, err := m.cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { // ends with the process, which kill or leave or the cleanup end
			defer close(m.done)
			m.listen(out)
			_ = m.cmd.Wait()
		}()
		t.Cleanup(m.kill)
		return m
	}
}

func (m *javaMember) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		numbers := make([]int64, len(words)-1)
		for i, w := range words[1:] {
			numbers[i], _ = strconv.ParseInt(w, 10, 64)
		}
		m.mu.Lock()
		switch words[0] {
		case "assigned":
			for _, p := range numbers {
				m.owned[int32(p)] = true
			}
		case "revoked":
			clear(m.owned)
		case "record":
			m.read[place{int32(numbers[0]), numbers[1]}]++
		case "left":
			m.left = true
		}
		m.mu.Unlock()
	}
}

// kill is kill -9.
func (m *javaMember) kill() {
	m.mu.Lock()
	m.killed = true
	m.mu.Unlock()
	_ = m.cmd.Process.Kill()
	<-m.done
}

// leave has it leave the group.
func (m *javaMember) leave() {
	m.t.Helper()
	_ = m.stdin.Close()
	wait.For(m.t, "the end of the Java member", m.done)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.left {
		m.t.Error("the Java member ended without leaving")
	}
}

func (m *javaMember) partitions() []int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ps []int32
	for p := range m.owned {
		ps = append(ps, p)
	}
	return ps
}

func (s *seat) partitions() []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ps []int32
	for _, tp := range s.assigned {
		ps = append(ps, tp.Partition)
	}
	return ps
}

// company is a group of Go and Java members.
type company struct {
	t          *testing.T
	c          *Client
	topic      string
	partitions int
	seats      []*seat
	javas      []*javaMember
	sent       int
}

// settled waits until every partition has one owner and everyone a share.
func (c *company) settled(members int) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%d members share the partitions", members), func() bool {
		owners := map[int32]int{}
		busy := 0
		note := func(ps []int32) {
			for _, p := range ps {
				owners[p]++
			}
			if len(ps) > 0 {
				busy++
			}
		}
		for _, s := range c.seats {
			if !s.gone {
				note(s.partitions())
			}
		}
		for _, m := range c.javas {
			if !m.killed && !m.left {
				note(m.partitions())
			}
		}
		for p := range int32(c.partitions) {
			if owners[p] != 1 {
				return false
			}
		}
		return busy == members
	})
}

func (c *company) send(n int) {
	c.t.Helper()
	produce(c.t, c.c, numbered(c.topic, n)...)
	c.sent += n
}

// tally waits until everything is committed and gives how many records were
// read more than once. Nothing may be missing.
func (c *company) tally(group string) (repeats int) {
	c.t.Helper()
	eventually(c.t, "everything is committed", func() bool {
		offsets, err := c.c.CommittedOffsets(c.t.Context(), group)
		sum := int64(0)
		for _, off := range offsets {
			sum += off
		}
		return err == nil && sum == int64(c.sent)
	})
	read := map[place]int{}
	for _, s := range c.seats {
		for _, m := range s.messages() {
			read[place{m.Partition, m.Offset}]++
		}
	}
	for _, m := range c.javas {
		m.mu.Lock()
		for p, n := range m.read {
			read[p] += n
		}
		m.mu.Unlock()
	}
	if len(read) != c.sent {
		c.t.Errorf("%d of %d records were read", len(read), c.sent)
	}
	for _, n := range read {
		repeats += n - 1
	}
	return repeats
}

// TestGroupWithJavaMembers has Go and stock Java consumers share a group on a
// real broker: they come, leave and are killed.
func TestGroupWithJavaMembers(t *testing.T) {
	addr := realKafka(t)
	c := open(t, addr, nil)
	group, topic := fresh("group"), fresh("topic")
	newTopic(t, c, topic, 6, nil)
	start := java(t, addr, group, topic)
	o := quick(topic)
	o.Group, o.SessionTimeout, o.HeartbeatInterval, o.RebalanceTimeout = group, sessionOnRealKafka, 500*time.Millisecond, 20*time.Second
	co := &company{t: t, c: c, topic: topic, partitions: 6}
	join := func() *seat {
		s := sit(t, c, o)
		co.seats = append(co.seats, s)
		return s
	}
	joinJava := func() *javaMember {
		m := start()
		co.javas = append(co.javas, m)
		return m
	}

	a := join() // Go alone, and so the leader
	co.settled(1)
	co.send(500)
	j := joinJava()
	co.settled(2)
	co.send(500)
	k := joinJava()
	b := join()
	co.settled(4)
	co.send(500)
	a.close() // the leader leaves
	co.settled(3)
	co.send(500)
	j.leave()
	co.settled(2)
	co.send(500)
	if repeats := co.tally(group); repeats != 0 {
		t.Errorf("%d records were read twice although nobody was killed", repeats)
	}

	d := join()
	co.settled(3)
	co.send(500)
	k.kill()
	co.send(500)
	co.settled(2)
	b.kill()
	l := joinJava()
	co.send(500)
	co.settled(2)
	join()
	joinJava()
	d.kill() // in the middle of a rebalance
	l.kill()
	co.send(500)
	co.settled(2)
	t.Logf("%d records, %d of them read twice by reason of four kills", co.sent, co.tally(group))
}

// TestJavaLeaderAssigns has a Go member follow a Java one.
func TestJavaLeaderAssigns(t *testing.T) {
	addr := realKafka(t)
	c := open(t, addr, nil)
	group, topic := fresh("group"), fresh("topic")
	newTopic(t, c, topic, 3, nil)
	m := java(t, addr, group, topic)()
	eventually(t, "the Java member has all", func() bool { return len(m.partitions()) == 3 })
	o := quick(topic)
	o.Group, o.SessionTimeout = group, sessionOnRealKafka
	s := sit(t, c, o)
	eventually(t, "both have a share", func() bool { return len(m.partitions())+s.has() == 3 && s.has() > 0 })
	produce(t, c, numbered(topic, 100)...)
	eventually(t, "the Go member reads its share", func() bool {
		offsets, err := c.CommittedOffsets(t.Context(), group)
		sum := int64(0)
		for _, off := range offsets {
			sum += off
		}
		return err == nil && sum == 100
	})
	m.leave()
	eventually(t, "the Go member has all", func() bool { return s.has() == 3 })
	produce(t, c, Message{Topic: topic, Partition: connector.AnyPartition, Value: []byte("last"), Timestamp: connector.NoTimestamp})
}
