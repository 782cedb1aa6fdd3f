//go:build integration

package integration

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// fault is what happens to a cluster, and is over when all tasks run again.
type fault struct {
	name string
	do   func(f *field, random *rand.Rand)
}

// Kinds of requests, by Kafka's protocol.
const (
	produce      = 0
	offsetCommit = 8
	syncGroup    = 14
)

var faults = []fault{
	{"kill -9 a worker", func(f *field, random *rand.Rand) { f.killed(f.follower(random)) }},
	{"kill -9 the leader", func(f *field, _ *rand.Rand) { f.killed(f.leader()) }},
	{"a worker sleeps beyond its session and wakes", func(f *field, random *rand.Rand) {
		i := random.IntN(len(f.workers))
		signal := func(s syscall.Signal) func() {
			return func() { check(f.t, f.workers[i].cmd.Process.Signal(s)) }
		}
		f.lose(i, signal(syscall.SIGSTOP), signal(syscall.SIGCONT))
	}},
	{"a worker is cut from the broker and healed", func(f *field, random *rand.Rand) {
		i := random.IntN(len(f.workers))
		f.lose(i, f.server.gates[i].cut, f.server.gates[i].open)
	}},
	{"the broker is started again", func(f *field, _ *rand.Rand) { f.brokerGoes(f.server.leave) }},
	{"kill -9 the broker", func(f *field, _ *rand.Rand) { f.brokerGoes(f.server.kill) }},
	{"the disk of a sink is full", (*field).diskFills},
	{"kill -9 a worker in a rebalance", func(f *field, random *rand.Rand) {
		i := random.IntN(len(f.workers))
		other := f.rest(i)[0]
		f.killedAt(i, "a rebalance", func() { f.add(other, "extra") }, func(request []byte) bool { return kind(request) == syncGroup },
			func() { f.remove(other, "extra") })
	}},
	{"kill -9 a worker in a commit of a sink's offsets", func(f *field, _ *rand.Rand) {
		f.killedAt(f.at("numbers-0"), "a commit of offsets", nothing, func(request []byte) bool { return kind(request) == offsetCommit }, nothing)
	}},
	{"kill -9 a worker in a commit of a source's offsets", func(f *field, _ *rand.Rand) {
		f.killedAt(f.at("source-0"), "a commit of offsets", nothing, func(request []byte) bool {
			return kind(request) == produce && bytes.Contains(request, []byte(f.name+"-offsets"))
		}, nothing)
	}},
	{"100 connectors are added and removed", (*field).crowd},
}

// suffers has a fault happen, and tells what came again.
func (f *field) suffers(fault fault, random *rand.Rand) {
	f.t.Helper()
	began := time.Now()
	f.t.Logf("=> %s", fault.name)
	fault.do(f, random)
	f.flows()
	f.tell(fmt.Sprintf("<= %s, %v", fault.name, time.Since(began).Round(100*time.Millisecond)))
}

// flows waits until a record that is new has come to each end.
func (f *field) flows() {
	f.t.Helper()
	before := f.written(f.in.topic)
	eventually(f.t, "the source to go on", func() bool { return f.written(f.in.topic) > before })
	eventually(f.t, "the stream to go on", func() bool { return f.committed("connect-stream") > before })
	ends := f.written(f.out.topic)
	eventually(f.t, "the sinks to go on", func() bool {
		for _, group := range []string{"connect-numbers", "connect-latest", "connect-file"} {
			if f.committed(group) < ends {
				return false
			}
		}
		return true
	})
}

// committed gives how many records a group has committed.
func (f *field) committed(group string) (n int) {
	f.t.Helper()
	offsets, err := f.kafka.CommittedOffsets(f.t.Context(), group)
	if err != nil {
		return 0 // the coordinator is on its way
	}
	for _, at := range offsets {
		n += int(at)
	}
	return n
}

// kind gives the kind of a request, which begins with its size; -1 where it is none.
func kind(request []byte) int {
	if len(request) < 8 || int(binary.BigEndian.Uint32(request)) < len(request)-4 {
		return -1
	}
	return int(binary.BigEndian.Uint16(request[4:]))
}

// killed has a worker killed, and another one come in its place.
func (f *field) killed(i int) {
	f.t.Helper()
	if f.spared(i) {
		return
	}
	f.lose(i, f.workers[i].kill, func() { f.workers[i] = f.startAt(i) })
}

// spared tells whether a worker is the witness, who lives.
func (f *field) spared(i int) bool {
	if f.witness != nil && f.workers[i] == f.witness {
		f.t.Log("it would have been the witness: nothing is killed")
		return true
	}
	return false
}

// follower gives a worker that does not lead.
func (f *field) follower(random *rand.Rand) int {
	f.t.Helper()
	return (f.leader() + 1 + random.IntN(len(f.workers)-1)) % len(f.workers)
}

func nothing() {}

// killedAt has a worker killed when a request of its is on the way, behind what begins it.
// end undoes that.
func (f *field) killedAt(i int, when string, begin func(), is func(request []byte) bool, end func()) {
	f.t.Helper()
	if f.spared(i) {
		return
	}
	hit := make(chan struct{})
	var once sync.Once
	victim, g := f.workers[i], f.server.gates[i]
	how := func() {
		g.see(func(request []byte) {
			if is(request) {
				once.Do(func() {
					_ = victim.cmd.Process.Kill()
					close(hit)
				})
			}
		})
		begin()
		wait.For(f.t, when, hit)
		g.see(nil)
		victim.kill()
	}
	f.lose(i, how, func() {
		end()
		f.workers[i] = f.startAt(i)
	})
}

// brokerGoes ends the broker and starts it again. All tasks may start again: a broker
// that is away for longer than a session has lost all workers.
func (f *field) brokerGoes(end func()) {
	f.t.Helper()
	end()
	began := time.Now()
	f.server.start(f.t)
	f.t.Logf("the broker is there again after %v", time.Since(began).Round(100*time.Millisecond))
	f.runs(f.workers...)
	f.t.Logf("all tasks run again after %v", time.Since(began).Round(100*time.Millisecond))
}

// disk gives the folder of a file system of its own, where one may be mounted.
func disk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=512m", "tmpfs", dir).Run() != nil {
		return dir
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// diskFills has the file system of the file sink full, until the sink has said so and
// the others have gone on.
func (f *field) diskFills(*rand.Rand) {
	f.t.Helper()
	var here, above syscall.Stat_t
	check(f.t, syscall.Stat(f.disk, &here))
	check(f.t, syscall.Stat(filepath.Dir(f.disk), &above))
	if here.Dev == above.Dev {
		f.t.Log("no disk is filled: nobody but root may mount a small one")
		return
	}
	before := f.begun()
	ballast, err := os.Create(filepath.Join(f.disk, "ballast"))
	check(f.t, err)
	block := make([]byte, 1<<16)
	for err == nil {
		_, err = ballast.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		f.t.Fatal(err)
	}
	w := f.workers[f.at("file-0")]
	eventually(f.t, "the sink's error", func() bool { return w.logged("file/0", "no space left on device") })
	rows := func() string { return f.rows("SELECT count(*) FROM numbers") }
	last := rows()
	eventually(f.t, "the other sinks to go on", func() bool { return rows() != last })
	check(f.t, ballast.Close())
	check(f.t, os.Remove(ballast.Name()))
	f.runs(f.workers...)
	f.undisturbed("while a disk was full", before, f.workers...)
}

// add makes a connector with a task that does nothing.
func (f *field) add(at *member, name string) {
	f.t.Helper()
	at.put(name, map[string]string{"connector.class": "mock-source"})
}

func (f *field) remove(at *member, name string) {
	f.t.Helper()
	at.do("DELETE", "/connectors/"+name, "")
}

// crowd adds many connectors and removes them again, and no task of the others starts again.
// Those of the crowd have done so where one was there before.
func (f *field) crowd(*rand.Rand) {
	f.t.Helper()
	f.shared()
	before := f.begun()
	began := time.Now()
	all := map[string]int{}
	for i := range 100 {
		name := fmt.Sprintf("crowd-%d", i)
		all[name] = 1
		f.add(f.workers[i%len(f.workers)], name)
	}
	running(f.t, all, f.workers...)
	f.t.Logf("100 connectors run after %v", time.Since(began).Round(100*time.Millisecond))
	f.runs(f.workers...)
	for task, now := range f.begun() {
		if was, there := before[task]; there && was != now && !strings.HasPrefix(task, "crowd-") {
			f.t.Errorf("%s has started again: %v, %v before", task, now, was)
		}
	}
	for i := range 100 {
		f.remove(f.workers[i%len(f.workers)], fmt.Sprintf("crowd-%d", i))
	}
	f.runs(f.workers...)
}

// Everything that may happen to a cluster happens to one, under load. None of what the
// source gave is missing in the end, each key has its last value, and what a fault does
// not concern runs on. HYDRAULICS_FAULTS_ROUNDS is how often each fault happens.
//
// Clauses: G3.
func TestFaults(t *testing.T) {
	rounds, err := strconv.Atoi(cmp.Or(os.Getenv("HYDRAULICS_FAULTS_ROUNDS"), "1"))
	check(t, err)
	f := newField(t)
	random := newRandom(t)
	for range rounds {
		for _, fault := range chosen(t) {
			f.suffers(fault, random)
		}
	}
	f.finish()
}

// Faults happen at random for HYDRAULICS_FAULTS_SOAK, 3 minutes where nothing is said. One
// worker is never killed, and is in the end as large as it was.
func TestSoak(t *testing.T) {
	last, err := time.ParseDuration(cmp.Or(os.Getenv("HYDRAULICS_FAULTS_SOAK"), "3m"))
	check(t, err)
	f := newField(t)
	random := newRandom(t)
	f.witness = f.workers[0]
	faults := chosen(t)
	var sizes []size
	for began := time.Now(); time.Since(began) < last; {
		f.suffers(faults[random.IntN(len(faults))], random)
		sizes = append(sizes, f.size())
		f.t.Logf("the witness after %v: %v", time.Since(began).Round(time.Second), sizes[len(sizes)-1])
	}
	f.finish()
	flat(t, sizes)
}

// chosen gives the faults whose names the regular expression HYDRAULICS_FAULTS matches, all
// where there is none.
func chosen(t *testing.T) []fault {
	t.Helper()
	only, err := regexp.Compile(os.Getenv("HYDRAULICS_FAULTS"))
	check(t, err)
	return slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !only.MatchString(f.name) })
}

// newRandom gives the numbers of a run. HYDRAULICS_FAULTS_SEED repeats one.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("HYDRAULICS_FAULTS_SEED"), fmt.Sprint(rand.Uint32())), 10, 64)
	check(t, err)
	t.Logf("HYDRAULICS_FAULTS_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 14))
}

// size is that of a worker's process.
type size struct{ goroutines, megabytes int }

func (s size) String() string { return fmt.Sprintf("%d goroutines, %d MB", s.goroutines, s.megabytes) }

// size gives the witness's, which has its share of the tasks.
func (f *field) size() (s size) {
	f.t.Helper()
	f.shared()
	for line := range strings.Lines(f.witness.do("GET", "/metrics", "")) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "go_goroutines" && name != "process_resident_memory_bytes" {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		check(f.t, err)
		if name == "go_goroutines" {
			s.goroutines = int(value)
		} else {
			s.megabytes = int(value / (1 << 20))
		}
	}
	return s
}

// flat checks that a process does not grow: the last third of its sizes is like the one
// before. A few say nothing.
func flat(t *testing.T, sizes []size) {
	t.Helper()
	third := len(sizes) / 3
	if third < 5 {
		return
	}
	median := func(list []size, of func(size) int) int {
		var values []int
		for _, s := range list {
			values = append(values, of(s))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	for what, of := range map[string]func(size) int{"goroutines": func(s size) int { return s.goroutines }, "megabytes": func(s size) int { return s.megabytes }} {
		before, after := median(sizes[third:2*third], of), median(sizes[2*third:], of)
		if after > before*5/4 {
			t.Errorf("the witness grows: %d %s, then %d", before, what, after)
		}
		t.Logf("passed: the witness has %d %s, and %d in the third before", after, what, before)
	}
}
