//go:build integration

package integration

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// emptyWorker writes the file of a worker without connectors.
func emptyWorker(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "worker.yaml")
	check(t, os.WriteFile(name, []byte("worker:\n  bootstrap.servers: localhost:9092\n  schema.registry.url: http://localhost:8081\n"+
		"  listeners: http://127.0.0.1:0\n  page.listener: \"\"\n  key.converter: avro\n  value.converter: avro\n"), 0o644))
	return name
}

// examples/custom-source is a module of its own: taken out of the tree and built
// against it, it delivers its 1,000 records, also across a restart.
func TestCustomSource(t *testing.T) {
	dir := t.TempDir()
	check(t, os.CopyFS(dir, os.DirFS("../../../examples/custom-source")))
	tree, err := filepath.Abs("../../..")
	check(t, err)
	custom := filepath.Join(dir, "custom-source")
	for _, args := range [][]string{
		{"mod", "edit", "-replace=github.com/axiom-data-science/hydraulics=" + tree}, {"build", "-o", custom, "."},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	each(t, func(t *testing.T, s *stack) {
		dir, topic := t.TempDir(), s.name("scans")
		text, err := os.ReadFile("../../../examples/custom-source/ctd.yaml")
		check(t, err)
		check(t, os.WriteFile(filepath.Join(dir, "ctd.yaml"), text, 0o644))
		args := []string{"worker", "-f", "ctd.yaml", "--set", "bootstrap.servers=" + s.broker, "--set", "connectors.ctd.topic=" + topic,
			"--set", "listeners=http://127.0.0.1:0", "--set", "page.listener="}
		w := startProgram(t, dir, custom, args...)
		eventually(t, "1000 scans", func() bool { return s.written(topic) >= 1000 })
		w.stop()
		w = startProgram(t, dir, custom, args...) // nothing is left to give
		eventually(t, "the source", func() bool { state, _ := w.taskState("ctd"); return state == "RUNNING" })
		w.stop()
		got := map[string]int{}
		for _, m := range s.read(topic) {
			got[fmt.Sprint(scan(m.Key))]++
		}
		want := make([]string, 1000)
		for i := range want {
			want[i] = fmt.Sprint(i)
		}
		if again := complete(t, "scans", got, want); again > 0 {
			t.Errorf("%d scans came again", again)
		}
		t.Logf("passed: custom-source: %d records", len(got))
	})
}

// scan reads the key of a scan: eight bytes.
func scan(key []byte) uint64 {
	if len(key) != 8 {
		return 1 << 63
	}
	return binary.BigEndian.Uint64(key)
}
