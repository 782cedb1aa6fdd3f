package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The example of a worker of one's own builds wherever it is taken, says its own
// name, and finds nothing wrong with its file.
func TestCustomSourceIsTakenElsewhere(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not here: apt install make")
	}
	example := os.DirFS("../../examples/custom-source")
	for _, name := range []string{"README.md", "main.go", "go.mod", "ctd.yaml", "ctd/source.go"} { // the test's cache looks at what it opens
		f, err := example.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "my worker")
	run := func(where, program string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Env = where, append(os.Environ(), "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
		return string(out)
	}
	run("../..", "make", "custom-source", "DIR="+dir)
	run(dir, "go", "build", "-o", "custom-source", ".")
	program := filepath.Join(dir, "custom-source")
	if got := run(dir, program, "--help"); !strings.Contains(got, "custom-source [command]") || strings.Contains(got, "hydraulics") {
		t.Errorf("help: %s", got)
	}
	if got := run(dir, program, "plugins", "ctd"); !strings.Contains(got, "source ctd: ") {
		t.Errorf("plugins: %s", got)
	}
	if got := run(dir, program, "lint", "ctd.yaml"); got != "" {
		t.Errorf("lint: %s", got)
	}
}
