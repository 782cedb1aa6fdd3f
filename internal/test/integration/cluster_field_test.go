//go:build integration

package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// field is a cluster of three workers under load on a broker of its own, where faults
// happen to it. Each worker has a gate to the broker.
type field struct {
	*cluster
	server  *javaBroker
	workers []*member // by gate
	tasks   map[string]int
	disk    string // the folder of a file system of its own, or another one
	file    string // of the file sink
	in, out *reading
	witness *member // who is not killed, if not nil
}

// Rates of the source, of whose tasks each has numbers of its own.
const fieldTasks, fieldRate = 3, 60

// newField starts the workers, a source, a stream and three sinks: one has a row of each
// number, one the last number of each task, and one writes a file.
func newField(t *testing.T) *field {
	t.Helper()
	dsn := os.Getenv("HYDRAULICS_POSTGRES_URL")
	if dsn == "" {
		t.Skip("HYDRAULICS_POSTGRES_URL is not set: no database, make integration starts one")
	}
	server := newJavaBroker(t, 3)
	s := &stack{t: t, kind: "real", broker: server.addr}
	s.connect(dsn)
	c := &cluster{stack: s, name: s.name("field")}
	f := &field{cluster: c, server: server, in: newReading(c.name + "-in"), out: newReading(c.name + "-out")}
	f.disk = disk(t)
	f.file = filepath.Join(f.disk, "out.txt")
	for i := range 3 {
		f.workers = append(f.workers, f.startAt(i))
	}
	create := map[string]string{"topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "1"}
	table := func(name, keys string) map[string]string {
		return map[string]string{"connector.class": "postgres", "topics": f.out.topic, "connection.url": f.database, "table.name.format": name,
			"insert.mode": "upsert", "auto.create": "true", "pk.mode": "record_value", "pk.fields": keys}
	}
	configs := map[string]map[string]string{
		"source": {"connector.class": "datagen", "topic": f.in.topic, "rate": fmt.Sprint(fieldRate), "payload.bytes": "8",
			"transforms": "key", "transforms.key.type": "value-to-key", "transforms.key.fields": "task"}, // so that a task's numbers stay in order
		"stream":  {"connector.class": "stream", "topics": f.in.topic, "topic": f.out.topic},
		"numbers": table("numbers", "task,seq"),
		"latest":  table("latest", "task"),
		"file":    {"connector.class": "file-sink", "topics": f.out.topic, "file": f.file, "key.converter": "string", "value.converter": "string"},
	}
	f.tasks = map[string]int{"source": fieldTasks, "stream": 2, "numbers": 2, "latest": 1, "file": 1}
	for _, name := range []string{"source", "stream", "numbers", "latest", "file"} {
		config := configs[name]
		if name == "source" || name == "stream" {
			maps.Copy(config, create)
		}
		config["restart.delay.ms"], config["restart.delay.max.ms"] = "200", "1000"
		config["tasks.max"] = fmt.Sprint(f.tasks[name])
		f.workers[0].put(name, config)
	}
	f.shared()
	return f
}

// startAt starts a worker behind a gate.
func (f *field) startAt(i int) *member {
	f.t.Helper()
	return f.start("bootstrap.servers="+f.server.gates[i].addr, "session.timeout.ms=6000",
		"consumer.max.poll.interval.ms=60000",        // a broker that was killed may leave a join unanswered for so long
		"key.converter=json", "value.converter=json") // with schemas
}

// runs waits until all tasks run, at these workers alone.
func (f *field) runs(workers ...*member) {
	f.t.Helper()
	running(f.t, f.tasks, workers...)
}

// shared waits until all tasks run, and all workers have as many.
func (f *field) shared() {
	f.t.Helper()
	wait.Nil(f.t, "a share for each", func() error {
		for id, n := range running(f.t, f.tasks, f.workers...) {
			if n != 3 { // of 9
				return fmt.Errorf("%d tasks are at %s", n, id)
			}
		}
		return nil
	})
}

func (f *field) begun() map[string]start { return f.starts(f.name + "-status") }

// rest gives the workers but one.
func (f *field) rest(i int) []*member {
	return slices.Concat(f.workers[:i], f.workers[i+1:])
}

// leader gives the worker that leads, another one those that do not.
func (f *field) leader() int {
	f.t.Helper()
	led := -1
	eventually(f.t, "a leader", func() bool {
		for i, w := range f.workers {
			var health struct {
				Cluster struct {
					Leads      bool `json:"leads"`
					Generation int  `json:"generation"`
				} `json:"cluster"`
			}
			if code, text, err := w.ask("GET", "/health", ""); err == nil && code == 200 && json.Unmarshal([]byte(text), &health) == nil && health.Cluster.Leads {
				led = i
			}
		}
		return led >= 0
	})
	return led
}

// at gives the worker that has a task, such as "stream-0".
func (f *field) at(task string) int {
	f.t.Helper()
	i := -1
	eventually(f.t, "the worker of "+task, func() bool {
		id := f.begun()[task].worker
		i = slices.IndexFunc(f.workers, func(m *member) bool { return m.id == id })
		return i >= 0
	})
	return i
}

// undisturbed checks that tasks that are at one of these workers, and were there before,
// have not started again.
func (f *field) undisturbed(when string, before map[string]start, workers ...*member) {
	f.t.Helper()
	for task, now := range f.begun() {
		was, there := before[task]
		here := slices.ContainsFunc(workers, func(m *member) bool { return m.id == was.worker })
		if strings.HasPrefix(task, "extra-") { // comes with a fault, and goes with it
			continue
		}
		if there && here && now.worker == was.worker && now.count != was.count {
			f.t.Errorf("%s: %s has started again at %s, %v after its start", when, task, now.worker, now.at.Sub(was.at))
		}
	}
}

// lose has the cluster lose a worker and get it back: the others run all of its tasks
// meanwhile, and theirs run on.
func (f *field) lose(i int, how, back func()) {
	f.t.Helper()
	before, rest := f.begun(), f.rest(i)
	began := time.Now()
	how()
	f.runs(rest...)
	f.t.Logf("all tasks run again after %v", time.Since(began).Round(100*time.Millisecond))
	f.undisturbed("without a worker", before, rest...)
	before = f.begun()
	back()
	f.shared()
	f.undisturbed("with the worker again", before, rest...)
}

// reading is what was read of a topic.
type reading struct {
	topic string
	next  map[int32]int64
	seen  map[[2]int64]int // how often each number of a task came
	last  map[int64]int64  // by task
}

func newReading(topic string) *reading {
	return &reading{topic, map[int32]int64{}, map[[2]int64]int{}, map[int64]int64{}}
}

// numbered gives the task and the number of a record.
func numbered(value []byte) (key [2]int64, err error) {
	var v struct {
		Payload struct{ Task, Seq int64 } `json:"payload"`
	}
	err = json.Unmarshal(value, &v)
	return [2]int64{v.Payload.Task, v.Payload.Seq}, err
}

// readOn reads on and tells how many records are new, and how many came again.
func (f *field) readOn(l *reading) (fresh, again int) {
	f.t.Helper()
	n, err := f.kafka.Partitions(f.t.Context(), l.topic)
	check(f.t, err)
	for p := range n {
		wait.Nil(f.t, "partition "+fmt.Sprint(p)+" of "+l.topic, func() error { // the broker may be new
			err := f.kafka.ReadPartition(f.t.Context(), connector.TopicPartition{Topic: l.topic, Partition: p}, l.next[p], func(m kafka.Message) error {
				key, err := numbered(m.Value)
				if err != nil {
					return err
				}
				l.next[p] = m.Offset + 1
				if l.seen[key]++; l.seen[key] == 1 {
					fresh++
				} else {
					again++
				}
				l.last[key[0]] = key[1]
				return nil
			})
			if err != nil && connector.KindOf(err) != connector.KindRetriable {
				f.t.Fatal(err)
			}
			return err
		})
	}
	return fresh, again
}

// tell logs what has come since it was called last, and what of it again.
func (f *field) tell(what string) (again int) {
	f.t.Helper()
	fresh, a := f.readOn(f.in)
	through, b := f.readOn(f.out)
	f.t.Logf("%s: the source gave %d records and %d again, the stream %d and %d again", what, fresh, a, through, b)
	return a + b
}

// finish stops the source, waits until all is through, and checks that nothing is missing
// and that each key has its last value.
func (f *field) finish() {
	f.t.Helper()
	f.workers[0].do("PUT", "/connectors/source/stop", "")
	f.workers[0].state("source", "STOPPED")
	f.tell("the end")
	count := map[int64]int64{}
	for key := range f.in.seen {
		count[key[0]] = max(count[key[0]], key[1]+1)
	}
	all := int64(0)
	for task, n := range count {
		all += n
		for seq := range n {
			if f.in.seen[[2]int64{task, seq}] == 0 {
				f.t.Errorf("the source's task %d has not given %d of %d", task, seq, n)
			}
		}
	}
	eventually(f.t, "the records of the stream", func() bool {
		f.readOn(f.out)
		return len(f.out.seen) >= len(f.in.seen)
	}, func() string { return fmt.Sprint(len(f.out.seen), " of ", len(f.in.seen)) })
	for _, group := range []string{"connect-numbers", "connect-latest", "connect-file"} {
		eventually(f.t, "the commits of "+group, func() bool { return f.caughtUp(group, f.out.topic) })
	}
	f.tables(all)
	again, torn := f.lines()
	f.t.Logf("passed: of %d records none is missing; %d came again from the source, %d from the stream, %d in the file, which has %d halves of a line; the table has each once",
		all, f.in.again(), f.out.again(), again, torn)
}

// again gives how many records came again in all.
func (l *reading) again() (n int) {
	for _, times := range l.seen {
		n += times - 1
	}
	return n
}

// tables checks that one has each number once, and the other the last one of each task.
func (f *field) tables(all int64) {
	f.t.Helper()
	if got := f.rows("SELECT count(*), count(DISTINCT (task, seq)) FROM numbers"); got != fmt.Sprintf("%d|%d", all, all) {
		f.t.Errorf("the table has (rows|numbers) %s, want %d of both", got, all)
	}
	for task, last := range f.out.last {
		if got := f.rows(fmt.Sprintf("SELECT seq FROM latest WHERE task = %d", task)); got != fmt.Sprint(last) {
			f.t.Errorf("the last value of task %d is %s, want %d", task, got, last)
		}
	}
}

// lines checks that the file has each number, and gives how many came again. A worker that
// was killed, or whose disk was full, may have left the half of a line.
func (f *field) lines() (again, torn int) {
	f.t.Helper()
	file, err := os.Open(f.file)
	check(f.t, err)
	defer file.Close()
	landed := map[[2]int64]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		key, err := numbered(lines.Bytes())
		if err != nil {
			torn++
			continue
		}
		if landed[key]++; landed[key] > 1 {
			again++
		}
	}
	check(f.t, lines.Err())
	for key := range f.in.seen {
		if landed[key] == 0 {
			f.t.Errorf("the file has no number %d of task %d", key[1], key[0])
		}
	}
	return again, torn
}
