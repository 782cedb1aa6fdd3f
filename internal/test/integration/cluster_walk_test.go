//go:build integration

package integration

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/docs"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// terminal is a shell in a folder that commands are typed into.
type terminal struct {
	t   *testing.T
	dir string
	in  io.Writer
	out *bufio.Scanner
}

// newTerminal starts a shell, which ends with the test, as do the processes whose ids it
// has put into files.
func newTerminal(t *testing.T, dir string) *terminal {
	t.Helper()
	cmd := exec.Command("sh")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	cmd.Stderr = cmd.Stdout
	check(t, cmd.Start())
	x := &terminal{t, dir, in, bufio.NewScanner(out)}
	t.Cleanup(func() {
		files, err := filepath.Glob(filepath.Join(dir, "*.pid"))
		check(t, err)
		for _, file := range files {
			_ = syscall.Kill(x.pid(file), syscall.SIGKILL) // it may have ended
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return x
}

func (x *terminal) pid(file string) int {
	x.t.Helper()
	text, err := os.ReadFile(file)
	check(x.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	check(x.t, err)
	return pid
}

// types has the shell run a command, which is to go well, and gives what it says.
func (x *terminal) types(command string) string {
	x.t.Helper()
	const end = "the command ends with "
	_, err := fmt.Fprintf(x.in, "%s\nended=$?; echo; echo '%s'$ended\n", command, end)
	check(x.t, err)
	var said strings.Builder
	for x.out.Scan() {
		if code, ended := strings.CutPrefix(x.out.Text(), end); ended {
			if code != "0" {
				x.t.Fatalf("%s: it ends with %s:\n%s", command, code, &said)
			}
			return said.String()
		}
		said.WriteString(x.out.Text() + "\n")
	}
	x.t.Fatalf("%s: the shell has ended: %v\n%s", command, x.out.Err(), &said)
	return ""
}

// walk is the one of docs/cluster.md: three workers of a cluster with a connector.
type walk struct {
	*cluster
	workers []*member         // once they are started
	here    *strings.Replacer // puts this run's own in place of the document's walk, localhost:9092 and 8083 to 8085
	killed  bool
	before  map[string]start // the last ones before the upgrade
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	w := &walk{cluster: newCluster(t, 0)}
	names := []string{"walk", w.name, "localhost:9092", w.broker}
	for n := range 3 {
		p, err := port.Lasting()
		check(t, err)
		names = append(names, fmt.Sprint(8083+n), fmt.Sprint(p))
		address := fmt.Sprint("127.0.0.1:", p)
		w.workers = append(w.workers, &member{&worker{t: t, rest: "http://" + address}, address})
	}
	w.here = strings.NewReplacer(names...)
	return w
}

// shared waits until these workers have the same share of the six tasks.
func (w *walk) shared(workers ...*member) {
	w.t.Helper()
	wait.Nil(w.t, "the same share for each", func() error {
		for id, n := range running(w.t, map[string]int{"numbers": 6}, workers...) {
			if n != 6/len(workers) {
				return fmt.Errorf("%d tasks are at %s", n, id)
			}
		}
		return nil
	})
}

// looks are what is looked at behind commands of the document.
func (w *walk) looks() map[string]func(said string) {
	t := w.t
	return map[string]func(said string){
		"ready 8083; ready 8084; ready 8085": func(string) { running(t, nil, w.workers...) },
		"bin/hydraulics connectors create -f numbers.yaml --url http://localhost:8084": func(said string) {
			if !strings.Contains(said, "numbers: created\n") {
				t.Errorf("it says %s", said)
			}
			w.shared(w.workers...)
		},
		"kill -9 $(cat 8084.pid)": func(string) { w.killed = true },
		"bin/hydraulics connectors show numbers --url http://localhost:8085": func(said string) {
			if n := strings.Count(said, "  task "); n != 6 {
				t.Errorf("%d tasks are shown:\n%s", n, said)
			}
			if !w.killed {
				return
			}
			wait.Nil(t, "tasks in no hands", func() error {
				_, text, err := w.workers[2].ask("GET", "/connectors/numbers/status", "")
				if err == nil && strings.Count(text, `"UNASSIGNED"`) < 2 {
					err = fmt.Errorf("they are %s", text)
				}
				return err
			})
			w.shared(w.workers[0], w.workers[2])
		},
		"start 8084; ready 8084": func(string) {
			w.shared(w.workers...)
			w.before = w.starts(w.name + "-status")
		},
		"upgrade 8083; upgrade 8084; upgrade 8085": func(string) {
			w.shared(w.workers...)
			for task, now := range w.starts(w.name + "-status") {
				if was := w.before[task]; now.worker != was.worker || now.count != was.count+1 {
					t.Errorf("task %s was at %s, and has started %d times since, the last time at %s: want once, there", task, was.worker, now.count-was.count, now.worker)
				}
			}
		},
	}
}

// Three workers are started, one is killed, and all are upgraded one by one, by the
// commands of docs/cluster.md, and what is said there comes true.
//
// Clauses: G4.
func TestWalk(t *testing.T) {
	w := newWalk(t)
	dir := t.TempDir()
	for _, folder := range []string{"bin", "new"} {
		check(t, os.Mkdir(filepath.Join(dir, folder), 0o755))
		data, err := os.ReadFile(program(t))
		check(t, err)
		check(t, os.WriteFile(filepath.Join(dir, folder, "hydraulics"), data, 0o755))
	}
	blocks, err := docs.Read("../../..")
	check(t, err)
	shell, looks := newTerminal(t, dir), w.looks()
	seen := map[string]bool{}
	for _, b := range blocks {
		switch {
		case b.Document != "docs/cluster.md":
		case b.Language == "yaml" && strings.HasPrefix(b.Text, "worker:"): // the last one before the commands
			check(t, os.WriteFile(filepath.Join(dir, "worker.yaml"), []byte(w.here.Replace(b.Text)), 0o644))
		case b.Language == "yaml":
			check(t, os.WriteFile(filepath.Join(dir, "numbers.yaml"), []byte(w.here.Replace(b.Text)), 0o644))
		case b.Language == "sh":
			for _, command := range b.Commands() {
				began := time.Now()
				said := shell.types(w.here.Replace(command))
				if look := looks[command]; look != nil {
					seen[command] = true
					look(said)
				}
				t.Logf("%s: %v", command, time.Since(began).Round(100*time.Millisecond))
			}
		}
	}
	for command := range looks {
		if !seen[command] {
			t.Errorf("docs/cluster.md has no %q any more", command)
		}
	}
	t.Log("passed: the walk of docs/cluster.md")
}
