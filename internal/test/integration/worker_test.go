//go:build integration

package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// patience is how long a test waits for what must come.
const patience = wait.Patience

// eventually waits until ok. state, called when time is up, says what is there
// instead.
func eventually(t *testing.T, what string, ok func() bool, state ...func() string) {
	t.Helper()
	await(t, patience, what, ok, state...)
}

func await(t *testing.T, patience time.Duration, what string, ok func() bool, state ...func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			said := ""
			for _, f := range state {
				said += "\n" + f()
			}
			t.Fatalf("still waiting after %v: %s%s", patience, what, said)
		}
		<-tick.C
	}
}

// program gives the path of the program under test.
func program(t *testing.T) string {
	t.Helper()
	name := os.Getenv("HYDRAULICS_BINARY")
	if name == "" {
		t.Fatal("HYDRAULICS_BINARY is not set: make integration builds the program and sets it")
	}
	return name
}

// hydraulics runs the program to its end and gives what it said.
func hydraulics(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), args...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err = cmd.Run()
	return text.String(), err
}

// outputAfter starts a command, which is killed when the test ends, and gives
// what its output says behind a text, to the end of the line.
func outputAfter(t *testing.T, cmd *exec.Cmd, text string) string {
	t.Helper()
	var logs bytes.Buffer
	cmd.Stderr = &logs
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s says:\n%s", cmd, &logs)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), text); ok {
			return rest
		}
	}
	t.Fatalf("%s ended without %q", cmd, text)
	return ""
}

// worker is a running `hydraulics worker` or connect-standalone: a process.
type worker struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  string // file
	rest string // URL
	done chan struct{}
	err  error // of the process, after done
}

// startProgram starts a program that logs its URL as that of the REST API, in a
// folder, to a log that goes on. It is killed when the test ends.
func startProgram(t *testing.T, dir, name string, args ...string) *worker {
	t.Helper()
	cmd := exec.Command(name, args...)
	// Nothing depends on the host's time zone.
	cmd.Env = append(os.Environ(), "TZ=Pacific/Auckland")
	w, from := launch(t, dir, "log", cmd)
	eventually(t, "the REST API", func() bool {
		w.rest = restURL(t, w.log, from)
		return w.rest != "" || w.ended()
	})
	if w.rest == "" {
		t.Fatalf("the worker ended: %v\n%s", w.err, w.tail(40))
	}
	return w
}

// launch starts a worker's process in a folder, with a log there that goes on from
// where it ends now. It is killed when the test ends.
func launch(t *testing.T, dir, logName string, cmd *exec.Cmd) (w *worker, from int64) {
	t.Helper()
	w = &worker{t: t, cmd: cmd, log: filepath.Join(dir, logName), done: make(chan struct{})}
	log, err := os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(t, err)
	defer log.Close()
	from, err = log.Seek(0, io.SeekEnd)
	check(t, err)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	check(t, cmd.Start())
	go func() { // ends with the process
		w.err = w.cmd.Wait()
		close(w.done)
	}()
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("end of the %s of %s:\n%s", logName, filepath.Base(dir), w.tail(40))
		}
	})
	return w, from
}

var restLine = regexp.MustCompile(`msg="REST API" url=(\S+)`)

func restURL(t *testing.T, name string, from int64) string {
	t.Helper()
	data, err := os.ReadFile(name)
	check(t, err)
	if m := restLine.FindSubmatch(data[from:]); m != nil {
		return string(m[1])
	}
	return ""
}

func (w *worker) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// kill ends the worker as kill -9 does.
func (w *worker) kill() {
	_ = w.cmd.Process.Kill() // it may have ended
	<-w.done
}

// leave ends the worker as its users do. Java's ends with the signal's number.
func (w *worker) leave() {
	w.t.Helper()
	check(w.t, w.cmd.Process.Signal(syscall.SIGTERM))
	wait.For(w.t, "the end of the worker", w.done)
}

// stop is leave, and takes a failure to stop as one.
func (w *worker) stop() {
	w.t.Helper()
	w.leave()
	if w.err != nil {
		w.t.Errorf("the worker ended with %v", w.err)
	}
}

// tail gives the last lines of the log, without what is said again and again.
func (w *worker) tail(n int) string {
	data, _ := os.ReadFile(w.log)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// logged tells whether the log has a line with all of some texts.
func (w *worker) logged(texts ...string) bool { return w.line(texts...) != "" }

// line gives the last line of the log with all of some texts.
func (w *worker) line(texts ...string) (last string) {
	data, err := os.ReadFile(w.log)
	check(w.t, err)
	for line := range strings.Lines(string(data)) {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all {
			last = strings.TrimSpace(line)
		}
	}
	return last
}

// taskState gives the state of a connector's first task and the trace of a
// failed one.
func (w *worker) taskState(connector string) (state, trace string) {
	w.t.Helper()
	var status struct {
		Connector struct{ State, Trace string }
		Tasks     []struct{ State, Trace string }
	}
	if code := w.get("/connectors/"+connector+"/status", &status); code != http.StatusOK {
		return fmt.Sprint(code), ""
	}
	if len(status.Tasks) == 0 {
		return status.Connector.State, status.Connector.Trace
	}
	return status.Tasks[0].State, status.Tasks[0].Trace
}

// get asks the REST API.
func (w *worker) get(path string, into any) int {
	w.t.Helper()
	resp, err := http.Get(w.rest + path)
	check(w.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	check(w.t, err)
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(data, into); err != nil {
			w.t.Fatalf("%s: %v: %s", path, err, data)
		}
	}
	return resp.StatusCode
}
