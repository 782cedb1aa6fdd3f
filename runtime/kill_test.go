package runtime

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/leak"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
)

// The tests here kill workers. A worker is the test binary itself, started with
// these variables; it ends when its standard input does.
const (
	childBroker = "RUNTIME_TEST_BROKER"
	childFolder = "RUNTIME_TEST_FOLDER"
	childSource = "RUNTIME_TEST_SOURCE" // runs the source too
)

const killNumbers = 4000

func TestMain(m *testing.M) {
	if broker := os.Getenv(childBroker); broker != "" {
		if err := child(broker); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	leak.Main(m.Run)
}

// child is a worker with a stream and a sink, one of them with the source too.
func child(broker string) error {
	folder, source := os.Getenv(childFolder), os.Getenv(childSource) != ""
	name := filepath.Join(folder, "offsets")
	if !source {
		name = filepath.Join(folder, fmt.Sprintf("offsets-%d", os.Getpid()))
	}
	offsets, err := offset.OpenFile(name)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(folder, "sink"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	s := &script{poll: func(int) error { pace(); return nil }}
	s.put = func(rs []connector.Record) error {
		// A kill may come between two pages of a write. What is whole has
		// its stop, and no line goes on behind the half one of another worker.
		b := strings.Builder{}
		for _, r := range rs {
			fmt.Fprintf(&b, "\n%v.", r.Value)
		}
		_, err := out.WriteString(b.String())
		return err
	}
	registry := plugins(s)
	registry.Add(connector.TransformType, func() connector.Plugin { return &rising{} })
	w, err := NewWorker(Options{Plugins: registry, Offsets: offsets, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	props := connector.Props{"bootstrap.servers": broker, "key.converter": "text", "value.converter": "text",
		"offset.flush.interval.ms": "50", "consumer.session.timeout.ms": "1500", "consumer.heartbeat.interval.ms": "200",
		"consumer.max.poll.interval.ms": "3000"}
	specs := []TaskSpec{
		{Connector: "st", Kind: KindStream, Props: connector.Props{"name": "st", "connector.class": "stream", "topics": "numbers", "topic": "risen",
			"transforms": "r", "transforms.r.type": "rising"}},
		{Connector: "k", Kind: KindSink, Props: connector.Props{"name": "k", "connector.class": "collect", "topics": "risen"}},
	}
	if source {
		specs = append(specs, TaskSpec{Connector: "n", Kind: KindSource, Props: connector.Props{"name": "n", "connector.class": "numbers",
			"topic": "numbers", "count": strconv.Itoa(killNumbers), "wait": "true"}})
	}
	var tasks []*Task
	for _, spec := range specs {
		spec.Worker = props
		task, err := w.StartTask(spec, func(e Event) {
			if e.Err != nil {
				fmt.Fprintln(os.Stderr, e.Err)
				os.Exit(1)
			}
		})
		if err != nil {
			return err
		}
		tasks = append(tasks, task)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, task := range tasks {
		if err := task.Stop(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// rising lets a number pass that is larger than all before it of its key: of
// what is repeated only what is new comes through. It tells whether state and
// output are kept together: state ahead of the output would lose numbers.
type rising struct{ counting }

func (*rising) Info() connector.Info { return connector.Info{Name: "rising", Version: "1"} }
func (*rising) ApplyStateful(_ context.Context, s connector.Store, r connector.Record) (connector.Record, bool, error) {
	key := []byte(r.Key.(string))
	n, err := strconv.Atoi(r.Value.(string))
	if err != nil {
		return r, false, err
	}
	before, ok, err := s.Get(key)
	if err != nil {
		return r, false, err
	}
	if last, _ := strconv.Atoi(string(before)); ok && n <= last {
		return r, false, nil
	}
	return r, true, s.Put(key, []byte(r.Value.(string)))
}

// process is a running child.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	errs  strings.Builder
}

func (f *flow) spawn(folder string, source bool) *process {
	f.t.Helper()
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childBroker+"="+f.broker, childFolder+"="+folder)
	if source {
		p.cmd.Env = append(p.cmd.Env, childSource+"=yes")
	}
	p.cmd.Stderr = &p.errs
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		f.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	return p
}

// kill ends a child as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// lines reads what all sinks have written, but for the ends that a kill tore off:
// those were not committed, and come again.
func lines(t *testing.T, folder string) []string {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, "sink"))
	if err != nil {
		return nil
	}
	defer file.Close()
	var list []string
	for s := bufio.NewScanner(file); s.Scan(); {
		if whole, ok := strings.CutSuffix(s.Text(), "."); ok {
			list = append(list, whole)
		}
	}
	return list
}

// repeats checks that each of the numbers is there, and gives how many came again.
func repeats(t *testing.T, what string, got map[string]int, n int) int {
	t.Helper()
	missing, again := 0, 0
	for i := range n {
		switch c := got[strconv.Itoa(i)]; {
		case c == 0:
			missing++
		default:
			again += c - 1
		}
	}
	if missing > 0 || len(got) != n {
		t.Errorf("%s: %d of %d numbers are missing, %d different ones are there", what, missing, n, len(got))
	}
	return again
}

// Two workers share partitions; kill -9 of either at any moment loses nothing:
// every number is in every topic and in the sink.
//
// Clauses: I1.
func TestKilledWorkersLoseNothing(t *testing.T) {
	f := newFlow(t)
	f.topic("numbers", 4)
	f.topic("risen", 4)
	folder := t.TempDir()
	workers := []*process{f.spawn(folder, true), f.spawn(folder, false)}
	defer func() {
		for i, p := range workers {
			p.kill()
			if t.Failed() {
				t.Logf("worker %d: %v\n%s", i, p.cmd.ProcessState, &p.errs)
			}
		}
	}()
	random := rand.New(rand.NewPCG(1, 2))
	// The in-process broker, unlike Kafka, keeps a member for ever that died
	// while it waited for an answer to its JoinGroup. Another rebalance frees it:
	// the second worker starts again, and has twice as long each time.
	await := func(what string, ok func() bool) {
		t.Helper()
		looked, limit := time.Now(), 8*time.Second
		eventually(t, what, func() bool {
			if time.Since(looked) > limit {
				looked, limit = time.Now(), 2*limit
				workers[1].kill()
				workers[1] = f.spawn(folder, false)
			}
			return ok()
		})
	}
	seen := func(n int) func() bool {
		return func() bool { return len(count(lines(t, folder))) >= n }
	}
	for round := range 6 {
		// Kill somewhere in the next stretch, wherever the worker is then.
		await("progress", seen(round*300+random.IntN(300)))
		i := round % 2
		workers[i].kill()
		if round == 0 {
			// The other one takes over everything but the source.
			sofar := f.tally("numbers")
			await("take-over", seen(len(sofar)))
		}
		workers[i] = f.spawn(folder, i == 0)
	}
	await("all numbers", seen(killNumbers))
	await("commit of everything", func() bool { return f.committed("connect-k", "risen") == f.end("risen") })
	for i, p := range workers {
		_ = p.stdin.Close()
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("worker %d: %v\n%s", i, err, &p.errs)
		}
	}
	t.Logf("repeats: source %d, stream %d, sink %d",
		repeats(t, "topic of the source", f.tally("numbers"), killNumbers),
		repeats(t, "topic of the stream", f.tally("risen"), killNumbers),
		repeats(t, "sink", count(lines(t, folder)), killNumbers))
}
