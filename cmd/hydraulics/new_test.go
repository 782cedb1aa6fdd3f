package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// Each kind of module that new writes is built, passes its suite and lints its file, by
// what is on this machine alone; the program shows what it makes of records, and with the
// source its worker delivers them: the way of one who writes a source for an instrument.
func TestNewModulesWork(t *testing.T) {
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for kind, preview := range map[string][]string{
		"source":    nil,
		"sink":      {"preview", "my-probe.yaml", "--input", "records.json"},
		"transform": {"preview", "my-probe.yaml", "--input", "records.json"},
	} {
		t.Run(kind, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a folder")
			out, err := command(t, "new", kind, "my-probe", "--dir", dir, "--replace", checkout, "--module", "example.org/sea/probe")
			if err != nil || !strings.Contains(out, "myprobe/"+kind+"_test.go") {
				t.Fatalf("%v: %s", err, out)
			}
			run := func(wants string, program string, args ...string) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), program, args...)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOPROXY=off")
				out, err := cmd.CombinedOutput()
				if err != nil && program == "go" || !strings.Contains(string(out), wants) {
					t.Fatalf("%s %v: %v\n%s", program, args, err, out)
				}
			}
			run("ok  \texample.org/sea/probe/myprobe", "go", "test", "./...")
			run("", "go", "build", "-o", "my-probe-worker", ".")
			program := filepath.Join(dir, "my-probe-worker")
			run(" my-probe: ", program, "plugins", "my-probe")
			if out, err := exec.CommandContext(t.Context(), program, "lint", filepath.Join(dir, "my-probe.yaml")).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("lint: %v: %s", err, out)
			}
			if preview != nil {
				run("nothing was written", program, preview...)
			}
			if kind == "source" {
				delivers(t, dir, program)
			}
			if text, err := os.ReadFile(filepath.Join(dir, "README.md")); err != nil || strings.Contains(string(text), "example") || strings.Contains(string(text), "KIND") {
				t.Errorf("README: %v: %s", err, text)
			}
			if out, err := command(t, "new", kind, "other", "--dir", dir, "--replace", checkout); err == nil || !strings.Contains(err.Error(), "holds a module already") {
				t.Errorf("a second one: %v: %s", err, out)
			}
		})
	}
}

// delivers previews a new source, which writes nothing, and runs it until its 1,000
// records are in Kafka.
func delivers(t *testing.T, dir, program string) {
	t.Helper()
	const topic = "my-probe-readings"
	broker := kafkatest.Start(t)
	client, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{broker}, ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	there := func() (n int64) {
		ends, err := client.EndOffsets(t.Context(), topic)
		if err != nil {
			return 0 // there is no topic yet
		}
		for _, end := range ends {
			n += end
		}
		return n
	}
	out, err := exec.CommandContext(t.Context(), program, "preview", filepath.Join(dir, "my-probe.yaml"), "--poll", "5", "--set", "bootstrap.servers="+broker).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "value.temperature = 12") || !strings.Contains(string(out), "nothing was written") || there() != 0 {
		t.Fatalf("preview: %v: %s", err, out)
	}
	var said bytes.Buffer
	worker := exec.CommandContext(t.Context(), program, "worker", "-f", "my-probe.yaml", "--set", "bootstrap.servers="+broker,
		"--set", "listeners=http://127.0.0.1:0", "--set", "page.listener=")
	worker.Dir, worker.Stdout, worker.Stderr = dir, &said, &said
	worker.Cancel = func() error { return worker.Process.Signal(os.Interrupt) }
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "1,000 readings", func() bool { return there() == 1000 })
	if err := errors.Join(worker.Process.Signal(os.Interrupt), worker.Wait()); err != nil {
		t.Errorf("worker: %v: %s", err, &said)
	}
}

func TestNewRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a name with a space", []string{"new", "source", "my probe"}, "no name for a plugin"},
		{"a word of Go", []string{"new", "source", "func"}, "no word of Go"},
		{"one that is there", []string{"new", "source", "datagen"}, "there is a source datagen already"},
		{"no checkout", []string{"new", "source", "probe", "--replace", t.TempDir()}, "is no checkout of hydraulics"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := command(t, append(tt.args, "--dir", dir)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was written")
	}
}
